package plots

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// SetComparison draws one fact's neurons in two models, a row for each, layer by
// layer from the topmost down: its score in either model as a share of the
// prompts' largest, filled where the neuron is in that model's set. Colours tell
// those that both sets have from those that only one has. Below it stands how
// many they share, beside what the sets of other facts (mean, and the range) and
// random neurons of the same layers share with the first.
//
// Of many neurons those with the largest scores are drawn, as many as Top of the
// [Options] says; 0 stands for 40. Scores below -100 % are drawn as arrows at the edge.
func SetComparison(c *kn.SetComparison, options ...Options) (*Figure, error) {
	if c == nil {
		return nil, chart.Missing("comparison of two sets")
	}
	if err := checkSets(c); err != nil {
		return nil, err
	}
	f, err := chart.New("comparison of two sets", "Neurons of "+answersOf(c)+" in two models", options, c.A.Provenance, c.B.Provenance)
	if err != nil {
		return nil, err
	}
	rows := setRows(c, cmp.Or(f.Options.Top, 40))
	f.Subtitle = []string{setLine(c), promptLine(c.Prompts)}
	if len(rows) < len(c.Neurons) {
		f.Subtitle = append(f.Subtitle, fmt.Sprintf("Shown are the %d neurons with the largest scores of %d", len(rows), len(c.Neurons)))
	}
	f.Record(c)
	overlaps := overlapRows(c)
	if err := f.GrowFor(1.15*float64(len(rows)) + 1.6*float64(len(overlaps)) + 7); err != nil {
		return nil, err
	}
	scores := f.Panel("Score [% of the prompt's largest]", "")
	shared := f.Panel("Neurons shared", "")
	addScoreRows(f, scores, rows)
	addOverlapRows(f, shared, overlaps)
	addSetLegend(f, c)
	rowsBelow(f, float64(len(rows)), 1.4*float64(len(overlaps)))
	f.Description = describeSets(c, overlaps)
	return f.Figure(), nil
}

// MustSetComparison is [SetComparison] for notebook cells: it panics instead of returning an error.
func MustSetComparison(c *kn.SetComparison, options ...Options) *Figure {
	return kn.Must(SetComparison(c, options...))
}

func checkSets(c *kn.SetComparison) error {
	if len(c.Neurons) == 0 {
		return errors.New("plots: neither of the two sets has a neuron; refine with a lower threshold or share of prompts")
	}
	for _, n := range c.Neurons {
		if err := chart.CheckInside("the comparison", []kn.Neuron{n.Neuron}, c.Layers, c.FFN); err != nil {
			return err
		}
		if !n.InA && !n.InB {
			return fmt.Errorf("plots: the comparison has neuron %v, which is in neither set", n.Neuron)
		}
		if err := chart.CheckFinite(fmt.Sprintf("scores of neuron %v", n.Neuron), []float64{n.ScoreA, n.ScoreB}); err != nil {
			return err
		}
	}
	if err := chart.CheckProbabilities("Chance.AtLeast", []float64{c.Chance.AtLeast}); err != nil {
		return err
	}
	return chart.CheckFinite("Chance.Expected", []float64{c.Chance.Expected})
}

// setRows are the neurons to draw: the strongest, layer by layer from the top.
func setRows(c *kn.SetComparison, most int) []kn.ComparedNeuron {
	strength := func(n kn.ComparedNeuron) float64 { return max(n.ScoreA, n.ScoreB) }
	rows := slices.SortedStableFunc(slices.Values(c.Neurons), func(a, b kn.ComparedNeuron) int { return cmp.Compare(strength(b), strength(a)) })
	rows = rows[:min(most, len(rows))]
	slices.SortStableFunc(rows, func(a, b kn.ComparedNeuron) int { return cmp.Compare(b.Neuron.Layer, a.Neuron.Layer) })
	return rows
}

