package engine

import "context"

// predict computes what follows from the distributions at [MASK].
func (e *Engine) predict(ctx context.Context, r Request, emit func([]Result) error, progress func(share float64)) error {
	return e.inBatches(r.Rows, e.sizes.length, progress, func(e *Engine, b rowBatch) error {
		p, err := e.forward(ctx, b, r.Operation)
		if err != nil {
			return err
		}
		results, width := make([]Result, len(b.of)), len(p)/len(b.edits)
		for k, i := range b.of {
			p := p[k*width : (k+1)*width]
			if p[0] != p[0] {
				return errNaN
			}
			switch r.Operation {
			case Distribution:
				results[k].Distribution = p
			case Probability:
				results[k].Probability = float64(p[0])
			case Outcome:
				results[k] = outcome(p, r.Rows[i].Answer)
			}
			results[k].Row = i
		}
		return emit(results)
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
func (e *Engine) activations(ctx context.Context, rows []Row, emit func([]Result) error, progress func(share float64)) error {
	return e.inBatches(rows, e.sizes.length, progress, func(e *Engine, b rowBatch) error {
		for k, i := range b.of {
			batch, err := e.integrationBatch(ctx, b.samples[k:k+1], e.sizes.singly(b.n), rows[i].Edits, 0, 0, func(float64) {})
			if err != nil {
				return err
			}
			batch.release()
			if err := emit([]Result{{Row: i, Activations: batch.activations[0]}}); err != nil {
				return err
			}
		}
		return nil
	})
}
