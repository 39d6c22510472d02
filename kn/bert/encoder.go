package bert

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Inputs are a batch of token sequences, padded to one length.
type Inputs struct {
	IDs       *graph.Node // [B, n] int32
	Types     *graph.Node // [B, n] int32 token types; nil for all 0
	Positions *graph.Node // [B, n] int32; nil for 0 to n-1
	Mask      *graph.Node // [B, n] float32, 1 for tokens and 0 for padding; nil when there is no padding
}

// Embed computes the input of layer 0: [B, n, H].
func (w *Weights) Embed(in Inputs, hooks Hooks) *graph.Node {
	n := in.IDs.Shape().Dimensions[1]
	e := w.Embeddings
	x := graph.Gather(e.Word, graph.InsertAxes(in.IDs, -1)) // [B, n, H]
	if in.Positions == nil {
		position := graph.Slice(e.Position, graph.AxisRange(0, n)) // [n, H]
		x = graph.Add(x, graph.ExpandLeftToRank(position, 3))      // [B, n, H]
	} else {
		x = graph.Add(x, graph.Gather(e.Position, graph.InsertAxes(in.Positions, -1)))
	}
	if in.Types == nil {
		kind := graph.Slice(e.Type, graph.AxisRange(0, 1)) // [1, H]
		x = graph.Add(x, graph.ExpandLeftToRank(kind, 3))
	} else {
		x = graph.Add(x, graph.Gather(e.Type, graph.InsertAxes(in.Types, -1)))
	}
	x = e.Norm.Apply(x, w.Config.LayerNormEps)
	return hooks.at(EmbeddingsOut, 0, x)
}

// Encode runs the embeddings and all layers: [B, n, H].
func (w *Weights) Encode(in Inputs, hooks Hooks) *graph.Node {
	x := w.Embed(in, hooks)
	for l := range w.Layers {
		x = w.Layer(l, x, x, in.Mask, hooks)
	}
	return x
}

// EncodeRow runs the embeddings and all layers, the last one only for the
// row that pick selects: [B, H]. Hooks in the last layer see one query row.
//
//	pick [B, n] float32: 1 at the row wanted, 0 elsewhere
func (w *Weights) EncodeRow(in Inputs, pick *graph.Node, hooks Hooks) *graph.Node {
	return w.encodeRow(in, func(x *graph.Node) *graph.Node { return graph.InsertAxes(Row(x, pick), 1) }, hooks)
}

// EncodeFirst is [Weights.EncodeRow] for the first row, [CLS]'s: [B, H].
func (w *Weights) EncodeFirst(in Inputs, hooks Hooks) *graph.Node {
	return w.encodeRow(in, firstRow, hooks)
}

// firstRow is [CLS]'s row: [B, n, H] -> [B, 1, H].
func firstRow(x *graph.Node) *graph.Node {
	return graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, 1))
}

// encodeRow runs the last layer for the row only that one picks: [B, n, H] -> [B, 1, H].
func (w *Weights) encodeRow(in Inputs, one func(x *graph.Node) *graph.Node, hooks Hooks) *graph.Node {
	x := w.Embed(in, hooks)
	last := len(w.Layers) - 1
	for l := range last {
		x = w.Layer(l, x, x, in.Mask, hooks)
	}
	return graph.Squeeze(w.Layer(last, one(x), x, in.Mask, hooks), 1) // [B, H]
}

// Row selects one row of each sequence: x [B, n, K], pick [B, n] one-hot -> [B, K].
func Row(x, pick *graph.Node) *graph.Node {
	return graph.ReduceSum(graph.Mul(x, graph.InsertAxes(pick, -1)), 1)
}

// Rows selects m rows of each sequence: x [B, n, K], pick [B, m, n], each
// of its rows one-hot -> [B, m, K].
func Rows(x, pick *graph.Node) *graph.Node {
	return graph.DotGeneral(pick, []int{2}, []int{0}, x, []int{1}, []int{0})
}