func answersOf(c *kn.SetComparison) string {
	if c.A.Answer == c.B.Answer {
		return chart.Quoted(c.A.Answer)
	}
	return chart.Quoted(c.A.Answer) + " and " + chart.Quoted(c.B.Answer)
}

func setLine(c *kn.SetComparison) string {
	of := func(s kn.SetOf) string {
		text := fmt.Sprintf("%s (%d", s.Name, s.Neurons)
		if c.A.Answer != c.B.Answer {
			text += ", " + s.Answer
		}
		return text + ")"
	}
	return fmt.Sprintf("A: %s; B: %s; Jaccard index %.2f", of(c.A), of(c.B), c.Jaccard())
}

// The kinds of neurons: colours are the palette's by number.
var setKinds = [3]string{"in both sets", "in A only", "in B only"}

func setKind(n kn.ComparedNeuron) int {
	switch {
	case n.InA && n.InB:
		return 0
	case n.InA:
		return 1
	}
	return 2
}

// lowestShare is where the axis of scores ends at the latest.
const lowestShare = -1

// addScoreRows draws a row for each neuron.
func addScoreRows(f *chart.Draft, p *plot.Plot, rows []kn.ComparedNeuron) {
	t, n := f.Theme, len(rows)
	low := 0.0
	var ticks []plot.Tick
	var bands chart.Rects
	for i, r := range rows {
		y := float64(n - 1 - i)
		ticks = append(ticks, plot.Tick{Value: y, Label: r.Neuron.String()})
		low = min(low, max(lowestShare, min(r.ScoreA, r.ScoreB)))
		if (rows[0].Neuron.Layer-r.Neuron.Layer)%2 == 1 { // layers by turns on grey
			bands = append(bands, chart.Rect{Y0: y - 0.5, Y1: y + 0.5, X1: 1, Fill: color.NRGBA{0xF3, 0xF3, 0xF3, 0xFF}})
		}
	}
	if low < 0 {
		low = max(1.04*lowestShare, low-0.05)
	}
	for i := range bands {
		bands[i].X0, bands[i].X1 = 100*low, 104
	}
	p.Add(bands, chart.Rulers{Style: t.Line(0.6, chart.Rule), Vertical: true}, chart.ZeroLine{Style: t.Line(0.9, chart.Faint)})
	p.Add(chart.PlotFunc(func(c draw.Canvas, x, y func(float64) vg.Length) {
		for i, r := range rows {
			at, fill := y(float64(n-1-i)), f.Color(setKind(r))
			a, b := vg.Point{X: x(100 * max(lowestShare, r.ScoreA)), Y: at}, vg.Point{X: x(100 * max(lowestShare, r.ScoreB)), Y: at}
			c.StrokeLines(t.Line(1.4, chart.Wash(fill, 0.55)), []vg.Point{a, b})
			scoreMark(f, &c, a, fill, r.InA, false, r.ScoreA)
			scoreMark(f, &c, b, fill, r.InB, true, r.ScoreB)
		}
	}))
	p.X.Min, p.X.Max = 100*low, 104
	p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5
	p.X.Padding, p.Y.Padding = 0, 0
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Length, p.Y.Tick.Width, p.Y.Width = t.Pt(3), 0, 0
	p.Y.Tick.Label.Color = chart.Ink
}

// scoreMark draws a score: A's as a circle, B's as a square, filled where the
// neuron is in the set. One beyond the axis is an arrow with its value.
func scoreMark(f *chart.Draft, c *draw.Canvas, at vg.Point, fill color.NRGBA, filled, isB bool, score float64) {
	t := f.Theme
	if score < lowestShare {
		r := t.Pt(4)
		c.FillPolygon(fill, []vg.Point{{X: at.X - r, Y: at.Y}, {X: at.X + r*0.6, Y: at.Y + r*0.8}, {X: at.X + r*0.6, Y: at.Y - r*0.8}})
		style := t.Style(chart.SmallSize, chart.Ink)
		style.YAlign = draw.YCenter
		which := "A"
		if isB {
			which = "B"
		}
		text, left := which+": "+chart.Minus(fmt.Sprintf("%.0f %%", 100*score)), at.X+r*1.2
		behind := around(at, 0, style.Font.Size*0.5)
		behind.Min.X, behind.Max.X = left-t.Pt(1), left+style.Width(text)+t.Pt(2)
		c.FillPolygon(chart.Wash(chart.White, 0.85), chart.Corners(behind))
		c.FillText(style, vg.Point{X: left, Y: at.Y + style.Font.Size*0.08}, text)
		return
	}
	shape := setShape{square: isB, filled: filled, line: t.Pt(1.3)}
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: fill, Radius: t.Pt(3.4), Shape: shape}, at)
}

