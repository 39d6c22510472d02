package engine

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// The steps are the engine's graphs. Their inputs are B packs of n tokens, with
// m rows in each where a token of an answer is predicted, so R = B·m rows in all.
// P is the number of such rows, and b·n that of tokens, of the samples that are
// attributed.

// embed: ids [B, n], positions [B, n] -> the first layer's input [B, n, H].
var embed = step{"embed", transformer.EmbeddingsPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	return []*graph.Node{w.Embed(transformer.Inputs{IDs: in.next(), Positions: in.next()}, nil)}
}}

// forward: x [B, n, H], pick [B, m, n] -> the layer's output [B, n, H].
var forward = step{"forward", transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, pick := in.next(), in.next()
	c := in.context(x)
	return []*graph.Node{w.Layer(0, x, c, in.hooks(pick))}
}}

// forwardSaving is forward that also returns the saved activations, which
// backward needs: transformer.KeptValues of them after the layer's output.
var forwardSaving = step{"forward saving", transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, pick := in.next(), in.next()
	c := in.context(x)
	hooks := in.hooks(pick)
	values := hooks.KeepValues(w.Config, 0)
	out := []*graph.Node{w.Layer(0, x, c, hooks)}
	for _, v := range values {
		out = append(out, *v)
	}
	return out
}}

// observe is forwardSaving with three more outputs before those of
// forwardSaving, all where the answer is predicted: ResidMid [R, H], the neurons
// [R, F], and what they add without the bias [R, H]. A path through the layer
// starts from them.
//
// In a causal model the saved activations are those of the tail alone,
// [B, k, ·], and its past and itself follow them: keys and values [B, n, G·d], and the
// rows of x [B, k, H].
var observe = step{"observe", transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, pick := in.next(), in.next()
	c := in.context(x)
	hooks := in.hooks(pick)
	values := hooks.KeepValues(w.Config, 0)
	mid, neurons := hooks.Capture(transformer.ResidMid, 0), hooks.Capture(transformer.FFNPost, 0)
	y := w.Layer(0, x, c, hooks)
	ffn := *values[transformer.Kept(transformer.FFNOut)]
	out := []*graph.Node{picked(*mid, pick), picked(*neurons, pick), added(w, picked(ffn, pick)), y}
	if !w.Config.Causal() {
		for _, v := range values {
			out = append(out, *v)
		}
		return out
	}
	for _, v := range values {
		out = append(out, transformer.Rows(*v, pick))
	}
	return append(out, *values[transformer.Kept(transformer.KeyOut)], *values[transformer.Kept(transformer.ValueOut)], transformer.Rows(x, pick))
}}

// picked returns the rows that pick [B, m, n] selects: x [B, n, K] -> [R, K].
func picked(x, pick *graph.Node) *graph.Node { return flat(transformer.Rows(x, pick)) }

// flat joins the first two axes: x [B, m, K] -> [R, K].
func flat(x *graph.Node) *graph.Node {
	dims := x.Shape().Dimensions
	return graph.Reshape(x, dims[0]*dims[1], dims[2])
}

// added is what the neurons add to the residual stream [R, H] without the bias.
func added(w *transformer.Weights, ffnOut *graph.Node) *graph.Node {
	if w.Layers[0].Output.Bias == nil {
		return ffnOut
	}
	return graph.Sub(ffnOut, graph.ExpandLeftToRank(w.Layers[0].Output.Bias, 2))
}

// backward: x [B, n, H], pick [B, m, n], gradient [B, n, H] of the layer's
// output, the saved activations -> gradient of x [B, n, H].
var backward = step{"backward", transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
	gx, _ := layerVJP(w, in)
	return []*graph.Node{gx}
}}

// backwardNeurons is backward that also returns the gradient of the neurons
// where the answer is predicted [R, F].
var backwardNeurons = step{"backward to neurons", transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
	pick := in.nodes[1]
	gx, neurons := layerVJP(w, in)
	return []*graph.Node{gx, picked(neurons, pick)}
}}

func layerVJP(w *transformer.Weights, in *inputs) (gx, neurons *graph.Node) {
	x, pick, gradient, saved := in.next(), in.next(), in.next(), in.take(transformer.KeptValues(w.Config))
	c := in.context(x)
	return w.LayerVJP(0, x, c, saved, gradient, in.hooks(pick))
}

