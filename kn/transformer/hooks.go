package transformer

import "github.com/gomlx/gomlx/core/graph"

// Point names a kind of place in the BERT graph where a value can be read or
// replaced. See the package documentation for a picture.
type Point uint8

// The hook points. B is the batch, n the tokens, m the query rows (n unless a
// layer is asked for fewer), A the heads, H the hidden and F the
// feed-forward size.
const (
	EmbeddingsOut  Point = iota // [B, n, H] what the first layer is given; Layer is 0
	QueryOut                    // [B, m, A·d] queries, all heads side by side, before their norm and rotation if they have any
	KeyOut                      // [B, n, G·d] keys, likewise
	ValueOut                    // [B, n, G·d] values, likewise
	AttentionProbs              // [B, A, m, n] attention probabilities, each row sums to 1
	AttentionOut                // [B, m, H] what attention adds to the residual stream
	ResidMid                    // [B, m, H] residual stream after attention, and its LayerNorm in an encoder
	FFNPre                      // [B, m, F] before the activation function
	FFNLinear                   // [B, m, F] what the activation multiplies, in a gated FFN only
	FFNPost                     // [B, m, F] the neurons: the activation, or that product
	FFNOut                      // [B, m, H] what the neurons add to the residual stream
	ResidPost                   // [B, m, H] residual stream after the layer
)

var pointNames = [...]string{
	"embeddings_out", "query_out", "key_out", "value_out", "attention_probs", "attention_out",
	"resid_mid", "ffn_pre", "ffn_linear", "ffn_post", "ffn_out", "resid_post",
}

// String returns the point's name in snake case.
func (p Point) String() string {
	if int(p) < len(pointNames) {
		return pointNames[p]
	}
	return "unknown_point"
}

// Site is a hook point in one layer.
type Site struct {
	Point Point
	Layer int
}

// Hook sees the value at a site while the graph is built. What it returns
// takes the value's place; to read only, keep x and return it.
type Hook func(x *graph.Node) *graph.Node

// Hooks maps sites to hooks. A nil map has none.
type Hooks map[Site]Hook

// Capture adds a hook that keeps the value at the site in the returned
// variable, once the graph has been built.
func (h Hooks) Capture(point Point, layer int) **graph.Node {
	kept := new(*graph.Node)
	h.Add(point, layer, func(x *graph.Node) *graph.Node {
		*kept = x
		return x
	})
	return kept
}

// Add adds a hook; one that is already at the site runs before it.
func (h Hooks) Add(point Point, layer int, hook Hook) {
	site := Site{point, layer}
	if first := h[site]; first != nil {
		h[site] = func(x *graph.Node) *graph.Node { return hook(first(x)) }
		return
	}
	h[site] = hook
}

// any says whether there is a hook at one of the points in a layer.
func (h Hooks) any(layer int, points ...Point) bool {
	for _, p := range points {
		if h[Site{p, layer}] != nil {
			return true
		}
	}
	return false
}

// at runs the hook of a site, if there is one.
func (h Hooks) at(point Point, layer int, x *graph.Node) *graph.Node {
	if hook := h[Site{point, layer}]; hook != nil {
		return hook(x)
	}
	return x
}
