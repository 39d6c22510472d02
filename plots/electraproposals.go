package plots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/electra"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// ElectraProposals draws how far one draw's estimate of the detection loss
// scatters, in units of what it estimates, against the power of the loss in the
// proposal: plain sampling at 0, the best proposal at 1, for each bound of the
// importance weights.
func ElectraProposals(c *electra.ProposalCurves, options ...Options) (*Figure, error) {
	if c == nil {
		return nil, missing("curves of proposals")
	}
	if len(c.Curves) == 0 || !(c.Mean > 0) {
		return nil, fmt.Errorf("plots: %d curves of proposals for an expected loss of %v", len(c.Curves), c.Mean)
	}
	f, err := newDraft("electra proposals", "Why p_G × loss is the best proposal, and what a bound costs", options)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{"Replacements drawn from p_G × lossᵃ; each curve has another bound of the importance weights"}
	p := f.panel("a: 0 is plain sampling, 1 the best proposal", "Deviation of an estimate [% of its mean]")
	p.Add(f.theme.across())
	parts := []string{"Deviation of one draw's estimate of the detection loss against the power a of the loss in the proposal"}
	var lines []bandedLine
	for i := len(c.Curves) - 1; i >= 0; i-- {
		curve := c.Curves[i]
		l := bandedLine{label: "no bound", series: i}
		if curve.Bound > 0 {
			l.label = fmt.Sprintf("weights of at most %g", curve.Bound)
		}
		if err := sameLength(l.label, len(curve.Deviation), "the exponents", len(c.Exponents)); err != nil {
			return nil, err
		}
		if err := finite(l.label, curve.Deviation); err != nil {
			return nil, err
		}
		for k := 0; k < len(c.Exponents); k += 4 { // a mark at every tenth of the axis
			l.x, l.y = append(l.x, c.Exponents[k]), append(l.y, 100*curve.Deviation[k]/c.Mean)
		}
		lines = append(lines, l)
		parts = append(parts, fmt.Sprintf("%s: %s %% at 0, %s %% at 1", l.label, short(l.y[0]), short(l.y[len(l.y)/2])))
	}
	if err := f.addLines(f.panels[0], lines); err != nil {
		return nil, err
	}
	p.Y.Min, p.Y.Max = 0, headroom(p.Y.Max)
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// MustElectraProposals is [ElectraProposals] for notebook cells: it panics instead of returning an error.
func MustElectraProposals(c *electra.ProposalCurves, options ...Options) *Figure {
	return kn.Must(ElectraProposals(c, options...))
}

// ElectraEstimate is what one draw from a proposal estimates, with the
// proposal's name.
type ElectraEstimate struct {
	Name string
	electra.Estimate
}

// ElectraEstimates draws how far the estimates of several proposals scatter,
// beside each bar what is left of the draws' number, the effective sample
// size.
func ElectraEstimates(estimates []ElectraEstimate, options ...Options) (*Figure, error) {
	if len(estimates) == 0 {
		return nil, errors.New("plots: there are no proposals to draw")
	}
	f, err := newDraft("electra estimates", "How far one draw's estimate of the detection loss scatters", options)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{"Standard deviation as a share of what is estimated; beside the bars: effective samples a draw"}
	f.panel("Deviation of an estimate [% of the expected loss]", "")
	b := intervalBars{scale: 100, rows: 2, series: make([]intervalSeries, 1)}
	parts := []string{"Deviation of one draw's estimate of the detection loss, by what replacements are drawn from"}
	for _, e := range estimates {
		expected := e.Mean - e.Bias
		deviation := math.Sqrt(e.Variance) / expected
		if !(expected > 0) {
			return nil, fmt.Errorf("plots: %s: the expected loss is %v", e.Name, expected)
		}
		if err := finite(e.Name, []float64{deviation, e.EffectiveShare}); err != nil {
			return nil, err
		}
		b.groups = append(b.groups, clean(e.Name))
		b.series[0].values = append(b.series[0].values, stats.Interval{Mean: deviation, Low: deviation, High: deviation})
		parts = append(parts, fmt.Sprintf("%s: %s %%, %s effective samples a draw", e.Name, short(100*deviation), short(e.EffectiveShare)))
	}
	b.text = func(g, _ int) string { return fmt.Sprintf("%.2f", estimates[g].EffectiveShare) }
	if err := f.addIntervalBars(b); err != nil {
		return nil, err
	}
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// MustElectraEstimates is [ElectraEstimates] for notebook cells: it panics instead of returning an error.
func MustElectraEstimates(estimates []ElectraEstimate, options ...Options) *Figure {
	return kn.Must(ElectraEstimates(estimates, options...))
}

// ElectraBounds draws bias, deviation and effective sample size of one draw's
// estimate of the detection loss over the bound of the importance weights, for
// both ways of bounding them.
func ElectraBounds(c *electra.BoundCurves, options ...Options) (*Figure, error) {
	if c == nil {
		return nil, missing("curves over bounds")
	}
	if len(c.Bounds) == 0 || !(c.Mean > 0) {
		return nil, fmt.Errorf("plots: %d bounds for an expected loss of %v", len(c.Bounds), c.Mean)
	}
	if err := checkAxis("bounds", c.Bounds); err != nil {
		return nil, err
	}
	f, err := newDraft("electra bounds", "What a bound of the importance weights costs", options)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{"Bias and deviation of one draw's estimate, as shares of what it estimates; effective samples a draw"}
	f.layout = sideBySide(3)
	parts := []string{"Bias, deviation and effective sample size of one draw's estimate of the detection loss over the bound of the importance weights"}
	for i, panel := range []struct {
		axis string
		of   func(electra.Estimate) float64
	}{
		{"Bias [%]", func(e electra.Estimate) float64 { return 100 * e.Bias / c.Mean }},
		{"Deviation [%]", func(e electra.Estimate) float64 { return 100 * math.Sqrt(e.Variance) / c.Mean }},
		{"Effective samples [%]", func(e electra.Estimate) float64 { return 100 * e.EffectiveShare }},
	} {
		p := f.panel("Largest weight", panel.axis)
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, boundTicks(c.Bounds)
		p.Add(f.theme.across())
		var lines []bandedLine
		for k, by := range []struct {
			label     string
			estimates []electra.Estimate
		}{{"cut at the bound", c.Clip}, {"mixed with p_G", c.Mixture}} {
			if err := sameLength(by.label, len(by.estimates), "the bounds", len(c.Bounds)); err != nil {
				return nil, err
			}
			l := bandedLine{label: by.label, series: 1 - k, x: c.Bounds}
			for _, e := range by.estimates {
				l.y = append(l.y, panel.of(e))
			}
			if err := finite(by.label, l.y); err != nil {
				return nil, err
			}
			lines = append(lines, l)
			parts = append(parts, fmt.Sprintf("%s, %s: %s at %s, %s at %s", panel.axis, by.label, short(l.y[0]), short(c.Bounds[0]), short(l.y[len(l.y)-1]), short(c.Bounds[len(c.Bounds)-1])))
		}
		legend := f.legend
		if err := f.addLines(p, lines); err != nil {
			return nil, err
		}
		if i > 0 {
			f.legend = legend // the first panel's lines stand for all
		}
	}
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// boundTicks are 1, 2 and 5 times powers of ten, as far as the bounds go.
func boundTicks(bounds []float64) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for power := 1.0; power <= bounds[len(bounds)-1]; power *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if v := m * power; v >= bounds[0] && v <= bounds[len(bounds)-1] {
				ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%g", v)})
			}
		}
	}
	return ticks
}

// MustElectraBounds is [ElectraBounds] for notebook cells: it panics instead of returning an error.
func MustElectraBounds(c *electra.BoundCurves, options ...Options) *Figure {
	return kn.Must(ElectraBounds(c, options...))
}
