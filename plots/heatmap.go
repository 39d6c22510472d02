package plots

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	imgdraw "image/draw"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/drawn"
)

// AttributionHeatMap draws the scores of an attribution over layers and
// neurons: blue is negative, orange positive, white 0. A column stands for
// several neighbouring neurons where there are more than columns that one can
// see; it shows the score of largest magnitude among them. The neurons with the
// largest scores are ringed and named: those of [kn.Attribution.Top].
func AttributionHeatMap(attribution *kn.Attribution, options ...Options) (*Figure, error) {
	if attribution == nil {
		return nil, chart.Missing("attribution")
	}
	if err := checkScores(attribution.Scores); err != nil {
		return nil, err
	}
	f, err := chart.New("attribution heat map", "Attribution of "+chart.Quoted(attribution.Answer)+" to neurons", options, attribution.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{attribution.Prompt}
	// What is drawn is what the figure's SVG holds: few scores, to six digits.
	bin, named := neuronsPerColumn(len(attribution.Scores[0]), heatMapColumns(f)), f.Top(5)
	sparse := drawn.Sparse(attribution, bin, attribution.Top(named))
	f.Record(sparse)
	attribution = sparse.Full()
	m := newScoreMap(attribution.Scores, bin)
	x := "Neuron index"
	if m.bin > 1 {
		x += fmt.Sprintf(" (%d a column, the strongest shown)", m.bin)
	}
	p := f.Panel(x, "Layer")
	bar := chart.ColorBar{Label: scoreLabel(attribution), Scale: f.Options.Palette.Diverging, Low: -m.largest, High: m.largest}
	m.paint = bar.Color
	top := strongest(attribution, named)
	p.Add(m, topMarks(f, top, m))
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Min, p.X.Max = 0, float64(m.bin*len(m.cells[0]))
	p.Y.Min, p.Y.Max = -0.5, float64(len(m.cells))-0.5
	p.Y.Tick.Marker = plot.ConstantTicks(chart.Indices(len(m.cells), 16, 0))
	f.AddColorBar(bar)
	f.Description = describeScores(attribution, top)
	return f.Figure(), nil
}

// MustAttributionHeatMap is [AttributionHeatMap] for notebook cells: it panics instead of returning an error.
func MustAttributionHeatMap(attribution *kn.Attribution, options ...Options) *Figure {
	return kn.Must(AttributionHeatMap(attribution, options...))
}

func checkScores(scores [][]float64) error {
	if len(scores) == 0 || len(scores[0]) == 0 {
		return fmt.Errorf("plots: the attribution has no scores")
	}
	for l, row := range scores {
		if err := chart.CheckLength(fmt.Sprintf("Scores[%d]", l), len(row), "Scores[0]", len(scores[0])); err != nil {
			return err
		}
		if err := chart.CheckFinite(fmt.Sprintf("Scores[%d]", l), row); err != nil {
			return err
		}
	}
	return nil
}

// scoreLabel is what the colours mean, with the unit.
func scoreLabel(a *kn.Attribution) string {
	if a.Rule == kn.ActivationBaseline {
		return "Activation"
	}
	return fmt.Sprintf("Score [%s]", a.Unit())
}

// scored is a neuron with its score.
type scored struct {
	kn.Neuron
	score float64
}

// strongest returns the n largest scores above 0, largest first.
func strongest(a *kn.Attribution, n int) []scored {
	var top []scored
	for _, neuron := range a.Top(n) {
		if s := a.Scores[neuron.Layer][neuron.Index]; s > 0 {
			top = append(top, scored{neuron, s})
		}
	}
	return top
}

// scoreMap plots scores as one image, without seams between the cells.
type scoreMap struct {
	bin     int         // neurons to a column
	cells   [][]float64 // [layers][columns]
	largest float64     // magnitude, 1 if all are 0
	paint   func(float64) color.NRGBA
}

// neuronsPerColumn is how many neurons share one of so many columns.
func neuronsPerColumn(ffn, columns int) int { return (ffn + columns - 1) / columns }

// newScoreMap bins the neurons, so many to a column.
func newScoreMap(scores [][]float64, bin int) *scoreMap {
	m := &scoreMap{bin: bin}
	for _, row := range scores {
		var cells []float64
		for start := 0; start < len(row); start += bin {
			s := row[drawn.Strongest(row, start, bin)]
			m.largest = math.Max(m.largest, math.Abs(s))
			cells = append(cells, s)
		}
		m.cells = append(m.cells, cells)
	}
	m.largest = cmp.Or(m.largest, 1)
	return m
}

// Plot draws the cells, layer 0 at the bottom.
func (m *scoreMap) Plot(c draw.Canvas, p *plot.Plot) {
	rows, columns := len(m.cells), len(m.cells[0])
	// What shows the image may blur its pixels, so that a cell takes many.
	wide, high := 1+1280/columns, 1+960/rows
	img := image.NewNRGBA(image.Rect(0, 0, columns*wide, rows*high))
	for row, cells := range m.cells {
		for column, v := range cells {
			cell := image.Rect(0, 0, wide, high).Add(image.Pt(column*wide, (rows-1-row)*high))
			imgdraw.Draw(img, cell, image.NewUniform(m.paint(v)), image.Point{}, imgdraw.Src)
		}
	}
	c.DrawImage(c.Rectangle, img)
	c.StrokeLines(draw.LineStyle{Color: chart.Faint, Width: p.X.Width}, chart.Corners(c.Rectangle))
}

// topMarks rings and names neurons. A name stands beside its ring, on the
// side and at the height where it hits no other name or ring.
func topMarks(f *chart.Draft, top []scored, m *scoreMap) plot.Plotter {
	t := f.Theme
	style := t.Bold(chart.SmallSize*0.95, chart.Ink)
	style.YAlign = draw.YCenter
	radius := t.Pt(4)
	return chart.PlotFunc(func(c draw.Canvas, x, y func(float64) vg.Length) {
		var taken []vg.Rectangle
		var at []vg.Point
		for _, n := range top {
			column := float64(n.Index/m.bin) + 0.5
			q := vg.Point{X: x(column * float64(m.bin)), Y: y(float64(n.Layer))}
			at = append(at, q)
			taken = append(taken, around(q, radius, radius))
			ring := draw.GlyphStyle{Color: chart.Ink, Radius: radius, Shape: chart.ThickRing{Width: t.Pt(1.1)}}
			c.DrawGlyphNoClip(ring, q)
		}
		for i, n := range top {
			box, ok := freeSpot(c.Rectangle, at[i], chart.Width(style, n.String()), style.Font.Size, radius+t.Pt(2), taken)
			if !ok {
				continue // the ring and the description have to do
			}
			taken = append(taken, box)
			c.FillPolygon(chart.Wash(chart.White, 0.75), chart.Corners(box))
			c.FillText(style, vg.Point{X: box.Min.X, Y: (box.Min.Y+box.Max.Y)/2 + style.Font.Size*0.08}, n.String())
		}
	})
}

// around is the rectangle with the given centre and half sides.
func around(q vg.Point, dx, dy vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: q.X - dx, Y: q.Y - dy}, Max: vg.Point{X: q.X + dx, Y: q.Y + dy}}
}

