package experiments

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// updateCase is a fact to be updated.
type updateCase struct {
	fact    Fact // with only the neurons that are its own, and the prompts that are known
	prompts int  // known or not
	answer  string
	within  []kn.Query // of other facts
	across  []kn.Query
	before  updated
	own     updated
	control updated
}

// choose draws the facts.
func (t *UpdateTable) choose(ctx context.Context, m *kn.Model, facts []Fact, o UpdateOptions, progress kn.Progress) ([]*updateCase, error) {
	groups := byRelation(facts)
	relations := sortedRelations(groups)
	chosen, without, unknown := make([][]*updateCase, len(relations)), make([]int, len(relations)), make([]int, len(relations))
	err := sideBySide(ctx, len(relations), "relations looked through for facts to update", progress, func(ctx context.Context, i int) error {
		group := groups[relations[i]]
		for _, f := range shuffled(group, o.Seed) {
			if len(chosen[i]) == o.PerRelation {
				break
			}
			c := newCase(f, group, o)
			if c == nil {
				without[i]++
				continue
			}
			known, err := c.know(silent(ctx, m))
			if err != nil {
				return err
			}
			if !known {
				unknown[i]++
				continue
			}
			chosen[i] = append(chosen[i], c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range relations {
		t.WithoutNeurons, t.Unknown = t.WithoutNeurons+without[i], t.Unknown+unknown[i]
		if len(chosen[i]) > 0 {
			t.Relations++
		}
	}
	cases := slices.Concat(chosen...)
	for _, c := range cases {
		c.probe(facts, groups, o)
		t.Prompts += len(c.fact.Bag.Prompts)
	}
	t.Facts = len(cases)
	return cases, nil
}

// shuffled puts facts in an order of which each fact's place depends on itself alone.
func shuffled(facts []Fact, seed uint64) []Fact {
	type placed struct {
		place uint64
		fact  Fact
	}
	var all []placed
	for _, f := range facts {
		all = append(all, placed{randomFor(f, seed).Uint64(), f})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
	result := make([]Fact, len(all))
	for i, p := range all {
		result[i] = p.fact
	}
	return result
}

// newCase prepares a fact of a relation; nil if no neuron is its own or the relation has no
// other answer.
func newCase(f Fact, relation []Fact, o UpdateOptions) *updateCase {
	count := map[kn.Neuron]int{}
	var answers []string
	for _, g := range relation {
		for _, n := range g.Neurons {
			count[n]++
		}
		if g.Bag.Answer != f.Bag.Answer {
			answers = append(answers, g.Bag.Answer)
		}
	}
	most := max(1, o.MostShare*float64(len(relation)))
	f = f.keep(func(n kn.Neuron) bool { return float64(count[n]) <= most })
	if len(f.Neurons) == 0 || len(answers) == 0 {
		return nil
	}
	return &updateCase{fact: f, prompts: len(f.Bag.Prompts), answer: answers[randomFor(f, o.Seed).IntN(len(answers))]}
}

// keep returns the fact with some of its neurons.
func (f Fact) keep(wanted func(n kn.Neuron) bool) Fact {
	var neurons []kn.Neuron
	var strength []float64
	for i, n := range f.Neurons {
		if wanted(n) {
			neurons, strength = append(neurons, n), append(strength, f.Strength[i])
		}
	}
	f.Neurons, f.Strength = neurons, strength
	return f
}

// know keeps the prompts that the unmodified model answers rightly, and says
// whether there are any.
func (c *updateCase) know(m *kn.Model) (bool, error) {
	var trials []kn.Trial
	for _, q := range c.fact.queries() {
		trials = append(trials, kn.Trial{Query: q})
	}
	outcomes, err := m.Outcomes(trials)
	if err != nil {
		return false, fmt.Errorf("experiments: %s: %w", c.fact.name(), err)
	}
	var prompts []string
	for i, out := range outcomes {
		if out.First() {
			prompts = append(prompts, c.fact.Bag.Prompts[i])
		}
	}
	c.fact.Bag.Prompts = prompts
	return len(prompts) > 0, nil
}

// probe draws the facts whose perplexity is measured.
func (c *updateCase) probe(facts []Fact, groups map[string][]Fact, o UpdateOptions) {
	rng := randomFor(c.fact, o.Seed+1)
	draw := func(from []Fact, wanted func(f Fact) bool) (queries []kn.Query) {
		for _, i := range someOf(len(from), o.Probes, rng, func(i int) bool { return wanted(from[i]) }) {
			queries = append(queries, from[i].queries()...)
		}
		return queries
	}
	own, key := c.fact.Bag.Relation, c.fact.Bag.Key()
	c.within = draw(groups[own], func(f Fact) bool { return f.Bag.Key() != key })
	c.across = draw(facts, func(f Fact) bool { return f.Bag.Relation != own })
}

// someOf draws up to k different numbers below n that are wanted.
func someOf(n, k int, rng *rand.Rand, wanted func(i int) bool) (drawn []int) {
	for _, i := range rng.Perm(n) {
		if len(drawn) == k {
			break
		}
		if wanted(i) {
			drawn = append(drawn, i)
		}
	}
	return drawn
}
