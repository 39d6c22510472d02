package engine

import (
	"context"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// read is forward that also returns chosen neurons. Row r's neuron i is entry
// r·F + i of which: x [R, n, H], pick [R, n], which [R, k] -> the layer's
// output [R, n, H], the neurons [R, k, n].
var read = step{"read", transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, pick, which := in.next(), in.next(), in.next()
	c := in.context(x)
	hooks := in.hooks(pick)
	neurons := hooks.Capture(transformer.FFNPost, 0)
	y := w.Layer(0, x, c, hooks)
	dims := (*neurons).Shape().Dimensions
	flat := graph.Reshape(graph.TransposeAllAxes(*neurons, 0, 2, 1), dims[0]*dims[2], dims[1]) // [R·F, n]
	return []*graph.Node{y, graph.Gather(flat, graph.InsertAxes(which, -1))}
}}

// activations reads all neurons where the answer is predicted.
func (e *Engine) activations(ctx context.Context, rows []Row, emit func([]Result) error, progress func(share float64)) error {
	ffn, read := e.Model.Config.IntermediateSize, slices.Clone(rows)
	var sites []transformer.Site
	for l := range e.Model.Config.Layers {
		sites = append(sites, transformer.Site{Point: transformer.FFNPost, Layer: l})
	}
	for i := range read {
		read[i].Sites = sites
	}
	return e.states(ctx, read, func(results []Result) error {
		for k, r := range results {
			places := rows[r.Row].Masks
			results[k] = Result{Row: r.Row}
			for _, s := range r.States { // [tokens, F]
				mean := make([]float64, ffn)
				for _, place := range places {
					for i, v := range s.Values[place*ffn : (place+1)*ffn] {
						mean[i] += float64(v) / float64(len(places))
					}
				}
				results[k].Activations = append(results[k].Activations, mean)
			}
		}
		return emit(results)
	}, progress)
}

// tokenActivations reads chosen neurons at all tokens.
func (e *Engine) tokenActivations(ctx context.Context, rows []Row, emit func([]Result) error, progress func(share float64)) error {
	return e.inBatches(rows, e.sizes.reading, progress, func(e *Engine, b rowBatch) error {
		results := make([]Result, len(b.of))
		for k, i := range b.of {
			results[k] = Result{Row: i, Activations: make([][]float64, len(rows[i].Neurons))}
		}
		if err := e.readBatch(ctx, rows, b, results); err != nil {
			return err
		}
		return emit(results)
	})
}

// readBatch runs a batch up to the last layer that any of its rows reads, and
// puts what they read into the results.
func (e *Engine) readBatch(ctx context.Context, rows []Row, b rowBatch, results []Result) error {
	ffn, last := e.Model.Config.IntermediateSize, -1
	for _, i := range b.of {
		for _, index := range rows[i].Neurons {
			last = max(last, index/ffn)
		}
	}
	x, err := e.embed(ctx, b)
	if err != nil {
		return err
	}
	defer func() { release(x) }()
	for l := range last + 1 {
		which, width := e.chosen(rows, b.of, l, len(b.edits))
		step, args := forward, []any{x, b.pick.tensor()}
		if width > 0 {
			step, args = read, append(args, which)
		}
		out, err := e.layer(ctx, step, b, l, args...)
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
		for k, i := range b.of {
			if err := put(results[k].Activations, values[k*width*b.n:], rows[i], l, ffn, b.n); err != nil {
				return err
			}
		}
	}
	return nil
}

// chosen is the input of read for one layer: which entries to return [R,
// width], R being the batch's size and width 0 where the layer has none. Rows
// with fewer return others besides.
func (e *Engine) chosen(rows []Row, of []int, l, size int) (which *tensors.Tensor, width int) {
	ffn := e.Model.Config.IntermediateSize
	wanted := make([][]int32, size)
	for k, i := range of {
		for _, index := range rows[i].Neurons {
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
	return tensors.FromFlatDataAndDimensions(flat, size, width), width
}

// put copies a layer's values [width, n] of one row to their places.
func put(result [][]float64, values []float32, r Row, l, ffn, n int) error {
	k := 0
	for j, index := range r.Neurons {
		if index/ffn != l {
			continue
		}
		result[j] = widen(values[k*n : k*n+len(r.IDs)])
		if slices.ContainsFunc(result[j], math.IsNaN) {
			return errNaN
		}
		k++
	}
	return nil
}
