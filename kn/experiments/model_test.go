package experiments_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// loadMini is the embedded model without a cache.
func loadMini(t testing.TB) *kn.Model {
	t.Helper()
	m, err := kn.Load(mini.Name, kn.WithCache("off"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What gather returned, by n, and what it attributed, by prompt.
var (
	gatheredOnce   = map[int]*experiments.Gathered{}
	attributedOnce = map[string]*kn.Attribution{}
)

// gathered attributes the first n facts of each of some relations.
func gathered(t testing.TB, m *kn.Model, n int) *experiments.Gathered {
	t.Helper()
	g, err := gather(m, n)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func gather(m *kn.Model, n int) (*experiments.Gathered, error) {
	if g := gatheredOnce[n]; g != nil {
		return g, nil
	}
	taught, err := m.Facts()
	if err != nil {
		return nil, err
	}
	left := map[string]int{"P36": n, "P19": n, "P106": n}
	var all []sweep.Record
	for bag, err := range facts.Bags(taught) {
		if err != nil {
			return nil, err
		}
		if left[bag.Relation] == 0 {
			continue
		}
		left[bag.Relation]--
		bag.Prompts = bag.Prompts[:4]
		for i, prompt := range bag.Prompts {
			a := attributedOnce[prompt]
			if a == nil {
				if a, err = m.Attribute(prompt, bag.Answer, kn.AttributeOptions{Tolerance: 0.01}); err != nil {
					return nil, err
				}
				attributedOnce[prompt] = a
			}
			all = append(all, sweep.Record{
				Fact: bag.Key(), Index: i, Prompts: 4, Relation: bag.Relation, RelationName: bag.RelationName, Subject: bag.Subject,
				Answer: bag.Answer, Prompt: prompt, Probability: a.Probability,
				Gradients: scores(a.Scores), Activations: scores(a.Activations),
			})
		}
	}
	g, err := experiments.Gather(stream(all), experiments.GatherOptions{})
	gatheredOnce[n] = g
	return g, err
}

// scores keeps the large ones.
func scores(rows [][]float64) (s sweep.Scores) {
	for _, row := range rows {
		s.Largest = max(s.Largest, slices.Max(row))
	}
	for l, row := range rows {
		for i, v := range row {
			if v >= 0.1*s.Largest {
				s.Neurons, s.Values = append(s.Neurons, kn.Neuron{Layer: l, Index: i}), append(s.Values, v)
			}
		}
	}
	return s
}

// TestIntervene holds the means against probabilities computed one by one, and
// the effect against the controls.
func TestIntervene(t *testing.T) {
	m := loadMini(t)
	g := gathered(t, m, 3)
	o := experiments.InterveneOptions{Seed: 1, Resamples: 200}
	r, err := experiments.Intervene(t.Context(), m, g.Facts, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	sum, n := 0.0, 0
	after, before := map[string]float64{}, map[string]float64{} // by relation
	for _, f := range g.Facts {
		without := m.MustWith(kn.Suppress(f.Neurons))
		for _, prompt := range f.Bag.Prompts {
			plain, suppressed := m.MustProbability(prompt, f.Bag.Answer), without.MustProbability(prompt, f.Bag.Answer)
			sum += suppressed/plain - 1
			after[f.Bag.Relation] += suppressed
			before[f.Bag.Relation] += plain
			n++
		}
	}
	own, ofRelations := r.Sets[0], 0.0
	for relation := range after {
		ofRelations += (after[relation]/before[relation] - 1) / float64(len(after))
	}
	if math.Abs(own.Suppressed.Mean-sum/float64(n)) > 1e-5 || math.Abs(own.OfRelationsSuppressed.Mean-ofRelations) > 1e-5 {
		t.Errorf("suppressing gives %+v, one by one %v and %v", own, sum/float64(n), ofRelations)
	}
	if r.Facts != 9 || r.Prompts != 36 || len(r.ByRelation) != 3 || len(r.Sets) != 5 {
		t.Errorf("%d facts, %d prompts, %d relations, %d sets", r.Facts, r.Prompts, len(r.ByRelation), len(r.Sets))
	}
	if own.Suppressed.High > -0.3 || own.Amplified.Low < 0 {
		t.Errorf("the embedded model's neurons do not hold its facts: %+v", own)
	}
	for _, s := range r.Sets[1:] {
		if s.SuppressedLess.High >= 0 {
			t.Errorf("suppressing the own neurons hurts no more than %s: %+v", s.Label, s.SuppressedLess)
		}
	}
	again, err := experiments.Intervene(t.Context(), m, g.Facts, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(again) != fmt.Sprint(r) {
		t.Error("the same seed gives another result")
	}
}

func TestNeurons(t *testing.T) {
	m := loadMini(t)
	g := gathered(t, m, 3)
	table, err := experiments.Neurons(m, g, stats.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	total, share := 0, 0.0
	for _, f := range g.Facts {
		total += len(f.Neurons)
	}
	for l, s := range table.Gradients.PerLayer {
		if v := table.Gradients.PerLayerIntervals[l]; math.Abs(v.Mean-s) > 1e-12 || v.Low > s || v.High < s {
			t.Errorf("layer %d has %v of the neurons, the interval is %+v", l, s, v)
		}
		share += s
	}
	if math.Abs(table.Gradients.PerFact.Mean-float64(total)/9) > 1e-12 || math.Abs(share-1) > 1e-12 {
		t.Errorf("%v neurons a fact, layers' shares sum to %v", table.Gradients.PerFact.Mean, share)
	}
	by := table.Gradients.PerLayer
	if top := table.Gradients.Top; len(by) != 4 || math.Abs(top.Mean-by[2]-by[3]) > 1e-12 || top.Low > top.Mean || top.High < top.Mean {
		t.Errorf("the layers have %v of the neurons, the topmost third, rounded up to two, %v", by, top)
	}
	if table.Facts != 9 || table.Prompts != 36 || table.Relations != 3 || table.ByRelation[0].Relation != "P19" {
		t.Errorf("%+v", table)
	}
	if table.Gradients.Shared.Within.Mean <= table.Gradients.Shared.Across.Mean {
		t.Errorf("facts of one relation share %v neurons, others %v", table.Gradients.Shared.Within, table.Gradients.Shared.Across)
	}
}

// TestConvergence: more nodes are closer to the reference, and the adaptive
// rule is as close as it promises.
func TestConvergence(t *testing.T) {
	m := loadMini(t)
	g := gathered(t, m, 1)
	c, err := experiments.Convergence(t.Context(), m, g.Facts, experiments.ConvergenceOptions{
		Nodes: []int{4, 64}, Tolerances: []float64{0.01}, Reference: 1e-4, Seed: 1,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Prompts != 3 || len(c.Rules) != 5 {
		t.Fatalf("%d prompts, %d rules", c.Prompts, len(c.Rules))
	}
	for _, r := range c.Rules[:4] {
		if few, many := r.Points[0], r.Points[1]; few.Nodes != 4 || many.Nodes != 64 || many.Median >= few.Median {
			t.Errorf("%s: %+v", r.Rule, r.Points)
		}
	}
	if a := c.Rules[4].Points[0]; a.High > 0.01 || a.Same.Mean < 0.9 {
		t.Errorf("the adaptive rule: %+v", a)
	}
}

func TestDiffRecipes(t *testing.T) {
	m := loadMini(t)
	g := gathered(t, m, 1)
	d, err := experiments.DiffRecipes(t.Context(), m, g.Facts, experiments.DiffOptions{Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := g.Facts[0]
	want := 0
	for _, f := range g.Facts {
		found, err := m.KnowledgeNeurons(f.Bag.Prompts, f.Bag.Answer, kn.EleutherAI2021)
		if err != nil {
			t.Fatal(err)
		}
		want += len(found.Refined)
	}
	if d.Facts != 3 || math.Abs(d.Recipes[1].PerFact.Mean-float64(want)/3) > 1e-12 {
		t.Errorf("EleutherAI's recipe finds %v neurons a fact, one by one %v; first fact %v", d.Recipes[1].PerFact.Mean, float64(want)/3, f.Bag)
	}
	for i := range d.Overlap {
		if d.Overlap[i][i].Mean != 1 || d.Overlap[i][0] != d.Overlap[0][i] {
			t.Errorf("overlaps %+v", d.Overlap)
		}
	}
}
