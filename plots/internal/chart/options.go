package chart

import (
	"cmp"
	"fmt"

	"gonum.org/v1/plot/vg"
)

// Options say how a chart looks. The zero value suits a notebook.
type Options struct {
	// Title replaces the chart's own title; long ones are wrapped.
	Title string `json:"title,omitempty"`
	// Size of the figure and of its text. The zero value stands for [NotebookSize].
	Size Size `json:"size,omitzero"`
	// Palette of the colours. Each empty part stands for the default one.
	Palette Palette `json:"palette,omitzero"`
	// DPI is the resolution of a PNG, dots an inch. 0 stands for 200.
	DPI int `json:"-"`
	// Top is how many neurons or tokens are named in charts that name the
	// first few. 0 stands for what the size has room for.
	Top int `json:"top,omitempty"`
}

// Size of a figure. Fields that are 0 are those of [NotebookSize]. Charts in
// rows become higher than Height if their rows need it.
type Size struct {
	Width  vg.Length `json:"width,omitempty"`
	Height vg.Length `json:"height,omitempty"`
	Text   vg.Length `json:"text,omitempty"` // size of the text at the axes; all else is in proportion
}

// NotebookSize fills the width of a notebook's output, and PaperColumn one
// column of a two-column paper.
var (
	NotebookSize = Size{Width: 6.5 * vg.Inch, Height: 4 * vg.Inch, Text: 10}
	PaperColumn  = Size{Width: 3.3 * vg.Inch, Height: 2.5 * vg.Inch, Text: 7}
)

// limits of what can be drawn without overlap, or encoded as a PNG.
const (
	minWidth, minHeight = 2 * vg.Inch, 1.5 * vg.Inch
	MaxSide             = 40 * vg.Inch
	maxDPI              = 1200
)

func (o Options) filled() (Options, error) {
	o.Size.Width = cmp.Or(o.Size.Width, NotebookSize.Width)
	o.Size.Height = cmp.Or(o.Size.Height, NotebookSize.Height)
	o.Size.Text = cmp.Or(o.Size.Text, NotebookSize.Text)
	o.DPI = cmp.Or(o.DPI, 200)
	o.Palette = o.Palette.filled()
	s := o.Size
	if !(s.Width >= minWidth && s.Width <= MaxSide && s.Height >= minHeight && s.Height <= MaxSide) {
		return o, fmt.Errorf("plots: cannot draw on %.1f x %.1f inches; a figure is 2 x 1.5 to 40 x 40",
			s.Width/vg.Inch, s.Height/vg.Inch)
	}
	if !(s.Text >= 3 && s.Text <= 40) {
		return o, fmt.Errorf("plots: cannot set text in %.1f points; use 3 to 40", s.Text.Points())
	}
	if o.DPI < 20 || o.DPI > maxDPI {
		return o, fmt.Errorf("plots: cannot draw at %d dots an inch; use 20 to %d", o.DPI, maxDPI)
	}
	if o.Top < 0 {
		return o, fmt.Errorf("plots: cannot name %d neurons or tokens", o.Top)
	}
	return o, nil
}