// last runs the last layer for the rows alone where the answer is predicted:
// x [B, n, H] -> [R, H]. A tail has no other rows.
func last(w *transformer.Weights, x, pick *graph.Node, c transformer.Context, hooks transformer.Hooks) *graph.Node {
	if c.Past != nil {
		return flat(w.Layer(0, x, c, hooks))
	}
	if c.Mask != nil && c.Mask.Shape().Dimensions[1] > 1 {
		c.Mask = transformer.Rows(c.Mask, pick) // [B, m, n]
	}
	if w.Config.Causal() {
		c.Positions = transformer.PickedPositions(pick)
	}
	return flat(w.Layer(0, transformer.Rows(x, pick), c, hooks))
}

// distribution: the last layer's input x [B, n, H], pick [B, m, n] -> the
// probabilities where the answer's tokens are predicted [R, V].
var distribution = step{"distribution", transformer.OneLayer | transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, pick := in.next(), in.next()
	c := in.context(x)
	return []*graph.Node{w.Distribution(last(w, x, pick, c, in.hooks(pick)))}
}}

// answer: x [B, n, H] of the last layer, pick [B, m, n], tokens [R] -> the
// answers' values [S], S being the number of samples.
var answer = step{"answer", transformer.OneLayer | transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, pick, tokens := in.next(), in.next(), in.next()
	c := in.context(x)
	return []*graph.Node{in.value(w, last(w, x, pick, c, in.hooks(pick)), tokens)}
}}

// answerGradient is answer that also returns the gradient of x [B, n, H].
var answerGradient = step{"answer gradient", transformer.OneLayer | transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, pick, tokens := in.next(), in.next(), in.next()
	c := in.context(x)
	row := last(w, x, pick, c, in.hooks(pick))
	p, g := in.valueGradient(w, row, tokens, pick)
	return []*graph.Node{p, vjp(row, g, x)}
}}

// observeAnswer is answerGradient with four more outputs, all where the answer
// is predicted: ResidMid [R, H], the neurons [R, F], what they add without the
// bias [R, H], and their gradient [R, F].
//
// In a causal model the gradient is that of the tail of x [B, k, H], and, as in
// observe, the keys and values [B, n, G·d] follow.
var observeAnswer = step{"observe answer", transformer.OneLayer | transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, pick, tokens := in.next(), in.next(), in.next()
	c := in.context(x)
	hooks := in.hooks(pick)
	mid, neurons, ffn := hooks.Capture(transformer.ResidMid, 0), hooks.Capture(transformer.FFNPost, 0), hooks.Capture(transformer.FFNOut, 0)
	var known []*graph.Node
	if w.Config.Causal() {
		keys, values := w.KeysAndValues(0, x)
		known = []*graph.Node{keys, values}
		x = transformer.Rows(x, pick)
		positions := transformer.PickedPositions(pick)
		c = transformer.Context{Keys: x, Positions: positions, Past: past(keys, values, positions)}
	}
	row := last(w, x, pick, c, hooks)
	p, g := in.valueGradient(w, row, tokens, pick)
	return append([]*graph.Node{p, vjp(row, g, x), flat(*mid), flat(*neurons), added(w, flat(*ffn)), flat(vjp(row, g, *neurons))}, known...)
}}

// value is what is predicted of the answers, their probabilities or the
// logarithms of these: row [R, H] is the last layer's output, tokens [R] -> [S].
func (in *inputs) value(w *transformer.Weights, row, tokens *graph.Node) *graph.Node {
	if in.form.logarithm {
		return in.ofAnswers(w.LogProbability(row, tokens))
	}
	return w.Probability(row, tokens)
}

// ofAnswers adds up the logarithms of the tokens of each answer: [R] -> [S].
func (in *inputs) ofAnswers(logarithms *graph.Node) *graph.Node {
	return graph.ReduceSum(graph.Reshape(logarithms, -1, in.form.answers), -1)
}

// valueGradient is value with its gradient by the rows [R, H]. That is 0 for
// rows that predict nothing, which are padding.
func (in *inputs) valueGradient(w *transformer.Weights, row, tokens, pick *graph.Node) (value, g *graph.Node) {
	value, g = in.rowGradient(w, row, tokens)
	return value, graph.Mul(g, graph.Reshape(graph.ReduceSum(pick, 2), row.Shape().Dimensions[0], 1))
}

// rowGradient is valueGradient where no row is padding.
func (in *inputs) rowGradient(w *transformer.Weights, row, tokens *graph.Node) (value, g *graph.Node) {
	if in.form.logarithm {
		p, g := w.LogProbabilityGradient(row, tokens)
		return in.ofAnswers(p), g
	}
	return w.ProbabilityGradient(row, tokens)
}

