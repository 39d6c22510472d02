package knowledgeneurons_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
)

// TestNothingToMeasure: facts of one relation leave nothing to measure of what
// erasing it does to others. The report says so and has the rest.
func TestNothingToMeasure(t *testing.T) {
	dir, o := t.TempDir(), quick(factsFile(t))
	o.Relations, o.Limit = []string{"P36"}, 3
	outcome, _ := reproduced(t, dir, o)
	verdicts := map[string]report.Verdict{}
	for _, c := range outcome.Claims {
		verdicts[c.ID] = c.Verdict
	}
	if len(verdicts) != 10 || verdicts["erase"] != report.Unknown {
		t.Errorf("verdicts %v", verdicts)
	}
	for result, there := range map[string]bool{"update": true, "erase": false} {
		_, err := os.Stat(filepath.Join(dir, "results", result+".json"))
		if err == nil != there || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("results of %s: %v", result, err)
		}
	}
	written, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(written), "Nothing could be measured: erasing a relation is measured against others"); n != 2 {
		t.Errorf("the report says %d times why nothing is said of erasing, want 2: in the section and at the claim", n)
	}
}
