package experiments

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// TestTunedAnewEqualsTuningEachResample draws the same facts, tunes p for them by
// tuneShare, refines, and counts pair by pair.
func TestTunedAnewEqualsTuningEachResample(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	all := make([]Fact, 24)
	for i := range all {
		all[i].Bag = facts.Bag{Relation: fmt.Sprint("P", i%3), Answer: fmt.Sprint(rng.IntN(4)), Prompts: make([]string, 8)}
		for range 8 {
			var coarse []kn.Neuron
			for n := range 12 {
				if rng.Float64() < 0.5+0.2*float64(i%3) {
					coarse = append(coarse, kn.Neuron{Index: n})
				}
			}
			all[i].Coarse = append(all[i].Coarse, coarse)
		}
	}
	const start, minPrompts, resamples = 0.7, 3, 60
	// tuned returns the mean number of neurons, and those shared within and across relations.
	levels := map[float64]int{}
	tuned := func(of []int) [3]float64 {
		refined := make([][]kn.Neuron, len(of))
		for _, r := range []string{"P0", "P1", "P2"} {
			var coarse [][][]kn.Neuron
			for _, i := range of {
				if all[i].Bag.Relation == r {
					coarse = append(coarse, all[i].Coarse)
				}
			}
			p, _ := tuneShare(coarse, start, minPrompts)
			levels[math.Round(100*p)/100]++
			for k, i := range of {
				if all[i].Bag.Relation == r {
					refined[k] = kn.RefineAtLeast(all[i].Coarse, p, minPrompts)
				}
			}
		}
		var sum, pairs [2]float64
		total := 0.0
		for a, i := range of {
			total += float64(len(refined[a]))
			for b, j := range of[:a] {
				if i == j {
					continue
				}
				kind := oneIf(all[i].Bag.Relation != all[j].Bag.Relation)
				pairs[int(kind)]++
				for _, n := range refined[a] {
					sum[int(kind)] += oneIf(slices.Contains(refined[b], n))
				}
			}
		}
		return [3]float64{total / float64(len(of)), sum[0] / pairs[0], sum[1] / pairs[1]}
	}
	drawing := rand.New(rand.NewPCG(5, 0x9a15)) // as resampled draws
	var values [3][]float64
	for range resamples {
		var of []int
		for range all {
			of = append(of, drawing.IntN(len(all)))
		}
		for k, v := range tuned(of) {
			values[k] = append(values[k], v)
		}
	}
	if len(levels) < 4 {
		t.Fatalf("p does not depend on the facts: %v", levels)
	}
	whole := make([]int, len(all))
	for i := range whole {
		whole[i] = i
	}
	s := Selection{Start: start, MinPrompts: minPrompts}
	perFact, shared := tunedAnew(all, s, stats.Options{Seed: 5, Resamples: resamples}, byGradients)
	for k, got := range []stats.Interval{perFact, shared.Within, shared.Across} {
		slices.Sort(values[k])
		want := stats.Interval{Mean: tuned(whole)[k], Low: stats.Quantile(values[k], 0.025), High: stats.Quantile(values[k], 0.975)}
		for _, d := range []float64{got.Mean - want.Mean, got.Low - want.Low, got.High - want.High} {
			if math.Abs(d) > 1e-12 {
				t.Errorf("statistic %d: %+v, want %+v", k, got, want)
				break
			}
		}
	}
	// Where p is fixed the intervals are those of the refined sets.
	s.Fixed = true
	var holders []holder
	for _, f := range all {
		holders = append(holders, holder{f.Bag.Relation, f.Bag.Answer, kn.RefineAtLeast(f.Coarse, start, minPrompts)})
	}
	if _, shared := tunedAnew(all, s, stats.Options{Seed: 5, Resamples: resamples}, byGradients); shared != sharedBy(holders, stats.Options{Seed: 5, Resamples: resamples}) {
		t.Errorf("with p fixed: %+v", shared)
	}
}

// TestTuneShare follows the authors' rule on sets whose refined sizes at each
// share are known: n neurons in each of 20 prompts' shares.
func TestTuneShare(t *testing.T) {
	// sized makes a fact of 20 prompts in which neuron i is in counts[i] of them.
	sized := func(counts ...int) [][]kn.Neuron {
		sets := make([][]kn.Neuron, 20)
		for i, n := range counts {
			for j := range n {
				sets[j] = append(sets[j], kn.Neuron{Index: i})
			}
		}
		return sets
	}
	for _, c := range []struct {
		counts []int
		share  float64
		moves  int
	}{
		{[]int{20, 20, 20}, 0.7, 0},                  // three neurons: nothing to do
		{[]int{14, 14, 14, 14, 14, 20, 20}, 0.75, 1}, // seven at 0.7, two at 0.75
		{[]int{14, 14, 15, 15, 16, 20, 20}, 0.75, 1}, // five at 0.75 are enough
		{[]int{12, 20, 4}, 0.6, 2},                   // one at 0.7, two at 0.6
		{[]int{20, 20, 20, 20, 20, 20}, 0.95, 5},     // six in every prompt: looks six times
		{[]int{1, 1, 1}, 0.45, 5},                    // none: the same
	} {
		share, moves := tuneShare([][][]kn.Neuron{sized(c.counts...)}, 0.7, 3)
		if diff := share - c.share; diff > 1e-9 || diff < -1e-9 || moves != c.moves {
			t.Errorf("%v: share %v after %d moves, want %v after %d", c.counts, share, moves, c.share, c.moves)
		}
	}
}
