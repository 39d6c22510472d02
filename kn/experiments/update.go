package experiments

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// UpdateOptions are the options of [Update]. The zero value is the authors'
// choice, with curves beside it.
type UpdateOptions struct {
	// PerRelation is the number of facts updated of each relation. 0 stands for 10.
	PerRelation int `json:"per_relation"`
	// MostShare leaves out those of a fact's neurons that more than this share of
	// its relation's facts have. 0 stands for 0.1.
	MostShare float64 `json:"most_share"`
	// MostNeurons is the largest number of neurons changed, the fact's strongest.
	// 0 stands for all.
	MostNeurons int `json:"most_neurons,omitempty"`
	// Lambda1 and Lambda2 are the strengths of [kn.Update]. 0 stands for 1 and 8.
	Lambda1 float64 `json:"lambda1"`
	Lambda2 float64 `json:"lambda2"`
	// Probes is the number of facts whose perplexity is measured: as many of
	// the same relation, and as many of others. 0 stands for 5.
	Probes int `json:"probes"`
	// CurveFacts is the number of facts that the curves are over, drawn among
	// those updated. 0 stands for 40, below 0 for no curves.
	CurveFacts int `json:"curve_facts"`
	// Lambdas1, Lambdas2 and Counts are the points of the curves. Empty stands for
	// 0, 1, 2, 4; for 1, 2, 4, 8, 16; and for 1 to 5.
	Lambdas1 []float64 `json:"lambdas1"`
	Lambdas2 []float64 `json:"lambdas2"`
	Counts   []int     `json:"counts"`
	// Seed of everything that is drawn.
	Seed uint64 `json:"seed"`
	// Resamples of the bootstrap. 0 stands for 2000.
	Resamples int `json:"resamples"`
}

func (o UpdateOptions) filled() (UpdateOptions, error) {
	o.PerRelation, o.MostShare, o.Probes, o.CurveFacts = cmp.Or(o.PerRelation, 10), cmp.Or(o.MostShare, 0.1), cmp.Or(o.Probes, 5), cmp.Or(o.CurveFacts, 40)
	o.Lambda1, o.Lambda2 = cmp.Or(o.Lambda1, kn.DefaultLambda1), cmp.Or(o.Lambda2, kn.DefaultLambda2)
	if len(o.Lambdas1) == 0 {
		o.Lambdas1 = []float64{0, 1, 2, 4}
	}
	if len(o.Lambdas2) == 0 {
		o.Lambdas2 = []float64{1, 2, 4, 8, 16}
	}
	if len(o.Counts) == 0 {
		o.Counts = []int{1, 2, 3, 4, 5}
	}
	if o.PerRelation < 0 || o.MostNeurons < 0 || o.Probes < 0 || o.MostShare < 0 || slices.Min(o.Counts) < 1 {
		return o, fmt.Errorf("experiments: numbers of facts, of neurons and of probes, and shares, must not be negative, nor a point of the curve below 1: %+v", o)
	}
	return o, nil
}

// Update gives facts new answers, by [kn.Update] on the neurons that are a
// fact's own, and measures what becomes of the fact, of other facts of its
// relation, and of those of other relations. Each fact is updated alone.
//
// The new answer is another fact's of the same relation. Only prompts count that
// the unmodified model answers rightly, and only facts that have such prompts and
// some neurons left. The control changes as many random neurons of the same
// layers in the same way.
//
// Differences from the authors' code: it asks one prompt of each fact, here
// all are asked, and [UpdateSet.Sampled] is what theirs would find on average;
// its random neurons are of any layer; and it counts the fact
// itself twice when it looks how many facts of the relation have a neuron.
func Update(ctx context.Context, m *kn.Model, of []Fact, o UpdateOptions, progress kn.Progress) (*UpdateTable, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	if len(of) == 0 {
		return nil, errNoFacts
	}
	t := &UpdateTable{Lambda1: o.Lambda1, Lambda2: o.Lambda2}
	cases, err := t.choose(ctx, m, of, o, progress)
	if err != nil {
		return nil, err
	}
	if len(cases) == 0 {
		return nil, NothingLeft(fmt.Sprintf("no fact can be updated: of %d no neuron is left, and of %d the model knows no answer; give more facts, or let a neuron be in a larger share of a relation's facts", t.WithoutNeurons, t.Unknown))
	}
	err = sideBySide(ctx, len(cases), "facts updated", progress, func(ctx context.Context, i int) error {
		return cases[i].measure(silent(ctx, m), o)
	})
	if err != nil {
		return nil, err
	}
	t.summarize(cases, o)
	if err := t.curves(ctx, m, cases, o, progress); err != nil {
		return nil, err
	}
	t.Provenance, err = m.Provenance(o, o.Seed)
	return t, err
}

