package transformer

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// Layer runs layer l for queries [B, m, H] in their context: -> [B, m, H].
func (w *Weights) Layer(l int, queries *graph.Node, c Context, hooks Hooks) *graph.Node {
	mid := w.Attention(l, queries, c, hooks) // [B, m, H]
	neurons := w.Neurons(l, mid, hooks)      // [B, m, F]
	return w.FFNOut(l, mid, neurons, hooks)  // [B, m, H]
}

// Attention is the first half of layer l, self-attention and residual:
//
//	queries [B, m, H] in their context -> ResidMid [B, m, H]
func (w *Weights) Attention(l int, queries *graph.Node, c Context, hooks Hooks) *graph.Node {
	lw, arch := w.Layers[l], w.Config.Architecture()
	heads, groups, d := w.Config.Heads, w.Config.KeyValueHeads, w.Config.HeadSize
	if !arch.Causal {
		groups, d = heads, w.Config.HiddenSize/heads
	}
	batch, m, n := size(queries, 0), size(queries, 1), size(c.Keys, 1)
	rows := w.before(lw.AttentionNorm, queries) // [B, m, H]
	keys := rows
	if c.Keys != queries {
		keys = w.before(lw.AttentionNorm, c.Keys) // [B, n, H]
	}
	hidden := w.hidden(queries, c)
	query := hooks.at(QueryOut, l, lw.Query.Apply(rows))            // [B, m, A·d]
	few := m*(w.Config.HiddenSize+heads*n) < n*w.Config.HiddenSize  // what attendFew costs, and what it saves
	linear := !arch.Rotary && !arch.QueryKeyNorm && groups == heads // what it can do
	if few && linear && !hooks.any(l, KeyOut, ValueOut, AttentionProbs) {
		return w.afterAttention(l, w.attendFew(l, query, keys, hidden), queries, hooks)
	}
	key := hooks.at(KeyOut, l, lw.Key.Apply(keys))       // [B, n, G·d]
	value := hooks.at(ValueOut, l, lw.Value.Apply(keys)) // [B, n, G·d]
	if c.Past != nil {
		key = graph.Concatenate([]*graph.Node{c.Past.Keys, key}, 1) // [B, p+n, G·d]
		value = graph.Concatenate([]*graph.Node{c.Past.Values, value}, 1)
		n = size(key, 1)
	}
	split := func(x *graph.Node, heads int) *graph.Node { // [B, r, heads·d] -> [B, heads, r, d]
		return graph.TransposeAllAxes(graph.Reshape(x, batch, size(x, 1), heads, d), 0, 2, 1, 3)
	}
	q, k, v := split(query, heads), split(key, groups), split(value, groups)
	if arch.QueryKeyNorm {
		q, k = rmsNorm(q, lw.QueryNorm, w.Config.LayerNormEps), rmsNorm(k, lw.KeyNorm, w.Config.LayerNormEps)
	}
	if arch.Rotary {
		own, others := w.positions(queries, c)
		if c.Past != nil { // the past is the text's beginning
			past := size(c.Past.Keys, 1)
			first := graph.BroadcastToDims(places(q.Graph(), past), size(others, 0), past)
			others = graph.Concatenate([]*graph.Node{first, others}, 1)
		}
		q, k = w.rotate(q, own, n), w.rotate(k, others, n)
	}
	// A/G heads share keys and values: their queries stand below one another.
	q = graph.Reshape(q, batch, groups, heads/groups*m, d)             // [B, G, A/G·m, d]
	scores := graph.MulScalar(productT(q, k), 1/math.Sqrt(float64(d))) // [B, G, A/G·m, n]
	scores = graph.Reshape(scores, batch, heads, m, n)                 // [B, A, m, n]
	if hidden != nil {
		scores = graph.Add(scores, hidden)
	}
	probs := hooks.at(AttentionProbs, l, graph.Softmax(scores, -1))               // [B, A, m, n]
	context := product(graph.Reshape(probs, batch, groups, heads/groups*m, n), v) // [B, G, A/G·m, d]
	context = graph.TransposeAllAxes(graph.Reshape(context, batch, heads, m, d), 0, 2, 1, 3)
	return w.afterAttention(l, graph.Reshape(context, batch, m, heads*d), queries, hooks)
}

