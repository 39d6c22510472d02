package pretrain

import (
	"fmt"
	"math/rand/v2"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// shared is the mean number of neurons that two facts have in common, within
// a relation and across relations.
func shared(all []studied, o EvaluateOptions) (in, cross stats.Interval) {
	holders := make([]experiments.Holder, len(all))
	for i, s := range all {
		holders[i] = experiments.Holder{Relation: s.fact.Relation, Answer: s.fact.Answer, Neurons: s.neurons}
	}
	n := experiments.Shared(holders, o.bootstrap())
	return n.Within, n.Across
}

// crossKinds are the relations between a fact and the one whose neurons are
// suppressed. The authors' control is the last.
var crossKinds = []struct {
	name             string
	relation, answer bool // the same?
}{
	{"of another relation, with the same answer", false, true},
	{"of the same relation, with another answer", true, false},
	{"of another relation, with another answer", false, false},
}

// promptsAcross is the number of prompts of a fact that others' neurons are
// tried on.
const promptsAcross = 3

// crossFacts suppresses, for every fact of the draw, the neurons of one other
// fact of each kind, drawn at random, and measures the relative change.
func crossFacts(m *kn.Model, all []studied, o EvaluateOptions) ([]CrossFact, error) {
	rng := rand.New(rand.NewPCG(o.Seed, 0xc055))
	var result []CrossFact
	for _, kind := range crossKinds {
		clusters := map[int][]float64{}
		for i, s := range all {
			for _, j := range rng.Perm(len(all)) {
				other := all[j]
				if i == j || len(other.neurons) == 0 ||
					(s.fact.Relation == other.fact.Relation) != kind.relation || (s.fact.Answer == other.fact.Answer) != kind.answer {
					continue
				}
				changes, err := s.under(m, other.neurons)
				if err != nil {
					return nil, err
				}
				clusters[i] = changes
				break
			}
		}
		result = append(result, CrossFact{kind.name, len(clusters), stats.Bootstrap(clusters, o.bootstrap())})
	}
	return result, nil
}

// under is the relative change of the fact's probability in its first prompts
// when neurons are suppressed.
func (s studied) under(m *kn.Model, neurons []kn.Neuron) (changes []float64, err error) {
	edited, err := m.With(kn.Suppress(neurons))
	if err != nil {
		return nil, err
	}
	for _, prompt := range s.prompts[:min(promptsAcross, len(s.prompts))] {
		before, err := m.Probability(prompt, s.fact.Answer)
		if err != nil {
			return nil, fmt.Errorf("pretrain: %w", err)
		}
		after, err := edited.Probability(prompt, s.fact.Answer)
		if err != nil {
			return nil, fmt.Errorf("pretrain: %w", err)
		}
		if before >= negligible {
			changes = append(changes, after/before-1)
		}
	}
	return changes, nil
}
