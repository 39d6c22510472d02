package electra

import (
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

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
	return kn.Must(Proposals(generator, loss, bounds...))
}

// BoundCurves say what an estimate of the detection loss by one draw from a
// proposal costs, over the bound of the importance weights.
type BoundCurves struct {
	Bounds  []float64  `json:"bounds"`
	Mean    float64    `json:"mean"`    // what is estimated
	Mixture []Estimate `json:"mixture"` // an estimate a bound
	Clip    []Estimate `json:"clip"`    // likewise
}

// Bounds enumerates a small vocabulary: [Bounding.Estimate] for each of the
// bounds, by mixing and by clipping.
func Bounds(generator, proposal, loss []float64, bounds ...float64) (*BoundCurves, error) {
	c := &BoundCurves{Bounds: bounds}
	for _, bound := range bounds {
		for _, by := range []struct {
			bounding Bounding
			to       *[]Estimate
		}{{Mixture, &c.Mixture}, {Clip, &c.Clip}} {
			e, err := by.bounding.Estimate(generator, proposal, loss, bound)
			if err != nil {
				return nil, err
			}
			*by.to = append(*by.to, e)
			c.Mean = e.Mean - e.Bias
		}
	}
	return c, nil
}

// MustBounds is [Bounds] for notebook cells: it panics instead of returning an
// error.
func MustBounds(generator, proposal, loss []float64, bounds ...float64) *BoundCurves {
	return kn.Must(Bounds(generator, proposal, loss, bounds...))
}
