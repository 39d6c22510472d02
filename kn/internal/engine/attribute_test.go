package engine

import (
	"math"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
)

// TestNaN: gradients that are no numbers are an error that names the layer, and
// do not count as the largest score, which would open all other layers.
func TestNaN(t *testing.T) {
	integral := func(value float64) quadrature.Integral {
		in := quadrature.NewFixed(quadrature.Rule{Nodes: []float64{0.5}, Weights: []float64{1}})
		in.Add([][]float64{{value, -value / 2}}, nil)
		return in
	}
	sound, broken := integral(0.25), integral(math.NaN())
	if got := largest([]quadrature.Integral{sound, broken}); got != 0.25 {
		t.Errorf("the largest score is %v", got)
	}
	r := &Result{Nodes: make([]int, 2)}
	if err := r.finish([]quadrature.Integral{sound, broken}, 1); err == nil || !strings.Contains(err.Error(), "layer 1") {
		t.Errorf("NaN in layer 1: %v", err)
	}
	if err := r.finish([]quadrature.Integral{sound}, 1); err != nil {
		t.Error(err)
	}
}
