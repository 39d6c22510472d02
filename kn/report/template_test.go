package report_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
)

// written is the section of a template on the result file counts.json.
func written(t testing.TB, dir, text string, c report.Content) (report.Section, report.Claims, error) {
	t.Helper()
	all := report.OpenResults(dir)
	if c.Data == nil {
		c.Data = map[string]any{}
	}
	c.Data["counts"] = all.Object("counts")
	if err := all.Err(); err != nil {
		t.Fatal(err)
	}
	return report.MustParseTemplates(fstest.MapFS{"section.tmpl": {Data: []byte(text)}}).Section("section.tmpl", c)
}

// TestMarksInData: what actions print is text, whatever marks it has.
func TestMarksInData(t *testing.T) {
	marked := "[claims] `a` | [b](c)\n\n# d"
	s, _, err := written(t, folder(t), "# T\n\n{{.x}}\n\n[table t] {{code .x}}\n| a |\n| {{.x}} |\n", report.Content{Data: map[string]any{"x": marked}})
	if err != nil {
		t.Fatal(err)
	}
	table := s.Blocks[1].(*report.Table)
	for _, got := range []report.Text{report.Text(s.Blocks[0].(report.Paragraph)), table.Caption, table.Rows[0][0]} {
		if got.String() != marked || len(got) != 1 || got[0].Link != "" {
			t.Errorf("%q became %+v", marked, got)
		}
	}
}

func TestTemplatesSayWhatIsMissing(t *testing.T) {
	for text, want := range map[string]string{
		"{{.counts.fact}}":              `no entry for key "fact"`,
		"{{index .counts \"a/b\"}}":     "printed by decimals",
		"{{.counts.name | decimals 2}}": "neither a number nor an interval",
		"{{index .counts \"none\"}}":    "nothing to print",
		"[figure bars] Bars.":           `no drawing for the figure "bars"`,
		"[claim less] It falls.":        `no verdict on the claim "less"`,
	} {
		if _, _, err := written(t, folder(t), text, report.Content{}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "section.tmpl") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestBlankLines: only those of the source part paragraphs.
func TestBlankLines(t *testing.T) {
	s, _, err := written(t, folder(t), "One\n{{if .no}}\nleft out\n\n{{end}}\ntwo.\n\n{{if .no}}left out{{end}}\n\nThree.", report.Content{Data: map[string]any{"no": false}})
	if err != nil {
		t.Fatal(err)
	}
	var paragraphs []string
	for _, b := range s.Blocks {
		paragraphs = append(paragraphs, report.Text(b.(report.Paragraph)).String())
	}
	if want := []string{"One two.", "Three."}; !slices.Equal(paragraphs, want) {
		t.Errorf("paragraphs %q, want %q", paragraphs, want)
	}
}

func ExampleTemplates() {
	dir, err := os.MkdirTemp("", "report")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Mkdir(filepath.Join(dir, report.ResultsDir), 0o755); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, report.ResultsDir, "neurons.json"), []byte(`{"facts": 12, "per_fact": {"mean": 4.92, "low": 4.66, "high": 5.19}}`), 0o644); err != nil {
		panic(err)
	}
	texts := report.MustParseTemplates(fstest.MapFS{"where.tmpl": {Data: []byte(`# Where they are

{{.neurons.facts}} facts have {{.neurons.per_fact | decimals 1}} neurons.
`)}}) // embed the files of a program
	s, _, err := texts.Section("where.tmpl", report.Content{Data: map[string]any{"neurons": report.OpenResults(dir).Object("neurons")}})
	if err != nil {
		panic(err)
	}
	text := report.Text(s.Blocks[0].(report.Paragraph))
	fmt.Printf("%s: %s\n", s.Title, text)
	fmt.Println(text[2].Text, "from", text[2].Number.Source())
	// Output:
	// Where they are: 12 facts have 4.9 [4.7, 5.2] neurons.
	// 4.9 from neurons.json#/per_fact/mean
}
