package plots

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// FactorCurves draws the answer's probability against the factor by which
// neurons are multiplied: the fact's own and both controls, with bands from
// the lowest to the highest where the result has them, and the point of the
// unmodified model, at factor 1. A control without values is left out.
func FactorCurves(curves *kn.FactorCurves, options ...Options) (*Figure, error) {
	if curves == nil {
		return nil, chart.Missing("factor curves")
	}
	if err := checkCurves(curves); err != nil {
		return nil, err
	}
	f, err := chart.New("factor curves", "Scaling the knowledge neurons of "+chart.Quoted(curves.Answer), options, curves.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{promptLine(curves.Prompts), bandLine(curves)}
	f.Record(curves)
	p := f.Panel("Factor by which the neurons are multiplied", "Probability of "+chart.Quoted(chart.Clip(chart.Clean(curves.Answer), 24)))
	p.Add(f.Theme.Across())
	if err := addCurves(f, curves); err != nil {
		return nil, err
	}
	if err := addUnmodified(f, curves); err != nil {
		return nil, err
	}
	p.Y.Min, p.Y.Max = 0, chart.Headroom(p.Y.Max)
	f.Description = describeCurves(curves)
	return f.Figure(), nil
}

// MustFactorCurves is [FactorCurves] for notebook cells: it panics instead of returning an error.
func MustFactorCurves(curves *kn.FactorCurves, options ...Options) *Figure {
	return kn.Must(FactorCurves(curves, options...))
}

// bandLine explains the bands, if there are any.
func bandLine(c *kn.FactorCurves) string {
	var of []string
	if len(c.Own.Low)+len(c.Matched.Low) > 0 {
		of = append(of, "over prompts")
	}
	if len(c.Random.Low) > 0 {
		of = append(of, "over draws (random control)")
	}
	if len(of) == 0 {
		return ""
	}
	return "Lines: mean; bands: lowest to highest " + strings.Join(of, ", ")
}

// curveStyles are the curves with what tells them apart, the fact's own last
// so that it lies on top.
func curveStyles(c *kn.FactorCurves) []curveStyle {
	return []curveStyle{
		{c.Random, "random control", 2, 0.12},
		{c.Matched, "activation-matched control", 1, 0.12},
		{c.Own, "knowledge neurons", 0, 0.16},
	}
}

type curveStyle struct {
	curve  kn.Curve
	label  string // unless the curve has one
	series int
	wash   float64 // opacity of the band
}

func (s curveStyle) legend() string {
	text := cmp.Or(s.curve.Label, s.label)
	if n := len(s.curve.Neurons); n > 0 {
		text += fmt.Sprintf(" (%d)", n)
	}
	return text
}

// addCurves draws the curves with their bands.
func addCurves(f *chart.Draft, curves *kn.FactorCurves) error {
	var lines []chart.Line
	for _, s := range curveStyles(curves) {
		lines = append(lines, chart.Line{
			Label: s.legend(), X: s.curve.Factors, Y: s.curve.Probability, Low: s.curve.Low, High: s.curve.High, Series: s.series, Wash: s.wash,
		})
	}
	return f.AddLines(f.Panels[0], lines)
}

// addUnmodified marks factor 1 and the model's own probability there.
func addUnmodified(f *chart.Draft, curves *kn.FactorCurves) error {
	p, t := f.Panels[0], f.Theme
	one := plotter.XYs{{X: 1, Y: curves.Probability}}
	mark, err := plotter.NewScatter(one)
	if err != nil {
		return fmt.Errorf("plots: point of the unmodified model: %w", err)
	}
	mark.GlyphStyle = draw.GlyphStyle{Color: chart.Ink, Radius: t.Pt(4.6), Shape: chart.ThickRing{Width: t.Pt(1.4)}}
	p.Add(chart.Upright{X: 1, Style: draw.LineStyle{Color: chart.Faint, Width: t.Pt(0.7), Dashes: chart.Dashes(2, t.Pt(1.2))}}, mark)
	f.AddLegend("unmodified model: "+chart.Short(curves.Probability), mark)
	return nil
}

func describeCurves(c *kn.FactorCurves) string {
	parts := []string{
		fmt.Sprintf("Probability of the answer %s against the factor by which neurons are multiplied", chart.Quoted(c.Answer)),
		"Prompts: " + promptLine(c.Prompts),
		"Unmodified model: " + chart.Short(c.Probability),
	}
	styles := curveStyles(c)
	slices.Reverse(styles)
	for _, s := range styles {
		if n := len(s.curve.Factors); n > 0 {
			xy := chart.Sorted(s.curve.Factors, s.curve.Probability)
			parts = append(parts, fmt.Sprintf("%s: %s at factor %s, %s at factor %s", cmp.Or(s.curve.Label, s.label),
				chart.Short(xy[0].Y), chart.Short(xy[0].X), chart.Short(xy[n-1].Y), chart.Short(xy[n-1].X)))
		}
	}
	return chart.Sentences(parts...)
}
