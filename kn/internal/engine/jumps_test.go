package engine

import (
	"math"
	"testing"
)

// TestCrossing finds the zeros of parabolas.
func TestCrossing(t *testing.T) {
	for _, bend := range []float64{-2, -0.5, 0, 0.2, 4} {
		for _, root := range []float64{0.01, 0.3, 0.99} {
			f := func(x float64) float64 { return (x - root) * (bend*(x+1.5) + 7) }
			for _, third := range []float64{2, -1} {
				if got := crossing(f(0), f(1), third, f(third)); math.Abs(got-root) > 1e-9 {
					t.Errorf("bend %v, third point %v: %v instead of %v", bend, third, got, root)
				}
			}
		}
	}
}