// SetRows replaces m rows of each sequence: x [B, n, K], pick [B, m, n], each
// of its rows one-hot, rows [B, m, K] -> [B, n, K].
func SetRows(x, pick, rows *graph.Node) *graph.Node {
	rest := graph.OneMinus(graph.ReduceSum(pick, 1))                            // [B, n]
	set := graph.DotGeneral(pick, []int{1}, []int{0}, rows, []int{1}, []int{0}) // [B, n, K]
	return graph.Add(graph.Mul(x, graph.InsertAxes(rest, -1)), set)
}

// Logits is the masked-language-model head: hidden [..., H] -> [..., V].
func (w *Weights) Logits(hidden *graph.Node) *graph.Node {
	return Dense{w.Head.Decoder, w.Head.Bias}.Apply(w.transform(hidden)) // [..., V]
}

// transform is the head below the vocabulary: [..., H] -> [..., H].
func (w *Weights) transform(hidden *graph.Node) *graph.Node {
	x := w.activate(w.Head.Transform.Apply(hidden))
	return w.Head.Norm.Apply(x, w.Config.LayerNormEps)
}

// Probability is the softmax of the logits at one token of each row,
// exp(logit - log Σ exp(logits)): hidden [B, H], tokens [B] int32 -> [B].
// Its gradient passes over the vocabulary half as often as that of the whole
// distribution.
func (w *Weights) Probability(hidden, tokens *graph.Node) *graph.Node {
	x := w.transform(hidden)                                   // [B, H]
	logits := Dense{w.Head.Decoder, w.Head.Bias}.Apply(x)      // [B, V]
	largest := graph.StopGradient(graph.ReduceMax(logits, -1)) // [B]
	rest := graph.Exp(graph.Sub(logits, graph.InsertAxes(largest, -1)))
	logSum := graph.Add(graph.Log(graph.ReduceSum(rest, -1)), largest) // [B]
	at := graph.InsertAxes(tokens, -1)
	logit := graph.ReduceSum(graph.Mul(x, graph.Gather(w.Head.Decoder, at)), -1) // [B]
	logit = graph.Add(logit, graph.Gather(w.Head.Bias, at))
	return graph.Exp(graph.Sub(logit, logSum))
}

// ProbabilityGradient is [Weights.Probability] with its gradient with
// respect to hidden: hidden [B, H], tokens [B] -> [B], [B, H].
//
// With p the softmax and x what the head makes of hidden below the
// vocabulary, the gradient of p_t with respect to x is
//
//	p_t · (W_t - Σ_j p_j W_j)
//
// Written like this it passes over the vocabulary twice, reverse mode over
// [B, V] logits six times. From x down it is reverse mode again.
func (w *Weights) ProbabilityGradient(hidden, tokens *graph.Node) (probability, gradient *graph.Node) {
	x := w.transform(hidden)                                                      // [B, H]
	logits := Dense{w.Head.Decoder, w.Head.Bias}.Apply(x)                         // [B, V]
	largest := graph.ReduceAndKeep(logits, graph.ReduceMax, -1)                   // [B, 1]
	shares := graph.Exp(graph.Sub(logits, largest))                               // [B, V], not yet divided by their sum
	sum := graph.ReduceAndKeep(shares, graph.ReduceSum, -1)                       // [B, 1]
	mean := graph.Div(graph.Dot(shares, w.Head.Decoder).Product(), sum)           // [B, H]
	at := graph.InsertAxes(tokens, -1)                                            // [B, 1]
	row := graph.Gather(w.Head.Decoder, at)                                       // [B, H]
	logit := graph.ReduceAndKeep(graph.Mul(x, row), graph.ReduceSum, -1)          // [B, 1]
	logit = graph.Add(logit, graph.InsertAxes(graph.Gather(w.Head.Bias, at), -1)) // [B, 1]
	p := graph.Div(graph.Exp(graph.Sub(logit, largest)), sum)                     // [B, 1]
	gx := graph.Mul(p, graph.Sub(row, mean))                                      // [B, H]
	objective := graph.ReduceAllSum(graph.Mul(x, graph.StopGradient(gx)))
	return graph.Squeeze(p, -1), graph.Gradient(objective, hidden)[0]
}
