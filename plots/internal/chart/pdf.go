package chart

import (
	"bytes"
	"fmt"
	"regexp"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/vg/vgpdf"
)

// gonum's PDF canvas offers no settings; without this one the order of fonts
// in the file changes from run to run.
func init() { fpdf.SetDefaultCatalogSort(true) }

var (
	pdfDate    = regexp.MustCompile(`(/(?:Creation|Mod)Date \(D:)\d{14}\)`)
	pdfInfo    = regexp.MustCompile(`/Info (\d+) 0 R`)
	pdfTrailer = regexp.MustCompile(`(?s)trailer\s*<<(.*?)>>\s*startxref\s+(\d+)\s+%%EOF\s*$`)
)

// PDF returns the figure as a PDF of one page, with title and provenance (as
// the subject) in the document information.
func (f *Figure) PDF() ([]byte, error) {
	canvas := vgpdf.New(f.d.Options.Size.Width, f.d.Options.Size.Height)
	if err := f.d.Draw(outlined{canvas, map[int]bool{}}); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("plots: cannot write the %s as PDF: %w", f.d.chart, err)
	}
	provenance, err := f.Provenance().brief().json()
	if err != nil {
		return nil, err
	}
	// The same figure is the same bytes: no time of day in it.
	pdf := pdfDate.ReplaceAll(b.Bytes(), []byte("${1}20000101000000)"))
	return withInfo(pdf, f.d.Title, provenance)
}

// withInfo appends an incremental update (ISO 32000-1, 7.5.6) that replaces
// the document information.
func withInfo(pdf []byte, title, subject string) ([]byte, error) {
	trailer := pdfTrailer.FindSubmatch(pdf)
	if trailer == nil {
		return nil, fmt.Errorf("plots: gonum/plot wrote a PDF without a trailer")
	}
	info := pdfInfo.FindSubmatch(trailer[1])
	if info == nil {
		return nil, fmt.Errorf("plots: gonum/plot wrote a PDF without document information")
	}
	var b bytes.Buffer
	b.Write(pdf)
	object := b.Len()
	fmt.Fprintf(&b, "%s 0 obj\n<<\n/Title %s\n/Subject %s\n/Producer (gonb-kn, gonum/plot)\n>>\nendobj\n",
		info[1], pdfString(title), pdfString(subject))
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n%s 1\n%010d 00000 n \ntrailer\n<<%s/Prev %s\n>>\nstartxref\n%d\n%%%%EOF\n",
		info[1], object, trailer[1], trailer[2], xref)
	return b.Bytes(), nil
}
