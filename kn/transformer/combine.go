package transformer

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// Combiner makes models whose weights are weighted sums of other models'
// weights, computed where these lie: on their backend. It may be used by
// several goroutines at once.
type Combiner struct {
	models []*Model
	sum    *graph.Exec
}

// NewCombiner takes models with the same encoder, and heads of one kind, that lie
// on one backend. Where classifiers are for different numbers of labels, only
// one's weights may enter a combination, and these must be the first model's.
func NewCombiner(models ...*Model) (*Combiner, error) {
	if len(models) == 0 {
		return nil, fmt.Errorf("transformer: there is no model to combine")
	}
	first := models[0]
	for _, m := range models[1:] {
		c := m.Config
		if first.Config.Classifies() && c.Classifies() {
			c.Labels = first.Config.Labels
		}
		if err := SameShapes(first.Config, c); err != nil {
			return nil, fmt.Errorf("transformer: %w", err)
		}
		if m.Backend != first.Backend {
			return nil, fmt.Errorf("transformer: models on two backends cannot be combined")
		}
	}
	c := &Combiner{models: models}
	err := backend.Try(func() (err error) {
		c.sum, err = graph.NewExec(first.Backend, func(in []*graph.Node) *graph.Node { return weightedSum(in[0], in[1:]) })
		if err == nil {
			c.sum.SetMaxCache(maxGraphs)
		}
		return err
	})
	return c, err
}

// weightedSum is Σ c_i · x_i:
//
//	c [k], k tensors x_i of one shape -> that shape
func weightedSum(c *graph.Node, x []*graph.Node) *graph.Node {
	var sum *graph.Node
	for i := range x {
		term := graph.Mul(x[i], graph.Squeeze(graph.Slice(c, graph.AxisElem(i)), 0))
		if sum == nil {
			sum = term
		} else {
			sum = graph.Add(sum, term)
		}
	}
	return sum
}

// Combine returns the model whose every tensor is Σ_i coefficients(name)[i] ·
// that of the combiner's model i, in float32. Models whose coefficient is 0 take
// no part in a tensor, and a tensor of which one model has coefficient 1 and all
// others 0 is that model's own, bit by bit; it is shared. [Model.Free] the result
// when it has served.
func (c *Combiner) Combine(coefficients func(name string) []float64) (*Model, error) {
	first := c.models[0]
	m := &Model{Config: first.Config, Backend: first.Backend, tensors: make(map[string]*tensors.Tensor, len(first.tensors))}
	for _, x := range m.Config.Expected() {
		if err := c.combine(m, x.Name, coefficients(x.Name)); err != nil {
			m.Free()
			return nil, fmt.Errorf("transformer: combining tensor %s: %w", x.Name, err)
		}
	}
	return m, nil
}

// combine makes one tensor of m.
func (c *Combiner) combine(m *Model, name string, coefficients []float64) error {
	if len(coefficients) != len(c.models) {
		return fmt.Errorf("there are %d coefficients for %d models", len(coefficients), len(c.models))
	}
	var used []float32
	var terms []any
	for i, f := range coefficients {
		if f != 0 {
			if shape, first := c.models[i].tensors[name].Shape(), c.models[0].tensors[name].Shape(); !shape.Equal(first) {
				return fmt.Errorf("model %d has it in shape %v, model 0 in %v", i, shape, first)
			}
			used, terms = append(used, float32(f)), append(terms, c.models[i].tensors[name])
		}
	}
	if len(used) == 1 && used[0] == 1 {
		m.tensors[name] = terms[0].(*tensors.Tensor)
		return nil
	}
	if len(used) == 0 {
		used, terms = []float32{0}, []any{c.models[0].tensors[name]}
	}
	return backend.Try(func() error {
		out, err := c.sum.Call(slices.Insert(terms, 0, any(used))...)
		if err == nil {
			m.put(name, out[0])
		}
		return err
	})
}
