package kn

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
)

// PredictOptions are the options of [Model.Predict].
type PredictOptions struct {
	// Top is the number of most probable tokens to return. 0 stands for 10.
	Top int `json:"top"`
	// Answer, if given, is what to report probability and rank of.
	Answer string `json:"answer,omitempty"`
}

// TokenProbability is a vocabulary token with its probability at [MASK].
type TokenProbability struct {
	Token       string  `json:"token"`
	ID          int     `json:"id"`
	Probability float64 `json:"probability"`
}

// RankedToken is an answer with its probability and its rank among the whole
// vocabulary; rank 1 is the most probable token. An answer of several tokens has
// the product of their probabilities, and the largest of their ranks: it is 1 if
// each of them comes first in its place.
type RankedToken struct {
	TokenProbability       // ID is that of the first token
	Rank             int   `json:"rank"`
	IDs              []int `json:"ids,omitempty"` // of an answer of several tokens, all of them
}

// Prediction is the distribution over the vocabulary at a prompt's [MASK].
type Prediction struct {
	Prompt       string             `json:"prompt"`
	MaskPosition int                `json:"mask_position"`    // index of [MASK] among the tokens, [CLS] being 0
	Predictions  []TokenProbability `json:"predictions"`      // the most probable tokens, best first
	Answer       *RankedToken       `json:"answer,omitempty"` // the answer asked about, if any

	Provenance Provenance `json:"provenance"`
}

// Predict returns the most probable tokens at the prompt's [MASK], or behind a
// causal model's prompt. Of an answer of several tokens it reports the product of
// their probabilities, and the largest of their ranks.
func (m *Model) Predict(prompt string, options ...PredictOptions) (*Prediction, error) {
	o, err := optional(options)
	if err != nil {
		return nil, err
	}
	o.Top = cmp.Or(o.Top, 10)
	if o.Top < 0 {
		return nil, fmt.Errorf("kn: cannot return the top %d tokens", o.Top)
	}
	query := Query{prompt, o.Answer}
	return cached(m, "predict", []any{query, o.Top}, func() (*Prediction, error) {
		first, err := m.sample(Query{Prompt: prompt})
		if err != nil {
			return nil, err
		}
		var s sampled
		if o.Answer != "" {
			if s, err = m.sample(query); err != nil {
				return nil, err
			}
		}
		r, err := m.computeOne(engine.Distribution, first.Sample, "predictions")
		if err != nil {
			return nil, err
		}
		p := r.Distribution
		result := &Prediction{Prompt: prompt, MaskPosition: first.Masks[0], Predictions: m.top(p, o.Top, first.question.Prompt.AfterSpace)}
		switch len(s.Answers) {
		case 0:
		case 1:
			id := s.question.Answers[0]
			answer := m.ranked(s, float64(p[id]), rank(p, id))
			result.Answer = &answer
		default:
			if r, err = m.computeOne(engine.Outcome, s.Sample, "predictions"); err != nil {
				return nil, err
			}
			answer := m.ranked(s, r.Probability, r.Rank)
			result.Answer = &answer
		}
		result.Provenance, err = m.provenance(o)
		return result, err
	})
}

// MustPredict is [Model.Predict] for notebook cells: it panics instead of returning an error.
func (m *Model) MustPredict(prompt string, options ...PredictOptions) *Prediction {
	return Must(m.Predict(prompt, options...))
}

// Probability returns the answer's probability at the prompt's [MASK].
func (m *Model) Probability(prompt, answer string) (float64, error) {
	p, err := m.Predict(prompt, PredictOptions{Top: 1, Answer: answer})
	if err != nil {
		return 0, err
	}
	if p.Answer == nil {
		return 0, noAnswer(Query{Prompt: prompt})
	}
	return p.Answer.Probability, nil
}

// MustProbability is [Model.Probability] for notebook cells: it panics instead of returning an error.
func (m *Model) MustProbability(prompt, answer string) float64 {
	return Must(m.Probability(prompt, answer))
}

// top returns the n most probable tokens; of equal ones the first in the vocabulary.
func (m *Model) top(p []float32, n int, afterSpace bool) []TokenProbability {
	ids := make([]int, len(p))
	for i := range ids {
		ids[i] = i
	}
	slices.SortFunc(ids, func(a, b int) int { return cmp.Or(cmp.Compare(p[b], p[a]), a-b) })
	result := make([]TokenProbability, min(n, len(ids)))
	for k := range result {
		result[k] = m.token(ids[k], float64(p[ids[k]]), afterSpace)
	}
	return result
}

// rank is 1 + the number of tokens more probable than id.
func rank(p []float32, id int) int {
	r := 1
	for _, q := range p {
		if q > p[id] {
			r++
		}
	}
	return r
}
