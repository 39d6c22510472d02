package reproduce

import (
	"errors"
	"fmt"
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

// Book is a report while it is written: the result files, the claims that its
// sections found out about, and what went wrong with figures.
type Book struct {
	*report.Results
	Claims report.Claims
	errs   []error
}

// OpenBook opens a book on the result files of a reproduction's folder.
func OpenBook(dir string) *Book { return &Book{Results: report.OpenResults(dir)} }

// Claim adds a claim to those at the head of the report.
func (b *Book) Claim(c report.Claim) { b.Claims = append(b.Claims, c) }

// Figure adds a chart to a section, unless it could not be drawn.
func (b *Book) Figure(s *report.Section, id string, caption report.Text) func(d report.Drawing, err error) {
	return func(d report.Drawing, err error) {
		if err != nil {
			b.errs = append(b.errs, fmt.Errorf("figure %s: %w", id, err))
			return
		}
		s.Add(&report.Figure{ID: id, Drawing: d, Caption: caption})
	}
}

// Write writes the report into dir, unless a figure or a number of it is
// missing. stages are those that its results come from.
func (b *Book) Write(run *Run, dir string, r *report.Report, stages []string) (*Outcome, error) {
	if err := errors.Join(append(b.errs, b.Err())...); err != nil {
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

// Made is the section on how a report was made, by which command, on what, and
// by which backend. Only its line on time differs from run to run.
func (r *Run) Made(command, backend string, on report.Pairs, stages []string) report.Section {
	s := report.Section{Title: "How this was made"}
	s.Say("In ", report.Mono("report.html"), " each number measured names, when pointed at, the file in ", report.Mono(report.ResultsDir), " and the place in it that it was read from. "+
		"Tables are there as CSV in full precision. Figures are in ", report.Mono(report.FiguresDir), ", each with its provenance inside. "+
		"The command, run again, computes only what is missing or what a changed option concerns.")
	pairs := append(report.Pairs{{Name: "Command", Text: report.Join(report.Mono(command))}}, on...)
	s.Add(append(pairs,
		report.Pair{Name: "Program", Text: report.Join(program(), ", ", runtime.Version(), ", ", runtime.GOOS, "/", runtime.GOARCH, ", ", backend)},
		report.Pair{Name: "Time", Text: report.Join(r.times(stages))}))
	return s
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
