package bert

import "github.com/gomlx/gomlx/core/graph"

// kept are the points whose values [Weights.LayerVJP] is given: what the
// layer's dense parts computed, which is nearly all the work of a layer.
var kept = []Point{QueryOut, KeyOut, ValueOut, AttentionOut, FFNPre, FFNOut}

// KeptValues is the number of values that [KeepValues] captures.
const KeptValues = 6

// KeepValues captures in layer l what [Weights.LayerVJP] needs: the [B, n, ·]
// values at QueryOut, KeyOut, ValueOut, AttentionOut, FFNPre and FFNOut.
func (h Hooks) KeepValues(l int) []**graph.Node {
	var values []**graph.Node
	for _, p := range kept {
		values = append(values, h.Capture(p, l))
	}
	return values
}

// LayerVJP takes a gradient backwards through a whole layer that was
// computed before, without computing its dense parts again.
//
//	x [B, n, H], mask [B, n] or nil: the layer's inputs then
//	values: what KeepValues captured then
//	gradient [B, n, H] with respect to the layer's output
//
// It returns the gradients with respect to x [B, n, H] and to FFNPost, the
// neurons after the hooks [B, n, F]. The hooks are those of the forward run.
//
// Every step is GoMLX's reverse mode. The values given cut the layer into
// pieces, each differentiated by itself: an objective Σ piece · gradient has
// the piece's vector-Jacobian product for gradient, and what it does not
// need of the piece itself is never run.
func (w *Weights) LayerVJP(l int, x, mask *graph.Node, values []*graph.Node, gradient *graph.Node, hooks Hooks) (gx, neurons *graph.Node) {
	computed := make([]*graph.Node, len(kept))
	for i, p := range kept {
		hooks.Add(p, l, func(v *graph.Node) *graph.Node {
			computed[i] = v
			return values[i]
		})
	}
	post := hooks.Capture(FFNPost, l)
	out := w.Layer(l, x, x, mask, hooks)
	back := func(piece, gradient *graph.Node, wrt ...*graph.Node) []*graph.Node {
		return graph.Gradient(graph.ReduceAllSum(graph.Mul(piece, graph.StopGradient(gradient))), wrt...)
	}
	const q, k, v, attention, pre, ffn = 0, 1, 2, 3, 4, 5
	top := back(out, gradient, values[ffn], values[attention], x)
	neurons = back(computed[ffn], top[0], *post)[0]
	inner := back(*post, neurons, values[pre])[0]
	mid := back(computed[pre], inner, values[attention], x)
	heads := back(computed[attention], graph.Add(top[1], mid[0]), values[q], values[k], values[v])
	gx = graph.Add(top[2], mid[1])
	for i, g := range heads {
		gx = graph.Add(gx, back(computed[i], g, x)[0])
	}
	return gx, neurons
}
