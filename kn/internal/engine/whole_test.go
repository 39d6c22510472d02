package engine

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// decoders are configurations that among them have all that causal models have.
var decoders = map[string]checkpoint.Config{
	"gpt2": {ModelType: "gpt2", HiddenAct: "gelu_new", TieWordEmbeddings: true, DecoderConfig: checkpoint.DecoderConfig{KeyValueHeads: 4, HeadSize: 6}},
	"llama": {ModelType: "llama", HiddenAct: "silu", DecoderConfig: checkpoint.DecoderConfig{
		KeyValueHeads: 2, HeadSize: 6, RopeTheta: 10000,
		RopeScaling: &checkpoint.RopeScaling{Type: "llama3", Factor: 8, LowFreqFactor: 1, HighFreqFactor: 4, OriginalMaxPositions: 16},
	}},
	"qwen3": {ModelType: "qwen3", HiddenAct: "silu", TieWordEmbeddings: true, DecoderConfig: checkpoint.DecoderConfig{KeyValueHeads: 1, HeadSize: 8, RopeTheta: 1e6}},
	"qwen2": {ModelType: "qwen2", HiddenAct: "silu", DecoderConfig: checkpoint.DecoderConfig{KeyValueHeads: 4, HeadSize: 6, RopeTheta: 1e6}},
}

// decoder makes an engine of a small causal model with random weights.
func decoder(t *testing.T, c checkpoint.Config) *Engine {
	t.Helper()
	c.VocabSize, c.HiddenSize, c.Layers, c.Heads, c.IntermediateSize, c.MaxPositions = 40, 24, 4, 4, 20, 32
	c.LayerNormEps, c.PositionEmbedding = 1e-6, "absolute"
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 8))
	weights := &checkpoint.Checkpoint{Config: c, Tensors: map[string]checkpoint.Tensor{}}
	for _, x := range c.Expected() {
		size, mean, deviation := 1, 0.0, 0.3
		for _, d := range x.Shape {
			size *= d
		}
		if len(x.Shape) == 1 {
			mean, deviation = 0.5, 0.2
		}
		data := make([]float32, size)
		for i := range data {
			data[i] = float32(mean + deviation*rng.NormFloat64())
		}
		weights.Tensors[x.Name] = checkpoint.Tensor{Shape: x.Shape, Data: data}
	}
	b, err := backend.Get()
	if err != nil {
		t.Fatal(err)
	}
	m, err := transformer.NewModelOn(b, weights)
	if err != nil {
		t.Fatal(err)
	}
	return New(m)
}

// whole attributes a sample with the whole model run for every node, as one
// graph, differentiated by reverse mode: w·∂P/∂w of each neuron [L][F], and the
// probabilities at 1 and at 0 [L].
func whole(t *testing.T, e *Engine, s Sample, rule quadrature.Rule, logarithm bool) (scores [][]float64, probability float64, zero []float64) {
	t.Helper()
	c := e.Model.Config
	n := len(s.IDs) / s.passes()
	ids, pick, at := make([][]int32, s.passes()), make([][][]float32, s.passes()), make([][]float32, s.passes())
	for b := range ids {
		ids[b], at[b] = s.IDs[b*n:(b+1)*n], make([]float32, n)
		for _, m := range s.Masks {
			if m/n == b {
				row := make([]float32, n)
				row[m%n], at[b][m%n] = 1, 1
				pick[b] = append(pick[b], row)
			}
		}
	}
	for l := range c.Layers {
		exec, err := e.Model.NewExec(5, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
			ids, pick, at, answers, factor := in[0], in[1], graph.InsertAxes(in[2], -1), in[3], in[4]
			hooks := transformer.Hooks{}
			var plain, scaled *graph.Node
			hooks.Add(transformer.FFNPost, l, func(x *graph.Node) *graph.Node {
				plain = x
				scaled = graph.Add(graph.Mul(x, graph.OneMinus(at)), graph.Mul(graph.Mul(x, at), factor))
				return scaled
			})
			rows := flat(transformer.Rows(w.Encode(transformer.Inputs{IDs: ids}, hooks), pick)) // [k, H]
			p := graph.Softmax(w.Logits(rows), -1)                                              // [k, V]
			own := graph.ReduceSum(graph.Mul(p, graph.OneHot(answers, c.VocabSize, p.DType())), -1)
			target := graph.ReduceAllSum(graph.Log(own))
			if !logarithm {
				target = graph.Exp(target)
			}
			g := graph.Gradient(target, scaled)[0] // [B, n, F]
			attribution := graph.ReduceSum(graph.Mul(graph.Mul(g, plain), at), 0, 1)
			return []*graph.Node{target, attribution}
		})
		if err != nil {
			t.Fatal(err)
		}
		run := func(a float64) (float64, []float64) {
			out, err := exec.Call(t.Context(), ids, pick, at, s.Answers, float32(a))
			if err != nil {
				t.Fatal(err)
			}
			flat, err := tensors.CopyFlatData[float32](out[1])
			if err != nil {
				t.Fatal(err)
			}
			p := float64(tensors.ToScalar[float32](out[0]))
			if logarithm {
				p = math.Exp(p)
			}
			return p, widen(flat)
		}
		row := make([]float64, c.IntermediateSize)
		for k, a := range rule.Nodes {
			_, g := run(a)
			for i := range row {
				row[i] += rule.Weights[k] * g[i]
			}
		}
		scores = append(scores, row)
		probability, _ = run(1)
		p, _ := run(0)
		zero = append(zero, p)
	}
	return scores, probability, zero
}

