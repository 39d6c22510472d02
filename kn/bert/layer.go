package bert

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// Layer runs layer l. Queries are the rows to compute, keys the rows that
// they attend to; a whole layer has queries == keys, and where only [MASK]'s
// row is needed, one query row saves the others.
//
//	queries [B, m, H], keys [B, n, H], mask [B, n] -> [B, m, H]
//
// The mask is 1 for tokens and 0 for padding; nil when there is no padding.
func (w *Weights) Layer(l int, queries, keys, mask *graph.Node, hooks Hooks) *graph.Node {
	mid := w.Attention(l, queries, keys, mask, hooks) // [B, m, H]
	neurons := w.Neurons(l, mid, hooks)               // [B, m, F]
	return w.FFNOut(l, mid, neurons, hooks)           // [B, m, H]
}

// Attention is the first half of layer l: self-attention, residual and LayerNorm.
//
//	queries [B, m, H], keys [B, n, H], mask [B, n] or nil -> ResidMid [B, m, H]
func (w *Weights) Attention(l int, queries, keys, mask *graph.Node, hooks Hooks) *graph.Node {
	lw, heads := w.Layers[l], w.Config.Heads
	size := w.Config.HiddenSize / heads
	split := func(x *graph.Node) *graph.Node { // [B, r, H] -> [B, r, A, d]
		return graph.Reshape(x, x.Shape().Dimensions[0], x.Shape().Dimensions[1], heads, size)
	}
	q := split(hooks.at(QueryOut, l, lw.Query.Apply(queries))) // [B, m, A, d]
	k := split(hooks.at(KeyOut, l, lw.Key.Apply(keys)))        // [B, n, A, d]
	v := split(hooks.at(ValueOut, l, lw.Value.Apply(keys)))    // [B, n, A, d]
	// Batch axes come first in DotGeneral's result.
	scores := graph.DotGeneral(q, []int{3}, []int{0, 2}, k, []int{3}, []int{0, 2}) // [B, A, m, n]
	scores = graph.MulScalar(scores, 1/math.Sqrt(float64(size)))
	if mask != nil {
		// exp(-1e9) is exactly 0 in float32: padding changes nothing.
		bias := graph.MulScalar(graph.OneMinus(mask), -1e9) // [B, n]
		scores = graph.Add(scores, graph.InsertAxes(bias, 1, 1))
	}
	probs := graph.Softmax(scores, -1)                                                  // [B, A, m, n]
	probs = hooks.at(AttentionProbs, l, probs)                                          // [B, A, m, n]
	context := graph.DotGeneral(probs, []int{3}, []int{0, 1}, v, []int{1}, []int{0, 2}) // [B, A, m, d]
	context = graph.TransposeAllAxes(context, 0, 2, 1, 3)                               // [B, m, A, d]
	dims := queries.Shape().Dimensions
	context = graph.Reshape(context, dims[0], dims[1], w.Config.HiddenSize) // [B, m, H]
	out := hooks.at(AttentionOut, l, lw.AttentionOutput.Apply(context))     // [B, m, H]
	mid := lw.AttentionNorm.Apply(graph.Add(out, queries), w.Config.LayerNormEps)
	return hooks.at(ResidMid, l, mid)
}

// Neurons is layer l's feed-forward activation, the paper's neurons:
//
//	ResidMid [..., H] -> FFNPost [..., F]
func (w *Weights) Neurons(l int, mid *graph.Node, hooks Hooks) *graph.Node {
	pre := hooks.at(FFNPre, l, w.Layers[l].Intermediate.Apply(mid)) // [..., F]
	return hooks.at(FFNPost, l, w.activate(pre))
}

// FFNOut is the rest of layer l:
//
//	ResidMid [..., H], neurons [..., F] -> ResidPost [..., H]
func (w *Weights) FFNOut(l int, mid, neurons *graph.Node, hooks Hooks) *graph.Node {
	lw := w.Layers[l]
	out := hooks.at(FFNOut, l, lw.Output.Apply(neurons)) // [..., H]
	return hooks.at(ResidPost, l, lw.OutputNorm.Apply(graph.Add(out, mid), w.Config.LayerNormEps))
}
