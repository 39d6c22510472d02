package knowledgeneurons

import (
	"encoding/json"
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
		if a != b && *regen {
			if err := os.WriteFile(filepath.Join(committed, path), []byte(withHowMade(path, string(got), string(want))), 0o644); err != nil {
				return err
			}
		} else if a != b {
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
