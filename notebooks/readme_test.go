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
// claims; each row on kn-mini is one of its model card; what the README links is
// there.
func TestReadmeSaysWhatTheReportDoes(t *testing.T) {
	read := func(path string) string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	readme, report := read("../README.md"), read("reports/bert-base-cased/report.md")
	for head, source := range map[string]string{
		"|  | paper | here | the paper's number is |\n| :-- | --: | --: | :-- |\n": report,
		"| | kn-mini | bert-base-cased |\n|---|---|---|\n":                         read("../kn/mini/model/README.md"),
	} {
		_, table, ok := strings.Cut(readme, head)
		if !ok {
			t.Errorf("the README has no table %q", head)
			continue
		}
		table, _, _ = strings.Cut(table, "\n\n")
		rows := strings.Split(table, "\n")
		if len(rows) < 6 {
			t.Errorf("the README's table %q has %d rows", head, len(rows))
		}
		for _, row := range rows {
			if !strings.Contains(source, "\n"+row+"\n") {
				t.Errorf("%.30q has no row %s", source, row)
			}
		}
	}
	tally := regexp.MustCompile(`Of \d+ claims of the paper \d+ hold here\b[^.]*\.`)
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
