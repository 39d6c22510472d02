package transformer

import (
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// Apply computes x · Weightᵀ + Bias over the last axis: [..., in] -> [..., out].
func (d Dense) Apply(x *graph.Node) *graph.Node {
	in := x.Shape().Dimensions
	rows := graph.Reshape(x, -1, in[len(in)-1])
	var y *graph.Node // [rows, out]
	if d.Transposed != nil {
		y = productTwin(rows, d.Weight, d.Transposed)
	} else {
		y = productT(rows, d.Weight)
	}
	y = graph.Reshape(y, append(slices.Clone(in[:len(in)-1]), -1)...)
	if d.Bias == nil {
		return y
	}
	return graph.Add(y, graph.ExpandLeftToRank(d.Bias, y.Rank()))
}

// Apply normalizes the last axis of x to mean 0 and variance 1, then scales
// and shifts it; without a bias it is an RMSNorm. GoMLX's own layer has another
// default epsilon, and its reciprocal square root has no gradient.
func (w Norm) Apply(x *graph.Node, epsilon float64) *graph.Node {
	if w.Bias == nil {
		return rmsNorm(x, w.Scale, epsilon)
	}
	centred := graph.Sub(x, mean(x)) // [..., H]
	variance := mean(graph.Square(centred))
	y := graph.Div(centred, graph.Sqrt(graph.AddScalar(variance, epsilon)))
	return graph.Add(
		graph.Mul(y, graph.ExpandLeftToRank(w.Scale, x.Rank())),
		graph.ExpandLeftToRank(w.Bias, x.Rank()))
}

// activations are the activation functions that configurations name.
var activations = map[string]func(x *graph.Node) *graph.Node{
	"gelu":       gelu,
	"gelu_new":   geluTanh,
	"gelu_10":    func(x *graph.Node) *graph.Node { return graph.MinScalar(graph.MaxScalar(gelu(x), -10.0), 10.0) },
	"quick_gelu": func(x *graph.Node) *graph.Node { return graph.Mul(x, graph.Sigmoid(graph.MulScalar(x, 1.702))) },
	"relu":       relu,
	"relu6":      func(x *graph.Node) *graph.Node { return graph.MinScalar(relu(x), 6.0) },
	"relu2":      func(x *graph.Node) *graph.Node { return graph.Square(relu(x)) },
	"leaky_relu": func(x *graph.Node) *graph.Node {
		return graph.Add(graph.MulScalar(relu(x), 0.99), graph.MulScalar(x, 0.01))
	},
	"silu":    func(x *graph.Node) *graph.Node { return graph.Mul(x, graph.Sigmoid(x)) },
	"mish":    mish,
	"tanh":    graph.Tanh,
	"sigmoid": func(x *graph.Node) *graph.Node { return graph.Sigmoid(x) },
	"linear":  func(x *graph.Node) *graph.Node { return x },
}

// rough are the activation functions whose first or second derivative jumps. True:
// the first one does, at 0.
var rough = map[string]bool{"relu": true, "relu6": true, "leaky_relu": true, "relu2": false, "gelu_10": false}

// Smooth says whether the first two derivatives of an activation function are
// continuous. If not, gradients jump or have kinks on paths, and rules of
// integration that are made for smooth functions converge slowly.
func Smooth(activation string) bool { _, ok := rough[activation]; return !ok }

// SlopeJumps says whether an activation function's slope jumps at 0.
func SlopeJumps(activation string) bool { return rough[activation] }

func relu(x *graph.Node) *graph.Node { return graph.MaxScalar(x, 0.0) }

// mish is x·tanh(log(1 + eˣ)).
func mish(x *graph.Node) *graph.Node {
	// max(x, 0) + log(1 + e^-|x|) does not overflow.
	softplus := graph.Add(relu(x), graph.Log1P(graph.Exp(graph.Neg(graph.Abs(x)))))
	return graph.Mul(x, graph.Tanh(softplus))
}

// gelu is x·Φ(x), with Φ the normal distribution function.
func gelu(x *graph.Node) *graph.Node {
	phi := graph.MulScalar(graph.OnePlus(graph.Erf(graph.MulScalar(x, 1/math.Sqrt2))), 0.5)
	return graph.Mul(x, phi)
}

// geluTanh is the approximation x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
func geluTanh(x *graph.Node) *graph.Node {
	cubic := graph.MulScalar(graph.Mul(x, graph.Square(x)), 0.044715)
	t := graph.Tanh(graph.MulScalar(graph.Add(x, cubic), math.Sqrt(2/math.Pi)))
	return graph.MulScalar(graph.Mul(x, graph.OnePlus(t)), 0.5)
}

// Activate applies the activation function that configurations call name, one
// of checkpoint.Activations.
func Activate(name string, x *graph.Node) *graph.Node { return activations[name](x) }

// activate applies the configuration's activation function.
func (w *Weights) activate(x *graph.Node) *graph.Node { return Activate(w.Config.HiddenAct, x) }
