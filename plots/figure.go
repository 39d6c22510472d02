package plots

import (
	"cmp"
	"fmt"
	"image/color"
	"runtime/debug"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// Figure is a chart that can be saved and shown. See [Figure.Save] and [Show].
type Figure struct{ d *Draft }

// Draft is a figure while it is made: a chart fills it in, and hands out the
// [Draft.Figure].
type Draft struct {
	chart      string // kind of chart, for the provenance
	title      string
	subtitle   []string
	desc       string // for readers who do not see the chart
	provenance []kn.Provenance

	options Options
	theme   theme
	legend  []legendEntry
	panels  []*plot.Plot
	// layout cuts the body of the figure into the panels' canvases, and
	// draws what is not a plot.
	layout func(c draw.Canvas) []draw.Canvas
	// data is where the first panel's data was last drawn.
	data vg.Rectangle
}

// newDraft starts a figure of one panel with the chart's own title, unless the
// options have another, of results that come from somewhere.
func newDraft(chart, title string, options []Options, from ...kn.Provenance) (*Draft, error) {
	if len(options) > 1 {
		return nil, fmt.Errorf("plots: %d options given; give one", len(options))
	}
	o, err := append(options, Options{})[0].filled()
	if err != nil {
		return nil, err
	}
	return &Draft{
		chart: chart, title: clean(cmp.Or(o.Title, title)), options: o, provenance: from, theme: theme{o.Size.Text},
		layout: func(c draw.Canvas) []draw.Canvas { return []draw.Canvas{c} },
	}, nil
}

// figure is the draft as it stands, which is changed no more.
func (f *Draft) figure() *Figure { return &Figure{f} }

// draftOf is the draft that a figure was, for a chart made of another.
func draftOf(f *Figure) *Draft { return f.d }

// panel adds an empty plot with the names of its axes.
func (f *Draft) panel(x, y string) *plot.Plot {
	p := f.theme.plot(x, y)
	f.panels = append(f.panels, p)
	return p
}

// color is that of the i-th series.
func (f *Draft) color(i int) color.NRGBA { return f.options.Palette.series(i) }

// narrow says whether the figure is about a paper's column wide, measured in
// its text.
func (f *Draft) narrow() bool { return f.options.Size.Width < 42*f.options.Size.Text }

// top returns how many neurons or tokens to name, where a wide figure has
// room for so many.
func (f *Draft) top(room int) int {
	if f.narrow() {
		room = (room*3 + 4) / 5
	}
	return cmp.Or(f.options.Top, room)
}

// Panels returns the figure's gonum plots, mostly one, for changes that
// [Options] has no field for. The title and the legend are not part of them.
func (f *Figure) Panels() []*plot.Plot { return f.d.panels }

// Title returns the figure's title.
func (f *Figure) Title() string { return f.d.title }

// Description says in words what the figure shows. It is the SVG's
// description, for readers who cannot see the chart.
func (f *Figure) Description() string { return f.d.desc }

// Provenance returns what the figure carries in its files.
func (f *Figure) Provenance() Provenance {
	return Provenance{Chart: f.d.chart, Title: f.d.title, Results: f.d.provenance}
}

// draw draws the figure. gonum/plot panics at draw time, which ends here.
func (f *Draft) draw(target vg.CanvasSizer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("plots: cannot draw the %s: %v\n%s", f.chart, r, debug.Stack())
		}
	}()
	c := draw.New(target)
	c.SetColor(white)
	c.Fill(c.Rectangle.Path())
	margin := f.theme.pt(7)
	c = draw.Crop(c, margin, -margin, margin, -margin)
	c.Max.Y -= f.drawTitle(c)
	c.Max.Y -= f.drawLegend(c)
	if c.Max.Y-c.Min.Y < f.theme.pt(40) {
		return fmt.Errorf("plots: no room for the %s below its title and legend; make it higher or its text smaller", f.chart)
	}
	for i, canvas := range f.layout(c) {
		panel := *f.panels[i] // gonum/plot changes ranges when it draws
		data := panel.DataCanvas(canvas)
		if i == 0 {
			f.data = data.Rectangle
		}
		fitLabel(&panel.X, canvas.Min.X, canvas.Max.X, data.Min.X, data.Max.X)
		fitLabel(&panel.Y, c.Min.Y, c.Max.Y, data.Min.Y, data.Max.Y)
		panel.Draw(canvas)
	}
	return nil
}

// fitLabel shortens the label of an axis, which is in the middle of the
// data, so that it stays between the edges of the figure.
func fitLabel(axis *plot.Axis, low, high, dataLow, dataHigh vg.Length) {
	middle := (dataLow + dataHigh) / 2
	axis.Label.Text = fit(axis.Label.TextStyle, axis.Label.Text, 2*min(middle-low, high-middle)-axis.Label.TextStyle.Font.Size)
}

// drawTitle returns the height it took.
func (f *Draft) drawTitle(c draw.Canvas) vg.Length {
	y := c.Max.Y
	put := func(style draw.TextStyle, lines []string) {
		for _, line := range lines {
			c.FillText(style, vg.Point{X: c.Min.X, Y: y}, line)
			y -= style.Font.Size * 1.25
		}
	}
	room := c.Max.X - c.Min.X
	title := f.theme.bold(titleSize, ink)
	put(title, wrap(title, f.title, room, 2))
	subtitle := f.theme.style(smallSize, faint)
	for _, s := range f.subtitle {
		put(subtitle, wrap(subtitle, clean(s), room, 2))
	}
	return c.Max.Y - y + f.theme.pt(4)
}

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// sentences joins what a description says, leaving out what is empty.
func sentences(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p = clean(p); p != "" {
			kept = append(kept, strings.TrimSuffix(p, ".")+".")
		}
	}
	return strings.Join(kept, " ")
}
