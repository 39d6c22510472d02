package notebooks

import (
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kernel"
)

var regen = flag.Bool("regen", false, "write the pages in notebooks/pages anew, from the notebooks as they are executed")

// render makes a Markdown page of an executed notebook, with its charts as SVG
// beside it, so that a reader on the web sees what the notebook shows.
func render(t *testing.T, j kernel.Jupyter, executed, name string) {
	t.Helper()
	stem := strings.TrimSuffix(name, ".ipynb")
	pages, err := filepath.Abs("pages")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join("pages", stem+"_files")); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(j.Command, "nbconvert", "--to", "markdown", "--CoalesceStreamsPreprocessor.enabled=True", "--output-dir", pages, "--output", stem,
		`--NbConvertBase.display_data_priority=["image/svg+xml","text/html","image/png","text/markdown","text/plain"]`, executed).CombinedOutput()
	if err != nil {
		t.Fatalf("nbconvert: %v\n%s", err, out)
	}
	unused, err := filepath.Glob(filepath.Join("pages", stem+"_files", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range unused { // each is an SVG too
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	page := filepath.Join("pages", stem+".md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(page, []byte(still(t, string(text), stem)), 0o644); err != nil {
		t.Fatal(err)
	}
}

var (
	scripted = regexp.MustCompile(`(?s)<div class="kn-(slider|turnable)".*?</script>\s*</div>`)
	embedded = regexp.MustCompile(`src="data:image/png;base64,([^"]+)"`)
	links    = regexp.MustCompile(`\]\(([^)\s]+\.(?:md|ipynb|svg|png)(?:#[^)\s]*)?)\)`) // of notebooks they are relative to the notebooks' folder
	linked   = regexp.MustCompile(`!\[[^\]]*\]\(([^)]+)\)`)
	// started is the worker's message, with a number of a process; empty lines
	// are what progress bars leave.
	started = regexp.MustCompile(`(?m)^    kn: worker started .*\n`)
	empty   = regexp.MustCompile(`\n{3,}|\n\n(?: *\n)+`)
)

// still puts a picture in the place of what needs a script, and leaves out what
// is of no use on a page.
func still(t *testing.T, text, stem string) string {
	text = empty.ReplaceAllString(started.ReplaceAllString(text, ""), "\n\n")
	text = links.ReplaceAllStringFunc(text, func(link string) string {
		if to := links.FindStringSubmatch(link)[1]; !strings.Contains(to, "://") && !strings.HasPrefix(to, stem+"_files/") {
			return "](../" + to + ")"
		}
		return link
	})
	n := 0
	return scripted.ReplaceAllStringFunc(text, func(fragment string) string {
		png, err := base64.StdEncoding.DecodeString(embedded.FindStringSubmatch(fragment)[1])
		if err != nil {
			t.Fatal(err)
		}
		n++
		file := filepath.ToSlash(filepath.Join(stem+"_files", fmt.Sprintf("scripted_%d.png", n)))
		if err := os.MkdirAll(filepath.Join("pages", stem+"_files"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("pages", file), png, 0o644); err != nil {
			t.Fatal(err)
		}
		return "![" + scripted.FindStringSubmatch(fragment)[1] + "](" + file + ")\n\n*In the notebook this picture moves.*"
	})
}

// TestPagesAreCurrent: the rendered pages have their notebooks' text and code,
// and the pictures that they link.
func TestPagesAreCurrent(t *testing.T) {
	names, err := filepath.Glob("*.ipynb")
	if err != nil || len(names) < 7 {
		t.Fatalf("notebooks %v: %v", names, err)
	}
	for _, name := range names {
		n, err := kernel.ReadNotebook(name)
		if err != nil {
			t.Fatal(err)
		}
		stem := strings.TrimSuffix(name, ".ipynb")
		text, err := os.ReadFile(filepath.Join("pages", stem+".md"))
		if err != nil {
			t.Fatal(err)
		}
		page := string(text)
		for i, c := range n.Cells {
			want := string(c.Source)
			if c.Type == "code" {
				want = "```go\n" + want + "\n```"
			}
			if c.Type == "markdown" {
				want = still(t, want, stem)
			}
			if !strings.Contains(page, want) {
				t.Errorf("pages/%s.md has not cell %d of the notebook: write it anew by go test ./notebooks -regen (bert-base's by .ci/bert-base -regen)", stem, i+1)
			}
		}
		pictures := linked.FindAllStringSubmatch(page, -1)
		if len(pictures) == 0 {
			t.Errorf("pages/%s.md shows no picture", stem)
		}
		for _, link := range links.FindAllStringSubmatch(page, -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join("pages", link[1])); err != nil {
				t.Errorf("pages/%s.md: %v", stem, err)
			}
		}
		if strings.Contains(page, "<script") {
			t.Errorf("pages/%s.md has a script", stem)
		}
	}
}
