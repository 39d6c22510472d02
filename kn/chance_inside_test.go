package kn

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestChanceOverlap compares the exact distribution with sets that are drawn.
func TestChanceOverlap(t *testing.T) {
	const layers, ffn, draws = 3, 20, 20_000
	sizesA, sizesB := [layers]int{8, 1, 15}, [layers]int{10, 0, 13} // 15 + 13 > 20: at least 8 are shared
	set := func(sizes [layers]int, rng *rand.Rand) (neurons []Neuron) {
		for l, n := range sizes {
			for _, i := range rng.Perm(ffn)[:n] {
				neurons = append(neurons, Neuron{l, i})
			}
		}
		return neurons
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var seen [25]float64 // how often so many are shared
	sum := 0.0
	for range draws {
		a, b := set(sizesA, rng), SortNeurons(set(sizesB, rng))
		shared := 0
		for _, n := range a {
			if contains(b, n) {
				shared++
			}
		}
		seen[shared]++
		sum += float64(shared)
	}
	a, b := set(sizesA, rng), set(sizesB, rng)
	tail := float64(draws)
	for shared, n := range seen {
		c := chanceOverlap(a, b, layers, ffn, shared)
		if p, q := tail/draws, c.AtLeast; math.Abs(q-p) > 4*math.Sqrt(q*(1-q)/draws)+1e-9 {
			t.Errorf("%d or more are shared with probability %v; drawn: %v", shared, c.AtLeast, p)
		}
		if math.Abs(c.Expected-sum/draws) > 0.05 {
			t.Errorf("%v are expected; drawn: %v", c.Expected, sum/draws)
		}
		tail -= n
	}
	if c := chanceOverlap(nil, b, layers, ffn, 0); c.Expected != 0 || c.AtLeast != 1 {
		t.Errorf("an empty set: %+v", c)
	}
}
