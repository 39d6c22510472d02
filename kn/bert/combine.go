package bert

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// On is the same executable with the weights of another model that lies on the
// same backend. What is compiled serves both.
func (e *Exec) On(m *Model) (*Exec, error) {
	if err := SameEncoder(e.model.Config, m.Config); err != nil {
		return nil, err
	}
	if !slices.Equal(e.parts.asked(e.model.Config), e.parts.asked(m.Config)) {
		return nil, fmt.Errorf("bert: the other model has another head than the graph takes")
	}
	for _, name := range e.weights[0] {
		if m.tensors[name] == nil {
			return nil, fmt.Errorf("bert: the other model has another head than the graph takes")
		}
	}
	return &Exec{model: m, parts: e.parts, exec: e.exec, weights: e.weights}, nil
}

// asked lists the tensors, with their shapes, that the parts are made of.
func (p Parts) asked(c Config) []string {
	var all []string
	p.weights(c, 0, func(name string, dims ...int) *graph.Node {
		all = append(all, fmt.Sprint(name, dims))
		return nil
	})
	return all
}

// SameEncoder is nil if two configurations have the same embeddings and
// layers, and otherwise an error that names the first difference. Their heads
// may differ.
func SameEncoder(a, b Config) error {
	for _, f := range []struct {
		name string
		a, b any
	}{
		{"num_hidden_layers", a.Layers, b.Layers},
		{"hidden_size", a.HiddenSize, b.HiddenSize},
		{"num_attention_heads", a.Heads, b.Heads},
		{"intermediate_size", a.IntermediateSize, b.IntermediateSize},
		{"vocab_size", a.VocabSize, b.VocabSize},
		{"max_position_embeddings", a.MaxPositions, b.MaxPositions},
		{"type_vocab_size", a.TypeVocabSize, b.TypeVocabSize},
		{"hidden_act", a.HiddenAct, b.HiddenAct},
		{"layer_norm_eps", a.LayerNormEps, b.LayerNormEps},
	} {
		if f.a != f.b {
			return fmt.Errorf("the models differ in %s: %v and %v", f.name, f.a, f.b)
		}
	}
	return nil
}

// Names lists the model's tensors in the order of the forward pass, under
// their Hugging Face names.
func (m *Model) Names() []string {
	var names []string
	for _, x := range m.Config.Expected() {
		names = append(names, x.Name)
	}
	return names
}

// View calls look with a tensor's numbers, which it must neither change nor keep.
func (m *Model) View(name string, look func(data []float32)) error {
	t := m.tensors[name]
	if t == nil {
		return fmt.Errorf("bert: there is no tensor %s", name)
	}
	return t.ConstFlatData(func(flat any) { look(flat.([]float32)) })
}

// Combiner makes models that are linear combinations of others, computed on
// their backend.
type Combiner struct {
	models []*Model
	exec   *graph.Exec
}

// NewCombiner takes models of one configuration on one backend.
func NewCombiner(models ...*Model) (*Combiner, error) {
	if len(models) == 0 {
		return nil, fmt.Errorf("bert: there is no model to combine")
	}
	first := models[0]
	for _, m := range models[1:] {
		if err := SameEncoder(first.Config, m.Config); err != nil {
			return nil, fmt.Errorf("bert: %w", err)
		}
		if !slices.Equal(first.Names(), m.Names()) || first.Backend != m.Backend {
			return nil, fmt.Errorf("bert: only models with the same head and on the same backend can be combined")
		}
	}
	c := &Combiner{models: models}
	err := backend.Try(func() (err error) {
		c.exec, err = graph.NewExec(first.Backend, func(in []*graph.Node) *graph.Node { return combination(in[0], in[1:]) })
		if err == nil {
			c.exec.SetMaxCache(maxGraphs)
		}
		return err
	})
	return c, err
}

// combination is the sum of tensors times their coefficients:
//
//	coefficients [k], k tensors of one shape -> that shape
func combination(coefficients *graph.Node, tensors []*graph.Node) *graph.Node {
	var sum *graph.Node
	for i, t := range tensors {
		c := graph.Squeeze(graph.Slice(coefficients, graph.AxisElem(i)), 0)
		term := graph.Mul(t, c)
		if sum == nil {
			sum = term
		} else {
			sum = graph.Add(sum, term)
		}
	}
	return sum
}

// Combine makes the model whose tensors are Σ coefficients(name)[i] · tensor i,
// with one coefficient for each of the combiner's models. Coefficients that
// are 1 once and 0 otherwise give that model's very numbers. [Model.Free] the
// result when it has served.
func (c *Combiner) Combine(coefficients func(name string) []float64) (*Model, error) {
	first := c.models[0]
	m := &Model{Config: first.Config, Backend: first.Backend, tensors: map[string]*tensors.Tensor{}}
	for _, name := range m.Names() {
		of := coefficients(name)
		if len(of) != len(c.models) {
			m.Free()
			return nil, fmt.Errorf("bert: tensor %s: %d coefficients for %d models", name, len(of), len(c.models))
		}
		narrow := make([]float32, len(of))
		args := []any{narrow}
		for i, f := range of {
			narrow[i] = float32(f)
			args = append(args, c.models[i].tensors[name])
		}
		err := backend.Try(func() error {
			out, err := c.exec.Call(args...)
			if err == nil {
				m.tensors[name] = out[0]
			}
			return err
		})
		if err != nil {
			m.Free()
			return nil, fmt.Errorf("bert: tensor %s: %w", name, err)
		}
	}
	return m, nil
}

// Free gives the weights' memory back now; the model must not be used any
// more. The backend's memory is not the garbage collector's to measure.
func (m *Model) Free() {
	for _, t := range m.tensors {
		_ = t.FinalizeAll() // nothing depends on its success
	}
	clear(m.tensors)
}
