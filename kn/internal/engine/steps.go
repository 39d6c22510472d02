package engine

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
)

// The steps are the engine's graphs. Their inputs are B packs of n tokens, with
// m sequences in each, so R = B·m rows in all. P is the number of rows, and b·n
// that of tokens, of the samples that are attributed.

// embed: ids [B, n], positions [B, n] -> the first layer's input [B, n, H].
var embed = step{"embed", bert.EmbeddingsPart, func(w *bert.Weights, in *inputs) []*graph.Node {
	return []*graph.Node{w.Embed(bert.Inputs{IDs: in.next(), Positions: in.next()}, nil)}
}}

// forward: x [B, n, H], pick [B, m, n] -> the layer's output [B, n, H].
var forward = step{"forward", bert.OneLayer, func(w *bert.Weights, in *inputs) []*graph.Node {
	x, pick := in.next(), in.next()
	mask := in.mask()
	return []*graph.Node{w.Layer(0, x, x, mask, in.hooks(pick))}
}}

// forwardSaving is forward that also returns the saved activations, which
// backward needs: bert.KeptValues of them after the layer's output.
var forwardSaving = step{"forward saving", bert.OneLayer, func(w *bert.Weights, in *inputs) []*graph.Node {
	x, pick := in.next(), in.next()
	mask := in.mask()
	hooks := in.hooks(pick)
	values := hooks.KeepValues(0)
	out := []*graph.Node{w.Layer(0, x, x, mask, hooks)}
	for _, v := range values {
		out = append(out, *v)
	}
	return out
}}

// observe is forwardSaving with three more outputs before those of
// forwardSaving, all at [MASK]: ResidMid [R, H], the neurons [R, F], and what
// they add without the bias [R, H]. A path through the layer starts from them.
var observe = step{"observe", bert.OneLayer, func(w *bert.Weights, in *inputs) []*graph.Node {
	x, pick := in.next(), in.next()
	mask := in.mask()
	hooks := in.hooks(pick)
	values := hooks.KeepValues(0)
	mid, neurons := hooks.Capture(bert.ResidMid, 0), hooks.Capture(bert.FFNPost, 0)
	y := w.Layer(0, x, x, mask, hooks)
	out := []*graph.Node{picked(*mid, pick), picked(*neurons, pick), added(w, picked(*values[bert.KeptValues-1], pick)), y}
	for _, v := range values {
		out = append(out, *v)
	}
	return out
}}

// picked returns the rows that pick [B, m, n] selects: x [B, n, K] -> [R, K].
func picked(x, pick *graph.Node) *graph.Node { return flat(bert.Rows(x, pick)) }

// flat joins the first two axes: x [B, m, K] -> [R, K].
func flat(x *graph.Node) *graph.Node {
	dims := x.Shape().Dimensions
	return graph.Reshape(x, dims[0]*dims[1], dims[2])
}

// added is what the neurons add to the residual stream [R, H] without the bias.
func added(w *bert.Weights, ffnOut *graph.Node) *graph.Node {
	return graph.Sub(ffnOut, graph.ExpandLeftToRank(w.Layers[0].Output.Bias, 2))
}

// backward: x [B, n, H], pick [B, m, n], gradient [B, n, H] of the layer's
// output, the saved activations -> gradient of x [B, n, H].
var backward = step{"backward", bert.OneLayer, func(w *bert.Weights, in *inputs) []*graph.Node {
	gx, _ := layerVJP(w, in)
	return []*graph.Node{gx}
}}

// backwardNeurons is backward that also returns the gradient of the neurons at
// [MASK] [R, F].
var backwardNeurons = step{"backward to neurons", bert.OneLayer, func(w *bert.Weights, in *inputs) []*graph.Node {
	pick := in.nodes[1]
	gx, neurons := layerVJP(w, in)
	return []*graph.Node{gx, picked(neurons, pick)}
}}

func layerVJP(w *bert.Weights, in *inputs) (gx, neurons *graph.Node) {
	x, pick, gradient, saved := in.next(), in.next(), in.next(), in.take(bert.KeptValues)
	mask := in.mask()
	return w.LayerVJP(0, x, mask, saved, gradient, in.hooks(pick))
}

// last runs the last layer for the rows of [MASK] alone: x [B, n, H] -> [R, H].
func last(w *bert.Weights, x, pick, mask *graph.Node, hooks bert.Hooks) *graph.Node {
	if mask != nil && mask.Shape().Dimensions[1] > 1 {
		mask = bert.Rows(mask, pick) // [B, m, n]
	}
	return flat(w.Layer(0, bert.Rows(x, pick), x, mask, hooks))
}

// distribution: the last layer's input x [B, n, H], pick [B, m, n] -> the
// probabilities at [MASK] [R, V].
var distribution = step{"distribution", bert.OneLayer | bert.HeadPart, func(w *bert.Weights, in *inputs) []*graph.Node {
	x, pick := in.next(), in.next()
	mask := in.mask()
	return []*graph.Node{w.Distribution(last(w, x, pick, mask, in.hooks(pick)))}
}}

// answer: x [B, n, H] of the last layer, pick [B, m, n], answers [R] -> their
// probabilities [R].
var answer = step{"answer", bert.OneLayer | bert.HeadPart, func(w *bert.Weights, in *inputs) []*graph.Node {
	x, pick, answers := in.next(), in.next(), in.next()
	mask := in.mask()
	return []*graph.Node{w.Probability(last(w, x, pick, mask, in.hooks(pick)), answers)}
}}

