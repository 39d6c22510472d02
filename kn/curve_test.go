package kn

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestCurvesAtOneEqualTheModel(t *testing.T) {
	m, prompt, answer := small(t)
	neurons := m.MustAttribute(prompt, answer).Coarse(0.2)
	c := m.MustFactorCurves([]string{prompt}, answer, neurons, CurveOptions{Factors: []float64{0, 1, 2}, Seed: 4})
	for _, curve := range []Curve{c.Own, c.Matched, c.Random} {
		if p := curve.Probability[1]; math.Abs(p-c.Probability) > 1e-7 {
			t.Errorf("%s: %v at factor 1, the model says %v", curve.Label, p, c.Probability)
		}
	}
	again := m.MustFactorCurves([]string{prompt}, answer, neurons, CurveOptions{Factors: []float64{0, 1, 2}, Seed: 4})
	if !reflect.DeepEqual(c, again) {
		t.Error("the same seed gives another result")
	}
}

// TestControlsMatchTheSetLayerByLayer for random sets.
func TestControlsMatchTheSetLayerByLayer(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const layers, ffn = 3, 20
	activations := make([][]float64, layers)
	for l := range activations {
		for range ffn {
			activations[l] = append(activations[l], rng.NormFloat64())
		}
	}
	count := func(set []Neuron) (n [layers]int) {
		for _, x := range set {
			n[x.Layer]++
		}
		return n
	}
	for range 200 {
		var set []Neuron
		for range rng.IntN(10) {
			set = append(set, Neuron{rng.IntN(layers), rng.IntN(ffn)})
		}
		set = SortNeurons(set)
		for _, control := range [][]Neuron{RandomControl(set, ffn, rng), MatchedControl(set, activations)} {
			if count(control) != count(set) {
				t.Fatalf("control %v of set %v", control, set)
			}
			for _, n := range control {
				for _, own := range set {
					if n == own {
						t.Fatalf("control %v shares %v with its set", control, n)
					}
				}
			}
		}
	}
}

func TestMatchedControlIsNearest(t *testing.T) {
	got := MatchedControl([]Neuron{{0, 0}, {0, 3}}, [][]float64{{1, 0.9, 5, 4.9, 1.05}})
	if want := []Neuron{{0, 2}, {0, 4}}; !reflect.DeepEqual(got, want) {
		t.Errorf("matched %v, want %v", got, want)
	}
}
