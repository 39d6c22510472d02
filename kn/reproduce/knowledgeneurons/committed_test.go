package knowledgeneurons

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
)

// drawing is a chart on a page; other processors place its marks a little
// otherwise.
var drawing = regexp.MustCompile(`(?s)<svg .*?</svg>`)

// TestCommittedReport writes the report on bert-base-cased once more, from the
// result files that are committed with it: all but the section on how it was
// made are the same bytes.
func TestCommittedReport(t *testing.T) {
	committed := filepath.Join("..", "..", "..", "notebooks", "reports", "bert-base-cased")
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, report.ResultsDir), 0o755); err != nil {
		t.Fatal(err)
	}
	e := &experimenter{ran: map[string]bool{}}
	for name, result := range map[string]any{
		"facts": new(FactSummary), "paper": new(Paper), "sweep": &e.found.sweep, "neurons": &e.found.neurons, "intervene": &e.found.intervene,
		"express": &e.found.express, "update": &e.found.update, "erase": &e.found.erase,
	} {
		data, err := os.ReadFile(filepath.Join(committed, report.ResultsDir, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, result); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, report.ResultsDir, name+".json"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		if name != "facts" && name != "paper" {
			e.ran[name], e.done = true, append(e.done, name)
		}
	}
	b, sections := e.sections(dir, setting{model: "bert-base-cased", activation: "gelu"}, true)
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	if err := b.Report(sections...).Write(dir); err != nil {
		t.Fatal(err)
	}
	compared := 0
	err := fs.WalkDir(os.DirFS(committed), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == NeuronsFile {
			return err
		}
		want, err := os.ReadFile(filepath.Join(committed, path))
		if err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return err
		}
		a, b := comparable(path, string(got)), comparable(path, string(want))
		if a != b {
			at := 0
			for at < len(a) && at < len(b) && a[at] == b[at] {
				at++
			}
			from := max(0, at-100)
			t.Errorf("%s differs at %d:\n%.300q\nwant\n%.300q", path, at, a[from:], b[from:])
		}
		compared++
		return nil
	})
	if err != nil || compared < 50 {
		t.Errorf("%d files were compared, %v", compared, err)
	}
}

// comparable is what of a file is the same wherever the report is written.
func comparable(path, text string) string {
	switch filepath.Ext(path) {
	case ".md":
		text, _, _ = strings.Cut(text, "\n## How this was made")
		text = strings.Replace(text, "- [How this was made](#how-this-was-made)\n", "", 1)
	case ".html":
		text, _, _ = strings.Cut(text, "\n<section>\n<h2 id=\"how-this-was-made\">")
		text = strings.Replace(text, "<li><a href=\"#how-this-was-made\">How this was made</a></li>\n", "", 1)
		text = strings.TrimSuffix(strings.TrimSpace(text), "</main>\n</body>\n</html>")
		text = drawing.ReplaceAllString(text, "")
	case ".svg":
		text = regexp.MustCompile(`(?s)<title>.*</metadata>`).FindString(text)
	}
	return strings.TrimSpace(text)
}
