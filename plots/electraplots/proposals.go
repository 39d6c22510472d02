package electraplots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/electra"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// Proposals draws how far one draw's estimate of the detection loss
// scatters, in units of what it estimates, against the power of the loss in the
// proposal: plain sampling at 0, the best proposal at 1, for each bound of the
// importance weights.
func Proposals(c *electra.ProposalCurves, options ...plots.Options) (*plots.Figure, error) {
	if c == nil {
		return nil, chart.Missing("curves of proposals")
	}
	if len(c.Curves) == 0 || !(c.Mean > 0) {
		return nil, fmt.Errorf("plots: %d curves of proposals for an expected loss of %v", len(c.Curves), c.Mean)
	}
	f, err := chart.New("electra proposals", "Why p_G × loss is the best proposal, and what a bound costs", options)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{"Replacements drawn from p_G × lossᵃ; each curve has another bound of the importance weights"}
	p := f.Panel("a: 0 is plain sampling, 1 the best proposal", "Deviation of an estimate [% of its mean]")
	p.Add(f.Theme.Across())
	parts := []string{"Deviation of one draw's estimate of the detection loss against the power a of the loss in the proposal"}
	var lines []chart.Line
	for i := len(c.Curves) - 1; i >= 0; i-- {
		curve := c.Curves[i]
		l := chart.Line{Label: "no bound", Series: i}
		if curve.Bound > 0 {
			l.Label = fmt.Sprintf("weights of at most %g", curve.Bound)
		}
		if err := chart.CheckLength(l.Label, len(curve.Deviation), "the exponents", len(c.Exponents)); err != nil {
			return nil, err
		}
		if err := chart.CheckFinite(l.Label, curve.Deviation); err != nil {
			return nil, err
		}
		for k := 0; k < len(c.Exponents); k += 4 { // a mark at every tenth of the axis
			l.X, l.Y = append(l.X, c.Exponents[k]), append(l.Y, 100*curve.Deviation[k]/c.Mean)
		}
		lines = append(lines, l)
		parts = append(parts, fmt.Sprintf("%s: %s %% at 0, %s %% at 1", l.Label, chart.Short(l.Y[0]), chart.Short(l.Y[len(l.Y)/2])))
	}
	if err := f.AddLines(f.Panels[0], lines); err != nil {
		return nil, err
	}
	p.Y.Min, p.Y.Max = 0, chart.Headroom(p.Y.Max)
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustProposals is [Proposals] for notebook cells: it panics instead of returning an error.
func MustProposals(c *electra.ProposalCurves, options ...plots.Options) *plots.Figure {
	return kn.Must(Proposals(c, options...))
}

// Estimate is what one draw from a proposal estimates, with the
// proposal's name.
type Estimate struct {
	Name string
	electra.Estimate
}

// Estimates draws how far the estimates of several proposals scatter,
// beside each bar what is left of the draws' number, the effective sample
// size.
func Estimates(estimates []Estimate, options ...plots.Options) (*plots.Figure, error) {
	if len(estimates) == 0 {
		return nil, errors.New("plots: there are no proposals to draw")
	}
	f, err := chart.New("electra estimates", "How far one draw's estimate of the detection loss scatters", options)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{"Standard deviation as a share of what is estimated; beside the bars: effective samples a draw"}
	f.Panel("Deviation of an estimate [% of the expected loss]", "")
	b := chart.IntervalBars{Scale: 100, Rows: 2, Series: make([]chart.IntervalSeries, 1)}
	parts := []string{"Deviation of one draw's estimate of the detection loss, by what replacements are drawn from"}
	for _, e := range estimates {
		expected := e.Mean - e.Bias
		deviation := math.Sqrt(e.Variance) / expected
		if !(expected > 0) {
			return nil, fmt.Errorf("plots: %s: the expected loss is %v", e.Name, expected)
		}
		if err := chart.CheckFinite(e.Name, []float64{deviation, e.EffectiveShare}); err != nil {
			return nil, err
		}
		b.Groups = append(b.Groups, chart.Clean(e.Name))
		b.Series[0].Values = append(b.Series[0].Values, stats.Interval{Mean: deviation, Low: deviation, High: deviation})
		parts = append(parts, fmt.Sprintf("%s: %s %%, %s effective samples a draw", e.Name, chart.Short(100*deviation), chart.Short(e.EffectiveShare)))
	}
	b.Text = func(g, _ int) string { return fmt.Sprintf("%.2f", estimates[g].EffectiveShare) }
	if err := f.AddIntervalBars(b); err != nil {
		return nil, err
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustEstimates is [Estimates] for notebook cells: it panics instead of returning an error.
func MustEstimates(estimates []Estimate, options ...plots.Options) *plots.Figure {
	return kn.Must(Estimates(estimates, options...))
}

// Bounds draws bias, deviation and effective sample size of one draw's
// estimate of the detection loss over the bound of the importance weights, for
// both ways of bounding them.
func Bounds(c *electra.BoundCurves, options ...plots.Options) (*plots.Figure, error) {
	if c == nil {
		return nil, chart.Missing("curves over bounds")
	}
	if len(c.Bounds) == 0 || !(c.Mean > 0) {
		return nil, fmt.Errorf("plots: %d bounds for an expected loss of %v", len(c.Bounds), c.Mean)
	}
	if err := chart.CheckAxis("bounds", c.Bounds); err != nil {
		return nil, err
	}
	f, err := chart.New("electra bounds", "What a bound of the importance weights costs", options)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{"Bias and deviation of one draw's estimate, as shares of what it estimates; effective samples a draw"}
	f.Layout = chart.SideBySide(3)
	parts := []string{"Bias, deviation and effective sample size of one draw's estimate of the detection loss over the bound of the importance weights"}
	for i, panel := range []struct {
		axis string
		of   func(electra.Estimate) float64
	}{
		{"Bias [%]", func(e electra.Estimate) float64 { return 100 * e.Bias / c.Mean }},
		{"Deviation [%]", func(e electra.Estimate) float64 { return 100 * math.Sqrt(e.Variance) / c.Mean }},
		{"Effective samples [%]", func(e electra.Estimate) float64 { return 100 * e.EffectiveShare }},
	} {
		p := f.Panel("Largest weight", panel.axis)
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, boundTicks(c.Bounds)
		p.Add(f.Theme.Across())
		var lines []chart.Line
		for k, by := range []struct {
			label     string
			estimates []electra.Estimate
		}{{"cut at the bound", c.Clip}, {"mixed with p_G", c.Mixture}} {
			if err := chart.CheckLength(by.label, len(by.estimates), "the bounds", len(c.Bounds)); err != nil {
				return nil, err
			}
			l := chart.Line{Label: by.label, Series: 1 - k, X: c.Bounds}
			for _, e := range by.estimates {
				l.Y = append(l.Y, panel.of(e))
			}
			if err := chart.CheckFinite(by.label, l.Y); err != nil {
				return nil, err
			}
			lines = append(lines, l)
			parts = append(parts, fmt.Sprintf("%s, %s: %s at %s, %s at %s", panel.axis, by.label, chart.Short(l.Y[0]), chart.Short(c.Bounds[0]), chart.Short(l.Y[len(l.Y)-1]), chart.Short(c.Bounds[len(c.Bounds)-1])))
		}
		legend := f.Legend
		if err := f.AddLines(p, lines); err != nil {
			return nil, err
		}
		if i > 0 {
			f.Legend = legend // the first panel's lines stand for all
		}
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
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

// MustBounds is [Bounds] for notebook cells: it panics instead of returning an error.
func MustBounds(c *electra.BoundCurves, options ...plots.Options) *plots.Figure {
	return kn.Must(Bounds(c, options...))
}
