package transformer

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// kept are the points whose values [Weights.LayerVJP] is given: what the
// layer's dense parts computed, which is nearly all the work of a layer.
func kept(c Config) []Point {
	points := []Point{QueryOut, KeyOut, ValueOut, AttentionOut, FFNOut, FFNPre}
	if c.Architecture().Gated {
		points = append(points, FFNLinear)
	}
	return points
}

// KeptValues is the number of values that [Hooks.KeepValues] captures.
func KeptValues(c Config) int { return len(kept(c)) }

// Kept is the place among them of a point's value.
func Kept(p Point) int { return slices.Index(kept(Config{}), p) }

// KeepValues captures in layer l what [Weights.LayerVJP] needs: the [B, n, ·]
// values at QueryOut, KeyOut, ValueOut, AttentionOut, FFNOut and FFNPre, and at
// FFNLinear where there is one.
func (h Hooks) KeepValues(c Config, l int) []**graph.Node {
	var values []**graph.Node
	for _, p := range kept(c) {
		values = append(values, h.Capture(p, l))
	}
	return values
}

// LayerVJP takes a gradient backwards through a whole layer that was
// computed before, without computing its dense parts again.
//
//	x [B, n, H], c: the layer's inputs then
//	values: what KeepValues captured then
//	gradient [B, n, H] with respect to the layer's output
//
// It returns the gradients with respect to x [B, n, H] and to FFNPost, the
// neurons after the hooks [B, n, F]. The hooks are those of the forward run.
// A past is not differentiated.
//
// Every step is GoMLX's reverse mode. The values given cut the layer into
// pieces, each differentiated by itself: an objective Σ piece · gradient has
// the piece's vector-Jacobian product for gradient, and what it does not
// need of the piece itself is never run.
func (w *Weights) LayerVJP(l int, x *graph.Node, c Context, values []*graph.Node, gradient *graph.Node, hooks Hooks) (gx, neurons *graph.Node) {
	computed := make([]*graph.Node, len(values))
	for i, p := range kept(w.Config) {
		hooks.Add(p, l, func(v *graph.Node) *graph.Node {
			computed[i] = v
			return values[i]
		})
	}
	post := hooks.Capture(FFNPost, l)
	out := w.Layer(l, x, c, hooks)
	back := func(piece, gradient *graph.Node, wrt ...*graph.Node) []*graph.Node {
		return graph.Gradient(graph.ReduceAllSum(graph.Mul(piece, graph.StopGradient(gradient))), wrt...)
	}
	const q, k, v, attention, ffn, pre = 0, 1, 2, 3, 4, 5
	top := back(out, gradient, values[ffn], values[attention], x)
	neurons = back(computed[ffn], top[0], *post)[0]
	toHeads, gx := top[1], top[2]
	for i, g := range back(*post, neurons, values[pre:]...) {
		mid := back(computed[pre+i], g, values[attention], x)
		toHeads, gx = graph.Add(toHeads, mid[0]), graph.Add(gx, mid[1])
	}
	for i, g := range back(computed[attention], toHeads, values[q], values[k], values[v]) {
		gx = graph.Add(gx, back(computed[i], g, x)[0])
	}
	return gx, neurons
}
