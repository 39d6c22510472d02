package experiments_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
)

// TestErase holds perplexity and accuracy against probabilities computed one by
// one, and the effect against the controls.
func TestErase(t *testing.T) {
	m := loadMini(t)
	g := gathered(t, m, 4)
	o := experiments.EraseOptions{Neurons: 6, Counts: []int{0, 3, 6, 1000, 2000}, Seed: 1, Resamples: 200}
	r, err := experiments.Erase(t.Context(), m, g.Facts, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Relations) != 2 || r.Relations[0].Relation != "P19" || r.Relations[1].Relation != "P106" {
		t.Fatalf("erased %+v, want the paper's relations", r.Relations)
	}
	for _, e := range r.Relations {
		if e.Facts != 4 || e.Prompts != 16 || e.OtherFacts != 8 || e.OtherPrompts != 32 || len(e.Commonest) != 6 {
			t.Errorf("%s: %d facts, %d prompts, %d and %d of others, neurons %v", e.Relation, e.Facts, e.Prompts, e.OtherFacts, e.OtherPrompts, e.Commonest)
		}
		var neurons []kn.Neuron
		for _, c := range e.Commonest {
			neurons = append(neurons, c.Neuron)
		}
		own := e.Sets[0]
		before, beforeRight := recalled(m, g.Facts, e.Relation)
		after, afterRight := recalled(m.MustWith(kn.Erase(neurons)), g.Facts, e.Relation)
		for i, got := range []experiments.Recall{own.Erased, own.Others} {
			for _, c := range []struct {
				name      string
				got, want float64
			}{
				{"perplexity before", got.Perplexity.Before.Mean, before[i]},
				{"perplexity", got.Perplexity.After.Mean, after[i]},
				{"its change", got.Perplexity.Change.Mean, after[i]/before[i] - 1},
				{"accuracy before", got.AccuracyBefore.Mean, beforeRight[i]},
				{"accuracy", got.Accuracy.Mean, afterRight[i]},
				{"its change", got.AccuracyChange.Mean, afterRight[i] - beforeRight[i]},
			} {
				if math.Abs(c.got-c.want) > 1e-4*max(1, c.want) {
					t.Errorf("%s, part %d: %s is %v, one by one %v", e.Relation, i, c.name, c.got, c.want)
				}
			}
		}
		if own.Erased.Perplexity.Change.Mean <= own.Others.Perplexity.Change.Mean {
			t.Errorf("%s: erasing hurts others as much: %+v", e.Relation, own)
		}
		for _, s := range e.Sets[1:] {
			if s.Neurons != own.Neurons || s.PerplexityMore.Mean <= 0 || s.Set == "other relation" && (s.Of == e.Relation || s.Of == "") {
				t.Errorf("%s: control %+v against %+v", e.Relation, s, own)
			}
		}
		// 0 changes nothing, the options' number is that of the set, and the curve ends where there are no more.
		if none := e.Curve[0]; none.Neurons != 0 || none.Erased.Perplexity.After != none.Erased.Perplexity.Before || none.Others.AccuracyChange.Mean != 0 {
			t.Errorf("%s: erasing nothing gives %+v", e.Relation, none)
		}
		if fmt.Sprint(e.Curve[2]) != fmt.Sprint(own.ErasePoint) || len(e.Curve) != 4 || e.Curve[3].Neurons <= 6 {
			t.Errorf("%s: curve %+v", e.Relation, e.Curve)
		}
	}
	again, err := experiments.Erase(t.Context(), m, g.Facts, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(again) != fmt.Sprint(r) {
		t.Error("the same seed gives another result")
	}
}

// recalled is perplexity and accuracy of a relation and of the others.
func recalled(m *kn.Model, facts []experiments.Fact, relation string) (perplexity, accuracy [2]float64) {
	var n [2]float64
	for _, f := range facts {
		part := 1
		if f.Bag.Relation == relation {
			part = 0
		}
		for _, prompt := range f.Bag.Prompts {
			p := m.MustPredict(prompt, kn.PredictOptions{Answer: f.Bag.Answer})
			perplexity[part] -= math.Log(p.Answer.Probability)
			if p.Answer.Rank == 1 {
				accuracy[part]++
			}
			n[part]++
		}
	}
	for i := range n {
		perplexity[i], accuracy[i] = math.Exp(perplexity[i]/n[i]), accuracy[i]/n[i]
	}
	return perplexity, accuracy
}

func TestBadErase(t *testing.T) {
	m := loadMini(t)
	fact := func(relation string, neurons ...kn.Neuron) experiments.Fact {
		f := experiments.Fact{Neurons: neurons}
		f.Bag.Relation, f.Bag.Answer, f.Bag.Prompts = relation, "Paris", []string{"The capital of France is [MASK]."}
		return f
	}
	n := kn.Neuron{Layer: 1, Index: 1}
	facts := []experiments.Fact{fact("P36", n), fact("P1376", n)}
	for _, c := range []struct {
		facts   []experiments.Fact
		options experiments.EraseOptions
		words   string
	}{
		{nil, experiments.EraseOptions{}, "two relations"},
		{facts[:1], experiments.EraseOptions{}, "two relations"},
		{facts, experiments.EraseOptions{Relations: []string{"P19"}}, "[P36 P1376]"},
		{facts, experiments.EraseOptions{Neurons: -1}, "negative"},
		{[]experiments.Fact{fact("P36"), facts[1]}, experiments.EraseOptions{Relations: []string{"P36"}}, "no fact of the relation P36 has a neuron"},
		{[]experiments.Fact{fact("P36"), facts[1]}, experiments.EraseOptions{Relations: []string{"P1376"}}, "no other relation"},
	} {
		if _, err := experiments.Erase(t.Context(), m, c.facts, c.options, nil); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%+v gives %v, want %q", c.options, err, c.words)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := experiments.Erase(ctx, m, facts, experiments.EraseOptions{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled, it returns %v", err)
	}
	r, err := experiments.Erase(t.Context(), m, facts, experiments.EraseOptions{}, nil)
	if err != nil || len(r.Relations) != 2 || r.Relations[0].Relation != "P36" {
		t.Errorf("without the paper's relations it erases %+v, %v", r, err)
	}
}
