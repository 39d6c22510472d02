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
// TuneShare, refines, and counts pair by pair.
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
			p, _ := TuneShare(coarse, start, minPrompts)
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
	var holders []Holder
	for _, f := range all {
		holders = append(holders, Holder{f.Bag.Relation, f.Bag.Answer, kn.RefineAtLeast(f.Coarse, start, minPrompts)})
	}
	if _, shared := tunedAnew(all, s, stats.Options{Seed: 5, Resamples: resamples}, byGradients); shared != Shared(holders, stats.Options{Seed: 5, Resamples: resamples}) {
		t.Errorf("with p fixed: %+v", shared)
	}
}
