package engine

import (
	"context"

	"github.com/gomlx/gomlx/core/tensors"
)

// predict computes what follows from the distributions at [MASK].
func (e *Engine) predict(ctx context.Context, r Request, emit func(Result) error, progress func(share float64)) error {
	return e.inBatches(r.Rows, e.sizes.length, progress, func(e *Engine, b rowBatch) error {
		p, err := e.forward(ctx, b, r.Operation)
		if err != nil {
			return err
		}
		width := len(p) / len(b.edits)
		for k, i := range b.of {
			p := p[k*width : (k+1)*width]
			if p[0] != p[0] {
				return errNaN
			}
			var result Result
			switch r.Operation {
			case Distribution:
				result.Distribution = p
			case Probability:
				result.Probability = float64(p[0])
			case Outcome:
				result = outcome(p, r.Rows[i].Answer)
			}
			result.Row = i
			if err := emit(result); err != nil {
				return err
			}
		}
		return nil
	})
}

// outcome is what a distribution [V] says about the answer.
func outcome(p []float32, answer int32) Result {
	r := Result{Probability: float64(p[answer]), Rank: 1}
	for token, q := range p {
		if q > p[r.Top] {
			r.Top = int32(token)
		}
		if q > p[answer] {
			r.Rank++
		}
	}
	r.TopProbability = float64(p[r.Top])
	return r
}

// forward runs a batch through the model and returns for each of its rows the
// answer's probability, if that is what is asked for, or else the
// probabilities [V].
func (e *Engine) forward(ctx context.Context, b rowBatch, o Operation) ([]float32, error) {
	c := e.Model.Config
	x, err := e.embed(ctx, b)
	if err != nil {
		return nil, err
	}
	defer func() { release(x) }()
	for l := range c.Layers - 1 {
		out, err := e.layer(ctx, forward, b, l, x, b.pick.tensor())
		if err != nil {
			return nil, err
		}
		release(x)
		x = out[0]
	}
	last, args := distribution, []any{x, b.pick.tensor()}
	if o == Probability {
		last, args = answer, append(args, b.answers)
	}
	out, err := e.layer(ctx, last, b, c.Layers-1, args...)
	if err != nil {
		return nil, err
	}
	return floats(out[0])
}

// activations reads all neurons at [MASK].
func (e *Engine) activations(ctx context.Context, rows []Row, emit func(Result) error, progress func(share float64)) error {
	return e.inBatches(rows, e.sizes.length, progress, func(e *Engine, b rowBatch) error {
		for k, i := range b.of {
			batch, err := e.integrationBatch(ctx, b.samples[k:k+1], e.sizes.singly(b.n), rows[i].Edits, 0, 0, func(float64) {})
			if err != nil {
				return err
			}
			batch.release()
			if err := emit(Result{Row: i, Activations: batch.activations[0]}); err != nil {
				return err
			}
		}
		return nil
	})
}

// rowBatch is some of a request's rows, in their order, followed by padding.
type rowBatch struct {
	batch
	of      []int // the rows
	samples []Sample
	edits   []*Edits // of each row and of the padding
}

// inBatches calls run with batches of rows: of one length when padded, and
// under the same edits of weights, which e has.
func (e *Engine) inBatches(rows []Row, length func(n, most int) int, progress func(share float64), run func(e *Engine, b rowBatch) error) error {
	done := 0
	return e.byEdits(rows, func(r Row) any { return r.Edits.Values }, func(e *Engine, which []int) error {
		padded := func(i int) int { return length(len(rows[i].IDs), e.Model.Config.MaxPositions) }
		return groups(which, padded, e.rowsPerBatch, func(n int, of []int) error {
			b := rowBatch{of: of, samples: samplesOf(rows, of), edits: make([]*Edits, e.sizes.batch(len(of)))}
			for k := range b.edits {
				b.edits[k] = &rows[of[min(k, len(of)-1)]].Edits
			}
			b.batch = e.sizes.singly(n).ordered(b.samples, len(b.edits))
			if err := run(e, b); err != nil {
				return err
			}
			done += len(of)
			progress(float64(done) / float64(len(rows)))
			return nil
		})
	})
}

// samplesOf returns the samples of some rows.
func samplesOf(rows []Row, of []int) []Sample {
	samples := make([]Sample, len(of))
	for k, i := range of {
		samples[k] = rows[i].Sample
	}
	return samples
}

// embed returns the first layer's input [B, n, H].
func (e *Engine) embed(ctx context.Context, b rowBatch) (*tensors.Tensor, error) {
	out, err := e.run(ctx, embed, 0, form{}, b.ids.tensor(), b.positions.tensor())
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// layer runs a step in a layer under the rows' edits.
func (e *Engine) layer(ctx context.Context, s step, b rowBatch, l int, args ...any) ([]*tensors.Tensor, error) {
	edits := editTensors(b.edits, l, e.Model.Config.IntermediateSize)
	return e.run(ctx, s, l, form{masked: b.masked, edited: edits != nil}, b.arguments(args, edits)...)
}
