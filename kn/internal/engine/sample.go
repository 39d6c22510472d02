package engine

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Sample is a tokenized prompt with its answer. An answer of k tokens is
// predicted at k places: at [MASK]s, or, in a causal model, at the last token
// before each of its own.
//
// A model may be run several times, in passes, to predict the tokens one after
// another. The passes are equally long, and attend to themselves alone.
type Sample struct {
	IDs     []int32 // of all passes, one after another
	Passes  int     // their number; 0 stands for 1
	Masks   []int   // the places in IDs, in order; none in a text that asks nothing
	Answers []int32 // the answer's tokens, one for each place; or none
}

// passes is the number of passes.
func (s Sample) passes() int { return max(1, s.Passes) }

// rows is the number of rows that the sample needs of a batch.
func (s Sample) rows() int { return max(1, len(s.Masks)) }

// Edits is what a list of edits does. The zero value edits nothing.
//
// The activation w of an edited neuron becomes Scale·w + Offset, with one pair
// of coefficients where the answer is predicted and one at the other positions. Index holds layer·F
// + index of each edited neuron, sorted. Values are edits of weights, in order.
type Edits struct {
	Index                 []int
	MaskScale, MaskOffset []float32
	RestScale, RestOffset []float32

	Values []ValueEdit
}

// layer returns the coefficients of one layer, [F] each, and whether the
// layer is edited at all.
func (e *Edits) layer(l, ffn int) (coefficients [editInputs][]float32, edited bool) {
	from, _ := slices.BinarySearch(e.Index, l*ffn)
	to, _ := slices.BinarySearch(e.Index, (l+1)*ffn)
	for k, source := range [][]float32{e.MaskScale, e.MaskOffset, e.RestScale, e.RestOffset} {
		c := make([]float32, ffn)
		if k%2 == 0 {
			for i := range c {
				c[i] = 1
			}
		}
		for j := from; j < to; j++ {
			c[e.Index[j]-l*ffn] = source[j]
		}
		coefficients[k] = c
	}
	return coefficients, from < to
}

// editInputs is the number of graph inputs that hold a layer's edits: scale and
// offset where the answer is predicted, scale and offset elsewhere. Each is
// [B, F], with B the number of packs, or [1, F] for the same edits in all.
const editInputs = 4

// addEdits applies a layer's edits to its neurons. pick [B, m, n] marks where the
// answer is predicted. Where only these rows are computed, there are no others.
func addEdits(hooks transformer.Hooks, pick *graph.Node, edits []*graph.Node) {
	at := make([]*graph.Node, len(edits))
	for i, c := range edits {
		at[i] = graph.InsertAxes(c, 1) // [B, 1, F]
	}
	hooks.Add(transformer.FFNPost, 0, func(w *graph.Node) *graph.Node { // [B, m, F]
		edited := graph.Add(graph.Mul(w, at[0]), at[1])
		if w.Shape().Dimensions[1] == pick.Shape().Dimensions[1] {
			return edited
		}
		rest := graph.Add(graph.Mul(w, at[2]), at[3])
		isMask := graph.InsertAxes(graph.ReduceSum(pick, 1), -1) // [B, n, 1]
		return graph.Add(graph.Mul(edited, isMask), graph.Mul(rest, graph.OneMinus(isMask)))
	})
}

// editTensors arranges a layer's edits, one for each row, as graph inputs. It
// returns none if no row edits the layer.
func editTensors(rows []*Edits, l, ffn int) []any {
	var flat [editInputs][]float32
	some := false
	for _, r := range rows {
		coefficients, edited := r.layer(l, ffn)
		some = some || edited
		for k := range flat {
			flat[k] = append(flat[k], coefficients[k]...)
		}
	}
	if !some {
		return nil
	}
	var args []any
	for _, f := range flat {
		args = append(args, tensors.FromFlatDataAndDimensions(f, len(rows), ffn))
	}
	return args
}
