package experiments_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
)

// TestUpdate holds the rates against handles edited one by one, and the effect
// against the control.
func TestUpdate(t *testing.T) {
	m := loadMini(t)
	g := gathered(t, m, 4)
	o := experiments.UpdateOptions{
		PerRelation: 3, MostShare: 0.5, Probes: 2, CurveFacts: 4, Seed: 1, Resamples: 200,
		Lambdas1: []float64{0, 1}, Lambdas2: []float64{0, 8}, Counts: []int{1, 99},
	}
	r, err := experiments.Update(t.Context(), m, g.Facts, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	var changed, success, prompts, reciprocal, old float64
	type samples struct{ changed, known float64 } // expected, of one relation
	drawn := map[string]samples{}
	for _, u := range r.Each {
		i := slices.IndexFunc(g.Facts, func(f experiments.Fact) bool { return f.Bag.Relation == u.Relation && f.Bag.Subject == u.Subject })
		edited, n := m.MustWith(kn.Update(u.Neurons, u.Old, u.New)), 0
		for _, prompt := range g.Facts[i].Bag.Prompts {
			before := m.MustPredict(prompt, kn.PredictOptions{Answer: u.Old})
			if before.Answer.Rank != 1 {
				continue
			}
			n++
			after := edited.MustPredict(prompt, kn.PredictOptions{Answer: u.New})
			prompts++
			reciprocal += 1 / float64(after.Answer.Rank)
			old += edited.MustProbability(prompt, u.Old) - before.Answer.Probability
			chance := 1 / float64(len(g.Facts[i].Bag.Prompts)) // of the prompt, if the fact is drawn
			of := drawn[u.Relation]
			of.known += chance
			if after.Predictions[0].ID != before.Answer.ID {
				changed++
				of.changed += chance
			}
			drawn[u.Relation] = of
			if after.Answer.Rank == 1 {
				success++
			}
		}
		if n != u.Prompts || u.Old == u.New || len(u.Neurons) == 0 {
			t.Errorf("%+v: %d prompts are known", u, n)
		}
	}
	sampled := 0.0
	for _, of := range drawn {
		sampled += of.changed / of.known / float64(len(drawn))
	}
	own, control := r.Sets[0], r.Sets[1]
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"change rate", own.Changed.Mean, changed / prompts},
		{"success rate", own.Success.Mean, success / prompts},
		{"change rate as the authors sample", own.Sampled.Changed.Mean, sampled},
		{"reciprocal rank", own.ReciprocalRank.Mean, reciprocal / prompts},
		{"change of the old answer's probability", own.OldProbability.Mean, old / prompts},
		{"prompts", float64(r.Prompts), prompts},
		{"facts", float64(r.Facts), float64(len(r.Each))},
		{"the control's size", control.Neurons.Mean, own.Neurons.Mean},
		{"the difference from the control", control.ChangedLess.Mean, own.Changed.Mean - control.Changed.Mean},
		{"perplexity before, whatever the neurons", control.Within.Before.Mean, own.Within.Before.Mean},
	} {
		if math.Abs(c.got-c.want) > 1e-5 {
			t.Errorf("%s: %v, one by one %v", c.name, c.got, c.want)
		}
	}
	if control.ChangedLess.Low <= 0 || own.Success.Mean == 0 {
		t.Errorf("updating the embedded model's neurons does no more than random ones: %+v, %+v", own, control)
	}
	nothing, all := r.Lambdas[0], r.Counts[1]
	if nothing.Changed.Mean != 0 || nothing.Within.Change.Mean != 0 || nothing.Rank != nothing.RankBefore {
		t.Errorf("lambdas of 0 change %+v", nothing)
	}
	if fmt.Sprint(all.UpdateEffect) != fmt.Sprint(r.Lambdas[3].UpdateEffect) {
		t.Errorf("99 neurons are not all of them: %+v, %+v", all, r.Lambdas[3])
	}
	if r.CurveFacts != min(4, r.Facts) || len(r.Lambdas) != 4 || r.Relations != len(r.ByRelation) || r.Facts == 0 {
		t.Errorf("%d facts, %d relations, curves of %d facts and %d points", r.Facts, r.Relations, r.CurveFacts, len(r.Lambdas))
	}
	again, err := experiments.Update(t.Context(), m, g.Facts, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(again) != fmt.Sprint(r) {
		t.Error("the same seed gives another result")
	}
}

func TestBadUpdate(t *testing.T) {
	m := loadMini(t)
	if _, err := experiments.Update(t.Context(), m, nil, experiments.UpdateOptions{}, nil); err == nil {
		t.Error("no facts were updated")
	}
	f := experiments.Fact{Neurons: []kn.Neuron{{Layer: 1, Index: 1}}, Strength: []float64{1}}
	f.Bag.Relation, f.Bag.Answer, f.Bag.Prompts = "P36", "Paris", []string{"The capital of France is [MASK]."}
	if _, err := experiments.Update(t.Context(), m, []experiments.Fact{f}, experiments.UpdateOptions{}, nil); err == nil {
		t.Error("a fact without another answer to give it was updated")
	}
	if _, err := experiments.Update(t.Context(), m, []experiments.Fact{f}, experiments.UpdateOptions{Probes: -1}, nil); err == nil {
		t.Error("-1 probes were drawn")
	}
	other := f
	other.Neurons = []kn.Neuron{{Layer: 1, Index: 2}}
	other.Bag.Subject, other.Bag.Answer = "Italy", "Rome"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := experiments.Update(ctx, m, []experiments.Fact{f, other}, experiments.UpdateOptions{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled, it returns %v", err)
	}
}
