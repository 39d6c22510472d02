package electra

// MustOptimal is [Optimal] for notebook cells: it panics instead of returning
// an error.
func MustOptimal(generator, loss []float64) []float64 { return must(Optimal(generator, loss)) }

// MustTempered is [Tempered] for notebook cells: it panics instead of
// returning an error.
func MustTempered(generator, loss []float64, a float64) []float64 {
	return must(Tempered(generator, loss, a))
}

// MustEstimate is [Bounding.Estimate] for notebook cells: it panics instead of
// returning an error.
func (b Bounding) MustEstimate(generator, proposal, loss []float64, bound float64) Estimate {
	return must(b.Estimate(generator, proposal, loss, bound))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
