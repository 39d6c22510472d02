package plots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
)

// ModelPairs draws how far models are from each other, such as those of
// several seeds or data sets: a matrix of a measure for each layer, all on one
// scale of colours.
func ModelPairs(r *dynamics.PairMatrices, m dynamics.Measure, options ...Options) (*Figure, error) {
	if r == nil {
		return nil, missing("comparison of pairs")
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
	f, err := newDraft("model pairs", measureTexts[m].title+" between models, by layer", options, r.Provenance)
	if err != nil {
		return nil, err
	}
	size := &f.options.Size
	size.Height = max(size.Height, vg.Length(rows)*(size.Width/vg.Length(columns))*0.8)
	if size.Height > maxSide {
		return nil, fmt.Errorf("plots: the matrices of %d layers are too many for one figure; make it wider", len(values))
	}
	f.subtitle = []string{fmt.Sprintf("Each model against each other, on %s of %d tokens", plural(r.Texts, "text"), r.Tokens)}
	high := 0.0
	for _, matrix := range values {
		high = max(high, largest(matrix))
	}
	bar := colorBar{label: measureTexts[m].axis, scale: f.options.Palette.Sequential, low: 0, high: high}
	parts := []string{measureTexts[m].axis + " between each two of some models"}
	for l, name := range layerNames(m, len(values)) {
		title := "Layer " + name
		if m.States() && l == 0 {
			title = "Embeddings"
		}
		f.addMatrix(r.Names, values[l], title, bar, l%columns == 0, l >= len(values)-columns, len(r.Names)*columns > 10)
		if text := nearestAndFurthest(r.Names, values[l]); text != "" {
			parts = append(parts, "Layer "+name+": "+text)
		}
	}
	f.grid(columns, rows, bar)
	f.desc = sentences(parts...)
	return f.figure(), nil
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
		return fmt.Sprintf("%s and %s (%s)", names[p.i], names[p.j], short(matrix[p.i][p.j]))
	}
	if *near == *far {
		return text(near)
	}
	return "nearest are " + text(near) + ", furthest " + text(far)
}

// MustModelPairs is [ModelPairs] for notebook cells: it panics instead of returning an error.
func MustModelPairs(r *dynamics.PairMatrices, m dynamics.Measure, options ...Options) *Figure {
	return kn.Must(ModelPairs(r, m, options...))
}

// addMatrix adds a panel with one layer's matrix. Names stand left of the first
// column of panels and below the last ones, upright where cells are narrow;
// these have no values written into them.
func (f *Draft) addMatrix(names []string, matrix [][]float64, title string, bar colorBar, left, below, narrow bool) {
	n := len(names)
	p := f.theme.plot("", "")
	p.Title.Text = title
	p.Title.TextStyle = f.theme.aligned(f.theme.style(normalSize, ink), p.Title.TextStyle)
	p.Title.Padding = f.theme.pt(2)
	f.panels = append([]*plot.Plot{p}, f.panels...) // the helpers draw on the first
	var cells []cell
	var across, down []plot.Tick
	for i := range n {
		name := fit(p.X.Tick.Label, clean(names[i]), f.options.Size.Width*0.16)
		x, y := plot.Tick{Value: float64(i)}, plot.Tick{Value: float64(n - 1 - i)}
		if below {
			x.Label = name
		}
		if left {
			y.Label = name
		}
		across, down = append(across, x), append(down, y)
		for j, v := range matrix[i] {
			cells = append(cells, cell{x: float64(j), y: float64(n - 1 - i), fill: bar.color(v), text: brief(v)})
		}
	}
	f.addCells(cells, !narrow)
	f.bareAxes(across, down)
	if narrow {
		p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = math.Pi/2, draw.XRight, draw.YCenter
		p.X.Padding = f.theme.pt(4)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5, -0.5, float64(n)-0.5
	f.panels = append(f.panels[1:], p)
}

// grid puts the panels into columns and rows, all of one size, and the bar at
// their right.
func (f *Draft) grid(columns, rows int, bar colorBar) {
	f.layout = func(c draw.Canvas) []draw.Canvas {
		t, body := f.theme, c
		body.Max.X -= bar.width(t)
		labels, foot := vg.Length(0), vg.Length(0) // room that names take at the left and below
		for _, p := range f.panels {
			d := p.DataCanvas(body)
			labels, foot = max(labels, d.Min.X-body.Min.X), max(foot, d.Min.Y-body.Min.Y)
		}
		gap, head := t.pt(6), t.text*1.6
		width := (body.Max.X - body.Min.X - labels - gap*vg.Length(columns-1)) / vg.Length(columns)
		height := (body.Max.Y - body.Min.Y - foot) / vg.Length(rows)
		var canvases []draw.Canvas
		for i, p := range f.panels {
			at := body
			at.Min.X = body.Min.X + labels + vg.Length(i%columns)*(width+gap)
			at.Max.X = at.Min.X + width
			at.Max.Y = body.Max.Y - vg.Length(i/columns)*height
			at.Min.Y = at.Max.Y - height + t.pt(4)
			d := p.DataCanvas(at)
			at.Min.X -= d.Min.X - at.Min.X // the names lie outside of the panel's own place
			at.Min.Y -= d.Min.Y - at.Min.Y
			canvases = append(canvases, at)
		}
		side := c
		side.Min.X = body.Max.X
		side.Min.Y, side.Max.Y = body.Min.Y+foot, body.Max.Y-head
		bar.draw(side, t)
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
		if err := sameLength(name, len(matrix), "Names", len(r.Names)); err != nil {
			return err
		}
		for i, row := range matrix {
			name := fmt.Sprintf("%s[%d]", name, i)
			if err := sameLength(name, len(row), "Names", len(r.Names)); err != nil {
				return err
			}
			if err := finite(name, row); err != nil {
				return err
			}
		}
	}
	return nil
}
