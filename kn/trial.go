package kn

import (
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
)

// Trial is a query under edits of its own, on top of the handle's.
type Trial struct {
	Query
	Edits []Edit `json:"edits,omitempty"`
}

// Probabilities returns the answer's probability in each trial. Trials of one
// length are computed together, whatever their edits of activations, so that an
// experiment of many edits takes few runs of the model; so are those with the
// same edits of weights. Nothing is looked up in the cache.
func (m *Model) Probabilities(trials []Trial) ([]float64, error) {
	return m.probabilities(trials, "trials")
}

// probabilities is Probabilities with what its progress calls the trials.
func (m *Model) probabilities(trials []Trial, what string) ([]float64, error) {
	rows, _, err := m.rows(trials)
	if err != nil {
		return nil, err
	}
	computed, err := m.compute(engine.Probability, rows, what)
	if err != nil {
		return nil, err
	}
	probabilities := make([]float64, len(computed))
	for i, r := range computed {
		probabilities[i] = r.Probability
	}
	return probabilities, nil
}

// MustProbabilities is [Model.Probabilities] for notebook cells: it panics instead of returning an error.
func (m *Model) MustProbabilities(trials []Trial) []float64 { return Must(m.Probabilities(trials)) }

// Outcome is what the model says in a [Trial].
type Outcome struct {
	Answer RankedToken      `json:"answer"` // the trial's
	Top    TokenProbability `json:"top"`    // the most probable token in the place of the answer's first
}

// First says whether the answer comes first: it is the most probable token, or
// each of its tokens is the most probable in its place.
func (o Outcome) First() bool {
	if len(o.Answer.IDs) > 1 {
		return o.Answer.Rank == 1
	}
	return o.Top.ID == o.Answer.ID
}

// Outcomes is [Model.Probabilities] with the answer's rank and the most
// probable token of each trial.
func (m *Model) Outcomes(trials []Trial) ([]Outcome, error) {
	rows, samples, err := m.rows(trials)
	if err != nil {
		return nil, err
	}
	computed, err := m.compute(engine.Outcome, rows, "trials")
	if err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(computed))
	for i, r := range computed {
		top := m.token(int(r.Top), r.TopProbability, samples[i].question.Prompt.AfterSpace)
		outcomes[i] = Outcome{m.ranked(samples[i], r.Probability, r.Rank), top}
	}
	return outcomes, nil
}

// MustOutcomes is [Model.Outcomes] for notebook cells: it panics instead of returning an error.
func (m *Model) MustOutcomes(trials []Trial) []Outcome { return Must(m.Outcomes(trials)) }

// rows makes trials ready.
func (m *Model) rows(trials []Trial) (rows []engine.Row, samples []sampled, err error) {
	rows, samples = make([]engine.Row, len(trials)), make([]sampled, len(trials))
	for i, t := range trials {
		if samples[i], err = m.answerSample(t.Query); err != nil {
			return nil, nil, err
		}
		rows[i].Sample = samples[i].Sample
		if rows[i].Edits, err = m.compose(append(slices.Clone(m.edits), t.Edits...)); err != nil {
			return nil, nil, err
		}
	}
	return rows, samples, nil
}
