package electra

import "github.com/knowledge-neurons/gonb-kn/kn"

// MustOptimal is [Optimal] for notebook cells: it panics instead of returning
// an error.
func MustOptimal(generator, loss []float64) []float64 { return kn.Must(Optimal(generator, loss)) }

// MustTempered is [Tempered] for notebook cells: it panics instead of
// returning an error.
func MustTempered(generator, loss []float64, a float64) []float64 {
	return kn.Must(Tempered(generator, loss, a))
}

// MustEstimate is [Bounding.Estimate] for notebook cells: it panics instead of
// returning an error.
func (b Bounding) MustEstimate(generator, proposal, loss []float64, bound float64) Estimate {
	return kn.Must(b.Estimate(generator, proposal, loss, bound))
}
