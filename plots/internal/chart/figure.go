package chart

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
	"github.com/knowledge-neurons/gonb-kn/plots/internal/drawn"
)

// Figure is a chart that can be saved and shown. See [Figure.Save] and [Show].
type Figure struct{ d *Draft }

// Draft is a figure while it is made: a chart fills it in, and hands out the
// [Draft.Figure].
type Draft struct {
	chart       string // kind of chart, for the provenance
	Title       string
	Subtitle    []string
	Description string // for readers who do not see the chart
	Provenance  []kn.Provenance
	given       Options
	drawn       *drawn.Figure // see Record

	Options Options
	Theme   Theme
	Legend  []LegendEntry
	Panels  []*plot.Plot
	// Layout cuts the body of the figure into the panels' canvases, and
	// draws what is not a plot.
	Layout func(c draw.Canvas) []draw.Canvas
	// Data is where the first panel's data was last drawn.
	Data vg.Rectangle
}

// New starts a figure with the chart's own title, unless the options have
// another, of results with their provenance. kind names the chart in the
// provenance and in errors.
func New(kind, title string, options []Options, from ...kn.Provenance) (*Draft, error) {
	if len(options) > 1 {
		return nil, fmt.Errorf("plots: %d options given; give one", len(options))
	}
	given := append(options, Options{})[0]
	o, err := given.filled()
	if err != nil {
		return nil, err
	}
	return &Draft{
		chart: kind, Title: Clean(cmp.Or(o.Title, title)), Options: o, Provenance: from, Theme: Theme{o.Size.Text}, given: given,
		Layout: func(c draw.Canvas) []draw.Canvas { return []draw.Canvas{c} },
	}, nil
}

// Figure is the draft as it stands, which is changed no more.
func (f *Draft) Figure() *Figure { return &Figure{f} }

// DraftOf is the draft that a figure was, for a chart made of another.
func DraftOf(f *Figure) *Draft { return f.d }

// Panel adds an empty plot to the figure with the names of its axes.
func (f *Draft) Panel(x, y string) *plot.Plot {
	p := f.Theme.Plot(x, y)
	f.Panels = append(f.Panels, p)
	return p
}

// Color is that of the i-th series.
func (f *Draft) Color(i int) color.NRGBA { return f.Options.Palette.series(i) }

// Narrow says whether the figure is about a paper's column wide, measured in
// its text.
func (f *Draft) Narrow() bool { return f.Options.Size.Width < 42*f.Options.Size.Text }

// Top returns how many neurons or tokens to name, where a wide figure has
// room for so many.
func (f *Draft) Top(room int) int {
	if f.Narrow() {
		room = (room*3 + 4) / 5
	}
	return cmp.Or(f.Options.Top, room)
}

// Panels returns the figure's gonum plots, mostly one, for changes that
// [Options] has no field for. The title and the legend are not part of them.
func (f *Figure) Panels() []*plot.Plot { return f.d.Panels }

// Title returns the figure's title.
func (f *Figure) Title() string { return f.d.Title }

// Description says in words what the figure shows. It is the SVG's
// description, for readers who cannot see the chart.
func (f *Figure) Description() string { return f.d.Description }

// Provenance returns what the figure carries in its SVG; a PNG or a PDF carries
// it without Drawn.
func (f *Figure) Provenance() Provenance {
	return Provenance{Chart: f.d.chart, Title: f.d.Title, Results: f.d.Provenance, Drawn: f.d.drawnJSON()}
}

// Draw draws the figure. gonum/plot panics at draw time, which ends here.
func (f *Draft) Draw(target vg.CanvasSizer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("plots: cannot draw the %s: %v\n%s", f.chart, r, debug.Stack())
		}
	}()
	c := draw.New(target)
	c.SetColor(White)
	c.Fill(c.Rectangle.Path())
	margin := f.Theme.Pt(7)
	c = draw.Crop(c, margin, -margin, margin, -margin)
	c.Max.Y -= f.drawTitle(c)
	c.Max.Y -= f.drawLegend(c)
	if c.Max.Y-c.Min.Y < f.Theme.Pt(40) {
		return fmt.Errorf("plots: no room for the %s below its title and legend; make it higher or its text smaller", f.chart)
	}
	for i, canvas := range f.Layout(c) {
		panel := *f.Panels[i] // gonum/plot changes ranges when it draws
		data := panel.DataCanvas(canvas)
		if i == 0 {
			f.Data = data.Rectangle
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
	axis.Label.Text = Fit(axis.Label.TextStyle, axis.Label.Text, 2*min(middle-low, high-middle)-axis.Label.TextStyle.Font.Size)
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
	title := f.Theme.Bold(titleSize, Ink)
	put(title, wrap(title, f.Title, room, 2))
	subtitle := f.Theme.Style(SmallSize, Faint)
	for _, s := range f.Subtitle {
		put(subtitle, wrap(subtitle, Clean(s), room, 2))
	}
	return c.Max.Y - y + f.Theme.Pt(4)
}

// Plural writes a count with its noun.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Sentences joins what a description says, leaving out what is empty.
func Sentences(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p = Clean(p); p != "" {
			kept = append(kept, strings.TrimSuffix(p, ".")+".")
		}
	}
	return strings.Join(kept, " ")
}
