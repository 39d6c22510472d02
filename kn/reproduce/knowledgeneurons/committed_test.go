package knowledgeneurons

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
)

// regen writes the committed report anew, after its text was changed.
var regen = flag.Bool("regen", false, "write the committed report anew, from its results")

// drawing is a chart on a page; other processors place its marks a little
// otherwise.
var drawing = regexp.MustCompile(`(?s)<svg .*?</svg>`)

// TestCommittedReport writes the report on bert-base-cased once more, from the
// result files that are committed with it: all but the section on how it was
// made are the same bytes. After the text was changed, -regen writes it there.
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
		"recipes": &e.found.recipes, "convergence": &e.found.convergence, "exactness": &e.found.exactness,
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
	for path := range filesIn(t, committed, dir) {
		if path == NeuronsFile || filepath.Ext(path) == ".png" { // a copy to pass on has no PNGs
			continue
		}
		compared++
		got, want := content(t, dir, path), content(t, committed, path)
		a, b := comparable(path, got), comparable(path, want)
		switch {
		case a == b:
		case *regen:
			if err := os.WriteFile(filepath.Join(committed, path), []byte(withHowMade(path, got, want)), 0o644); err != nil {
				t.Error(err)
			}
		default:
			at := 0
			for at < len(a) && at < len(b) && a[at] == b[at] {
				at++
			}
			from := max(0, at-100)
			t.Errorf("%s differs at %d:\n%.300q\nwant\n%.300q", path, at, a[min(from, len(a)):], b[min(from, len(b)):])
		}
	}
	if compared < 50 {
		t.Errorf("%d files were compared", compared)
	}
}

// filesIn are the paths of all files in some folders, relative to them.
func filesIn(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	paths := map[string]bool{}
	for _, folder := range folders {
		err := fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				paths[path] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

// content is a file's; nothing if it is not there.
func content(t *testing.T, folder, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

// The section on how a report was made, by the extension of its file: its line
// among the contents, and its heading.
var howMade = map[string][2]string{
	".md":   {"- [How this was made](#how-this-was-made)\n", "\n## How this was made"},
	".html": {"<li><a href=\"#how-this-was-made\">How this was made</a></li>\n", "\n<section>\n<h2 id=\"how-this-was-made\">"},
}

const pageEnd = "</main>\n</body>\n</html>"

// withHowMade is a report with the section on how it was made taken from the one
// before.
func withHowMade(path, text, before string) string {
	made, report := howMade[filepath.Ext(path)]
	if !report || !strings.Contains(before, made[1]) {
		return text
	}
	upTo, _, _ := strings.Cut(before, made[0])
	above := upTo[strings.LastIndex(strings.TrimSpace(upTo), "\n")+1:] // the line above in the contents
	text = strings.TrimSuffix(strings.TrimSpace(text), pageEnd)
	return strings.TrimRight(strings.Replace(text, above, above+made[0], 1), "\n") + "\n" + before[strings.Index(before, made[1]):]
}

// comparable is what of a file is the same wherever the report is written.
func comparable(path, text string) string {
	switch filepath.Ext(path) {
	case ".md", ".html":
		made := howMade[filepath.Ext(path)]
		text, _, _ = strings.Cut(text, made[1])
		text = strings.Replace(text, made[0], "", 1)
		text = drawing.ReplaceAllString(strings.TrimSuffix(strings.TrimSpace(text), pageEnd), "")
	case ".svg":
		text = regexp.MustCompile(`(?s)<title>.*</metadata>`).FindString(text)
	}
	return strings.TrimSpace(text)
}
