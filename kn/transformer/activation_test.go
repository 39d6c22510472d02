package transformer_test

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// TestActivations holds each activation function against its definition, and
// its gradient against a difference quotient.
func TestActivations(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	gelu := func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }
	definitions := map[string]func(x float64) float64{
		"gelu":       gelu,
		"gelu_new":   func(x float64) float64 { return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) },
		"gelu_10":    func(x float64) float64 { return min(max(gelu(x), -10), 10) },
		"quick_gelu": func(x float64) float64 { return x * sigmoid(1.702*x) },
		"relu":       func(x float64) float64 { return max(x, 0) },
		"relu6":      func(x float64) float64 { return min(max(x, 0), 6) },
		"relu2":      func(x float64) float64 { return max(x, 0) * max(x, 0) },
		"leaky_relu": func(x float64) float64 { return max(x, 0.01*x) },
		"silu":       func(x float64) float64 { return x * sigmoid(x) },
		"mish":       func(x float64) float64 { return x * math.Tanh(math.Log1p(math.Exp(x))) },
		"tanh":       math.Tanh,
		"sigmoid":    sigmoid,
		"linear":     func(x float64) float64 { return x },
	}
	on, err := backend.Open(backend.Default)
	if err != nil {
		t.Fatal(err)
	}
	var xs []float32
	for x := float32(-13.05); x < 13; x += 0.1 { // not at the kinks, 0 and 6
		xs = append(xs, x)
	}
	for _, name := range checkpoint.Activations {
		f := definitions[name]
		if f == nil {
			t.Errorf("%s has no definition here", name)
			continue
		}
		checkSmoothness(t, name, f)
		exec := graph.MustNewExec(on, func(x *graph.Node) []*graph.Node {
			y := transformer.Activate(name, x)
			return []*graph.Node{y, graph.Gradient(graph.ReduceAllSum(y), x)[0]}
		})
		out := exec.MustCall(xs)
		values, slopes := out[0].Value().([]float32), out[1].Value().([]float32)
		for i, x := range xs {
			want := f(float64(x))
			const h = 1e-4
			slope := (f(float64(x)+h) - f(float64(x)-h)) / (2 * h)
			if math.Abs(float64(values[i])-want) > 2e-6*max(1, math.Abs(want)) || math.Abs(float64(slopes[i])-slope) > 1e-5*max(1, math.Abs(slope)) {
				t.Errorf("%s(%v) = %v with the slope %v, want %v and %v", name, x, values[i], slopes[i], want, slope)
				break
			}
		}
	}
}

// checkSmoothness looks for jumps of a function's second derivative, which is
// infinite where the first one jumps.
func checkSmoothness(t *testing.T, name string, f func(float64) float64) {
	t.Helper()
	const h = 1.0 / 1024
	slope := func(x float64) float64 { return (f(x+h) - f(x)) / h }
	bend := func(x float64) float64 { return (slope(x) - slope(x-h)) / h }
	smooth := true
	for x := -12.0; x < 12; x += h {
		smooth = smooth && math.Abs(bend(x+h)-bend(x)) < 0.1
	}
	if transformer.Smooth(name) != smooth {
		t.Errorf("%s is smooth: %v, want %v", name, transformer.Smooth(name), smooth)
	}
	if jumps := math.Abs(slope(0)-slope(-h)) > 0.1; transformer.SlopeJumps(name) != jumps {
		t.Errorf("the slope of %s jumps at 0: %v, want %v", name, transformer.SlopeJumps(name), jumps)
	}
}
