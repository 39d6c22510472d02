package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// Report is a document.
type Report struct {
	Title    string
	Subtitle Text
	Sections []Section
}

// Section has a heading and what stands below it.
type Section struct {
	Title  string
	Blocks []block
}

// block is a [Paragraph], [*Table], *figure, [Claims] or pairs.
type block interface{ Kind() string }

// Paragraph is running text.
type Paragraph Text

// Claims are the claims of a paper with their verdicts.
type Claims []Claim

// pairs are names with what they are, such as a setting: a short list.
type pairs []pair

type pair struct {
	Name string
	Text Text
}

// figure is a chart.
type figure struct {
	ID      string // name of its files
	Drawing Drawing
	Caption Text
}

// Drawing is what a figure shows; package plots makes them.
type Drawing interface {
	SVG() ([]byte, error)
	PNG() ([]byte, error)
	Title() string
	Description() string // in words, for readers who do not see it
}

// Write writes the report and its tables, figures and claims into dir. Each
// file appears when it is complete.
func (r *Report) Write(dir string) error {
	for _, sub := range []string{ResultsDir, FiguresDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return fmt.Errorf("report: %w; choose a folder that can be written", err)
		}
	}
	drawn := map[string][]byte{} // SVG of each figure
	var claims []Claim
	for _, s := range r.Sections {
		for _, b := range s.Blocks {
			var err error
			switch b := b.(type) {
			case *Table:
				err = b.save(filepath.Join(dir, ResultsDir))
			case *figure:
				drawn[b.ID], err = b.save(filepath.Join(dir, FiguresDir))
			case Claims:
				claims = append(claims, b...)
			}
			if err != nil {
				return err
			}
		}
	}
	if err := saveClaims(filepath.Join(dir, ResultsDir, "claims.json"), claims); err != nil {
		return err
	}
	page, err := r.html(drawn)
	if err != nil {
		return err
	}
	return errors.Join(
		save(filepath.Join(dir, "report.md"), r.markdown()),
		save(filepath.Join(dir, "report.html"), page),
	)
}

func save(path string, data []byte) error {
	if err := renameio.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// save draws the figure and returns its SVG.
func (f *figure) save(dir string) ([]byte, error) {
	svg, err := f.Drawing.SVG()
	if err != nil {
		return nil, fmt.Errorf("report: figure %s: %w", f.ID, err)
	}
	png, err := f.Drawing.PNG()
	if err != nil {
		return nil, fmt.Errorf("report: figure %s: %w", f.ID, err)
	}
	return svg, errors.Join(save(filepath.Join(dir, f.ID+".svg"), svg), save(filepath.Join(dir, f.ID+".png"), png))
}

// StoredClaim is a claim as claims.json has it.
type StoredClaim struct {
	ID        string   `json:"id"`
	Statement string   `json:"statement"`
	Verdict   Verdict  `json:"verdict"`
	Evidence  string   `json:"evidence"`
	Sources   []string `json:"sources"` // of the evidence's numbers
	Paper     string   `json:"paper,omitempty"`
	Rule      string   `json:"rule"`
	Caveat    string   `json:"caveat,omitempty"`
}

// Stored returns the claim in plain text.
func (c Claim) Stored() StoredClaim {
	s := StoredClaim{
		ID: c.ID, Statement: c.Statement.String(), Verdict: c.Verdict, Evidence: c.Evidence.String(), Sources: []string{},
		Paper: c.Paper.String(), Rule: c.Rule.String(), Caveat: c.Caveat.String(),
	}
	for _, n := range c.Evidence.numbers() {
		s.Sources = append(s.Sources, n.Source())
	}
	return s
}

func saveClaims(path string, claims []Claim) error {
	stored := []StoredClaim{}
	for _, c := range claims {
		stored = append(stored, c.Stored())
	}
	data, err := encode(stored)
	if err != nil {
		return err
	}
	return save(path, data)
}

// encode writes indented JSON.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return b.Bytes(), nil
}

// anchor makes a heading's name for links.
func anchor(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == ' ' || r == '-':
			b.WriteByte('-')
		}
	}
	return b.String()
}
