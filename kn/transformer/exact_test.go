package transformer

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// TestExactness computes what BERT consists of in float32 and in float64, from
// the same numbers and at BERT-base's sizes, and bounds the difference.
func TestExactness(t *testing.T) {
	const tokens, hidden, ffn, vocabulary, narrow, eps = 14, 768, 3072, 30000, 128, 1e-12
	rng := rand.New(rand.NewPCG(11, 3))
	normal := func(mean, deviation float64, dims ...int) *tensors.Tensor {
		return normal(rng, mean, deviation, dims...)
	}
	// pulled is y and the gradients of Σ y·v with respect to all inputs but v, the first one.
	pulled := func(y func(in []*node) *node) func(in []*node) []*node {
		return func(in []*node) []*node {
			v, in := in[0], in[1:]
			out := y(in)
			return append([]*node{out}, graph.Gradient(graph.ReduceAllSum(graph.Mul(out, v)), in...)...)
		}
	}
	// The answers have probabilities 0.9988, 5e-4 and 9e-9.
	answers := []int32{7, 17777, 29999}
	bias := normal(0, 1, vocabulary)
	tensors.MustMutableFlatData(bias, func(flat []float32) { flat[answers[0]], flat[answers[1]], flat[answers[2]] = 20, 12, 2 })
	headInputs := []*tensors.Tensor{
		normal(0, 1, len(answers), narrow), normal(0, 0.1, narrow, narrow), normal(0, 1, narrow),
		normal(1, 0.1, narrow), normal(0, 0.1, narrow), normal(0, 0.05, vocabulary, narrow), bias,
	}
	dense := func(in []*node) *node { return Dense{Weight: in[1], Bias: in[2]}.Apply(in[0]) }
	const out = 128 // columns, so that the products' gradients do not take most of the test's time
	for _, c := range []struct {
		name string
		// bound is for the error of an entry as a share of the largest one in
		// its row. One rounding is up to 6e-8 of an entry.
		bound  float64
		graph  func(in []*node) []*node
		inputs []*tensors.Tensor
	}{
		// A handful of roundings, none of them in a sum. Sums in float32 make it 8e-7.
		{
			"LayerNorm", 3e-7, pulled(func(in []*node) *node { return Norm{in[1], in[2]}.Apply(in[0], eps) }),
			[]*tensors.Tensor{normal(0, 1, tokens, hidden), normal(3, 1, tokens, hidden), normal(1, 0.1, hidden), normal(0, 0.1, hidden)},
		},
		// The kernel for large matrices adds up 128 products, then such sums,
		// that for small ones an eighth of all products, in eight places.
		{
			"dense of H", 2e-6, pulled(dense),
			[]*tensors.Tensor{normal(0, 1, tokens, hidden), normal(0, 1, tokens, hidden), normal(0, 0.05, hidden, hidden), normal(0, 0.1, hidden)},
		},
		{
			"dense of F", 2e-6, pulled(dense),
			[]*tensors.Tensor{normal(0, 1, tokens, out), normal(0, 1, tokens, ffn), normal(0, 0.05, out, ffn), normal(0, 0.1, out)},
		},
		{
			"dense of F, one row", 2e-6, pulled(dense),
			[]*tensors.Tensor{normal(0, 1, 1, out), normal(0, 1, 1, ffn), normal(0, 0.05, out, ffn), normal(0, 0.1, out)},
		},
		{
			"gelu", 3e-7, pulled(func(in []*node) *node { return gelu(in[0]) }),
			[]*tensors.Tensor{normal(0, 1, tokens, ffn), normal(0, 2, tokens, ffn)},
		},
		// GoMLX's sum in float32 over the tokens: as exact as the products.
		{
			"attention's softmax", 2e-6, pulled(func(in []*node) *node { return graph.Softmax(in[0], -1) }),
			[]*tensors.Tensor{normal(0, 1, tokens, 512), normal(0, 3, tokens, 512)},
		},
		// Over the vocabulary it makes 3e-5 here and 1.5e-4 in the next.
		{
			"softmax", 3e-7, func(in []*node) []*node { return []*node{softmax(in[0])} },
			[]*tensors.Tensor{normal(0, 3, 2, vocabulary)},
		},
		{
			"distribution", 3e-7, func(in []*node) []*node { return []*node{head(in[1:]).Distribution(in[0])} }, headInputs,
		},
		// A logit of 20 is itself rounded by up to 1e-6, and so is the logarithm
		// of the probability. With a sum in float32 it were off by 1.5e-4.
		{
			"probability", 2e-6, func(in []*node) []*node {
				p := head(in[1:]).Probability(in[0], graph.Const(in[0].Graph(), answers))
				return []*node{graph.InsertAxes(p, -1)}
			}, headInputs,
		},
		// The gradient of a p near 1 has as many digits. With the answer among
		// the words that it is compared with it were off by 3e-4, and with a sum
		// in float32 besides by 7e-2.
		{
			"probability and gradient", 3e-6, func(in []*node) []*node {
				p, g := head(in[1:]).ProbabilityGradient(in[0], graph.Const(in[0].Graph(), answers))
				return []*node{graph.InsertAxes(p, -1), g}
			}, headInputs,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, want := entries(t, c.graph, c.inputs, dtypes.Float32), entries(t, c.graph, c.inputs, dtypes.Float64)
			for k := range want {
				off := 0.0
				for r, row := range want[k] {
					largest := 0.0
					for _, v := range row {
						largest = max(largest, math.Abs(v))
					}
					for i, v := range row {
						off = max(off, math.Abs(got[k][r][i]-v)/largest)
					}
				}
				if !(off <= c.bound) {
					t.Errorf("output %d is off by %.1e, more than %.1e", k, off, c.bound)
				}
			}
		})
	}
}

