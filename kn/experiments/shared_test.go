package experiments

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// holders makes n facts of two relations and three answers, each with neuron
// 0 at chance p and up to two others.
func holders(n int, p float64, seed uint64) []holder {
	rng := rand.New(rand.NewPCG(seed, 0))
	all := make([]holder, n)
	for i := range all {
		all[i].Relation, all[i].Answer = fmt.Sprint("P", rng.IntN(2)), fmt.Sprint("answer ", rng.IntN(3))
		if rng.Float64() < p {
			all[i].Neurons = append(all[i].Neurons, kn.Neuron{})
		}
		for range rng.IntN(3) {
			all[i].Neurons = append(all[i].Neurons, kn.Neuron{Layer: 1, Index: rng.IntN(9)})
		}
		all[i].Neurons = kn.SortNeurons(all[i].Neurons)
	}
	return all
}

// TestSharedEqualsEveryPair compares the sums over neurons with a walk over
// all pairs, of the sample and of every resample.
func TestSharedEqualsEveryPair(t *testing.T) {
	sample := holders(30, 0.4, 1)
	means := func(drawn []holder, of []int) (m [4]float64) {
		var sum, pairs [4]float64
		for a, i := range of {
			for b, j := range of[:a] {
				if i == j {
					continue
				}
				x, y := drawn[a], drawn[b]
				common := 0.0
				for _, n := range x.Neurons {
					if slices.Contains(y.Neurons, n) {
						common++
					}
				}
				kind := 1
				if x.Relation == y.Relation {
					kind = 0
				}
				sum[kind], pairs[kind] = sum[kind]+common, pairs[kind]+1
				if x.Answer != y.Answer {
					sum[kind+2], pairs[kind+2] = sum[kind+2]+common, pairs[kind+2]+1
				}
			}
		}
		for k := range m {
			m[k] = sum[k] / pairs[k]
		}
		return m
	}
	rng := rand.New(rand.NewPCG(3, 0x9a15)) // as sharedBy draws
	const resamples = 50
	var values [4][]float64
	for range resamples {
		var drawn []holder
		var of []int
		for range sample {
			i := rng.IntN(len(sample))
			drawn, of = append(drawn, sample[i]), append(of, i)
		}
		for k, m := range means(drawn, of) {
			values[k] = append(values[k], m)
		}
	}
	whole := make([]int, len(sample))
	for i := range whole {
		whole[i] = i
	}
	want := means(sample, whole)
	n := sharedBy(sample, stats.Options{Resamples: resamples, Seed: 3})
	for k, got := range []stats.Interval{n.Within, n.Across, n.WithinOther, n.AcrossOther} {
		slices.Sort(values[k])
		low, high := stats.Quantile(values[k], 0.025), stats.Quantile(values[k], 0.975)
		if math.Abs(got.Mean-want[k]) > 1e-12 || math.Abs(got.Low-low) > 1e-12 || math.Abs(got.High-high) > 1e-12 {
			t.Errorf("kind %d: %+v, want %v [%v, %v]", k, got, want[k], low, high)
		}
	}
}

// TestSharedIntervalsCover: over many samples the interval holds the true
// mean p² about as often as it says. Resampling one fact of the pairs only
// would make it half as wide, and hold it in two thirds of them.
func TestSharedIntervalsCover(t *testing.T) {
	const samples, p = 200, 0.5
	covered := 0
	for seed := range uint64(samples) {
		all := holders(40, p, seed)
		for i := range all {
			if n := all[i].Neurons; len(n) > 0 && n[0] == (kn.Neuron{}) {
				all[i].Neurons = n[:1]
			} else {
				all[i].Neurons = nil
			}
		}
		n := sharedBy(all, stats.Options{Resamples: 200, Seed: 1})
		if n.Across.Low > n.Across.Mean || n.Across.High < n.Across.Mean {
			t.Fatalf("interval %+v", n.Across)
		}
		if n.Across.Low <= p*p && p*p <= n.Across.High {
			covered++
		}
	}
	if covered < samples*86/100 {
		t.Errorf("95 %% intervals cover the truth in %d of %d samples", covered, samples)
	}
}

func TestSharedOfThree(t *testing.T) {
	a, b := kn.Neuron{Layer: 11, Index: 7}, kn.Neuron{Layer: 11, Index: 8}
	n := sharedBy([]holder{
		{Relation: "P36", Answer: "Paris", Neurons: []kn.Neuron{a, b}},
		{Relation: "P36", Answer: "Rome", Neurons: []kn.Neuron{a, b}},
		{Relation: "P19", Answer: "Rome", Neurons: []kn.Neuron{b}},
	}, stats.Options{Seed: 1})
	if n.Within.Mean != 2 || n.Across.Mean != 1 || n.AcrossOther.Mean != 1 {
		t.Errorf("%+v", n)
	}
}

func BenchmarkShared(b *testing.B) {
	all := holders(20_000, 0.1, 1)
	for b.Loop() {
		sharedBy(all, stats.Options{Resamples: 10})
	}
}
