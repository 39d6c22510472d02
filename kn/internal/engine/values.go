package engine

import (
	"fmt"
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// ValueEdit changes the value vectors of some neurons, the columns v of a
// layer's output matrix. With e the word embeddings of some tokens, as
// [transformer.Projected] gives them, v becomes
//
//	Keep·v + |v| · Σ Factor·e/|e|
type ValueEdit struct {
	Index  []int // layer·F + index of each neuron
	Keep   float64
	Toward []Direction
}

// Direction is that of a token's word embedding.
type Direction struct {
	Token  int32
	Factor float64
}

// ChangeValues works out what edits, one after another, do to the output
// matrices [H, F] of the layers that they change. embedding returns a token's
// word embedding [H]. It computes in float64 and rounds once an edit, and on the
// processor whatever the backend is, so an edited model's weights are the same
// bytes everywhere.
func ChangeValues(edits []ValueEdit, ffn int, embedding func(token int32) ([]float32, error)) (map[int]func(matrix []float32), error) {
	steps := map[int][]func(matrix []float32){}
	for _, e := range edits {
		direction, err := e.direction(embedding)
		if err != nil {
			return nil, err
		}
		layers := map[int][]int{}
		for _, i := range e.Index {
			layers[i/ffn] = append(layers[i/ffn], i%ffn)
		}
		for l, columns := range layers {
			steps[l] = append(steps[l], func(matrix []float32) {
				for _, c := range columns {
					e.change(matrix, ffn, c, direction)
				}
			})
		}
	}
	changes := map[int]func(matrix []float32){}
	for l, all := range steps {
		changes[l] = func(matrix []float32) {
			for _, step := range all {
				step(matrix)
			}
		}
	}
	return changes, nil
}

// direction is what the edit adds to a value vector of length 1 [H]; nil for nothing.
func (e ValueEdit) direction(embedding func(token int32) ([]float32, error)) ([]float64, error) {
	var sum []float64
	for _, d := range e.Toward {
		vector, err := embedding(d.Token)
		if err != nil {
			return nil, err
		}
		length := 0.0
		for _, x := range vector {
			length += float64(x) * float64(x)
		}
		if length == 0 {
			return nil, fmt.Errorf("kn: the word embedding of token %d is zero and so points nowhere; choose another token", d.Token)
		}
		if sum == nil {
			sum = make([]float64, len(vector))
		}
		for j, x := range vector {
			sum[j] += d.Factor * float64(x) / math.Sqrt(length)
		}
	}
	return sum, nil
}

// change changes one column.
func (e ValueEdit) change(matrix []float32, ffn, column int, direction []float64) {
	length := 0.0
	for at := column; at < len(matrix); at += ffn {
		length += float64(matrix[at]) * float64(matrix[at])
	}
	length = math.Sqrt(length)
	for at, j := column, 0; at < len(matrix); at, j = at+ffn, j+1 {
		v := e.Keep * float64(matrix[at])
		if direction != nil {
			v += length * direction[j]
		}
		matrix[at] = float32(v)
	}
}

// with returns the engine of the edited model, which shares all graphs and all
// weights but the changed matrices with e; those release frees.
func (e *Engine) with(edits []ValueEdit) (edited *Engine, release func(), err error) {
	if len(edits) == 0 {
		return e, func() {}, nil
	}
	changes, err := ChangeValues(edits, e.Model.Config.IntermediateSize, func(token int32) ([]float32, error) {
		return e.Model.Embedding(int(token))
	})
	if err != nil {
		return nil, nil, err
	}
	named := map[string]func([]float32){}
	for l, change := range changes {
		named[e.Model.Config.ValueVectors(l)] = change
	}
	model, err := e.Model.With(named)
	if err != nil {
		return nil, nil, err
	}
	return &Engine{Model: model, graphs: e.graphs, sizes: e.sizes}, model.Free, nil
}

// Edited returns the model with a list of edits' weights; activations are not
// edited. It owns what the edits made, and shares the rest with the engine.
func (e *Engine) Edited(edits Edits) (*transformer.Model, error) {
	edited, _, err := e.with(edits.Values)
	if err != nil {
		return nil, err
	}
	if edited == e {
		return e.Model.Shared(), nil
	}
	return edited.Model, nil
}

// byEdits calls run for the rows that have the same edits, which differ
// returns, or a part of them: with their indices and an engine that has their
// edits of weights. Each edited model is made once.
func (e *Engine) byEdits(rows []Row, differ func(Row) any, run func(e *Engine, of []int) error) error {
	groups, order := map[string][]int{}, []string{}
	for i, r := range rows {
		key := fmt.Sprint(differ(r))
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], i)
	}
	for _, key := range order {
		edited, release, err := e.with(rows[groups[key][0]].Edits.Values)
		if err != nil {
			return err
		}
		err = run(edited, groups[key])
		release()
		if err != nil {
			return err
		}
	}
	return nil
}
