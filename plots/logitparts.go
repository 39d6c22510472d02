package plots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// LogitParts draws what each part of the model adds to the answer's logit, layer by
// layer: bars of attention and FFN, and at the ends the embeddings and the biases of
// norms and head. The rings on the bars of attention are its heads. Unless it is
// of two answers, what the parts add to the mean logit of the vocabulary is taken
// off, since that changes no probability.
func LogitParts(parts *kn.LogitParts, options ...Options) (*Figure, error) {
	if parts == nil {
		return nil, chart.Missing("logit parts")
	}
	if err := checkLogitParts(parts); err != nil {
		return nil, err
	}
	f, err := chart.New("logit parts", "What adds to the logit of "+logitName(parts), options, parts.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{parts.Prompt, logitLine(parts)}
	f.Record(parts)
	p := f.Panel("Layer (0 is next to the embeddings)", "Added to the logit")
	addLogitBars(f, p, parts)
	f.AddLegend("attention", chart.Swatch{Fill: f.Color(0)})
	f.AddLegend("one of its heads", ringThumb{f.Theme})
	f.AddLegend("FFN", chart.Swatch{Fill: f.Color(1), Hatch: true})
	f.AddLegend("embeddings, biases", chart.Swatch{Fill: chart.Gray})
	f.Description = describeLogit(parts)
	return f.Figure(), nil
}

// MustLogitParts is [LogitParts] for notebook cells: it panics instead of returning an error.
func MustLogitParts(parts *kn.LogitParts, options ...Options) *Figure {
	return kn.Must(LogitParts(parts, options...))
}

// LogitHeads draws what each head of attention adds to the answer's logit: layers
// from the bottom up, heads from left to right; orange raises it, blue lowers it.
// The mean logit is taken off as in [LogitParts].
func LogitHeads(parts *kn.LogitParts, options ...Options) (*Figure, error) {
	if parts == nil {
		return nil, chart.Missing("logit parts")
	}
	if err := checkLogitParts(parts); err != nil {
		return nil, err
	}
	f, err := chart.New("logit heads", "What heads add to the logit of "+logitName(parts), options, parts.Provenance)
	if err != nil {
		return nil, err
	}
	f.Record(parts)
	heads, together := beyondMean(parts).heads, 0.0
	for _, row := range heads {
		for _, v := range row {
			together += v
		}
	}
	f.Subtitle = []string{parts.Prompt, logitLine(parts) + ", of which these heads " + withSign(together)}
	layers, across := len(heads), len(heads[0])
	if err := f.GrowFor(1.5*float64(layers) + 2); err != nil {
		return nil, err
	}
	p := f.Panel("Head", "Layer (0 is next to the embeddings)")
	bar := chart.ColorBar{Label: "Added to the logit", Scale: f.Options.Palette.Diverging}
	for _, row := range heads {
		for _, v := range row {
			bar.High = max(bar.High, math.Abs(v))
		}
	}
	if bar.High == 0 {
		bar.High = 1
	}
	bar.Low = -bar.High
	var cells []chart.Cell
	for l, row := range heads {
		for h, v := range row {
			cells = append(cells, chart.Cell{X: float64(h), Y: float64(l), Fill: bar.Color(v), Text: chart.Minus(fmt.Sprintf("%.1f", math.Round(10*v)/10+0))})
		}
	}
	f.AddCells(cells, across <= overlapRoom(f))
	f.BareAxes(chart.Indices(across, 24, 0), chart.Indices(layers, 26, 0))
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(across)-0.5, -0.5, float64(layers)-0.5
	f.AddColorBar(bar)
	f.Description = describeLogit(parts)
	return f.Figure(), nil
}

// MustLogitHeads is [LogitHeads] for notebook cells: it panics instead of returning an error.
func MustLogitHeads(parts *kn.LogitParts, options ...Options) *Figure {
	return kn.Must(LogitHeads(parts, options...))
}

func checkLogitParts(p *kn.LogitParts) error {
	for _, part := range []struct {
		name string
		of   *kn.Parts
	}{{"Answers", &p.Answers}, {"Control", p.Control}} {
		name, of := part.name, part.of
		if of == nil {
			continue
		}
		if len(of.FFN) == 0 || len(of.Heads) == 0 || len(of.Heads[0]) == 0 {
			return errors.New("plots: the logit parts have no layers or no heads")
		}
		for what, n := range map[string]int{"Attention": len(of.Attention), "Heads": len(of.Heads), "FFN": len(of.FFN)} {
			if err := chart.CheckLength(name+"."+what, n, "Answers.FFN", len(p.Answers.FFN)); err != nil {
				return err
			}
		}
		for l, row := range of.Heads {
			if err := chart.CheckLength(fmt.Sprintf("%s.Heads[%d]", name, l), len(row), "Answers.Heads[0]", len(p.Answers.Heads[0])); err != nil {
				return err
			}
			if err := chart.CheckFinite(fmt.Sprintf("%s.Heads[%d]", name, l), row); err != nil {
				return err
			}
		}
		all := append(append([]float64{of.Embeddings, of.Biases, of.Sum, of.Logit}, of.Attention...), of.FFN...)
		if err := chart.CheckFinite(name, all); err != nil {
			return err
		}
	}
	return nil
}

func logitName(p *kn.LogitParts) string {
	name := chart.Quoted(p.Token)
	if p.Against != "" {
		name += " against " + chart.Quoted(p.Against)
	}
	return name
}

// drawnParts are the parts as they are drawn.
type drawnParts struct {
	embeddings, biases, sum float64
	attention, ffn          []float64
	heads                   [][]float64
}

// beyondMean takes off what the parts add to the mean word, if that is known.
func beyondMean(p *kn.LogitParts) drawnParts {
	a, c := p.Answers, p.Control
	if c == nil {
		return drawnParts{a.Embeddings, a.Biases, a.Sum, a.Attention, a.FFN, a.Heads}
	}
	less := func(x, y []float64) (z []float64) {
		for i := range x {
			z = append(z, x[i]-y[i])
		}
		return z
	}
	d := drawnParts{a.Embeddings - c.Embeddings, a.Biases - c.Biases, a.Sum - c.Sum, less(a.Attention, c.Attention), less(a.FFN, c.FFN), nil}
	for l := range a.Heads {
		d.heads = append(d.heads, less(a.Heads[l], c.Heads[l]))
	}
	return d
}

func logitLine(p *kn.LogitParts) string {
	what := "beyond what they add to the mean word"
	if p.Against != "" {
		what = "the difference of the two logits"
	}
	return fmt.Sprintf("%s, in natural-log units; in all %s", what, withSign(beyondMean(p).sum))
}

func addLogitBars(f *chart.Draft, p *plot.Plot, parts *kn.LogitParts) {
	t, d := f.Theme, beyondMean(parts)
	layers := len(d.ffn)
	var bars chart.Rects
	low, high := 0.0, 0.0
	add := func(from, to, v float64, r chart.Rect) {
		r.X0, r.X1, r.Y1 = from, to, v
		bars = append(bars, r)
		low, high = min(low, v), max(high, v)
	}
	add(-1.75, -1.25, d.embeddings, chart.Rect{Fill: chart.Gray})
	for l := range layers {
		x := float64(l)
		add(x-0.42, x, d.attention[l], chart.Rect{Fill: f.Color(0)})
		add(x, x+0.42, d.ffn[l], chart.Rect{Fill: f.Color(1), Hatch: true})
		for _, v := range d.heads[l] {
			low, high = min(low, v), max(high, v)
		}
	}
	add(float64(layers)+0.25, float64(layers)+0.75, d.biases, chart.Rect{Fill: chart.Gray})
	p.Add(t.Across(), bars, chart.PlotFunc(func(c draw.Canvas, x, y func(float64) vg.Length) {
		c.StrokeLine2(t.Line(0.9, chart.Faint), c.Min.X, y(0), c.Max.X, y(0))
		ring := draw.GlyphStyle{Color: chart.Ink, Radius: t.Pt(1.7), Shape: chart.ThickRing{Width: t.Pt(0.8)}}
		for l, row := range d.heads {
			for _, v := range row {
				c.DrawGlyphNoClip(ring, vg.Point{X: x(float64(l) - 0.21), Y: y(v)})
			}
		}
	}))
	ticks := chart.Indices(layers, 24, 0)
	ticks = append([]plot.Tick{{Value: -1.5, Label: "embed."}}, append(ticks, plot.Tick{Value: float64(layers) + 0.5, Label: "biases"})...)
	if high-low < 1e-12 {
		high = low + 1
	}
	p.X.Min, p.X.Max = -2.1, float64(layers)+1.1
	p.Y.Min, p.Y.Max = low-0.05*(high-low), high+0.05*(high-low)
	p.X.Tick.Marker, p.X.Tick.Length = plot.ConstantTicks(ticks), 0
	p.Y.Tick.Marker = chart.NiceTicks{}
	p.X.Padding = 0
}

func describeLogit(parts *kn.LogitParts) string {
	d := beyondMean(parts)
	text := []string{parts.Prompt, "What adds to the logit of " + logitName(parts), logitLine(parts)}
	best, layer, head, most := 0, 0, 0, math.Inf(-1)
	for l := range d.ffn {
		if d.ffn[l] > d.ffn[best] {
			best = l
		}
		for h, v := range d.heads[l] {
			if v > most {
				most, layer, head = v, l, h
			}
		}
	}
	text = append(text, fmt.Sprintf("Of the FFNs that of layer %d adds most, %s", best, withSign(d.ffn[best])),
		fmt.Sprintf("Of the heads head %d of layer %d adds most, %s", head, layer, withSign(most)))
	return chart.Sentences(text...)
}