// setShape is a circle or a square, filled or white inside.
type setShape struct {
	square, filled bool
	line           vg.Length
}

// DrawGlyph implements gonum's GlyphDrawer.
func (s setShape) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	var path vg.Path
	if r := style.Radius * 0.9; s.square {
		for i, q := range chart.Corners(around(at, r, r)) {
			if i == 0 {
				path.Move(q)
			} else {
				path.Line(q)
			}
		}
	} else {
		path.Move(vg.Point{X: at.X + style.Radius, Y: at.Y})
		path.Arc(at, style.Radius, 0, 6.283185307179586)
	}
	path.Close()
	c.SetColor(chart.White)
	if s.filled {
		c.SetColor(style.Color)
	}
	c.Fill(path)
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: s.line})
	c.Stroke(path)
}

// overlapOf is one number of shared neurons, with its range if it is a mean.
type overlapOf struct {
	name, text string
	value      stats.Interval
}

// overlapRows are what the set of A shares: with that of B, with those of other
// facts, and with random ones.
func overlapRows(c *kn.SetComparison) []overlapOf {
	n := float64(c.Shared())
	rows := []overlapOf{{"the two sets", strconv.Itoa(c.Shared()), stats.Interval{Mean: n, Low: n, High: n}}}
	if len(c.Others) > 0 {
		v := stats.Interval{Low: float64(c.Others[0].Shared)}
		for _, o := range c.Others {
			s := float64(o.Shared)
			v.Mean, v.Low, v.High = v.Mean+s/float64(len(c.Others)), min(v.Low, s), max(v.High, s)
		}
		rows = append(rows, overlapOf{"A's and " + chart.Plural(len(c.Others), "other fact") + "' in B", fmt.Sprintf("%.2g (%.0f to %.0f)", v.Mean, v.Low, v.High), v})
	}
	e := c.Chance.Expected
	text := chart.Short(e)
	if n > 0 {
		text += fmt.Sprintf("; %.0f or more with P = %s", n, chart.Short(c.Chance.AtLeast))
	}
	return append(rows, overlapOf{"random, same layers", text, stats.Interval{Mean: e, Low: e, High: e}})
}

func addOverlapRows(f *chart.Draft, p *plot.Plot, rows []overlapOf) {
	t, n := f.Theme, len(rows)
	var bars chart.Rects
	var lines chart.Whiskers
	var texts chart.Labels
	var ticks []plot.Tick
	highest := 1.0
	for i, r := range rows {
		y := float64(n - 1 - i)
		fill := chart.Gray
		if i == 0 {
			fill = f.Color(0)
		}
		bars = append(bars, chart.Rect{X1: r.value.Mean, Y0: y - 0.34, Y1: y + 0.34, Fill: fill, Hatch: i > 0})
		lines = append(lines, chart.Whisker{At: y, Of: r.value, Style: t.Line(0.9, chart.Ink), Cap: t.Pt(2)})
		style := t.Style(chart.SmallSize, chart.Ink)
		style.YAlign = draw.YCenter
		texts = append(texts, chart.Label{X: max(r.value.High, r.value.Mean), Y: y, Text: r.text, Style: style, Offset: vg.Point{X: t.Pt(4), Y: style.Font.Size * 0.08}})
		ticks = append(ticks, plot.Tick{Value: y, Label: r.name})
		highest = max(highest, r.value.High)
	}
	p.Add(chart.Rulers{Style: t.Line(0.6, chart.Rule), Vertical: true}, bars, chart.ZeroLine{Style: t.Line(0.9, chart.Faint)}, lines, texts)
	p.X.Min, p.X.Max = 0, 1.04*highest
	p.X.Tick.Marker = chart.NiceTicks{Whole: true}
	p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5
	p.X.Padding, p.Y.Padding = 0, 0
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Length, p.Y.Tick.Width, p.Y.Width = t.Pt(3), 0, 0
	p.Y.Tick.Label.Color = chart.Ink
}

