package engine

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
)

// Sample is a prompt made ready: its tokens, where [MASK] is among them (-1:
// nowhere), and the answer's token (0 when none is asked about).
type Sample struct {
	IDs    []int32
	Mask   int
	Answer int32
}

// Edits is what a list of edits does. To the activations of some neurons: w
// becomes Scale·w + Offset, at [MASK] and at the other positions; Index
// holds layer·F + index of each, sorted. To the weights: Values, in order. No
// entries stand for no edits.
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

// editInputs is the number of inputs that edits are to a graph: scale and
// offset at [MASK], scale and offset elsewhere, [R, F] each with R the batch or 1.
const editInputs = 4

// addEdits applies a layer's edits to its neurons. pick [B, n] marks [MASK];
// where only that row is computed there is no rest.
func addEdits(hooks bert.Hooks, pick *graph.Node, edits []*graph.Node) {
	at := make([]*graph.Node, len(edits))
	for i, c := range edits {
		at[i] = graph.InsertAxes(c, 1) // [R, 1, F]
	}
	hooks.Add(bert.FFNPost, 0, func(w *graph.Node) *graph.Node { // [B, m, F]
		edited := graph.Add(graph.Mul(w, at[0]), at[1])
		if w.Shape().Dimensions[1] == 1 {
			return edited
		}
		rest := graph.Add(graph.Mul(w, at[2]), at[3])
		isMask := graph.InsertAxes(pick, -1) // [B, n, 1]
		return graph.Add(graph.Mul(edited, isMask), graph.Mul(rest, graph.OneMinus(isMask)))
	})
}

// editTensors arranges a layer's edits, one for each row, as graph inputs;
// none when no row edits the layer.
func editTensors(rows []*Edits, l, ffn int) []any {
	var flat [editInputs][]float32
	any1 := false
	for _, r := range rows {
		coefficients, edited := r.layer(l, ffn)
		any1 = any1 || edited
		for k := range flat {
			flat[k] = append(flat[k], coefficients[k]...)
		}
	}
	if !any1 {
		return nil
	}
	var args []any
	for _, f := range flat {
		args = append(args, tensors.FromFlatDataAndDimensions(f, len(rows), ffn))
	}
	return args
}

// batch is samples of one length as graph inputs, padded to n tokens.
type batch struct {
	n       int
	ids     [][]int32   // [B, n]
	pick    [][]float32 // [B, n], 1 at [MASK]
	mask    [][]float32 // [B, n], 0 at padding; nil when no sample is padded
	answers []int32     // [B]
}

// batchOf pads samples to n tokens and, by repeating the last one, to rows.
func batchOf(samples []Sample, n, rows int, masked bool) batch {
	b := batch{n: n}
	for k := range rows {
		s := samples[min(k, len(samples)-1)]
		ids, pick, mask := make([]int32, n), make([]float32, n), make([]float32, n)
		copy(ids, s.IDs)
		if s.Mask >= 0 {
			pick[s.Mask] = 1
		}
		for i := range s.IDs {
			mask[i] = 1
		}
		b.ids, b.pick, b.answers = append(b.ids, ids), append(b.pick, pick), append(b.answers, s.Answer)
		if masked {
			b.mask = append(b.mask, mask)
		}
	}
	return b
}

// chosen is the batch of the samples with the given indices.
func (b batch) chosen(which []int32) batch {
	c := batch{n: b.n}
	for _, i := range which {
		c.pick, c.answers = append(c.pick, b.pick[i]), append(c.answers, b.answers[i])
		if b.mask != nil {
			c.mask = append(c.mask, b.mask[i])
		}
	}
	return c
}

// arguments appends the mask, if any, and the edits to a step's arguments.
func (b batch) arguments(args []any, edits []any) []any {
	if b.mask != nil {
		args = append(args, b.mask)
	}
	return append(args, edits...)
}
