package kn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// Reading is a text with the neurons to read in it. The text may have a
// [MASK], or none: neurons are read at every token.
type Reading struct {
	Text    string   `json:"text"`
	Neurons []Neuron `json:"neurons"`
}

// TokenActivations are the activations of chosen neurons at the tokens of a text.
type TokenActivations struct {
	Tokens []string    `json:"tokens"` // as the model reads them, with those around the text, such as [CLS] and [SEP]
	Mask   int         `json:"mask"`   // position of [MASK]; -1 if the text has none
	Values [][]float64 `json:"values"` // [neurons][tokens], neurons in the order given
	// Unknown are the words that the vocabulary cannot spell: the model reads
	// [UNK] in their places.
	Unknown []string `json:"unknown,omitempty"`
}

// TokenActivations reads neurons at every token of texts, under the edits of
// this handle. Texts of one length are computed together, and only the values
// asked for leave the backend. Nothing is looked up in the cache. A text that
// is longer than the model takes is an error that wraps [tokenizer.ErrTooLong].
func (m *Model) TokenActivations(readings []Reading) ([]TokenActivations, error) {
	c := m.Config()
	edits, err := m.composed()
	if err != nil {
		return nil, err
	}
	rows, result := make([]engine.Row, len(readings)), make([]TokenActivations, len(readings))
	for i, r := range readings {
		if err := validateNeurons(r.Neurons, c.Layers, c.IntermediateSize); err != nil {
			return nil, err
		}
		e, mask, err := m.encodeText(r.Text)
		if err != nil {
			return nil, err
		}
		row := engine.Row{Edits: edits}
		if mask >= 0 {
			row.Masks = []int{mask}
		}
		for _, id := range e.IDs {
			row.IDs = append(row.IDs, int32(id))
		}
		for _, n := range r.Neurons {
			row.Neurons = append(row.Neurons, n.Layer*c.IntermediateSize+n.Index)
		}
		rows[i] = row
		result[i] = TokenActivations{Tokens: e.Tokens, Mask: mask, Unknown: e.Unknown}
	}
	computed, err := m.compute(engine.TokenActivations, rows, "texts")
	if err != nil {
		return nil, err
	}
	for i, r := range computed {
		result[i].Values = r.Activations
	}
	return result, nil
}

// MustTokenActivations is [Model.TokenActivations] for notebook cells: it panics instead of returning an error.
func (m *Model) MustTokenActivations(readings []Reading) []TokenActivations {
	return Must(m.TokenActivations(readings))
}

// encodeText tokenizes a text with one [MASK] or none, whose position is -1. A
// causal model's text that ends in [MASK] is a prompt, which asks at its last token.
func (m *Model) encodeText(text string) (tokenizer.Encoding, int, error) {
	t, most := m.Tokenizer(), m.Config().MaxPositions
	e := t.Encode(text)
	switch {
	case m.Config().Causal():
		if strings.Contains(text, tokenizer.Mask) {
			e, err := t.CausalPrompt(text, most)
			return e, len(e.IDs) - 1, err
		}
	case slices.Contains(e.IDs, t.MaskID()):
		return t.Prompt(text, most)
	}
	if len(e.IDs) > most {
		return e, 0, fmt.Errorf("kn: %w: %d tokens of at most %d, the one before and the one behind the text included, in %.80q; shorten it", tokenizer.ErrTooLong, len(e.IDs), most, text)
	}
	return e, -1, nil
}
