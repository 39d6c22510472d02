package plots

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// FactorCurves draws the answer's probability against the factor by which
// neurons are multiplied: the fact's own and both controls, with bands from
// the lowest to the highest where the result has them, and the point of the
// unmodified model, at factor 1. A control without values is left out.
func FactorCurves(curves *kn.FactorCurves, options ...Options) (*Figure, error) {
	if curves == nil {
		return nil, missing("factor curves")
	}
	if err := checkCurves(curves); err != nil {
		return nil, err
	}
	f, err := newDraft("factor curves", "Scaling the knowledge neurons of "+quoted(curves.Answer), options, curves.Provenance)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{promptLine(curves.Prompts), bandLine(curves)}
	p := f.panel("Factor by which the neurons are multiplied", "Probability of "+quoted(clip(clean(curves.Answer), 24)))
	p.Add(f.theme.across())
	if err := f.addCurves(curves); err != nil {
		return nil, err
	}
	if err := f.addUnmodified(curves); err != nil {
		return nil, err
	}
	p.Y.Min, p.Y.Max = 0, headroom(p.Y.Max)
	f.desc = describeCurves(curves)
	return f.figure(), nil
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
func (f *Draft) addCurves(curves *kn.FactorCurves) error {
	var lines []bandedLine
	for _, s := range curveStyles(curves) {
		lines = append(lines, bandedLine{
			label: s.legend(), x: s.curve.Factors, y: s.curve.Probability, low: s.curve.Low, high: s.curve.High, series: s.series, wash: s.wash,
		})
	}
	return f.addLines(f.panels[0], lines)
}

// addUnmodified marks factor 1 and the model's own probability there.
func (f *Draft) addUnmodified(curves *kn.FactorCurves) error {
	p, t := f.panels[0], f.theme
	one := plotter.XYs{{X: 1, Y: curves.Probability}}
	mark, err := plotter.NewScatter(one)
	if err != nil {
		return fmt.Errorf("plots: point of the unmodified model: %w", err)
	}
	mark.GlyphStyle = draw.GlyphStyle{Color: ink, Radius: t.pt(4.6), Shape: thickRing{t.pt(1.4)}}
	p.Add(upright{1, draw.LineStyle{Color: faint, Width: t.pt(0.7), Dashes: dashes(2, t.pt(1.2))}}, mark)
	f.addLegend("unmodified model: "+short(curves.Probability), mark)
	return nil
}

func describeCurves(c *kn.FactorCurves) string {
	parts := []string{
		fmt.Sprintf("Probability of the answer %s against the factor by which neurons are multiplied", quoted(c.Answer)),
		"Prompts: " + promptLine(c.Prompts),
		"Unmodified model: " + short(c.Probability),
	}
	styles := curveStyles(c)
	slices.Reverse(styles)
	for _, s := range styles {
		if n := len(s.curve.Factors); n > 0 {
			xy := sorted(s.curve.Factors, s.curve.Probability)
			parts = append(parts, fmt.Sprintf("%s: %s at factor %s, %s at factor %s", cmp.Or(s.curve.Label, s.label),
				short(xy[0].Y), short(xy[0].X), short(xy[n-1].Y), short(xy[n-1].X)))
		}
	}
	return sentences(parts...)
}
