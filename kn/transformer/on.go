package transformer

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
		return nil, fmt.Errorf("transformer: the other model has another head than the graph takes")
	}
	for _, name := range e.weights[0] {
		if m.tensors[name] == nil {
			return nil, fmt.Errorf("transformer: the other model has another head than the graph takes")
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
		{"embedding_size", a.EmbeddingWidth(), b.EmbeddingWidth()},
		{"num_attention_heads", a.Heads, b.Heads},
		{"intermediate_size", a.IntermediateSize, b.IntermediateSize},
		{"vocab_size", a.VocabSize, b.VocabSize},
		{"max_position_embeddings", a.PositionRows(), b.PositionRows()},
		{"the first position", a.FirstPosition(), b.FirstPosition()},
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

// SameShapes is nil if two configurations have the same tensors, heads included,
// and compute the same with them; otherwise it is an error that names the first
// difference.
func SameShapes(a, b Config) error {
	if err := SameEncoder(a, b); err != nil {
		return err
	}
	switch {
	case a.Classifies() != b.Classifies():
		return fmt.Errorf("the models differ in their heads: one is a classifier, the other a masked language model")
	case a.Classifies() && len(a.Labels) != len(b.Labels):
		return fmt.Errorf("the models differ in the number of labels: %d and %d", len(a.Labels), len(b.Labels))
	case !a.Classifies() && a.TieWordEmbeddings != b.TieWordEmbeddings:
		return fmt.Errorf("the models differ in tie_word_embeddings: %v and %v", a.TieWordEmbeddings, b.TieWordEmbeddings)
	case !a.Classifies() && a.HeadAct() != b.HeadAct():
		return fmt.Errorf("the models differ in their heads' activation functions: %s and %s", a.HeadAct(), b.HeadAct())
	}
	return nil
}