// addSetLegend explains colours and marks.
func addSetLegend(f *chart.Draft, c *kn.SetComparison) {
	var count [3]int
	for _, n := range c.Neurons {
		count[setKind(n)]++
	}
	for k, name := range setKinds {
		f.AddLegend(fmt.Sprintf("%s (%d)", name, count[k]), chart.Swatch{Fill: f.Color(k)})
	}
	mark := func(square bool) plot.Thumbnailer { return twoMarks{square, f.Theme} }
	f.AddLegend("A: in its set, or not", mark(false))
	f.AddLegend("B", mark(true))
}

// twoMarks is a thumbnail of a filled mark and a hollow one.
type twoMarks struct {
	square bool
	theme  chart.Theme
}

// Thumbnail draws the two.
func (m twoMarks) Thumbnail(c *draw.Canvas) {
	middle := vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: (c.Min.Y + c.Max.Y) / 2}
	for i, dx := range []vg.Length{-m.theme.Pt(5), m.theme.Pt(5)} {
		shape := setShape{square: m.square, filled: i == 0, line: m.theme.Pt(1.3)}
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: chart.Ink, Radius: m.theme.Pt(3), Shape: shape}, vg.Point{X: middle.X + dx, Y: middle.Y})
	}
}

// rowsBelow puts two panels of rows below one another, all rows about as high,
// their data between the same left and right edges.
func rowsBelow(f *chart.Draft, above, below float64) {
	f.Layout = func(c draw.Canvas) []draw.Canvas {
		top, bottom := c, c
		frame := f.Panels[0].DataCanvas(c).Min.Y - c.Min.Y // what an axis and its label take
		free := c.Max.Y - c.Min.Y - 2*frame - f.Theme.Pt(6)
		top.Min.Y = c.Max.Y - frame - free*vg.Length(above/(above+below))
		bottom.Max.Y = top.Min.Y - f.Theme.Pt(6)
		left := max(f.Panels[0].DataCanvas(top).Min.X, f.Panels[1].DataCanvas(bottom).Min.X)
		right := min(f.Panels[0].DataCanvas(top).Max.X, f.Panels[1].DataCanvas(bottom).Max.X)
		for i, canvas := range []*draw.Canvas{&top, &bottom} {
			data := f.Panels[i].DataCanvas(*canvas)
			canvas.Min.X += left - data.Min.X
			if i == 0 {
				canvas.Max.X -= data.Max.X - right
			}
		}
		return []draw.Canvas{top, bottom}
	}
}

func describeSets(c *kn.SetComparison, overlaps []overlapOf) string {
	parts := []string{"Neurons of " + answersOf(c) + " in two models", setLine(c), "Prompts: " + promptLine(c.Prompts)}
	for l, count := range slices.Backward(c.ByLayer()) {
		if count != (kn.LayerOverlap{}) {
			parts = append(parts, fmt.Sprintf("Layer %d: %d in both, %d in A only, %d in B only", l, count.Shared, count.OnlyA, count.OnlyB))
		}
	}
	var shared []string
	for _, r := range overlaps {
		shared = append(shared, r.name+": "+r.text)
	}
	return chart.Sentences(append(parts, "Neurons shared: "+strings.Join(shared, "; "))...)
}
