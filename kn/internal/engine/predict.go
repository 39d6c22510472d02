package engine

import (
	"context"
	"math"
)

// predict computes what follows from the distributions where the answer is
// predicted.
func (e *Engine) predict(ctx context.Context, r Request, emit func([]Result) error, progress func(share float64)) error {
	return e.inBatches(r.Rows, e.sizes.length, progress, func(e *Engine, b rowBatch) error {
		p, err := e.forward(ctx, b, r.Operation)
		if err != nil {
			return err
		}
		results, width := make([]Result, len(b.of)), len(p)/len(b.slots) // of each sample
		for k, i := range b.of {
			p := p[k*width : (k+1)*width]
			if p[0] != p[0] {
				return errNaN
			}
			switch r.Operation {
			case Distribution:
				results[k].Distribution = p[:e.Model.Config.VocabSize]
			case Probability:
				if results[k].Probability = float64(p[0]); b.kind.answers > 1 {
					results[k].Probability = math.Exp(results[k].Probability)
				}
			case Outcome:
				results[k] = outcome(p, r.Rows[i].Answers)
			}
			results[k].Row = i
		}
		return emit(results)
	})
}

// outcome is what the distributions [k·V] say about the answer of k tokens.
func outcome(p []float32, answer []int32) Result {
	width := len(p) / len(answer)
	r := Result{Probability: 1}
	for token, q := range p[:width] {
		if q > p[r.Top] {
			r.Top = int32(token)
		}
	}
	r.TopProbability = float64(p[r.Top])
	for j, token := range answer {
		p := p[j*width : (j+1)*width]
		rank := 1
		for _, q := range p {
			if q > p[token] {
				rank++
			}
		}
		r.Probability *= float64(p[token])
		r.Rank = max(r.Rank, rank)
	}
	return r
}

// forward runs a batch through the model and returns for each of its samples the
// answer's probability, if that is what is asked for (of an answer of several
// tokens its logarithm), or else the probabilities [k·V].
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