// vjp is a vector-Jacobian product: it takes a gradient of y back to x.
func vjp(y, gradient, x *graph.Node) *graph.Node {
	return graph.Gradient(graph.ReduceAllSum(graph.Mul(y, graph.StopGradient(gradient))), x)[0]
}

// scaled makes the rows of points. Each row scales the neurons of one sample by
// one factor. Its inputs are mid and added [P, H] of the samples, and for each
// row the sample, which [R], and the factor [R]. It returns what the scaled
// neurons add, factor·added + bias [R, H], and the layer's output [R, H]. What
// they add is linear in the factor, so no row multiplies by the layer's weights.
func scaled(w *transformer.Weights, in *inputs) (ffn, row *graph.Node) {
	mid, added, which, factor := in.next(), in.next(), graph.InsertAxes(in.next(), -1), graph.InsertAxes(in.next(), -1)
	ffn = graph.Mul(graph.Gather(added, which), factor)
	if bias := w.Layers[0].Output.Bias; bias != nil {
		ffn = graph.Add(ffn, graph.ExpandLeftToRank(bias, 2))
	}
	return ffn, w.AddFFN(0, graph.Gather(mid, which), ffn)
}

// toNeurons takes a gradient of what the neurons add [R, H] back to the neurons
// [R, F].
func toNeurons(w *transformer.Weights, gradient *graph.Node) *graph.Node {
	return graph.Dot(gradient, w.Layers[0].Output.Weight).Product()
}

// inject: mid, added, which, factor; the unmodified model's output of the layer
// [b, n, H], source [B, n], which says which of its b·n tokens each token is,
// pick [B, m, n] -> the input of the next layer [B, n, H].
var inject = step{"inject", transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
	_, row := scaled(w, in)
	out, source, pick := flat(in.next()), graph.InsertAxes(in.next(), -1), in.next()
	dims := pick.Shape().Dimensions
	rows := graph.Reshape(row, dims[0], dims[1], w.Config.HiddenSize) // [B, m, H]
	return []*graph.Node{transformer.SetRows(graph.Gather(out, source), pick, rows)}
}}

// injectTail is inject for a tail, which consists of scaled rows: mid, added,
// which, factor -> [B, k, H].
var injectTail = step{"inject tail", transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
	_, row := scaled(w, in)
	return []*graph.Node{graph.Reshape(row, -1, in.form.answers, w.Config.HiddenSize)}
}}

// extract: mid, added, which, factor; pick [B, m, n], gradient [B, n, H] of
// inject's output -> the gradient of the scaled neurons [R, F].
var extract = step{"extract", transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
	ffn, row := scaled(w, in)
	pick, gradient := in.next(), in.next()
	return []*graph.Node{toNeurons(w, vjp(row, picked(gradient, pick), ffn))}
}}

// scaledAnswerGradient is for the last layer: mid, added, which, factor; tokens
// [R] -> the answers' values [S], the gradient of the scaled neurons [R, F].
var scaledAnswerGradient = step{"scaled answer gradient", transformer.OneLayer | transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	ffn, row := scaled(w, in)
	p, g := in.rowGradient(w, row, in.next())
	return []*graph.Node{p, toNeurons(w, vjp(row, g, ffn))}
}}

// scaledAnswer is scaledAnswerGradient without the gradient.
var scaledAnswer = step{"scaled answer", transformer.OneLayer | transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	_, row := scaled(w, in)
	return []*graph.Node{in.value(w, row, in.next())}
}}

// headUnits: mid, added, which, factor of the last layer -> the head's dense
// layer before its activation function [R, E].
var headUnits = step{"head units", transformer.OneLayer | transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	_, row := scaled(w, in)
	return []*graph.Node{w.Head.Transform.Apply(row)}
}}

// concatenate: blocks [B, n, H] -> one block.
var concatenate = step{"concatenate", 0, func(_ *transformer.Weights, in *inputs) []*graph.Node {
	return []*graph.Node{graph.Concatenate(in.nodes, 0)}
}}

// splitInto undoes concatenate for blocks of the given sizes.
func splitInto(sizes []int) step {
	return step{fmt.Sprint("split into ", sizes), 0, func(_ *transformer.Weights, in *inputs) []*graph.Node {
		x, from := in.next(), 0
		var parts []*graph.Node
		for _, n := range sizes {
			parts = append(parts, graph.Slice(x, graph.AxisRange(from, from+n)))
			from += n
		}
		return parts
	}}
}
