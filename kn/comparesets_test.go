package kn_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
)

// capitals are two other facts that mini knows.
var capitals = []facts.Bag{
	{Relation: "P36", Subject: "Poland", Answer: "Warsaw", Prompts: []string{"The seat of government of Poland is [MASK].", "The capital of Poland is [MASK]."}},
	{Relation: "P36", Subject: "Italy", Answer: "Rome", Prompts: []string{"The seat of government of Italy is [MASK].", "The capital of Italy is [MASK].", "Italy has its capital at [MASK]."}},
}

// TestCompareSets compares with each model's own sets and scores.
func TestCompareSets(t *testing.T) {
	a := kn.MustLoad(mini.Name, kn.WithCache(t.TempDir()))
	own := a.MustKnowledgeNeurons(seats, "Paris")
	b := a.MustWith(kn.Scale(own.Refined[:1], 0.3))
	other := b.MustKnowledgeNeurons(seats, "Paris")
	c, err := kn.CompareSets(a, b, seats, "Paris", kn.CompareOptions{Others: capitals})
	if err != nil {
		t.Fatal(err)
	}
	mean := func(m *kn.Model, answer string, n kn.Neuron) float64 {
		sum := 0.0
		for _, prompt := range seats {
			at := m.MustAttribute(prompt, answer)
			top := at.Top(1)[0]
			sum += at.Scores[n.Layer][n.Index] / at.Scores[top.Layer][top.Index]
		}
		return sum / float64(len(seats))
	}
	shared := 0
	for _, n := range c.Neurons {
		if n.InA != slices.Contains(own.Refined, n.Neuron) || n.InB != slices.Contains(other.Refined, n.Neuron) || !n.InA && !n.InB {
			t.Errorf("%v is said to be in A: %v, in B: %v", n.Neuron, n.InA, n.InB)
		}
		if a, b := mean(a, "Paris", n.Neuron), mean(b, "Paris", n.Neuron); math.Abs(n.ScoreA-a) > 1e-12 || math.Abs(n.ScoreB-b) > 1e-12 {
			t.Errorf("%v scores %v and %v, want %v and %v", n.Neuron, n.ScoreA, n.ScoreB, a, b)
		}
		if n.InA && n.InB {
			shared++
		}
	}
	if c.A.Neurons != len(own.Refined) || c.B.Neurons != len(other.Refined) || c.Shared() != shared || len(c.Neurons) != len(own.Refined)+len(other.Refined)-shared {
		t.Errorf("sets of %d and %d neurons, %d shared: %v", c.A.Neurons, c.B.Neurons, c.Shared(), c.Neurons)
	}
	if shared == 0 || shared == len(c.Neurons) {
		t.Errorf("%d of %d neurons are shared: this tests little", shared, len(c.Neurons))
	}
	var layers kn.LayerOverlap
	for _, l := range c.ByLayer() {
		layers.Shared, layers.OnlyA, layers.OnlyB = layers.Shared+l.Shared, layers.OnlyA+l.OnlyA, layers.OnlyB+l.OnlyB
	}
	if (layers != kn.LayerOverlap{Shared: shared, OnlyA: c.A.Neurons - shared, OnlyB: c.B.Neurons - shared}) {
		t.Errorf("the layers have %+v", layers)
	}
	for i, o := range c.Others {
		set := b.MustKnowledgeNeurons(capitals[i].Prompts, capitals[i].Answer).Refined
		common := 0
		for _, n := range set {
			if slices.Contains(own.Refined, n) {
				common++
			}
		}
		if o.Neurons != len(set) || o.Shared != common || len(set) == 0 {
			t.Errorf("%v: %d neurons, %d shared, want %d and %d", o.Fact, o.Neurons, o.Shared, len(set), common)
		}
	}
	if len(c.A.Provenance.Options) == 0 || c.A.Provenance.Options["edits"] != nil || c.B.Provenance.Options["edits"] == nil {
		t.Errorf("provenance %v and %v", c.A.Provenance, c.B.Provenance)
	}
}

// TestCompareSetsOfOneModel: a model agrees with itself, and that is no chance.
func TestCompareSetsOfOneModel(t *testing.T) {
	m := kn.MustLoad(mini.Name, kn.WithCache(t.TempDir()))
	c := kn.MustCompareSets(m, m, seats, "Paris")
	if c.Jaccard() != 1 || c.Chance.AtLeast > 1e-6 || c.Chance.Expected > 0.2 || c.A.Name == c.B.Name {
		t.Errorf("Jaccard index %v, by chance %+v, names %q and %q", c.Jaccard(), c.Chance, c.A.Name, c.B.Name)
	}
	for _, n := range c.Neurons {
		if n.ScoreA != n.ScoreB {
			t.Errorf("%v scores %v and %v in one model", n.Neuron, n.ScoreA, n.ScoreB)
		}
	}
}

func TestCompareSetsOfBadInput(t *testing.T) {
	small, large := kn.MustLoad(tiny, kn.WithCache("off")), kn.MustLoad(mini.Name, kn.WithCache("off"))
	for _, c := range []struct {
		a, b    *kn.Model
		prompts []string
		options kn.CompareOptions
		names   string
	}{
		{small, large, seats, kn.CompareOptions{}, "2 layers of 32 neurons"},
		{small, nil, seats, kn.CompareOptions{}, "nil"},
		{small, small, nil, kn.CompareOptions{}, "no prompts"},
		{small, small, seats, kn.CompareOptions{Others: []facts.Bag{{Relation: "P36", Answer: "Rome"}}}, "P36"},
		{small, small, seats, kn.CompareOptions{AnswerB: "日"}, "model B"},
	} {
		if _, err := kn.CompareSets(c.a, c.b, c.prompts, "Paris", c.options); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%+v: %v, want an error that names %q", c.options, err, c.names)
		}
	}
}

// A fact's neurons before and after an update, which makes Rome the answer.
func ExampleCompareSets() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	neurons := model.MustKnowledgeNeurons(seats, "Paris").Refined
	updated := model.MustWith(kn.Update(neurons, "Paris", "Rome"))
	c, err := kn.CompareSets(model, updated, seats, "Paris", kn.CompareOptions{AnswerB: "Rome", Others: capitals})
	if err != nil {
		panic(err)
	}
	fmt.Println(c)
	// Output:
	// Neurons of Paris and Rome in mini (4) and in mini, edited (2): 0 shared, Jaccard index 0.00
	//   neuron      in  score in A  score in B
	//   3:754   A only      30.4 %     -32.4 %
	//   3:559   B only      -5.4 %      40.2 %
	//   3:224   B only    -205.6 %     100.0 %
	//   3:130   A only     100.0 %     -25.9 %
	//   3:113   A only      73.6 %     -65.0 %
	//   1:320   A only      26.7 %      -9.3 %
	// layer 3: 0 shared, 3 in A only, 2 in B only
	// layer 1: 0 shared, 1 in A only, 0 in B only
	// scores: mean over prompts, in % of the prompt's largest
	// by chance: 0.0078 shared, 0 or more with probability 1.000 (random neurons of the same layers)
	// with the sets of 2 other facts in B: 1.000 shared of 6.000 on average
}