// TestAttributionEqualsWholeModel: what the engine computes in passes of few
// rows is what the whole model gives, for causal models and for answers of several
// tokens, whatever the batches.
func TestAttributionEqualsWholeModel(t *testing.T) {
	rule, err := quadrature.GaussLegendre(3)
	if err != nil {
		t.Fatal(err)
	}
	engines := map[string]*Engine{"bert": deep(t)}
	samples := map[string][]Sample{"bert": {
		{IDs: []int32{2, 13, 4, 4, 3}, Masks: []int{2, 3}, Answers: []int32{9, 7}},
		{IDs: []int32{2, 4, 4, 3, 2, 8, 4, 3}, Passes: 2, Masks: []int{1, 6}, Answers: []int32{8, 9}},
		{IDs: []int32{2, 13, 4, 3}, Masks: []int{2}, Answers: []int32{9}},
	}}
	for name, c := range decoders {
		engines[name] = decoder(t, c)
		samples[name] = []Sample{
			{IDs: []int32{2, 13, 4, 4, 3}, Masks: []int{4}, Answers: []int32{9}},
			{IDs: []int32{21, 14, 3, 5, 38}, Masks: []int{2, 3, 4}, Answers: []int32{5, 38, 6}},
			{IDs: []int32{2, 13, 4, 4, 3, 7, 7}, Masks: []int{6}, Answers: []int32{9}},
			{IDs: []int32{30}, Masks: []int{0}, Answers: []int32{11}},
		}
	}
	for name, e := range engines {
		for target, logarithm := range map[string]bool{"probability": false, "logarithm": true} {
			o := Options{Rule: &rule, Logarithm: logarithm}
			var want []Result
			for _, s := range samples[name] {
				scores, p, zero := whole(t, e, s, rule, logarithm)
				want = append(want, Result{Probability: p, ProbabilityAtZero: zero, Scores: scores})
			}
			for batches, sizes := range map[string]sizes{
				"together": {rows: 128, lanes: 1, savedBytes: memoryPerBatch},
				"padded":   {static: true, rows: 8, least: 4, lanes: 2, savedBytes: memoryPerBatch},
				"parts":    {rows: 2, lanes: 2, savedBytes: 1 << 10},
			} {
				e.sizes = sizes
				for i, got := range attributeAll(t, e, samples[name], Edits{}, o) {
					// Products in another order; the random layers of these models make
					// roundings some hundred times larger.
					if d := difference(got, want[i]); !(d < 1e-4) {
						t.Errorf("%s, %s, %s: sample %d differs by %g of the largest score", name, target, batches, i, d)
					}
				}
			}
		}
	}
}

// TestEditedTail: a causal model's answer under an edit of neurons has the
// probability that it has in a prediction, and the attribution adds up to what it
// loses.
func TestEditedTail(t *testing.T) {
	edits := Edits{Index: []int{3, 25}, MaskScale: []float32{2, 0}, MaskOffset: []float32{0.5, 1}, RestScale: []float32{0, 1}, RestOffset: []float32{1, 0}}
	for name, c := range decoders {
		e := decoder(t, c)
		s := Sample{IDs: []int32{21, 14, 3, 5, 38}, Masks: []int{3, 4}, Answers: []int32{38, 6}}
		rows := rowsOf(edits, s)
		a := do(t, e, Request{Operation: Attribution, Rows: rows, Options: Options{MaxNodes: 65, Tolerance: 1e-4}})[0]
		p := do(t, e, Request{Operation: Probability, Rows: rows})[0].Probability
		o := do(t, e, Request{Operation: Outcome, Rows: rows})[0]
		if math.Abs(a.Probability/p-1) > 1e-5 || math.Abs(o.Probability/p-1) > 1e-5 {
			t.Errorf("%s: probabilities %g, %g and %g", name, a.Probability, p, o.Probability)
		}
		read := do(t, e, Request{Operation: Activations, Rows: rows})[0].Activations
		for l := range a.Scores {
			if d := math.Abs(a.CompletenessError[l]); d > 1e-3*max(p, a.ProbabilityAtZero[l]) {
				t.Errorf("%s: the scores of layer %d are off by %g of %g", name, l, d, p)
			}
			for i, v := range a.Activations[l] {
				if math.Abs(read[l][i]-v) > 1e-5 {
					t.Fatalf("%s: neuron %d:%d is %g when attributed and %g when read", name, l, i, v, read[l][i])
				}
			}
		}
		plain := do(t, e, Request{Operation: Probability, Rows: rowsOf(Edits{}, s)})[0].Probability
		if plain == p {
			t.Errorf("%s: the edits do nothing", name)
		}
		rows[0].Neurons = []int{3, 25}
		tokens := do(t, e, Request{Operation: TokenActivations, Rows: rows})[0].Activations
		for k, n := range []int{3, 25} {
			if mean := (tokens[k][3] + tokens[k][4]) / 2; math.Abs(mean-read[n/20][n%20]) > 1e-5 {
				t.Errorf("%s: neuron %d is %g at the tokens, and %g on average", name, n, tokens[k], read[n/20][n%20])
			}
		}
	}
}

// TestOutcomeOfLongAnswer: the product of probabilities, and the worst rank.
func TestOutcomeOfLongAnswer(t *testing.T) {
	p := []float32{0.5, 0.2, 0.3, 0.1, 0.3, 0.6}
	got := outcome(p, []int32{0, 1})
	if math.Abs(got.Probability-0.15) > 1e-7 || got.Rank != 2 || got.Top != 0 || got.TopProbability != 0.5 {
		t.Errorf("%+v", got)
	}
	if first := outcome(p, []int32{0, 2}); first.Rank != 1 || !slices.Equal([]int32{first.Top}, []int32{0}) {
		t.Errorf("%+v", first)
	}
}
