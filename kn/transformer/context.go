package transformer

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Context is what the queries [B, m, H] of a layer attend to.
type Context struct {
	// Keys are the rows attended to [B, n, H], as they enter the layer. A whole
	// layer has its queries as keys. Where only some rows are needed, fewer
	// queries save the others.
	Keys *graph.Node
	// Mask, [B, n] or [B, m, n], is 1 for the keys that a query attends to and 0
	// for others, such as padding and the tokens of other sequences. Nil: a query
	// attends to all. In a causal model it attends to none behind itself besides.
	Mask *graph.Node
	// Positions [B or 1, m] int32 are the queries' places in their text. Nil: they
	// are all rows, 0 to n-1. Encoders do not look at them.
	Positions *graph.Node
	// Past, in a causal model, are tokens before the queries, whose keys and values
	// are known. The queries are then all Keys that there are.
	Past *Past
}

// Past is what a causal layer computed of the tokens before some rows, which
// do not change it.
type Past struct {
	Keys, Values *graph.Node // [B, p, G·d], as at KeyOut and ValueOut
	Mask         *graph.Node // [B, p] float32: 1 for the tokens before the rows, 0 for others
}

// Whole is the context of all rows of a batch: x [B, n, H], mask as in Context.
func Whole(x, mask *graph.Node) Context { return Context{Keys: x, Mask: mask} }

// hidden is what to add to the scores [B, A, m, n] of the keys so that no
// query attends to what it is not to: [1 or B, 1, 1 or m, n], with the past's
// keys in front. Nil if there is nothing to hide.
func (w *Weights) hidden(queries *graph.Node, c Context) *graph.Node {
	var mask *graph.Node // [1 or B, 1 or m, n]
	and := func(more *graph.Node) {
		if mask == nil {
			mask = more
		} else {
			mask = graph.Mul(mask, more)
		}
	}
	if m := c.Mask; m != nil {
		if m.Rank() == 2 {
			m = graph.InsertAxes(m, 1)
		}
		and(m)
	}
	if w.Config.Causal() {
		own, other := w.positions(queries, c)
		seen := graph.GreaterOrEqual(graph.InsertAxes(own, -1), graph.InsertAxes(other, 1)) // [1 or B, m, n]
		and(graph.ConvertDType(seen, dtypes.Float32))
	}
	if mask == nil {
		return nil
	}
	if c.Past != nil {
		batch, m := size(queries, 0), size(queries, 1)
		past := graph.BroadcastToDims(graph.InsertAxes(c.Past.Mask, 1), batch, m, size(c.Past.Mask, 1))
		mask = graph.Concatenate([]*graph.Node{past, graph.BroadcastToDims(mask, batch, m, size(mask, 2))}, -1)
	}
	// exp(-1e9) is exactly 0 in float32: what is hidden changes nothing.
	return graph.InsertAxes(graph.MulScalar(graph.OneMinus(mask), -1e9), 1)
}

// positions are those of the queries and of the keys that are not past:
// [1 or B, m] and [1 or B, n].
func (w *Weights) positions(queries *graph.Node, c Context) (own, keys *graph.Node) {
	n := size(c.Keys, 1)
	own, keys = c.Positions, places(queries.Graph(), n)
	if own == nil {
		return keys, keys
	}
	if c.Past != nil {
		return own, own
	}
	return own, keys
}