// freeSpot finds a place for a label near a point that overlaps nothing taken.
func freeSpot(inside vg.Rectangle, q vg.Point, w, h, gap vg.Length, taken []vg.Rectangle) (vg.Rectangle, bool) {
	for _, shift := range []vg.Point{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}, {X: 1, Y: 1}, {X: -1, Y: 1}, {X: 1, Y: -1}, {X: -1, Y: -1}, {Y: 2}, {Y: -2}} {
		middle := vg.Point{X: q.X + shift.X*(gap+w/2), Y: q.Y + shift.Y*(gap+h/2)}
		box := around(middle, w/2, h/2)
		free := box.Min.X >= inside.Min.X && box.Max.X <= inside.Max.X && box.Min.Y >= inside.Min.Y && box.Max.Y <= inside.Max.Y
		for _, r := range taken {
			free = free && (box.Max.X <= r.Min.X || r.Max.X <= box.Min.X || box.Max.Y <= r.Min.Y || r.Max.Y <= box.Min.Y)
		}
		if free {
			return box, true
		}
	}
	return vg.Rectangle{}, false
}

func describeScores(a *kn.Attribution, top []scored) string {
	parts := []string{
		fmt.Sprintf("Attribution scores of the answer %s over %d layers of %d neurons", chart.Quoted(a.Answer), len(a.Scores), len(a.Scores[0])),
		"Prompt: " + a.Prompt,
	}
	for _, n := range top {
		parts = append(parts, fmt.Sprintf("Neuron %v: %s", n.Neuron, chart.Short(n.score)))
	}
	return chart.Sentences(parts...)
}

// heatMapColumns is how many columns of a heat map one can tell apart.
func heatMapColumns(f *chart.Draft) int {
	if f.Narrow() {
		return 96
	}
	return 128
}
