package experiments

import (
	"cmp"
	"context"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// InterveneOptions are the options of [Intervene].
type InterveneOptions struct {
	// Draws is the number of random control sets of each fact. 0 stands for 2.
	Draws int `json:"draws"`
	// Seed of everything that is drawn.
	Seed uint64 `json:"seed"`
	// Resamples of the bootstrap. 0 stands for 2000.
	Resamples int `json:"resamples"`
}

// The sets of neurons that [Intervene] compares, in its order.
const (
	setOwn = iota
	setOther
	setRandom
	setMatched
	setBaseline
	setCount
)

var setNames = [setCount][2]string{
	setOwn:      {"own", "knowledge neurons"},
	setOther:    {"other relation", "neurons of a fact of another relation"},
	setRandom:   {"random", "random neurons of the same layers"},
	setMatched:  {"matched", "neurons of the same layers nearest in activation"},
	setBaseline: {"baseline", "the activation baseline's neurons"},
}

// negligible is a probability that float32 cannot tell changes of; prompts
// with less are left out of the relative changes.
const negligible = 1e-12

// Intervene suppresses (multiplies by 0) and amplifies (by 2) sets of neurons
// at [MASK] and measures the answer's relative change, P(edited)/P - 1, mean
// over the prompts of all facts. A fact without neurons changes nothing, and
// counts.
//
// The sets are each fact's own knowledge neurons; those of a fact of another
// relation, drawn at random among the facts that have some (the authors' control
// is the fact's own neurons in another relation's prompts); random neurons, as
// many in each layer as the own ones; the other neurons of the same layers that
// are nearest in activation; and the neurons that the activation baseline finds.
func Intervene(ctx context.Context, m *kn.Model, of []Fact, o InterveneOptions, progress kn.Progress) (*Intervention, error) {
	o.Draws = cmp.Or(o.Draws, 2)
	if len(of) == 0 {
		return nil, errNoFacts
	}
	changed := make([]changes, len(of))
	err := sideBySide(ctx, len(of), "facts suppressed and amplified", progress, func(ctx context.Context, i int) (err error) {
		m := silent(ctx, m)
		sets, err := controlSets(m, of, i, o)
		if err != nil {
			return err
		}
		changed[i], err = intervene(m, of[i], sets)
		return err
	})
	if err != nil {
		return nil, err
	}
	groups := map[string][]int{}
	for i, f := range of {
		groups[f.Bag.Relation] = append(groups[f.Bag.Relation], i)
	}
	r := &Intervention{Facts: len(of), Sets: summarizeSets(changed, groups, o)}
	for _, f := range of {
		r.Prompts += len(f.Bag.Prompts)
	}
	for _, relation := range sortedRelations(groups) {
		r.ByRelation = append(r.ByRelation, relationChange(of, changed, groups[relation], o))
	}
	if len(of) <= FewFacts {
		for _, f := range of {
			r.Of = append(r.Of, IntervenedFact{f.Bag, f.Neurons, f.BaselineNeurons})
		}
	}
	r.Provenance, err = m.Provenance(o, o.Seed)
	return r, err
}

// controlSets are fact i's sets, each kind's alternatives: the random ones are several.
func controlSets(m *kn.Model, facts []Fact, i int, o InterveneOptions) (sets [setCount][][]kn.Neuron, err error) {
	f, rng := facts[i], randomFor(facts[i], o.Seed)
	sets[setOwn] = [][]kn.Neuron{f.Neurons}
	sets[setBaseline] = [][]kn.Neuron{f.BaselineNeurons}
	for _, j := range rng.Perm(len(facts)) {
		if facts[j].Bag.Relation != f.Bag.Relation && len(facts[j].Neurons) > 0 {
			sets[setOther] = [][]kn.Neuron{facts[j].Neurons}
			break
		}
	}
	if len(f.Neurons) == 0 {
		sets[setRandom], sets[setMatched] = [][]kn.Neuron{nil}, [][]kn.Neuron{nil}
		return sets, nil
	}
	for range o.Draws {
		sets[setRandom] = append(sets[setRandom], kn.RandomControl(f.Neurons, m.Config().IntermediateSize, rng))
	}
	activations, err := m.MeanActivations(f.Bag.Prompts)
	if err != nil {
		return sets, err
	}
	sets[setMatched] = [][]kn.Neuron{kn.MatchedControl(f.Neurons, activations)}
	return sets, nil
}

// changes are a fact's: of each kind of set and each prompt, mean over the
// set's alternatives. A kind that the fact has no set of is empty.
type changes struct {
	neurons               [setCount]float64
	suppressed, amplified [setCount][]float64
	// Sums of the probability over prompts, unmodified and modified.
	plain      float64
	suppressTo [setCount]float64
	amplifyTo  [setCount]float64
}

// intervene measures a fact's changes under all sets, in one batch.
func intervene(m *kn.Model, f Fact, sets [setCount][][]kn.Neuron) (changes, error) {
	var trials []kn.Trial
	for _, prompt := range f.Bag.Prompts {
		q := kn.Query{Prompt: prompt, Answer: f.Bag.Answer}
		trials = append(trials, kn.Trial{Query: q})
		for _, kind := range sets {
			for _, set := range kind {
				trials = append(trials, kn.Trial{Query: q, Edits: []kn.Edit{kn.Suppress(set)}}, kn.Trial{Query: q, Edits: []kn.Edit{kn.Amplify(set)}})
			}
		}
	}
	p, err := m.Probabilities(trials)
	if err != nil {
		return changes{}, fmt.Errorf("experiments: %s: %w", f.name(), err)
	}
	var c changes
	for range f.Bag.Prompts {
		plain := p[0]
		p = p[1:]
		c.plain += plain
		for k, kind := range sets {
			var suppressed, amplified float64
			for range kind {
				suppressed, amplified = suppressed+p[0]/float64(len(kind)), amplified+p[1]/float64(len(kind))
				p = p[2:]
			}
			if len(kind) == 0 {
				continue
			}
			c.suppressTo[k], c.amplifyTo[k] = c.suppressTo[k]+suppressed, c.amplifyTo[k]+amplified
			if plain >= negligible {
				c.suppressed[k] = append(c.suppressed[k], suppressed/plain-1)
				c.amplified[k] = append(c.amplified[k], amplified/plain-1)
			}
		}
	}
	for k, kind := range sets {
		for _, set := range kind {
			c.neurons[k] += float64(len(set)) / float64(len(kind))
		}
	}
	return c, nil
}

// clusters gathers the changes of one kind by fact.
func clusters(changed []changes, of func(c changes) []float64) map[int][]float64 {
	all := map[int][]float64{}
	for i, c := range changed {
		if values := of(c); len(values) > 0 {
			all[i] = values
		}
	}
	return all
}

// ofRelations is the authors' average of the changes of one kind, suppressed or
// amplified, which to gives the sum of probabilities after.
func ofRelations(changed []changes, groups map[string][]int, k int, to func(c changes) float64, o stats.Options) stats.Interval {
	var ratios [][]stats.Ratio
	for _, relation := range sortedRelations(groups) {
		var of []stats.Ratio
		for _, i := range groups[relation] {
			if c := changed[i]; len(c.suppressed[k]) > 0 {
				of = append(of, stats.Ratio{Of: to(c) - c.plain, To: c.plain})
			}
		}
		ratios = append(ratios, of)
	}
	return stats.MeanOfRatios(ratios, o)
}

func summarizeSets(changed []changes, groups map[string][]int, o InterveneOptions) []InterventionSet {
	bootstrap := stats.Options{Resamples: o.Resamples, Seed: o.Seed}
	of := func(k int) (suppressed, amplified map[int][]float64) {
		return clusters(changed, func(c changes) []float64 { return c.suppressed[k] }), clusters(changed, func(c changes) []float64 { return c.amplified[k] })
	}
	ownSuppressed, ownAmplified := of(setOwn)
	var sets []InterventionSet
	for k, name := range setNames {
		suppressed, amplified := of(k)
		s := InterventionSet{
			Set: name[0], Label: name[1],
			Neurons:    stats.Bootstrap(clusters(changed, func(c changes) []float64 { return []float64{c.neurons[k]} }), bootstrap),
			Suppressed: stats.Bootstrap(suppressed, bootstrap), Amplified: stats.Bootstrap(amplified, bootstrap),
		}
		if k != setOwn {
			s.SuppressedLess = stats.Difference(ownSuppressed, suppressed, bootstrap)
			s.AmplifiedLess = stats.Difference(ownAmplified, amplified, bootstrap)
		}
		s.OfRelationsSuppressed = ofRelations(changed, groups, k, func(c changes) float64 { return c.suppressTo[k] }, bootstrap)
		s.OfRelationsAmplified = ofRelations(changed, groups, k, func(c changes) float64 { return c.amplifyTo[k] }, bootstrap)
		sets = append(sets, s)
	}
	return sets
}

// relationChange is the mean over one relation's facts, by their indices.
func relationChange(facts []Fact, changed []changes, which []int, o InterveneOptions) RelationIntervention {
	first := facts[which[0]].Bag
	r := RelationIntervention{Relation: first.Relation, Name: first.RelationName, Facts: len(which)}
	var own []changes
	for _, i := range which {
		own = append(own, changed[i])
	}
	bootstrap := stats.Options{Resamples: o.Resamples, Seed: o.Seed}
	for k := range setCount {
		r.Suppressed = append(r.Suppressed, stats.Bootstrap(clusters(own, func(c changes) []float64 { return c.suppressed[k] }), bootstrap))
		r.Amplified = append(r.Amplified, stats.Bootstrap(clusters(own, func(c changes) []float64 { return c.amplified[k] }), bootstrap))
	}
	return r
}
