package reproduce

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
)

// Outcome says where a report is and what it says of the paper's claims.
type Outcome struct {
	Markdown string               `json:"markdown"` // path of the report
	Page     string               `json:"page"`     // path of the same as HTML
	Claims   []report.StoredClaim `json:"claims"`
	Seconds  float64              `json:"seconds"` // that all stages took, in this run or an earlier one
}

//go:embed *.tmpl
var shared embed.FS

// Templates are the texts of a paper's report, whose files are beside its code,
// with those that papers share. introduction.tmpl has the title and what stands
// below it.
func Templates(files fs.FS) *report.Templates { return report.MustParseTemplates(shared, files) }

// Book is a report while it is written: its texts, the result files, the claims
// that its sections found out about, and what went wrong.
type Book struct {
	*report.Results
	Claims report.Claims
	// Data is what every template is given: results by their names, and facts of the run.
	Data      map[string]any
	templates *report.Templates
	errs      []error
}

// OpenBook opens a book on the named result files of a reproduction's folder.
func OpenBook(dir string, templates *report.Templates, results ...string) *Book {
	b := &Book{Results: report.OpenResults(dir), Data: map[string]any{"fewest": Fewest}, templates: templates}
	for _, name := range results {
		b.Data[name] = b.Object(name)
	}
	return b
}

// Section writes a section by its template, and adds its claims to those of the
// report. c.Data is given to this template besides the book's.
func (b *Book) Section(name string, c report.Content) report.Section {
	data := maps.Clone(b.Data)
	maps.Copy(data, c.Data)
	c.Data, c.Claims = data, b.Claims
	s, made, err := b.templates.Section(name+".tmpl", c)
	b.errs = append(b.errs, err)
	b.Claims = append(b.Claims, made...)
	return s
}

// Draw takes a chart for a section; that it could not be drawn is remembered.
func (b *Book) Draw(d report.Drawing, err error) report.Drawing {
	b.errs = append(b.errs, err)
	return d
}

// Err says what could not be read, written or drawn, or is nil.
func (b *Book) Err() error { return errors.Join(append(b.errs, b.Results.Err())...) }

// Report is the report of these sections, with its introduction.
func (b *Book) Report(sections ...report.Section) *report.Report {
	s := b.Section("introduction", report.Content{})
	r := &report.Report{Title: s.Title, Sections: sections}
	for _, paragraph := range s.Blocks {
		r.Subtitle = append(r.Subtitle, paragraph.(report.Paragraph)...)
	}
	return r
}

// Write writes the report into dir, unless a figure or a number of it is
// missing. stages are those that its results come from.
func (b *Book) Write(run *Run, dir string, r *report.Report, stages []string) (*Outcome, error) {
	if err := b.Err(); err != nil {
		return nil, err
	}
	if err := r.Write(dir); err != nil {
		return nil, err
	}
	o := &Outcome{Markdown: filepath.Join(dir, "report.md"), Page: filepath.Join(dir, "report.html"), Seconds: run.Seconds(stages...)}
	for _, c := range b.Claims {
		o.Claims = append(o.Claims, c.Stored())
	}
	return o, nil
}

// HowMade is what the section says on how a report was made, by which command and
// backend. Only the time differs from run to run.
func (r *Run) HowMade(command, backend string, stages []string) map[string]any {
	program := fmt.Sprintf("%s, %s, %s/%s, %s", program(), runtime.Version(), runtime.GOOS, runtime.GOARCH, backend)
	return map[string]any{"command": command, "program": program, "time": r.times(stages)}
}

// program is this program's version.
func program() string {
	version := "kn " + kn.Version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				version += ", revision " + setting.Value
			}
		}
	}
	return version
}

// times says how long the stages took, on one line.
func (r *Run) times(stages []string) string {
	var each []string
	for _, name := range stages {
		each = append(each, fmt.Sprintf("%s %s", name, inSeconds(r.Seconds(name))))
	}
	return fmt.Sprintf("%s in all, dealt out equally to stages that ran side by side (%s)", inSeconds(r.Seconds(stages...)), strings.Join(each, ", "))
}

func inSeconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(time.Second).String()
}
