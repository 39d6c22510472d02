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
	rows, _, err := m.rows(trials)
	if err != nil {
		return nil, err
	}
	computed, err := m.compute(engine.Probability, rows, "trials")
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
	Top    TokenProbability `json:"top"`    // the most probable token
}

// Outcomes is [Model.Probabilities] with the answer's rank and the most
// probable token of each trial.
func (m *Model) Outcomes(trials []Trial) ([]Outcome, error) {
	rows, afterSpace, err := m.rows(trials)
	if err != nil {
		return nil, err
	}
	computed, err := m.compute(engine.Outcome, rows, "trials")
	if err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(computed))
	for i, r := range computed {
		token := func(id int32, p float64) TokenProbability {
			return TokenProbability{m.Tokenizer().Shown(int(id), afterSpace[i]), int(id), p}
		}
		outcomes[i] = Outcome{RankedToken{token(rows[i].Answer, r.Probability), r.Rank}, token(r.Top, r.TopProbability)}
	}
	return outcomes, nil
}

// MustOutcomes is [Model.Outcomes] for notebook cells: it panics instead of returning an error.
func (m *Model) MustOutcomes(trials []Trial) []Outcome { return Must(m.Outcomes(trials)) }

// rows makes trials ready, with what [Model.sampleAt] says of each.
func (m *Model) rows(trials []Trial) (rows []engine.Row, afterSpace []bool, err error) {
	rows, afterSpace = make([]engine.Row, len(trials)), make([]bool, len(trials))
	for i, t := range trials {
		if t.Answer == "" {
			return nil, nil, noAnswer(t.Query)
		}
		if rows[i].Sample, afterSpace[i], err = m.sampleAt(t.Query); err != nil {
			return nil, nil, err
		}
		if rows[i].Edits, err = m.compose(append(slices.Clone(m.edits), t.Edits...)); err != nil {
			return nil, nil, err
		}
	}
	return rows, afterSpace, nil
}
