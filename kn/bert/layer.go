package bert

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// Layer runs layer l. Queries are the rows to compute, keys the rows that
// they attend to; a whole layer has queries == keys, and where only [MASK]'s
// row is needed, one query row saves the others.
//
//	queries [B, m, H], keys [B, n, H], mask [B, n] or [B, m, n] -> [B, m, H]
//
// The mask is 1 for the keys that a query attends to and 0 for others, such as
// padding and the tokens of other sequences; nil when all attend to all.
func (w *Weights) Layer(l int, queries, keys, mask *graph.Node, hooks Hooks) *graph.Node {
	mid := w.Attention(l, queries, keys, mask, hooks) // [B, m, H]
	neurons := w.Neurons(l, mid, hooks)               // [B, m, F]
	return w.FFNOut(l, mid, neurons, hooks)           // [B, m, H]
}

// Attention is the first half of layer l: self-attention, residual and LayerNorm.
//
//	queries [B, m, H], keys [B, n, H], mask as for Layer -> ResidMid [B, m, H]
func (w *Weights) Attention(l int, queries, keys, mask *graph.Node, hooks Hooks) *graph.Node {
	lw, heads := w.Layers[l], w.Config.Heads
	size := w.Config.HiddenSize / heads
	m, n := queries.Shape().Dimensions[1], keys.Shape().Dimensions[1]
	few := m*(w.Config.HiddenSize+heads*n) < n*w.Config.HiddenSize // what attendFew costs, and what it saves
	if few && !hooks.any(l, KeyOut, ValueOut, AttentionProbs) {
		context := w.attendFew(l, hooks.at(QueryOut, l, lw.Query.Apply(queries)), keys, mask) // [B, m, H]
		return w.afterAttention(l, context, queries, hooks)
	}
	split := func(x *graph.Node) *graph.Node { // [B, r, H] -> [B, A, r, d]
		x = graph.Reshape(x, x.Shape().Dimensions[0], x.Shape().Dimensions[1], heads, size)
		return graph.TransposeAllAxes(x, 0, 2, 1, 3)
	}
	q := split(hooks.at(QueryOut, l, lw.Query.Apply(queries)))            // [B, A, m, d]
	k := split(hooks.at(KeyOut, l, lw.Key.Apply(keys)))                   // [B, A, n, d]
	v := split(hooks.at(ValueOut, l, lw.Value.Apply(keys)))               // [B, A, n, d]
	scores := graph.MulScalar(productT(q, k), 1/math.Sqrt(float64(size))) // [B, A, m, n]
	if mask != nil {
		scores = graph.Add(scores, hide(mask))
	}
	probs := hooks.at(AttentionProbs, l, graph.Softmax(scores, -1)) // [B, A, m, n]
	context := product(probs, v)                                    // [B, A, m, d]
	context = graph.TransposeAllAxes(context, 0, 2, 1, 3)           // [B, m, A, d]
	dims := queries.Shape().Dimensions
	context = graph.Reshape(context, dims[0], dims[1], w.Config.HiddenSize) // [B, m, H]
	return w.afterAttention(l, context, queries, hooks)
}

// hide is what to add to the scores [B, A, m, n] of keys: mask [B, n] or
// [B, m, n] -> [B, 1, 1, n] or [B, 1, m, n].
func hide(mask *graph.Node) *graph.Node {
	// exp(-1e9) is exactly 0 in float32: what is hidden changes nothing.
	hidden := graph.InsertAxes(graph.MulScalar(graph.OneMinus(mask), -1e9), 1)
	if mask.Rank() == 2 {
		hidden = graph.InsertAxes(hidden, 1)
	}
	return hidden
}

// attendFew is attention of few queries: query [B, m, H], keys [B, n, H],
// mask as for Layer -> context [B, m, H]. No key and no value is computed:
//
//	q·(K x_j + b) = (Kᵀq)·x_j + q·b    and    Σ_j p_j (V x_j + b) = V Σ_j p_j x_j + b
//
// where q·b is the same for all j, which softmax does not see. So the work is
// that of m rows instead of n.
func (w *Weights) attendFew(l int, query, keys, mask *graph.Node) *graph.Node {
	lw, heads := w.Layers[l], w.Config.Heads
	batch, m, hidden := query.Shape().Dimensions[0], query.Shape().Dimensions[1], w.Config.HiddenSize
	size := hidden / heads
	split := func(x *graph.Node) *graph.Node { return graph.Reshape(x, heads, size, hidden) }        // [H, H] -> [A, d, H]
	q := graph.Reshape(query, batch*m, heads, size)                                                  // [B·m, A, d]
	q = graph.TransposeAllAxes(q, 1, 0, 2)                                                           // [A, B·m, d]
	u := product(q, split(lw.Key.Weight))                                                            // [A, B·m, H]
	u = graph.TransposeAllAxes(graph.Reshape(u, heads, batch, m, hidden), 1, 0, 2, 3)                // [B, A, m, H]
	scores := productT(graph.Reshape(u, batch, heads*m, hidden), keys)                               // [B, A·m, n]
	scores = graph.MulScalar(graph.Reshape(scores, batch, heads, m, -1), 1/math.Sqrt(float64(size))) // [B, A, m, n]
	if mask != nil {
		scores = graph.Add(scores, hide(mask))
	}
	probs := graph.Reshape(graph.Softmax(scores, -1), batch, heads*m, -1)                    // [B, A·m, n]
	mixed := graph.Reshape(product(probs, keys), batch, heads, m, hidden)                    // [B, A, m, H]
	mixed = graph.Reshape(graph.TransposeAllAxes(mixed, 1, 0, 2, 3), heads, batch*m, hidden) // [A, B·m, H]
	context := productT(mixed, split(lw.Value.Weight))                                       // [A, B·m, d]
	context = graph.Reshape(graph.TransposeAllAxes(context, 1, 0, 2), batch, m, hidden)      // [B, m, H]
	return graph.Add(context, graph.ExpandLeftToRank(lw.Value.Bias, 3))
}

// afterAttention is the rest of Attention: context [B, m, H], queries [B, m, H] -> ResidMid [B, m, H].
func (w *Weights) afterAttention(l int, context, queries *graph.Node, hooks Hooks) *graph.Node {
	lw := w.Layers[l]
	out := hooks.at(AttentionOut, l, lw.AttentionOutput.Apply(context)) // [B, m, H]
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

// AddFFN adds what layer l's neurons add to the residual stream:
//
//	ResidMid [..., H], FFNOut [..., H] -> ResidPost [..., H]
func (w *Weights) AddFFN(l int, mid, out *graph.Node) *graph.Node {
	return w.Layers[l].OutputNorm.Apply(graph.Add(out, mid), w.Config.LayerNormEps)
}

// FFNOut is the rest of layer l:
//
//	ResidMid [..., H], neurons [..., F] -> ResidPost [..., H]
func (w *Weights) FFNOut(l int, mid, neurons *graph.Node, hooks Hooks) *graph.Node {
	lw := w.Layers[l]
	out := hooks.at(FFNOut, l, lw.Output.Apply(neurons)) // [..., H]
	return hooks.at(ResidPost, l, w.AddFFN(l, mid, out))
}
