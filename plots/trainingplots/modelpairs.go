package trainingplots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// ModelPairs draws how far models are from each other, such as those of
// several seeds or data sets: a matrix of a measure for each layer, all on one
// scale of colours.
func ModelPairs(r *dynamics.PairMatrices, m dynamics.Measure, options ...plots.Options) (*plots.Figure, error) {
	if r == nil {
		return nil, chart.Missing("comparison of pairs")
	}
	values := r.Of(m)
	if err := checkPairs(r, m, values); err != nil {
		return nil, err
	}
	columns := int(math.Ceil(math.Sqrt(float64(len(values)))))
	if len(values) <= 3 {
		columns = len(values)
	}
	rows := (len(values) + columns - 1) / columns
	f, err := chart.New("model pairs", measureTexts[m].title+" between models, by layer", options, r.Provenance)
	if err != nil {
		return nil, err
	}
	size := &f.Options.Size
	size.Height = max(size.Height, vg.Length(rows)*(size.Width/vg.Length(columns))*0.8)
	if size.Height > chart.MaxSide {
		return nil, fmt.Errorf("plots: the matrices of %d layers are too many for one figure; make it wider", len(values))
	}
	f.Subtitle = []string{fmt.Sprintf("Each model against each other, on %s of %d tokens", chart.Plural(r.Texts, "text"), r.Tokens)}
	high := 0.0
	for _, matrix := range values {
		high = max(high, largest(matrix))
	}
	bar := chart.ColorBar{Label: measureTexts[m].axis, Scale: f.Options.Palette.Sequential, Low: 0, High: high}
	parts := []string{measureTexts[m].axis + " between each two of some models"}
	for l, name := range layerNames(m, len(values)) {
		title := "Layer " + name
		if m.States() && l == 0 {
			title = "Embeddings"
		}
		addMatrix(f, r.Names, values[l], title, bar, l%columns == 0, l >= len(values)-columns, len(r.Names)*columns > 10)
		if text := nearestAndFurthest(r.Names, values[l]); text != "" {
			parts = append(parts, "Layer "+name+": "+text)
		}
	}
	grid(f, columns, rows, bar)
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// nearestAndFurthest names the two models that are nearest and the two that are
// furthest from each other.
func nearestAndFurthest(names []string, matrix [][]float64) string {
	type pair struct{ i, j int }
	var near, far *pair
	for i := range names {
		for j := i + 1; j < len(names); j++ {
			if near == nil || matrix[i][j] < matrix[near.i][near.j] {
				near = &pair{i, j}
			}
			if far == nil || matrix[i][j] > matrix[far.i][far.j] {
				far = &pair{i, j}
			}
		}
	}
	if near == nil {
		return ""
	}
	text := func(p *pair) string {
		return fmt.Sprintf("%s and %s (%s)", names[p.i], names[p.j], chart.Short(matrix[p.i][p.j]))
	}
	if *near == *far {
		return text(near)
	}
	return "nearest are " + text(near) + ", furthest " + text(far)
}

// MustModelPairs is [ModelPairs] for notebook cells: it panics instead of returning an error.
func MustModelPairs(r *dynamics.PairMatrices, m dynamics.Measure, options ...plots.Options) *plots.Figure {
	return kn.Must(ModelPairs(r, m, options...))
}

// addMatrix adds a panel with one layer's matrix. Names stand left of the first
// column of panels and below the last ones, upright where cells are narrow;
// these have no values written into them.
func addMatrix(f *chart.Draft, names []string, matrix [][]float64, title string, bar chart.ColorBar, left, below, narrow bool) {
	n := len(names)
	p := f.Theme.Plot("", "")
	p.Title.Text = title
	p.Title.TextStyle = f.Theme.Aligned(f.Theme.Style(chart.NormalSize, chart.Ink), p.Title.TextStyle)
	p.Title.Padding = f.Theme.Pt(2)
	f.Panels = append([]*plot.Plot{p}, f.Panels...) // the helpers draw on the first
	var cells []chart.Cell
	var across, down []plot.Tick
	for i := range n {
		name := chart.Fit(p.X.Tick.Label, chart.Clean(names[i]), f.Options.Size.Width*0.16)
		x, y := plot.Tick{Value: float64(i)}, plot.Tick{Value: float64(n - 1 - i)}
		if below {
			x.Label = name
		}
		if left {
			y.Label = name
		}
		across, down = append(across, x), append(down, y)
		for j, v := range matrix[i] {
			cells = append(cells, chart.Cell{X: float64(j), Y: float64(n - 1 - i), Fill: bar.Color(v), Text: brief(v)})
		}
	}
	f.AddCells(cells, !narrow)
	f.BareAxes(across, down)
	if narrow {
		p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = math.Pi/2, draw.XRight, draw.YCenter
		p.X.Padding = f.Theme.Pt(4)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5, -0.5, float64(n)-0.5
	f.Panels = append(f.Panels[1:], p)
}

// grid puts the panels into columns and rows, all of one size, and the bar at
// their right.
func grid(f *chart.Draft, columns, rows int, bar chart.ColorBar) {
	f.Layout = func(c draw.Canvas) []draw.Canvas {
		t, body := f.Theme, c
		body.Max.X -= bar.Width(t)
		labels, foot := vg.Length(0), vg.Length(0) // room that names take at the left and below
		for _, p := range f.Panels {
			d := p.DataCanvas(body)
			labels, foot = max(labels, d.Min.X-body.Min.X), max(foot, d.Min.Y-body.Min.Y)
		}
		gap, head := t.Pt(6), t.Text*1.6
		width := (body.Max.X - body.Min.X - labels - gap*vg.Length(columns-1)) / vg.Length(columns)
		height := (body.Max.Y - body.Min.Y - foot) / vg.Length(rows)
		var canvases []draw.Canvas
		for i, p := range f.Panels {
			at := body
			at.Min.X = body.Min.X + labels + vg.Length(i%columns)*(width+gap)
			at.Max.X = at.Min.X + width
			at.Max.Y = body.Max.Y - vg.Length(i/columns)*height
			at.Min.Y = at.Max.Y - height + t.Pt(4)
			d := p.DataCanvas(at)
			at.Min.X -= d.Min.X - at.Min.X // the names lie outside of the panel's own place
			at.Min.Y -= d.Min.Y - at.Min.Y
			canvases = append(canvases, at)
		}
		side := c
		side.Min.X = body.Max.X
		side.Min.Y, side.Max.Y = body.Min.Y+foot, body.Max.Y-head
		bar.Draw(side, t)
		return canvases
	}
}

func checkPairs(r *dynamics.PairMatrices, m dynamics.Measure, values [][][]float64) error {
	switch {
	case measureTexts[m].axis == "":
		return fmt.Errorf("plots: there is no measure %q; there are %q", m, dynamics.AllMeasures)
	case len(values) == 0 || len(r.Names) == 0:
		return errors.New("plots: the comparison of pairs has no models or no layers")
	}
	for l, matrix := range values {
		name := fmt.Sprintf("%s[%d]", m, l)
		if err := chart.CheckLength(name, len(matrix), "Names", len(r.Names)); err != nil {
			return err
		}
		for i, row := range matrix {
			name := fmt.Sprintf("%s[%d]", name, i)
			if err := chart.CheckLength(name, len(row), "Names", len(r.Names)); err != nil {
				return err
			}
			if err := chart.CheckFinite(name, row); err != nil {
				return err
			}
		}
	}
	return nil
}
