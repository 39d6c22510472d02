package plots

import (
	"io"

	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// Figure is a chart that can be saved and shown. Its methods are
//
//	Save(path string) error             // as .svg, .png or .pdf; MustSave panics instead
//	SVG, PNG, PDF() ([]byte, error)
//	Panels() []*plot.Plot               // gonum's plots, for changes that Options has no field for
//	Title, Description() string         // Description says in words what the figure shows
//	Provenance() Provenance
type Figure = chart.Figure

// Options say how a chart looks. The zero value suits a notebook. The fields
// are
//
//	Title   string   // in place of the chart's own; long ones are wrapped
//	Size    Size     // of the figure and of its text; zero: NotebookSize
//	Palette Palette  // of the colours; each empty part stands for the default one
//	DPI     int      // of a PNG, dots an inch; 0: 200
//	Top     int      // neurons or tokens named in charts that name the first few; 0: as many as there is room for
type Options = chart.Options

// Size of a figure: Width, Height, and Text, the size of the text at the axes,
// to which all else is in proportion. Fields that are 0 are those of
// [NotebookSize]. Charts in rows become higher than Height if their rows need
// it.
type Size = chart.Size

// NotebookSize fills the width of a notebook's output, and PaperColumn one
// column of a two-column paper.
var NotebookSize, PaperColumn = chart.NotebookSize, chart.PaperColumn

// Palette is the set of a figure's colours, each a list of color.NRGBA: Series
// for lines, points and bars in order, Sequential from the smallest value to
// the largest, Diverging from the most negative over 0 to the most positive.
type Palette = chart.Palette

// The default palettes: the colours of Okabe and Ito, Color Universal Design
// (2008), without their yellow, which is too pale for lines on white; white to
// dark blue; blue below zero and orange above it.
var OkabeIto, Blues, BlueOrange = chart.OkabeIto, chart.Blues, chart.BlueOrange

// Provenance is what a figure's file says about where the figure comes from:
// the kind of Chart, its Title, and the [kn.Provenance] of each of the Results
// drawn. In an SVG of a chart of one fact, or of a few, Drawn has the results
// themselves with the chart's options, which package verify computes again.
type Provenance = chart.Provenance

// ReadProvenance reads back what a figure saved as SVG carries.
func ReadProvenance(svg io.Reader) (*Provenance, error) { return chart.ReadProvenance(svg) }

// HTML is a fragment of a page, complete in itself: it loads nothing. Its
// method Save(path string) error writes it as a page of its own.
type HTML = chart.HTML

// ErrNoNotebook is the error of [Show] and [ShowHTML] in a program that no GoNB
// kernel runs; that of [ReadProvenance] wraps ErrNoProvenance for an SVG that is
// well formed but was not made by this package.
var (
	ErrNoNotebook   = chart.ErrNoNotebook
	ErrNoProvenance = chart.ErrNoProvenance
)

// Show shows figures below the cell that is running. The notebook keeps each as
// SVG and as PNG, of which clients take what they can show: JupyterLab the SVG,
// or the PNG if the notebook comes from somebody else and is not trusted.
// Outside a notebook it returns [ErrNoNotebook].
func Show(figures ...*Figure) error { return chart.Show(figures...) }

// MustShow is [Show] for notebook cells: it panics instead of returning an error.
func MustShow(figures ...*Figure) { must(chart.Show(figures...)) }

// ShowHTML shows a fragment below the cell that is running. Outside a notebook
// it returns [ErrNoNotebook].
func ShowHTML(fragment HTML) error { return chart.ShowHTML(fragment) }

// MustShowHTML is [ShowHTML] for notebook cells: it panics instead of returning an error.
func MustShowHTML(fragment HTML) { must(chart.ShowHTML(fragment)) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}
