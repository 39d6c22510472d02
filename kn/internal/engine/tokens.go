package engine

import (
	"context"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
)

// Reading is a run of the model whose neurons are to be read at all tokens.
// Its Mask is -1 if the text has no [MASK].
type Reading struct {
	Row
	Index []int // layer·F + index of each neuron
}

// read is forward that also returns chosen neurons. Row r's neuron i is entry
// r·F + i of which: x [R, n, H], pick [R, n], which [R, k] -> the layer's
// output [R, n, H], the neurons [R, k, n].
var read = step{"read", bert.OneLayer, func(w *bert.Weights, in *inputs) []*graph.Node {
	x, pick, which := in.next(), in.next(), in.next()
	mask := in.mask()
	hooks := in.hooks(pick)
	neurons := hooks.Capture(bert.FFNPost, 0)
	y := w.Layer(0, x, x, mask, hooks)
	dims := (*neurons).Shape().Dimensions
	flat := graph.Reshape(graph.TransposeAllAxes(*neurons, 0, 2, 1), dims[0]*dims[2], dims[1]) // [R·F, n]
	return []*graph.Node{y, graph.Gather(flat, graph.InsertAxes(which, -1))}
}}

// TokenActivations returns each reading's neurons [neurons][tokens].
func (e *Engine) TokenActivations(ctx context.Context, readings []Reading, progress Progress) ([][][]float32, error) {
	done := 0
	result := make([][][]float32, len(readings))
	for i, r := range readings {
		result[i] = make([][]float32, len(r.Index))
	}
	values := func(i int) []ValueEdit { return readings[i].Edits.Values }
	err := e.byValues(len(readings), values, func(e *Engine, which []int) error {
		length := func(i int) int { return e.sizes.reading(len(readings[i].IDs), e.Model.Config.MaxPositions) }
		return groups(which, length, e.rowsPerBatch, func(n int, some []int) error {
			of := pick(which, some)
			if err := e.readBatch(ctx, readings, result, n, of); err != nil {
				return err
			}
			done += len(of)
			progress(done)
			return nil
		})
	})
	return result, err
}

// readBatch runs the readings of with n tokens up to the last layer that any of them
// reads, and puts what it reads into result.
func (e *Engine) readBatch(ctx context.Context, readings []Reading, result [][][]float32, n int, of []int) error {
	c, size := e.Model.Config, e.sizes.batch(len(of))
	samples, edits := make([]Sample, len(of)), make([]*Edits, size)
	last := -1
	for k, i := range of {
		samples[k] = readings[i].Sample
		for _, index := range readings[i].Index {
			last = max(last, index/c.IntermediateSize)
		}
	}
	for k := range edits {
		edits[k] = &readings[of[min(k, len(of)-1)]].Edits
	}
	b := e.sizes.singly(n).ordered(samples, size)
	out, err := e.run(ctx, embed, 0, form{}, b.ids.tensor(), b.positions.tensor())
	if err != nil {
		return err
	}
	x := out[0]
	defer func() { release(x) }()
	for l := range last + 1 {
		args := editTensors(edits, l, c.IntermediateSize)
		which, width := e.chosen(readings, of, l, size)
		step, first := forward, []any{x, b.pick.tensor()}
		if width > 0 {
			step, first = read, append(first, which)
		}
		out, err := e.run(ctx, step, l, e.form(b, args), b.arguments(first, args)...)
		if err != nil {
			return err
		}
		release(x)
		x = out[0]
		if width == 0 {
			continue
		}
		values, err := floats(out[1]) // [R, width, n]
		if err != nil {
			return err
		}
		for k, i := range of {
			if err := put(result[i], values[k*width*n:], readings[i], l, c.IntermediateSize, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// chosen is the input of read for one layer: which entries to return [rows,
// width], width being 0 where the layer has none. Rows with fewer return others besides.
func (e *Engine) chosen(readings []Reading, of []int, l, rows int) (which *tensors.Tensor, width int) {
	ffn := e.Model.Config.IntermediateSize
	wanted := make([][]int32, rows)
	for k, i := range of {
		for _, index := range readings[i].Index {
			if index/ffn == l {
				wanted[k] = append(wanted[k], int32(k*ffn+index%ffn))
			}
		}
		width = max(width, len(wanted[k]))
	}
	if width == 0 {
		return nil, 0
	}
	width = e.sizes.batch(width)
	var flat []int32
	for _, row := range wanted {
		flat = append(flat, row...)
		flat = append(flat, make([]int32, width-len(row))...)
	}
	return tensors.FromFlatDataAndDimensions(flat, rows, width), width
}

// put copies a layer's values [width, n] of one reading to their places.
func put(result [][]float32, values []float32, r Reading, l, ffn, n int) error {
	k := 0
	for j, index := range r.Index {
		if index/ffn != l {
			continue
		}
		tokens := slices.Clone(values[k*n : k*n+len(r.IDs)])
		for _, v := range tokens {
			if math.IsNaN(float64(v)) {
				return errNaN
			}
		}
		result[j] = tokens
		k++
	}
	return nil
}
