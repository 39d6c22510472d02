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
// length are computed together, whatever their edits, so that an experiment of
// many edits takes few runs of the model. Nothing is looked up in the cache.
func (m *Model) Probabilities(trials []Trial) ([]float64, error) {
	rows := make([]engine.Row, len(trials))
	c := m.Config()
	for i, t := range trials {
		for _, e := range t.Edits {
			if err := e.validate(c.Layers, c.IntermediateSize); err != nil {
				return nil, err
			}
		}
		s, err := m.answerSample(t.Query)
		if err != nil {
			return nil, err
		}
		edits := append(slices.Clone(m.edits), t.Edits...)
		rows[i] = engine.Row{Sample: s, Edits: compose(edits, c.IntermediateSize)}
	}
	computer, err := m.computer()
	if err != nil {
		return nil, err
	}
	return computer.Probabilities(m.ctx, rows, func(done int) { m.step(done, len(rows), "trials") })
}

// MustProbabilities is [Model.Probabilities] for notebook cells: it panics instead of returning an error.
func (m *Model) MustProbabilities(trials []Trial) []float64 { return must(m.Probabilities(trials)) }
