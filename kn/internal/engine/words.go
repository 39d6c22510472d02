package engine

import (
	"context"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// wordsOf: the index of one neuron [1] -> what its value vector adds to each
// word's logit through the head [V], but for what the norm divides by. In an encoder
// the head's activation function is left out.
var wordsOf = step{"words", transformer.OneLayer | transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	columns := graph.TransposeAllAxes(w.Layers[0].Output.Weight, 1, 0) // [F, H]
	v := graph.Gather(columns, graph.InsertAxes(in.next(), -1))        // [1, H]
	if !w.Config.Causal() {
		v = transformer.Dense{Weight: w.Head.Transform.Weight}.Apply(v) // [1, E]
	}
	if w.Head.Norm.Bias != nil {
		v = graph.Sub(v, graph.ReduceAndKeep(v, graph.ReduceMean, -1))
	}
	v = graph.Mul(v, graph.ExpandLeftToRank(w.Head.Norm.Scale, 2))
	return []*graph.Node{transformer.Dense{Weight: w.Head.Decoder.Weight}.Apply(v)}
}}

// words takes the value vector of each row's neuron through the head.
func (e *Engine) words(ctx context.Context, rows []Row, emit func([]Result) error, progress func(share float64)) error {
	done := 0
	return e.byEdits(rows, func(r Row) any { return r.Edits.Values }, func(e *Engine, of []int) error {
		ffn := e.Model.Config.IntermediateSize
		for _, i := range of {
			neuron := rows[i].Neurons[0]
			out, err := e.run(ctx, wordsOf, neuron/ffn, form{}, []int32{int32(neuron % ffn)})
			if err != nil {
				return err
			}
			flat, err := floats(out[0])
			if err != nil {
				return err
			}
			if flat[0] != flat[0] {
				return errNaN
			}
			if err := emit([]Result{{Row: i, Distribution: flat}}); err != nil {
				return err
			}
			done++
			progress(float64(done) / float64(len(rows)))
		}
		return nil
	})
}

// deviation is that of the word embeddings, for each row.
func (e *Engine) deviation(rows []Row, emit func([]Result) error, progress func(share float64)) error {
	sigma, err := e.Model.WordDeviation()
	if err != nil {
		return err
	}
	results := make([]Result, len(rows))
	for i := range rows {
		results[i] = Result{Row: i, Probability: sigma}
	}
	progress(1)
	return emit(results)
}
