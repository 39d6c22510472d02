package engine

import (
	"context"
	"slices"

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
	err := e.distributions(ctx, []Row{row}, func(_ []int, of [][]float32) {
		p = slices.Clone(of[0])
	})
	return p, err
}

// distributions hands over the probabilities [V] at the rows' [MASK], batch by
// batch, with the rows' indices.
func (e *Engine) distributions(ctx context.Context, rows []Row, done func(of []int, p [][]float32)) error {
	return e.forward(ctx, rows, func(e *Engine, b batch, x *tensors.Tensor, edits []any, of []int) error {
		form := e.form(b, edits)
		out, err := e.run(ctx, distribution, e.Model.Config.Layers-1, form, b.arguments([]any{x, b.pick.tensor()}, edits)...)
		if err != nil {
			return err
		}
		flat, err := floats(out[0])
		if err != nil {
			return err
		}
		v := e.Model.Config.VocabSize
		p := make([][]float32, len(of))
		for k := range p {
			if p[k] = flat[k*v : (k+1)*v]; p[k][0] != p[k][0] {
				return errNaN
			}
		}
		done(of, p)
		return nil
	})
}

// Outcome is what a row's distribution says about its answer.
type Outcome struct {
	Top            int32 // the most probable token, of equal ones the first
	TopProbability float64
	Probability    float64 // of the answer
	Rank           int     // of the answer: 1 + the number of tokens more probable
}

// outcome is that of a distribution [V].
func outcome(p []float32, answer int32) Outcome {
	o := Outcome{Probability: float64(p[answer]), Rank: 1}
	for token, q := range p {
		if q > p[o.Top] {
			o.Top = int32(token)
		}
		if q > p[answer] {
			o.Rank++
		}
	}
	o.TopProbability = float64(p[o.Top])
	return o
}

// Outcomes returns the outcome of each row.
func (e *Engine) Outcomes(ctx context.Context, rows []Row, progress Progress) ([]Outcome, error) {
	result, done := make([]Outcome, len(rows)), 0
	err := e.distributions(ctx, rows, func(of []int, p [][]float32) {
		for k, i := range of {
			result[i] = outcome(p[k], rows[i].Answer)
		}
		done += len(of)
		progress(done)
	})
	return result, err
}

// Probabilities returns the answer's probability of each row.
func (e *Engine) Probabilities(ctx context.Context, rows []Row, progress Progress) ([]float64, error) {
	result, done := make([]float64, len(rows)), 0
	err := e.forward(ctx, rows, func(e *Engine, b batch, x *tensors.Tensor, edits []any, of []int) error {
		form := e.form(b, edits)
		out, err := e.run(ctx, answer, e.Model.Config.Layers-1, form, b.arguments([]any{x, b.pick.tensor(), b.answers}, edits)...)
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
	e, release, err := e.with(row.Edits.Values)
	if err != nil {
		return nil, err
	}
	defer release()
	paths, err := e.paths(ctx, []Sample{row.Sample}, e.sizes.singly(e.sizes.length(len(row.IDs), e.Model.Config.MaxPositions)), row.Edits, 0, 0, func(float64) {})
	if err != nil {
		return nil, err
	}
	defer paths.release()
	return paths.activations[0], nil
}

// finisher is given a batch that has passed all layers but the last, on the
// engine that it runs on: the last layer's input [R, n, H], that layer's edits,
// and which rows the batch's first ones are.
type finisher func(e *Engine, b batch, x *tensors.Tensor, edits []any, of []int) error

// forward runs rows through all layers but the last, in batches.
func (e *Engine) forward(ctx context.Context, rows []Row, finish finisher) error {
	values := func(i int) []ValueEdit { return rows[i].Edits.Values }
	return e.byValues(len(rows), values, func(e *Engine, which []int) error {
		length := func(i int) int { return e.sizes.length(len(rows[i].IDs), e.Model.Config.MaxPositions) }
		return groups(which, length, e.rowsPerBatch, func(n int, some []int) error {
			return e.forwardBatch(ctx, rows, n, pick(which, some), finish)
		})
	})
}

// forwardBatch runs the chosen rows, padded to n tokens.
func (e *Engine) forwardBatch(ctx context.Context, rows []Row, n int, of []int, finish finisher) error {
	c, size := e.Model.Config, e.sizes.batch(len(of))
	samples, edits := make([]Sample, len(of)), make([]*Edits, size)
	for k, i := range of {
		samples[k] = rows[i].Sample
	}
	for k := range edits {
		edits[k] = &rows[of[min(k, len(of)-1)]].Edits
	}
	b := e.sizes.singly(n).ordered(samples, size)
	out, err := e.run(ctx, embed, 0, form{}, b.ids.tensor(), b.positions.tensor())
	if err != nil {
		return err
	}
	x := out[0]
	defer func() { release(x) }()
	for l := range c.Layers - 1 {
		args := editTensors(edits, l, c.IntermediateSize)
		out, err := e.run(ctx, forward, l, e.form(b, args), b.arguments([]any{x, b.pick.tensor()}, args)...)
		if err != nil {
			return err
		}
		release(x)
		x = out[0]
	}
	return finish(e, b, x, editTensors(edits, c.Layers-1, c.IntermediateSize), of)
}

// form is that of a step on a batch under a layer's edits.
func (e *Engine) form(b batch, edits []any) form {
	return form{masked: b.hides, edited: edits != nil}
}
