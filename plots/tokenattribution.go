package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// TokenAttribution draws the score of each of a prompt's tokens as a bar, from the
// first token down: orange raises the target, blue lowers it. Whiskers are the
// estimated error. A ring is what the target loses when that token alone is at the
// baseline, the control. A star marks where the answer is predicted.
func TokenAttribution(attribution *kn.TokenAttribution, options ...Options) (*Figure, error) {
	if attribution == nil {
		return nil, chart.Missing("token attribution")
	}
	if err := checkTokenScores(attribution); err != nil {
		return nil, err
	}
	f, err := chart.New("token attribution", "Attribution of "+targetOf(attribution)+" to tokens", options, attribution.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{attribution.Prompt, tokenLine(attribution)}
	f.Record(attribution)
	n := len(attribution.Tokens)
	if err := f.GrowFor(1.35*float64(n) + 3); err != nil {
		return nil, err
	}
	p := f.Panel(fmt.Sprintf("Score [%s]", attribution.Unit()), "")
	addTokenBars(f, p, attribution)
	f.AddLegend("raises it", chart.Swatch{Fill: signColor(f, 1)})
	f.AddLegend("lowers it", chart.Swatch{Fill: signColor(f, -1)})
	f.AddLegend("lost with that token alone at the baseline", ringThumb{f.Theme})
	f.Description = describeTokens(attribution)
	return f.Figure(), nil
}

// MustTokenAttribution is [TokenAttribution] for notebook cells: it panics instead of returning an error.
func MustTokenAttribution(attribution *kn.TokenAttribution, options ...Options) *Figure {
	return kn.Must(TokenAttribution(attribution, options...))
}

func checkTokenScores(a *kn.TokenAttribution) error {
	if len(a.Tokens) == 0 {
		return errors.New("plots: the token attribution has no tokens")
	}
	if a.Mask < 0 || a.Mask >= len(a.Tokens) {
		return fmt.Errorf("plots: the token attribution says that token %d of %d predicts the answer", a.Mask, len(a.Tokens))
	}
	for name, of := range map[string][]float64{"Scores": a.Scores, "Occlusion": a.Occlusion} {
		if err := chart.CheckLength(name, len(of), "Tokens", len(a.Tokens)); err != nil {
			return err
		}
		if err := chart.CheckFinite(name, of); err != nil {
			return err
		}
	}
	return chart.CheckFinite("Value, ValueAtBaseline and EstimatedError", []float64{a.Value, a.ValueAtBaseline, a.EstimatedError})
}

// targetOf writes the target with its answers short enough for a title.
func targetOf(a *kn.TokenAttribution) string {
	short := *a
	short.Answer, short.Against = chart.Clip(chart.Clean(a.Answer), 40), chart.Clip(chart.Clean(a.Against), 40)
	return short.TargetName()
}

func tokenLine(a *kn.TokenAttribution) string {
	line := fmt.Sprintf("%s for the prompt, %s at the baseline (%s); the scores miss the difference by %s",
		signedShort(a.Value, a.Unit()), signedShort(a.ValueAtBaseline, a.Unit()), a.Baseline, chart.Short(math.Abs(a.CompletenessError)))
	if a.NotConverged {
		line += "; not converged"
	}
	return line
}

// signedShort writes a probability, or a number of nats, which may be negative.
func signedShort(v float64, unit string) string {
	if unit == "probability" {
		return chart.Short(v)
	}
	return chart.Minus(fmt.Sprintf("%.2f", v))
}

// signColor is the diverging palette's for numbers above 0 or below it.
func signColor(f *chart.Draft, v float64) color.NRGBA {
	return chart.Shade(f.Options.Palette.Diverging, 0.5+math.Copysign(0.3, v))
}

func addTokenBars(f *chart.Draft, p *plot.Plot, a *kn.TokenAttribution) {
	t, n := f.Theme, len(a.Tokens)
	low, high := 0.0, 0.0
	for i, s := range a.Scores {
		low, high = min(low, s, a.Occlusion[i]), max(high, s, a.Occlusion[i])
	}
	if high-low < 1e-12 {
		high = low + 1e-6
	}
	var bars chart.Rects
	var lines chart.Whiskers
	var ticks []plot.Tick
	for i, s := range a.Scores {
		y := float64(n - 1 - i)
		bars = append(bars, chart.Rect{X1: s, Y0: y - 0.36, Y1: y + 0.36, Fill: signColor(f, s)})
		if a.EstimatedError > 0 {
			lines = append(lines, chart.Whisker{At: y, Of: stats.Interval{Mean: s, Low: s - a.EstimatedError, High: s + a.EstimatedError}, Style: t.Line(0.8, chart.Ink), Cap: t.Pt(2)})
		}
		name := chart.Fit(p.Y.Tick.Label, chart.Clean(a.Tokens[i]), f.Options.Size.Width*0.2)
		if i == a.Mask {
			name += " *"
		}
		ticks = append(ticks, plot.Tick{Value: y, Label: name})
	}
	p.Add(chart.Rulers{Style: t.Line(0.6, chart.Rule), Vertical: true}, bars, chart.ZeroLine{Style: t.Line(0.9, chart.Faint)}, lines)
	p.Add(chart.PlotFunc(func(c draw.Canvas, x, y func(float64) vg.Length) {
		ring := draw.GlyphStyle{Color: chart.Ink, Radius: t.Pt(2.6), Shape: chart.ThickRing{Width: t.Pt(1.1)}}
		// Scores stand in a column of their own: beside a ring they would be taken for its.
		style := t.Style(chart.SmallSize, chart.Ink)
		style.XAlign, style.YAlign = draw.XRight, draw.YCenter
		for i, v := range a.Occlusion {
			middle := y(float64(n - 1 - i))
			c.DrawGlyphNoClip(ring, vg.Point{X: x(v), Y: middle})
			c.FillText(style, vg.Point{X: c.Max.X, Y: middle + style.Font.Size*0.08}, withSign(a.Scores[i]))
		}
	}))
	p.X.Min, p.X.Max = low-0.02*(high-low), high+0.15*(high-low) // with room for the scores
	p.Y.Min, p.Y.Max = -0.6, float64(n)-0.4
	p.X.Padding, p.Y.Padding = t.Pt(3), 0
	p.X.Tick.Marker = chart.NiceTicks{}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Length, p.Y.Tick.Width, p.Y.Width = t.Pt(3), 0, 0
	p.Y.Tick.Label.Color = chart.Ink
}

// withSign writes a number with its sign.
func withSign(v float64) string {
	if v > 0 {
		return "+" + chart.Short(v)
	}
	if v < 0 {
		return "−" + chart.Short(-v)
	}
	return "0"
}

// ringThumb is a thumbnail of a ring.
type ringThumb struct{ theme chart.Theme }

// Thumbnail draws it.
func (r ringThumb) Thumbnail(c *draw.Canvas) {
	middle := vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: (c.Min.Y + c.Max.Y) / 2}
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: chart.Ink, Radius: r.theme.Pt(2.6), Shape: chart.ThickRing{Width: r.theme.Pt(1.1)}}, middle)
}

func describeTokens(a *kn.TokenAttribution) string {
	order := make([]int, len(a.Tokens))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return -int(math.Copysign(1, math.Abs(a.Scores[i])-math.Abs(a.Scores[j])))
	})
	parts := []string{a.Prompt, "Scores of tokens for " + a.TargetName(), tokenLine(a)}
	for _, i := range order[:min(5, len(order))] {
		parts = append(parts, fmt.Sprintf("%s: %s; without it %s are lost", chart.Quoted(a.Tokens[i]), withSign(a.Scores[i]), withSign(a.Occlusion[i])))
	}
	return chart.Sentences(parts...)
}
