package notebooks

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeSaysWhatTheReportDoes: each row of the README's table of the paper's
// numbers is one of the report on bert-base-cased, and so is the tally of the
// claims; what the README links is there.
func TestReadmeSaysWhatTheReportDoes(t *testing.T) {
	read := func(path string) string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	readme, report := read("../README.md"), read("reports/bert-base-cased/report.md")
	_, table, ok := strings.Cut(readme, "|  | paper | here |\n| :-- | --: | --: |\n")
	if !ok {
		t.Fatal("the README has no table of the paper's numbers")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")
	if len(rows) < 6 {
		t.Errorf("the README's table has %d rows", len(rows))
	}
	for _, row := range rows {
		if !strings.Contains(report, "\n"+row) { // the report says besides whether the paper's is in the interval
			t.Errorf("the report has no row %s", row)
		}
	}
	tally := regexp.MustCompile(`Of the paper's \d+ claims \d+ hold here\b[^.]*\.`)
	if said := tally.FindString(report); said == "" || !strings.Contains(readme, said) {
		t.Errorf("the README does not say %q", said)
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`).FindAllStringSubmatch(readme, -1) {
		if strings.Contains(link[1], "://") {
			continue
		}
		if _, err := os.Stat(filepath.Join("..", link[1])); err != nil {
			t.Errorf("README.md: %v", err)
		}
	}
}
