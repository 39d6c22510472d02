package pretrain

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// common counts the neurons that two facts share.
func common(a, b studied) (n int) {
	for _, neuron := range a.neurons {
		if _, ok := slices.BinarySearchFunc(b.neurons, neuron, kn.Neuron.Compare); ok {
			n++
		}
	}
	return n
}

// shared is the mean number of neurons that two facts have in common, within
// a relation and across relations. Both facts of a pair are resampled: the
// bootstrap draws facts and takes all pairs of what it drew, except of a fact
// with itself.
func shared(all []studied, o EvaluateOptions) (in, cross stats.Interval) {
	counts := make([][]int, len(all))
	for i := range all {
		counts[i] = make([]int, len(all))
		for j := range i {
			counts[i][j] = common(all[i], all[j])
			counts[j][i] = counts[i][j]
		}
	}
	means := func(drawn []int) (within, across float64) {
		var sum, pairs [2]float64
		for a, i := range drawn {
			for _, j := range drawn[:a] {
				if i == j {
					continue
				}
				kind := 1
				if all[i].fact.Relation == all[j].fact.Relation {
					kind = 0
				}
				sum[kind] += float64(counts[i][j])
				pairs[kind]++
			}
		}
		return sum[0] / max(1, pairs[0]), sum[1] / max(1, pairs[1])
	}
	whole := make([]int, len(all))
	for i := range whole {
		whole[i] = i
	}
	in.Mean, cross.Mean = means(whole)
	rng := rand.New(rand.NewPCG(o.Seed, 0x9a15))
	var within, across []float64
	drawn := make([]int, len(all))
	for range o.Resamples {
		for k := range drawn {
			drawn[k] = rng.IntN(len(all))
		}
		w, a := means(drawn)
		within, across = append(within, w), append(across, a)
	}
	slices.Sort(within)
	slices.Sort(across)
	in.Low, in.High = stats.Quantile(within, 0.025), stats.Quantile(within, 0.975)
	cross.Low, cross.High = stats.Quantile(across, 0.025), stats.Quantile(across, 0.975)
	return in, cross
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
