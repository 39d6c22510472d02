package engine

import (
	"context"

	"github.com/gomlx/gomlx/core/tensors"
)

// Row is one run of the model: a sample under edits.
type Row struct {
	Sample
	Edits Edits
}

// Progress is told how many of a computation's parts are done.
type Progress func(done int)

// Distribution returns the probabilities [V] at a row's [MASK].
func (e *Engine) Distribution(ctx context.Context, row Row) ([]float32, error) {
	var p []float32
	err := e.forward(ctx, []Row{row}, func(b batch, x *tensors.Tensor, edits []any, _ []int) error {
		form := e.form(b, edits)
		out, err := e.run(ctx, distribution, e.Model.Config.Layers-1, form, b.arguments([]any{x, b.pick}, edits)...)
		if err != nil {
			return err
		}
		p, err = floats(out[0])
		return err
	})
	if err != nil {
		return nil, err
	}
	p = p[:e.Model.Config.VocabSize]
	if p[0] != p[0] {
		return nil, errNaN
	}
	return p, nil
}

// Probabilities returns the answer's probability of each row.
func (e *Engine) Probabilities(ctx context.Context, rows []Row, progress Progress) ([]float64, error) {
	result, done := make([]float64, len(rows)), 0
	err := e.forward(ctx, rows, func(b batch, x *tensors.Tensor, edits []any, of []int) error {
		form := e.form(b, edits)
		out, err := e.run(ctx, answer, e.Model.Config.Layers-1, form, b.arguments([]any{x, b.pick, b.answers}, edits)...)
		if err != nil {
			return err
		}
		p, err := floats(out[0])
		if err != nil {
			return err
		}
		for k, i := range of {
			if result[i] = float64(p[k]); p[k] != p[k] {
				return errNaN
			}
		}
		done += len(of)
		progress(done)
		return nil
	})
	return result, err
}

// Activations returns the neurons' activations [L][F] at a row's [MASK].
func (e *Engine) Activations(ctx context.Context, row Row) ([][]float64, error) {
	paths, err := e.paths(ctx, []Sample{row.Sample}, row.Edits, 0)
	if err != nil {
		return nil, err
	}
	defer paths.release()
	return paths.activations[0], nil
}

// forward runs rows through all layers but the last, in batches. finish is
// given a batch, the last layer's input [R, n, H], that layer's edits, and
// which rows the batch's first ones are.
func (e *Engine) forward(ctx context.Context, rows []Row, finish func(b batch, x *tensors.Tensor, edits []any, of []int) error) error {
	c := e.Model.Config
	length := func(r Row) int { return e.sizes.length(len(r.IDs), c.MaxPositions) }
	return groups(rows, length, e.rowsPerBatch, func(n int, of []int) error {
		size := e.sizes.batch(len(of))
		samples, edits := make([]Sample, len(of)), make([]*Edits, size)
		for k, i := range of {
			samples[k] = rows[i].Sample
		}
		for k := range edits {
			edits[k] = &rows[of[min(k, len(of)-1)]].Edits
		}
		b := batchOf(samples, n, size, e.sizes.static)
		out, err := e.run(ctx, embed, 0, form{}, b.ids)
		if err != nil {
			return err
		}
		x := out[0]
		defer func() { release(x) }()
		for l := range c.Layers - 1 {
			args := editTensors(edits, l, c.IntermediateSize)
			out, err := e.run(ctx, forward, l, e.form(b, args), b.arguments([]any{x, b.pick}, args)...)
			if err != nil {
				return err
			}
			release(x)
			x = out[0]
		}
		return finish(b, x, editTensors(edits, c.Layers-1, c.IntermediateSize), of)
	})
}

// form is that of a step on a batch under a layer's edits.
func (e *Engine) form(b batch, edits []any) form {
	return form{masked: b.mask != nil, edited: edits != nil}
}
