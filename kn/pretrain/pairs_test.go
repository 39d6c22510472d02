package pretrain

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// drawnFacts makes n facts of two relations, each with neuron 0 at chance p
// and a neuron of its own.
func drawnFacts(n int, p float64, seed uint64) []studied {
	rng := rand.New(rand.NewPCG(seed, 0))
	all := make([]studied, n)
	for i := range all {
		all[i].fact.Fact = facts.Fact{Relation: []string{"P1", "P2"}[i%2]}
		if rng.Float64() < p {
			all[i].neurons = append(all[i].neurons, kn.Neuron{Layer: 0, Index: 0})
		}
		all[i].neurons = append(all[i].neurons, kn.Neuron{Layer: 1, Index: i})
	}
	return all
}

// TestSharedIntervalsCover: over many samples the interval holds the true
// mean p² about as often as it says. Resampling one fact of the pairs only
// would make it half as wide, and hold it in two thirds of them.
func TestSharedIntervalsCover(t *testing.T) {
	const samples, p = 200, 0.5
	covered := 0
	for seed := range uint64(samples) {
		in, cross := shared(drawnFacts(40, p, seed), EvaluateOptions{Resamples: 200, Seed: 1})
		if in.Low > in.Mean || in.High < in.Mean || math.Abs(in.Mean-cross.Mean) > 0.3 {
			t.Fatalf("intervals %+v and %+v", in, cross)
		}
		if cross.Low <= p*p && p*p <= cross.High {
			covered++
		}
	}
	if covered < samples*86/100 {
		t.Errorf("95 %% intervals cover the truth in %d of %d samples", covered, samples)
	}
}

func TestSharedCountsPairs(t *testing.T) {
	a := kn.Neuron{Layer: 0, Index: 1}
	b := kn.Neuron{Layer: 0, Index: 2}
	all := []studied{{neurons: []kn.Neuron{a, b}}, {neurons: []kn.Neuron{a, b}}, {neurons: []kn.Neuron{b}}, {}}
	for i, r := range []string{"P1", "P1", "P2", "P2"} {
		all[i].fact.Fact = facts.Fact{Relation: r}
	}
	in, cross := shared(all, EvaluateOptions{Resamples: 10, Seed: 1})
	if in.Mean != 1 || cross.Mean != 0.5 { // (2 + 0)/2, (1 + 0 + 1 + 0)/4
		t.Errorf("within %v, across %v", in.Mean, cross.Mean)
	}
}

func TestFiringIsTheShareAboveZero(t *testing.T) {
	if got := firing([][]float64{{0, 1, -1, 2}, {0, 0, 0, 3}}); got != 3./8 {
		t.Errorf("share %v", got)
	}
}
