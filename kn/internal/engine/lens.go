package engine

import (
	"context"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Lens is what the head makes of the residual stream at one token.
type Lens struct {
	Probability    float64 // of the answer's first token
	Rank           int     // of it: 1 + the number of tokens more probable
	Top            int32   // the most probable token, of equal ones the first in the vocabulary
	TopProbability float64
}

// distributions: rows of the residual stream x [n, H] -> [n, V].
var distributions = step{"distributions", transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	return []*graph.Node{w.Distribution(in.next())}
}}

// lenses applies the head to what enters each layer and leaves the last one.
func (e *Engine) lenses(ctx context.Context, rows []Row, emit func([]Result) error, progress func(share float64)) error {
	layers := e.Model.Config.Layers
	read := make([]Row, len(rows))
	for i, r := range rows {
		for l := range layers + 1 {
			r.Sites = append(r.Sites[:l:l], entering(l))
		}
		read[i] = r
	}
	done := 0
	return e.states(ctx, read, func(results []Result) error {
		for _, r := range results {
			row := rows[r.Row]
			lens := Result{Row: r.Row, Lens: make([][]Lens, layers+1)}
			for l, s := range r.States {
				var err error
				if lens.Lens[l], err = e.lensOf(ctx, s, row); err != nil {
					return err
				}
			}
			if err := emit([]Result{lens}); err != nil {
				return err
			}
			done++
			progress(float64(done) / float64(len(rows)))
		}
		return nil
	}, func(float64) {})
}

// lensOf is the lens at all tokens of a state [n, H].
func (e *Engine) lensOf(ctx context.Context, s State, row Row) ([]Lens, error) {
	n, hidden, vocabulary := s.Dims[0], s.Dims[1], e.Model.Config.VocabSize
	padded := e.sizes.reading(n, n+64)
	x := input[float32]{flat: append(s.Values, make([]float32, (padded-n)*hidden)...), columns: hidden}
	out, err := e.run(ctx, distributions, 0, form{}, x.tensor())
	if err != nil {
		return nil, err
	}
	p, err := floats(out[0])
	if err != nil {
		return nil, err
	}
	lens := make([]Lens, n)
	for t := range lens {
		p := p[t*vocabulary : (t+1)*vocabulary]
		if p[0] != p[0] {
			return nil, errNaN
		}
		r := outcome(p, row.Answers[:1])
		lens[t] = Lens{r.Probability, r.Rank, r.Top, r.TopProbability}
	}
	return lens, nil
}
