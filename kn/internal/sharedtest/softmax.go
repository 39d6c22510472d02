package sharedtest

import (
	"math"
	"slices"
)

// Softmax is that of the references' logits, in float64.
func Softmax(logits []float64) []float64 {
	largest, sum := slices.Max(logits), 0.0
	p := make([]float64, len(logits))
	for i, x := range logits {
		p[i] = math.Exp(x - largest)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}