// attendFew is attention of few queries: query [B, m, H], keys [B, n, H], hidden
// as [Weights.hidden] gives it -> context [B, m, H]. No key and no value is
// computed:
//
//	q·(K x_j + b) = (Kᵀq)·x_j + q·b    and    Σ_j p_j (V x_j + b) = V Σ_j p_j x_j + b
//
// where q·b is the same for all j, which softmax does not see. So the work is
// that of m rows instead of n.
func (w *Weights) attendFew(l int, query, keys, hidden *graph.Node) *graph.Node {
	lw, heads := w.Layers[l], w.Config.Heads
	batch, m, h := size(query, 0), size(query, 1), w.Config.HiddenSize
	d := h / heads
	split := func(x *graph.Node) *graph.Node { return graph.Reshape(x, heads, d, h) }             // [H, H] -> [A, d, H]
	q := graph.Reshape(query, batch*m, heads, d)                                                  // [B·m, A, d]
	q = graph.TransposeAllAxes(q, 1, 0, 2)                                                        // [A, B·m, d]
	u := product(q, split(lw.Key.Weight))                                                         // [A, B·m, H]
	u = graph.TransposeAllAxes(graph.Reshape(u, heads, batch, m, h), 1, 0, 2, 3)                  // [B, A, m, H]
	scores := productT(graph.Reshape(u, batch, heads*m, h), keys)                                 // [B, A·m, n]
	scores = graph.MulScalar(graph.Reshape(scores, batch, heads, m, -1), 1/math.Sqrt(float64(d))) // [B, A, m, n]
	if hidden != nil {
		scores = graph.Add(scores, hidden)
	}
	probs := graph.Reshape(graph.Softmax(scores, -1), batch, heads*m, -1)               // [B, A·m, n]
	mixed := graph.Reshape(product(probs, keys), batch, heads, m, h)                    // [B, A, m, H]
	mixed = graph.Reshape(graph.TransposeAllAxes(mixed, 1, 0, 2, 3), heads, batch*m, h) // [A, B·m, H]
	context := productT(mixed, split(lw.Value.Weight))                                  // [A, B·m, d]
	context = graph.Reshape(graph.TransposeAllAxes(context, 1, 0, 2), batch, m, h)      // [B, m, H]
	return graph.Add(context, graph.ExpandLeftToRank(lw.Value.Bias, 3))
}

// afterAttention is the rest of Attention: context [B, m, A·d], queries [B, m, H] -> ResidMid [B, m, H].
func (w *Weights) afterAttention(l int, context, queries *graph.Node, hooks Hooks) *graph.Node {
	lw := w.Layers[l]
	out := hooks.at(AttentionOut, l, lw.AttentionOutput.Apply(context)) // [B, m, H]
	return hooks.at(ResidMid, l, w.after(lw.AttentionNorm, queries, out))
}

// Neurons is layer l's feed-forward activation, the paper's neurons. In a gated
// FFN a neuron is the product of the gate's activation and what it lets through:
//
//	ResidMid [..., H] -> FFNPost [..., F]
func (w *Weights) Neurons(l int, mid *graph.Node, hooks Hooks) *graph.Node {
	lw := w.Layers[l]
	x := w.before(lw.OutputNorm, mid)
	if lw.Gate == nil {
		return hooks.at(FFNPost, l, w.activate(hooks.at(FFNPre, l, lw.Intermediate.Apply(x)))) // [..., F]
	}
	gate := w.activate(hooks.at(FFNPre, l, lw.Gate.Apply(x)))                                      // [..., F]
	return hooks.at(FFNPost, l, graph.Mul(gate, hooks.at(FFNLinear, l, lw.Intermediate.Apply(x)))) // [..., F]
}

// AddFFN adds what layer l's neurons add to the residual stream:
//
//	ResidMid [..., H], FFNOut [..., H] -> ResidPost [..., H]
func (w *Weights) AddFFN(l int, mid, out *graph.Node) *graph.Node {
	return w.after(w.Layers[l].OutputNorm, mid, out)
}

// FFNOut is the rest of layer l:
//
//	ResidMid [..., H], neurons [..., F] -> ResidPost [..., H]
func (w *Weights) FFNOut(l int, mid, neurons *graph.Node, hooks Hooks) *graph.Node {
	out := hooks.at(FFNOut, l, w.Layers[l].Output.Apply(neurons)) // [..., H]
	return hooks.at(ResidPost, l, w.AddFFN(l, mid, out))
}

// KeysAndValues are those that layer l computes of its input x [B, n, H], as
// at KeyOut and ValueOut: [B, n, G·d] each.
func (w *Weights) KeysAndValues(l int, x *graph.Node) (keys, values *graph.Node) {
	lw := w.Layers[l]
	x = w.before(lw.AttentionNorm, x)
	return lw.Key.Apply(x), lw.Value.Apply(x)
}
