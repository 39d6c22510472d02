package bert

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
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

// Free gives the weights' memory back now; the model must not be used any
// more. The backend's memory is not the garbage collector's to measure.
func (m *Model) Free() {
	for _, t := range m.tensors {
		_ = t.FinalizeAll() // nothing depends on its success
	}
	clear(m.tensors)
}