// summarize fills in the table's main part.
func (t *UpdateTable) summarize(cases []*updateCase, o UpdateOptions) {
	bootstrap := stats.Options{Resamples: o.Resamples, Seed: o.Seed}
	var before, own, control []updated
	ofOwn, ofControl := func(c *updateCase) updated { return c.own }, func(c *updateCase) updated { return c.control }
	groups := map[string][]*updateCase{}
	for _, c := range cases {
		before, own, control = append(before, c.before), append(own, c.own), append(control, c.control)
		groups[c.fact.Bag.Relation] = append(groups[c.fact.Bag.Relation], c)
		t.Each = append(t.Each, c.updatedFact(o))
	}
	t.Sets = []UpdateSet{
		{Set: "own", Label: "knowledge neurons", UpdateEffect: effect(before, own, bootstrap), Sampled: sampled(groups, ofOwn, bootstrap)},
		{
			Set: "random", Label: "random neurons of the same layers", UpdateEffect: effect(before, control, bootstrap), Sampled: sampled(groups, ofControl, bootstrap),
			ChangedLess: stats.Difference(byFact(own, changedOf), byFact(control, changedOf), bootstrap),
			SuccessLess: stats.Difference(byFact(own, successOf), byFact(control, successOf), bootstrap),
		},
	}
	for _, r := range sortedRelations(groups) {
		var of []updated
		for _, c := range groups[r] {
			of = append(of, c.own)
		}
		t.ByRelation = append(t.ByRelation, RelationUpdate{
			Relation: r, Name: groups[r][0].fact.Bag.RelationName, Facts: len(of),
			Changed: stats.Bootstrap(byFact(of, changedOf), bootstrap), Success: stats.Bootstrap(byFact(of, successOf), bootstrap),
		})
	}
}

// curves measures some of the facts under other strengths, and with fewer neurons.
func (t *UpdateTable) curves(ctx context.Context, m *kn.Model, cases []*updateCase, o UpdateOptions, progress kn.Progress) error {
	if o.CurveFacts < 0 {
		return nil
	}
	some := someOf(len(cases), o.CurveFacts, newRandom(o.Seed), func(int) bool { return true })
	slices.Sort(some)
	t.CurveFacts = len(some)
	for _, l1 := range o.Lambdas1 {
		for _, l2 := range o.Lambdas2 {
			t.Lambdas = append(t.Lambdas, UpdatePoint{Lambda1: l1, Lambda2: l2, MostNeurons: o.MostNeurons})
		}
	}
	for _, n := range o.Counts {
		t.Counts = append(t.Counts, UpdatePoint{Lambda1: o.Lambda1, Lambda2: o.Lambda2, MostNeurons: n})
	}
	points := slices.Concat(t.Lambdas, t.Counts)
	measured := make([][]updated, len(points)) // [points][facts]
	for i := range measured {
		measured[i] = make([]updated, len(some))
	}
	err := sideBySide(ctx, len(some), "facts updated along the curves", progress, func(ctx context.Context, k int) (err error) {
		c := cases[some[k]]
		for i, p := range points {
			if measured[i][k], err = c.under(silent(ctx, m), c.neurons(p.MostNeurons), p.Lambda1, p.Lambda2); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	before := make([]updated, len(some))
	for k, i := range some {
		before[k] = cases[i].before
	}
	for i, all := range measured {
		e := effect(before, all, stats.Options{Resamples: o.Resamples, Seed: o.Seed})
		if i < len(t.Lambdas) {
			t.Lambdas[i].UpdateEffect = e
		} else {
			t.Counts[i-len(t.Lambdas)].UpdateEffect = e
		}
	}
	return nil
}