// TestGradientOfProbability compares the gradient of Probability by reverse mode
// with the one that ProbabilityGradient returns, in float64.
func TestGradientOfProbability(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 3))
	const rows, hidden, vocabulary = 3, 8, 50
	var inputs []*tensors.Tensor
	for _, dims := range [][]int{{rows, hidden}, {hidden, hidden}, {hidden}, {hidden}, {hidden}, {vocabulary, hidden}, {vocabulary}} {
		inputs = append(inputs, normal(rng, 0, 1, dims...))
	}
	out := entries(t, func(in []*node) []*node {
		w, tokens := head(in[1:]), graph.Const(in[0].Graph(), []int32{0, 17, vocabulary - 1})
		p := w.Probability(in[0], tokens)
		same, gradient := w.ProbabilityGradient(in[0], tokens)
		return []*node{
			graph.InsertAxes(p, -1), graph.Gradient(graph.ReduceAllSum(p), in[0])[0],
			graph.InsertAxes(same, -1), gradient,
		}
	}, inputs, dtypes.Float64)
	for k, what := range []string{"probability", "gradient"} {
		for r, row := range out[k] {
			for i, v := range row {
				if w := out[k+2][r][i]; !(math.Abs(v-w) <= 1e-12) {
					t.Errorf("%s of row %d, entry %d: %g and %g", what, r, i, v, w)
				}
			}
		}
	}
}

// normal draws from a normal distribution.
func normal(rng *rand.Rand, mean, deviation float64, dims ...int) *tensors.Tensor {
	x := tensors.FromShape(shapes.Make(dtypes.Float32, dims...))
	tensors.MustMutableFlatData(x, func(flat []float32) {
		for i := range flat {
			flat[i] = float32(mean + deviation*rng.NormFloat64())
		}
	})
	return x
}

// head is a masked language model's head of these weights.
func head(in []*node) *Weights {
	return &Weights{
		Config: Config{HiddenAct: "gelu", LayerNormEps: 1e-12},
		Head:   HeadWeights{Transform: Dense{Weight: in[0], Bias: in[1]}, Norm: Norm{in[2], in[3]}, Decoder: Dense{Weight: in[4], Bias: in[5]}},
	}
}

// entries runs a graph on inputs in a type of numbers and returns the rows of its outputs.
func entries(t *testing.T, fn func(in []*node) []*node, inputs []*tensors.Tensor, as dtypes.DType) [][][]float64 {
	t.Helper()
	on, err := backend.Open(backend.Default)
	if err != nil {
		t.Fatal(err)
	}
	exec, err := graph.NewExec(on, func(in []*node) []*node {
		typed := make([]*node, len(in))
		for i, x := range in {
			typed[i] = graph.ConvertDType(x, as)
		}
		var out []*node
		for _, x := range fn(typed) {
			out = append(out, graph.ConvertDType(x, dtypes.Float64))
		}
		return out
	})
	if err != nil {
		t.Fatal(err)
	}
	var args []any
	for _, x := range inputs {
		args = append(args, x)
	}
	out, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	var all [][][]float64
	for _, x := range out {
		dims := x.Shape().Dimensions
		flat, columns := tensors.MustCopyFlatData[float64](x), dims[len(dims)-1]
		var rows [][]float64
		for i := 0; i < len(flat); i += columns {
			rows = append(rows, flat[i:i+columns])
		}
		all = append(all, rows)
	}
	return all
}
