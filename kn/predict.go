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
	// Answer, if given, is a token to report probability and rank of.
	Answer string `json:"answer,omitempty"`
}

// Query is a prompt with one [MASK] and the answer asked about, which must
// be one token of the model's vocabulary. [MASK] stands for the mask token of
// every model; one that calls it otherwise, as RoBERTa does with <mask>, takes
// that as well.
type Query struct {
	Prompt string `json:"prompt"`
	Answer string `json:"answer"`
}

// sample tokenizes a query; an empty answer stands for none.
func (m *Model) sample(q Query) (engine.Sample, error) {
	s, _, err := m.sampleAt(q)
	return s, err
}

// sampleAt is sample that also says whether its [MASK] is filled by tokens with
// a space in front, see [tokenizer.Encoding.AfterSpace].
func (m *Model) sampleAt(q Query) (s engine.Sample, afterSpace bool, err error) {
	t := m.Tokenizer()
	encoding, mask, err := t.Prompt(q.Prompt, m.Config().MaxPositions)
	if err != nil {
		return engine.Sample{}, false, err
	}
	if len(encoding.Unknown) > 0 {
		warn(fmt.Errorf("kn: the vocabulary of %s cannot spell %q in the prompt %q: the model sees [UNK]", m.name, encoding.Unknown, q.Prompt))
	}
	s.Mask = mask
	for _, id := range encoding.IDs {
		s.IDs = append(s.IDs, int32(id))
	}
	if q.Answer == "" {
		return s, encoding.AfterSpace, nil
	}
	id, err := t.SingleAt(encoding, q.Answer)
	s.Answer = int32(id)
	return s, encoding.AfterSpace, err
}

// answerSample is sample for computations that need an answer.
func (m *Model) answerSample(q Query) (engine.Sample, error) {
	if q.Answer == "" {
		return engine.Sample{}, noAnswer(q)
	}
	return m.sample(q)
}

func noAnswer(q Query) error { return fmt.Errorf("kn: no answer given for the prompt %q", q.Prompt) }

// Predict returns the most probable tokens at the prompt's [MASK].
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
		s, afterSpace, err := m.sampleAt(query)
		if err != nil {
			return nil, err
		}
		r, err := m.computeOne(engine.Distribution, s, "predictions")
		if err != nil {
			return nil, err
		}
		p := r.Distribution
		result := &Prediction{Prompt: prompt, MaskPosition: s.Mask, Predictions: m.top(p, o.Top, afterSpace)}
		if o.Answer != "" {
			result.Answer = &RankedToken{m.token(int(s.Answer), p, afterSpace), rank(p, int(s.Answer))}
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
		result[k] = m.token(ids[k], p, afterSpace)
	}
	return result
}

func (m *Model) token(id int, p []float32, afterSpace bool) TokenProbability {
	return TokenProbability{m.Tokenizer().Shown(id, afterSpace), id, float64(p[id])}
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