// answerGradient is answer that also returns the gradient of x [B, n, H].
var answerGradient = step{"answer gradient", bert.OneLayer | bert.HeadPart, func(w *bert.Weights, in *inputs) []*graph.Node {
	x, pick, answers := in.next(), in.next(), in.next()
	mask := in.mask()
	row := last(w, x, pick, mask, in.hooks(pick))
	p, g := probabilityGradient(w, row, answers, pick)
	return []*graph.Node{p, vjp(row, g, x)}
}}

// observeAnswer is answerGradient with four more outputs, all at [MASK]:
// ResidMid [R, H], the neurons [R, F], what they add without the bias [R, H],
// and their gradient [R, F].
var observeAnswer = step{"observe answer", bert.OneLayer | bert.HeadPart, func(w *bert.Weights, in *inputs) []*graph.Node {
	x, pick, answers := in.next(), in.next(), in.next()
	mask := in.mask()
	hooks := in.hooks(pick)
	mid, neurons, ffn := hooks.Capture(bert.ResidMid, 0), hooks.Capture(bert.FFNPost, 0), hooks.Capture(bert.FFNOut, 0)
	row := last(w, x, pick, mask, hooks)
	p, g := probabilityGradient(w, row, answers, pick)
	return []*graph.Node{p, vjp(row, g, x), flat(*mid), flat(*neurons), added(w, flat(*ffn)), flat(vjp(row, g, *neurons))}
}}

// probabilityGradient returns the answers' probabilities and their gradient by
// the rows [R, H]. It is 0 for rows without a [MASK], which are padding.
func probabilityGradient(w *bert.Weights, row, answers, pick *graph.Node) (p, g *graph.Node) {
	p, g = w.ProbabilityGradient(row, answers)
	return p, graph.Mul(g, graph.Reshape(graph.ReduceSum(pick, 2), row.Shape().Dimensions[0], 1))
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
func scaled(w *bert.Weights, in *inputs) (ffn, row *graph.Node) {
	mid, added, which, factor := in.next(), in.next(), graph.InsertAxes(in.next(), -1), graph.InsertAxes(in.next(), -1)
	ffn = graph.Add(graph.Mul(graph.Gather(added, which), factor), graph.ExpandLeftToRank(w.Layers[0].Output.Bias, 2))
	return ffn, w.AddFFN(0, graph.Gather(mid, which), ffn)
}

// toNeurons takes a gradient of what the neurons add [R, H] back to the neurons
// [R, F].
func toNeurons(w *bert.Weights, gradient *graph.Node) *graph.Node {
	return graph.Dot(gradient, w.Layers[0].Output.Weight).Product()
}

// inject: mid, added, which, factor; the unmodified model's output of the layer
// [b, n, H], source [B, n], which says which of its b·n tokens each token is,
// pick [B, m, n] -> the input of the next layer [B, n, H].
var inject = step{"inject", bert.OneLayer, func(w *bert.Weights, in *inputs) []*graph.Node {
	_, row := scaled(w, in)
	out, source, pick := flat(in.next()), graph.InsertAxes(in.next(), -1), in.next()
	dims := pick.Shape().Dimensions
	rows := graph.Reshape(row, dims[0], dims[1], w.Config.HiddenSize) // [B, m, H]
	return []*graph.Node{bert.SetRows(graph.Gather(out, source), pick, rows)}
}}

// extract: mid, added, which, factor; pick [B, m, n], gradient [B, n, H] of
// inject's output -> the gradient of the scaled neurons [R, F].
var extract = step{"extract", bert.OneLayer, func(w *bert.Weights, in *inputs) []*graph.Node {
	ffn, row := scaled(w, in)
	pick, gradient := in.next(), in.next()
	return []*graph.Node{toNeurons(w, vjp(row, picked(gradient, pick), ffn))}
}}

// scaledAnswerGradient is for the last layer: mid, added, which, factor; answers
// [R] -> their probabilities [R], the gradient of the scaled neurons [R, F].
var scaledAnswerGradient = step{"scaled answer gradient", bert.OneLayer | bert.HeadPart, func(w *bert.Weights, in *inputs) []*graph.Node {
	ffn, row := scaled(w, in)
	p, g := w.ProbabilityGradient(row, in.next())
	return []*graph.Node{p, toNeurons(w, vjp(row, g, ffn))}
}}

// scaledAnswer is scaledAnswerGradient without the gradient.
var scaledAnswer = step{"scaled answer", bert.OneLayer | bert.HeadPart, func(w *bert.Weights, in *inputs) []*graph.Node {
	_, row := scaled(w, in)
	return []*graph.Node{w.Probability(row, in.next())}
}}

// headUnits: mid, added, which, factor of the last layer -> the head's dense
// layer before its activation function [R, E].
var headUnits = step{"head units", bert.OneLayer | bert.HeadPart, func(w *bert.Weights, in *inputs) []*graph.Node {
	_, row := scaled(w, in)
	return []*graph.Node{w.Head.Transform.Apply(row)}
}}

// concatenate: blocks [B, n, H] -> one block.
var concatenate = step{"concatenate", 0, func(_ *bert.Weights, in *inputs) []*graph.Node {
	return []*graph.Node{graph.Concatenate(in.nodes, 0)}
}}

// splitInto undoes concatenate for blocks of the given sizes.
func splitInto(sizes []int) step {
	return step{fmt.Sprint("split into ", sizes), 0, func(_ *bert.Weights, in *inputs) []*graph.Node {
		x, from := in.next(), 0
		var parts []*graph.Node
		for _, n := range sizes {
			parts = append(parts, graph.Slice(x, graph.AxisRange(from, from+n)))
			from += n
		}
		return parts
	}}
}
