package knowledgeneurons_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/report/reporttest"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/knowledgeneurons"
)

// quick is a reproduction of a few facts of three relations.
var quick = knowledgeneurons.Options{
	Limit: 12, Relations: []string{"P19", "P36", "P106"}, Tolerance: 0.05, Command: "kn reproduce",
	Sizes: knowledgeneurons.Sizes{Resamples: 50, Draws: 1, Recipes: 2, Prompts: 2, Updates: 1, Curve: 1, Erased: 2, Others: 2},
}

// reproduced runs it and returns the stages that were not computed again.
func reproduced(t *testing.T, dir string, o knowledgeneurons.Options) (outcome *reproduce.Outcome, kept map[string]bool) {
	t.Helper()
	m, err := kn.Load(mini.Name, kn.WithCache("off"))
	if err != nil {
		t.Fatal(err)
	}
	kept = map[string]bool{}
	outcome, err = knowledgeneurons.Reproduce(t.Context(), m, dir, o, reproduce.Watch{Stage: func(_, _ int, what string, again bool) { kept[what] = again }})
	if err != nil {
		t.Fatal(err)
	}
	return outcome, kept
}

var timeLine = regexp.MustCompile(`(?m)^.*in all \(.*$`)

// page is the report without the line on time.
func page(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(timeLine.FindAll(data, -1)) != 1 {
		t.Errorf("%s does not say in one line how long it took", filepath.Base(path))
	}
	return timeLine.ReplaceAllString(string(data), "")
}

// TestReproduce makes a whole report, traces its numbers, and makes it again:
// from what is kept, and from nothing elsewhere.
func TestReproduce(t *testing.T) {
	dir := t.TempDir()
	first, kept := reproduced(t, dir, quick)
	for stage, again := range kept {
		if again {
			t.Errorf("stage %q was found in an empty folder", stage)
		}
	}
	if n := reporttest.Traced(t, dir); n < 300 {
		t.Errorf("only %d numbers are traced to result files", n)
	}
	verdicts := map[string]report.Verdict{}
	for _, c := range first.Claims {
		verdicts[c.ID] = c.Verdict
	}
	// Two facts a relation are too few to tell anything of.
	if len(verdicts) != 9 || verdicts["suppress"] != report.Holds || verdicts["erase"] != report.Unknown {
		t.Errorf("verdicts %v", verdicts)
	}
	text := page(t, first.Markdown)

	// A stage is lost, as if the first run had been killed in it.
	if err := os.Remove(filepath.Join(dir, report.ResultsDir, "update.json")); err != nil {
		t.Fatal(err)
	}
	_, kept = reproduced(t, dir, quick)
	for stage, again := range kept {
		if lost := stage == "update facts" || stage == "choose facts" || stage == "write the report"; again == lost {
			t.Errorf("stage %q kept: %v", stage, again)
		}
	}
	if page(t, first.Markdown) != text {
		t.Error("what was computed again makes another report")
	}

	// Another size of one experiment concerns that experiment alone.
	other := quick
	other.Sizes.Erased = 3
	_, kept = reproduced(t, dir, other)
	if kept["erase relations"] || !kept["update facts"] || !kept["attribute the answers to neurons"] {
		t.Errorf("kept: %v", kept)
	}
}
