package experiments

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// EraseOptions are the options of [Erase]. The zero value is the authors'
// choice on a sample of the facts, with controls and a curve beside it.
type EraseOptions struct {
	// Relations to erase, one at a time. Empty stands for the paper's, P19,
	// P27, P106 and P937, as far as there are facts of them, or else the four
	// with most facts.
	Relations []string `json:"relations"`
	// Neurons is how many are erased, the relation's commonest. 0 stands for 20.
	Neurons int `json:"neurons"`
	// Counts are the numbers of neurons along the curve. Empty stands for 1,
	// 2, 5, 10, 20 and 50.
	Counts []int `json:"counts"`
	// Facts and Others are how many facts are measured, of the erased relation
	// and of all others together. 0 stands for 100 and 200.
	Facts  int `json:"facts"`
	Others int `json:"others"`
	// Draws is the number of random control sets. 0 stands for 2.
	Draws int `json:"draws"`
	// Seed of everything that is drawn.
	Seed uint64 `json:"seed"`
	// Resamples of the bootstrap. 0 stands for 2000.
	Resamples int `json:"resamples"`
}

// paperRelations are those that the authors erase: place of birth, country of
// citizenship, occupation, work location.
var paperRelations = []string{"P19", "P27", "P106", "P937"}

func (o EraseOptions) filled(groups map[string][]Fact) (EraseOptions, error) {
	o.Neurons, o.Facts, o.Others, o.Draws = cmp.Or(o.Neurons, 20), cmp.Or(o.Facts, 100), cmp.Or(o.Others, 200), cmp.Or(o.Draws, 2)
	if len(o.Counts) == 0 {
		o.Counts = []int{1, 2, 5, 10, 20, 50}
	}
	if o.Neurons < 0 || o.Facts < 0 || o.Others < 0 || o.Draws < 0 || slices.Min(o.Counts) < 0 {
		return o, fmt.Errorf("experiments: numbers of neurons, of facts and of draws must not be negative: %+v", o)
	}
	for _, r := range o.Relations {
		if len(groups[r]) == 0 {
			return o, fmt.Errorf("experiments: there are no facts of the relation %s to erase; there are %v", r, sortedRelations(groups))
		}
	}
	if len(o.Relations) == 0 {
		some := maps.Clone(groups) // without relations in which there is nothing to erase
		maps.DeleteFunc(some, func(_ string, facts []Fact) bool { return len(Commonest(facts)) == 0 })
		if len(some) < 2 {
			return o, NothingLeft(fmt.Sprintf("erasing a relation is measured against others: of %d relations %d have neurons to erase", len(groups), len(some)))
		}
		o.Relations = relationsToErase(some)
	}
	return o, nil
}

// relationsToErase are the paper's, or else the most numerous.
func relationsToErase(groups map[string][]Fact) (relations []string) {
	for _, r := range paperRelations {
		if len(groups[r]) > 0 {
			relations = append(relations, r)
		}
	}
	if len(relations) > 0 {
		return relations
	}
	relations = sortedRelations(groups)
	slices.SortStableFunc(relations, func(a, b string) int { return cmp.Compare(len(groups[b]), len(groups[a])) })
	return relations[:min(len(paperRelations), len(relations))]
}

// Erase erases relations, one at a time: it sets the value vectors of a
// relation's commonest neurons to 0. It measures perplexity and accuracy of the
// relation's facts and of others', before and after.
//
// The controls are as many of the commonest neurons of another relation, drawn
// at random, and random neurons, as many in each layer.
//
// The authors' code measures all facts; here it is a sample, drawn by Seed.
func Erase(ctx context.Context, m *kn.Model, of []Fact, o EraseOptions, progress kn.Progress) (*EraseTable, error) {
	groups := byRelation(of)
	if len(groups) < 2 {
		return nil, NothingLeft(fmt.Sprintf("erasing a relation is measured against others: give facts of at least two relations, not %d", len(groups)))
	}
	o, err := o.filled(groups)
	if err != nil {
		return nil, err
	}
	t := &EraseTable{Neurons: o.Neurons}
	var cases []*erasure
	var parts []func(m *kn.Model) error
	for _, r := range o.Relations {
		c, err := newErasure(r, of, groups, m.Config().IntermediateSize, o)
		if err != nil {
			return nil, err
		}
		cases = append(cases, c)
		for i := range c.sets {
			parts = append(parts, func(m *kn.Model) (err error) {
				c.answers[i], err = c.answered(m, c.sets[i])
				return err
			})
		}
	}
	err = sideBySide(ctx, len(parts), "sets of neurons erased", progress, func(ctx context.Context, i int) error {
		return parts[i](silent(ctx, m))
	})
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		t.Relations = append(t.Relations, c.summarize(o))
	}
	t.Provenance, err = m.Provenance(o, o.Seed)
	return t, err
}

// summarize is the relation's part of the table.
func (c *erasure) summarize(o EraseOptions) ErasedRelation {
	bootstrap := stats.Options{Resamples: o.Resamples, Seed: o.Seed}
	before, own, other, random := c.answers[0], c.answers[1], c.answers[2], mean(c.answers[c.firstRandom:])
	r := ErasedRelation{
		Relation: c.relation, Name: c.facts[0].Bag.RelationName,
		Facts: c.own, OtherFacts: len(c.facts) - c.own, Commonest: c.commonest,
		Prompts: before.prompts(0, c.own), OtherPrompts: before.prompts(c.own, len(c.facts)),
	}
	point := func(neurons int, after answers) ErasePoint {
		return ErasePoint{Neurons: neurons, Erased: recall(before[:c.own], after[:c.own], bootstrap), Others: recall(before[c.own:], after[c.own:], bootstrap)}
	}
	against := func(s EraseSet, after answers) EraseSet {
		s.PerplexityMore = perplexity(after[:c.own].surprisals(), own[:c.own].surprisals(), bootstrap).Change
		s.AccuracyLess = stats.Difference(own[:c.own].right(), after[:c.own].right(), bootstrap)
		return s
	}
	r.Sets = []EraseSet{
		{Set: "own", Label: "the relation's commonest neurons", ErasePoint: point(len(c.sets[1]), own)},
		against(EraseSet{
			Set: "other relation", Label: "the commonest neurons of " + c.of, Of: c.of, Shared: c.shared,
			ErasePoint: point(len(c.sets[2]), other),
		}, other),
		against(EraseSet{Set: "random", Label: "random neurons of the same layers", ErasePoint: point(len(c.sets[c.firstRandom]), random)}, random),
	}
	for i := 3; i < c.firstRandom; i++ {
		r.Curve = append(r.Curve, point(len(c.sets[i]), c.answers[i]))
	}
	return r
}

// recall compares what is known of facts.
func recall(before, after answers, o stats.Options) Recall {
	return Recall{
		Perplexity:     perplexity(before.surprisals(), after.surprisals(), o),
		AccuracyBefore: stats.Bootstrap(before.right(), o),
		Accuracy:       stats.Bootstrap(after.right(), o),
		AccuracyChange: stats.Difference(after.right(), before.right(), o),
	}
}
