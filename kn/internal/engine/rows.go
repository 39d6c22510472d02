package engine

import (
	"context"

	"github.com/gomlx/gomlx/core/tensors"
)

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
	size := func(_ layout, n int) int { return e.sizes.batch(n) }
	return e.inBatchesOf(rows, length, e.samplesPerBatch, size, progress, run)
}

// inBatchesOf is inBatches with the largest number of rows of a layout, and the
// number to which n rows are padded.
func (e *Engine) inBatchesOf(rows []Row, length func(n, most int) int, limit func(layout) int, size func(y layout, n int) int, progress func(share float64), run func(e *Engine, b rowBatch) error) error {
	done := 0
	return e.byEdits(rows, func(r Row) any { return r.Edits.Values }, func(e *Engine, which []int) error {
		layoutOf := func(i int) layout {
			s := rows[i].Sample
			return e.sizes.singly(kindOf(s), length(len(s.IDs), e.Model.Config.MaxPositions*s.passes()))
		}
		return groups(which, layoutOf, limit, func(y layout, of []int) error {
			b := rowBatch{of: of, samples: samplesOf(rows, of), edits: make([]*Edits, size(y, len(of)))}
			for k := range b.edits {
				b.edits[k] = &rows[of[min(k, len(of)-1)]].Edits
			}
			b.batch = y.ordered(b.samples, len(b.edits))
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
	return e.layerAs(ctx, s, b, b.kind.answers > 1, l, args...)
}

// layerAs is layer in which the answers' values are logarithms, or not.
func (e *Engine) layerAs(ctx context.Context, s step, b rowBatch, logarithm bool, l int, args ...any) ([]*tensors.Tensor, error) {
	edits := editTensors(b.edits, l, e.Model.Config.IntermediateSize)
	f := form{answers: b.kind.answers, logarithm: logarithm, masked: b.masked, edited: edits != nil}
	return e.run(ctx, s, l, f, b.arguments(args, edits)...)
}
