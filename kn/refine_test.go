package kn_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// TestMargin: a neuron is chosen if, and only if, its margin is positive, and
// scores that change by the margin change the choice.
func TestMargin(t *testing.T) {
	const layers, width, prompts = 2, 5, 7
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var all []*kn.Attribution
		for range prompts {
			a := &kn.Attribution{}
			for range layers {
				var row []float64
				for range width {
					row = append(row, rng.NormFloat64())
				}
				a.Scores = append(a.Scores, row)
			}
			all = append(all, a)
		}
		r := kn.Recipe{Threshold: 0.1 + 0.5*rng.Float64(), Share: rng.Float64(), MinPrompts: rng.IntN(4), Strict: rng.IntN(2) == 0}
		_, chosen := r.Choose(all)
		n := kn.Neuron{Layer: rng.IntN(layers), Index: rng.IntN(width)}
		margin := r.Margin(all, n)
		if slices.Contains(chosen, n) != (margin > 0) {
			t.Fatalf("%v of %v has the margin %v by %+v", n, chosen, margin, r)
		}
		if margin <= -1 {
			continue // no positive scores suffice
		}
		factor := 1.0001 / (1 + margin)
		if margin > 0 {
			factor = 0.9999 / (1 + margin)
		}
		largest := false // of a prompt, before or after: then the threshold moves along
		for _, a := range all {
			largest = largest || a.Scores[n.Layer][n.Index] == slices.Max(slices.Concat(a.Scores...))
			a.Scores[n.Layer][n.Index] *= factor
			largest = largest || a.Scores[n.Layer][n.Index] == slices.Max(slices.Concat(a.Scores...))
		}
		if _, now := r.Choose(all); !largest && slices.Contains(now, n) != (margin < 0) {
			t.Fatalf("%v with the margin %v is chosen as before though its scores changed by more", n, margin)
		}
	}
	none := []*kn.Attribution{{Scores: [][]float64{{-1, 0}}}}
	if got := (kn.Recipe{}).Margin(none, kn.Neuron{}); got != -1 {
		t.Errorf("without a positive score the margin is %v", got)
	}
}
