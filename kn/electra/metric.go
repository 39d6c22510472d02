package electra

import (
	"fmt"
	"math"
)

// Metric is a number of a [Measurement].
type Metric struct {
	Name  string // in a word
	Title string
	Axis  string // the title in three words
	// Share says that it is one, from 0 to 1.
	Share bool
	Of    func(Measurement) float64
}

// Metrics are what the paper is about, in the order of its argument.
var Metrics = []Metric{
	{"correct", "Replacements drawn that are the original token", "Correct replacements", true, func(m Measurement) float64 { return m.Own.Correct }},
	{"confidence", "Generator's largest probability", "Largest probability", true, func(m Measurement) float64 { return m.Confidence }},
	{"cross-entropy", "Generator's cross-entropy", "Cross-entropy", false, func(m Measurement) float64 { return m.CrossEntropy }},
	{"detection", "Discriminator's loss", "Loss of a token", false, func(m Measurement) float64 { return m.Own.Detection }},
	{"variance", "Variance of a replaced token's weighted loss", "Variance", false, func(m Measurement) float64 { return m.Own.Variance }},
	{"accuracy", "Tokens rightly told to be replaced or original", "Accuracy", true, func(m Measurement) float64 { return m.Own.Accuracy }},
	{"effective-samples", "Effective samples a draw", "Effective samples", true, func(m Measurement) float64 { return m.Own.EffectiveShare }},
}

// MetricByName finds one of [Metrics].
func MetricByName(name string) (Metric, error) {
	var names []string
	for _, m := range Metrics {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Metric{}, fmt.Errorf("electra: nothing is measured by the name %q; there are %q", name, names)
}

// Variant names what a training varied: the sampler and, if its generator's
// loss is focal, γ.
func (c Config) Variant() string {
	name := map[Sampler]string{Plain: "ELECTRA", HPLoss: "HP_Loss", HPDist: "HP_Dist"}[c.WithDefaults().Sampler]
	if c.Gamma > 0 {
		name += fmt.Sprintf(", focal γ = %g", c.Gamma)
	}
	return name
}

// ProposalCurves say how much an estimate of the detection loss scatters, from
// plain sampling to too much of a good thing, see [Tempered].
type ProposalCurves struct {
	Exponents []float64       `json:"exponents"`
	Mean      float64         `json:"mean"` // what is estimated
	Curves    []ProposalCurve `json:"curves"`
}

// ProposalCurve is for one bound of the importance weights.
type ProposalCurve struct {
	Bound     float64   `json:"bound"`     // 0: none
	Deviation []float64 `json:"deviation"` // of one draw's estimate, a value an exponent
	// EffectiveShare is the effective sample size a draw.
	EffectiveShare []float64 `json:"effective_share"`
}

// Proposals enumerates a small vocabulary: the estimate's standard deviation
// for proposals p_S ∝ p_G·L^a, at a in 0 to 2, without a bound and with each of
// those given, by mixing.
func Proposals(generator, loss []float64, bounds ...float64) (*ProposalCurves, error) {
	c := &ProposalCurves{}
	const steps = 40
	for i := range steps + 1 {
		c.Exponents = append(c.Exponents, 2*float64(i)/steps)
	}
	for _, bound := range append([]float64{math.Inf(1)}, bounds...) {
		curve := ProposalCurve{Bound: bound}
		if math.IsInf(bound, 1) {
			curve.Bound = 0
		}
		for _, a := range c.Exponents {
			proposal, err := Tempered(generator, loss, a)
			if err != nil {
				return nil, err
			}
			e, err := Mixture.Estimate(generator, proposal, loss, bound)
			if err != nil {
				return nil, err
			}
			c.Mean = e.Mean
			curve.Deviation = append(curve.Deviation, math.Sqrt(e.Variance))
			curve.EffectiveShare = append(curve.EffectiveShare, e.EffectiveShare)
		}
		c.Curves = append(c.Curves, curve)
	}
	return c, nil
}

// MustProposals is [Proposals] for notebook cells: it panics instead of
// returning an error.
func MustProposals(generator, loss []float64, bounds ...float64) *ProposalCurves {
	return must(Proposals(generator, loss, bounds...))
}
