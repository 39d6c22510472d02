package experiments

import (
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// erasure is a relation to be erased.
type erasure struct {
	relation  string
	commonest []NeuronCount
	of        string // another relation
	shared    int    // neurons of both

	facts []Fact // measured: own of the relation, then the others
	own   int
	// The sets erased: none, the own one, the other relation's, those of the curve,
	// and from firstRandom on the random ones; with the answers to each.
	sets        [][]kn.Neuron
	firstRandom int
	answers     []answers
}

// newErasure prepares a relation.
func newErasure(relation string, facts []Fact, groups map[string][]Fact, ffn int, o EraseOptions) (*erasure, error) {
	own := groups[relation]
	all := Commonest(own)
	if len(all) == 0 {
		return nil, fmt.Errorf("experiments: no fact of the relation %s has a neuron, so nothing can be erased; choose others", relation)
	}
	c := &erasure{relation: relation, commonest: all[:min(o.Neurons, len(all))]}
	var others []Fact
	for _, f := range facts {
		if f.Bag.Relation != relation {
			others = append(others, f)
		}
	}
	drawn := drawFacts(own, o.Facts, o.Seed)
	c.facts, c.own = slices.Concat(drawn, drawFacts(others, o.Others, o.Seed)), len(drawn)

	rng := randomFor(own[0], o.Seed)
	relations := sortedRelations(groups)
	var otherSet []kn.Neuron
	for _, i := range rng.Perm(len(relations)) {
		if common := Commonest(groups[relations[i]]); relations[i] != relation && len(common) > 0 {
			c.of, otherSet = relations[i], neuronsOf(common, o.Neurons)
			break
		}
	}
	if otherSet == nil {
		return nil, fmt.Errorf("experiments: no other relation than %s has neurons to compare with; give more facts", relation)
	}
	set := neuronsOf(all, o.Neurons)
	for _, n := range otherSet {
		if slices.Contains(set, n) {
			c.shared++
		}
	}
	c.sets = [][]kn.Neuron{nil, set, otherSet}
	for _, n := range o.Counts {
		c.sets = append(c.sets, neuronsOf(all, n))
		if n >= len(all) {
			break
		}
	}
	c.firstRandom = len(c.sets)
	for range o.Draws {
		c.sets = append(c.sets, kn.RandomControl(set, ffn, rng))
	}
	c.answers = make([]answers, len(c.sets))
	return c, nil
}

// neuronsOf are the first n.
func neuronsOf(counted []NeuronCount, n int) []kn.Neuron {
	var neurons []kn.Neuron
	for _, c := range counted[:min(n, len(counted))] {
		neurons = append(neurons, c.Neuron)
	}
	return neurons
}

// reply is what a model says to one prompt.
type reply struct {
	surprisal float64 // of the answer
	right     float64 // 1 if it is ranked first
}

// answers are the answers to all prompts of facts [facts][prompts].
type answers [][]reply

// answered measures the facts when neurons are erased.
func (c *erasure) answered(m *kn.Model, neurons []kn.Neuron) (answers, error) {
	m, err := m.With(kn.Erase(neurons))
	if err != nil {
		return nil, err
	}
	var trials []kn.Trial
	for _, f := range c.facts {
		for _, q := range f.queries() {
			trials = append(trials, kn.Trial{Query: q})
		}
	}
	outcomes, err := m.Outcomes(trials)
	if err != nil {
		return nil, fmt.Errorf("experiments: erasing %s: %w", c.relation, err)
	}
	all := make(answers, len(c.facts))
	for i, f := range c.facts {
		for _, out := range outcomes[:len(f.Bag.Prompts)] {
			a := reply{surprisal: surprisal(out.Answer.Probability)}
			if out.First() {
				a.right = 1
			}
			all[i] = append(all[i], a)
		}
		outcomes = outcomes[len(f.Bag.Prompts):]
	}
	return all, nil
}

// mean is that of several sets' answers.
func mean(sets []answers) answers {
	sum := make(answers, len(sets[0]))
	for i := range sum {
		sum[i] = make([]reply, len(sets[0][i]))
		for j := range sum[i] {
			for _, s := range sets {
				sum[i][j].surprisal += s[i][j].surprisal / float64(len(sets))
				sum[i][j].right += s[i][j].right / float64(len(sets))
			}
		}
	}
	return sum
}

// prompts counts those of some of the facts.
func (a answers) prompts(from, to int) (n int) {
	for _, of := range a[from:to] {
		n += len(of)
	}
	return n
}

// surprisals and right gather the answers by fact.
func (a answers) surprisals() map[int][]float64 {
	return a.gather(func(a reply) float64 { return a.surprisal })
}

func (a answers) right() map[int][]float64 {
	return a.gather(func(a reply) float64 { return a.right })
}

func (a answers) gather(value func(a reply) float64) map[int][]float64 {
	clusters := map[int][]float64{}
	for i, of := range a {
		for _, x := range of {
			clusters[i] = append(clusters[i], value(x))
		}
	}
	return clusters
}
