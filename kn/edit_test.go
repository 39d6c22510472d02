package kn

import (
	"math"
	"reflect"
	"testing"
)

// TestEditsLeaveTheModelAlone predicts before and after edited handles were used.
func TestEditsLeaveTheModelAlone(t *testing.T) {
	m, prompt, answer := small(t)
	neurons := m.MustAttribute(prompt, answer).Coarse(0.2)
	before := m.MustPredict(prompt, PredictOptions{Answer: answer})
	for _, e := range []Edit{Suppress(neurons), Amplify(neurons), SetTo(neurons, 3).AtAllPositions()} {
		edited := m.MustWith(e).MustPredict(prompt, PredictOptions{Answer: answer})
		if edited.Answer.Probability == before.Answer.Probability {
			t.Errorf("%v changed nothing", e)
		}
	}
	if after := m.MustPredict(prompt, PredictOptions{Answer: answer}); !reflect.DeepEqual(before, after) {
		t.Error("the unmodified model predicts differently after edits were used")
	}
}

// TestScaleByOneChangesNothing compares bits.
func TestScaleByOneChangesNothing(t *testing.T) {
	m, prompt, answer := small(t)
	ffn := m.Config().IntermediateSize
	plain := m.MustProbability(prompt, answer)
	for _, e := range []Edit{Scale(layer(0, ffn), 1), Scale(layer(1, ffn), 1).AtAllPositions(), Suppress(nil)} {
		if p := m.MustWith(e).MustProbability(prompt, answer); p != plain {
			t.Errorf("%v: probability %v instead of %v", e, p, plain)
		}
	}
}

func TestEditsCompose(t *testing.T) {
	m, prompt, answer := small(t)
	n := []Neuron{{0, 3}, {1, 5}}
	twice := m.MustWith(Scale(n, 2)).MustWith(Scale(n, 1.5)).MustProbability(prompt, answer)
	once := m.MustWith(Scale(n, 3)).MustProbability(prompt, answer)
	if twice != once {
		t.Errorf("2 then 1.5 gives %v, 3 gives %v", twice, once)
	}
	set := m.MustWith(SetTo(n, 4), Scale(n, 0.5)).MustProbability(prompt, answer)
	if want := m.MustWith(SetTo(n, 2)).MustProbability(prompt, answer); set != want {
		t.Errorf("4 then halved gives %v, 2 gives %v", set, want)
	}
}

// TestSuppressedLayerGivesProbabilityAtZero ties edits and attribution together.
func TestSuppressedLayerGivesProbabilityAtZero(t *testing.T) {
	m, prompt, answer := small(t)
	a := m.MustAttribute(prompt, answer)
	for l, p := range a.ProbabilityAtZero {
		got := m.MustWith(Suppress(layer(l, m.Config().IntermediateSize))).MustProbability(prompt, answer)
		if math.Abs(got-p) > 1e-6 {
			t.Errorf("layer %d: %v suppressed, %v at zero", l, got, p)
		}
	}
}

// TestAttributionOfEditedModel: the edit is in every number.
func TestAttributionOfEditedModel(t *testing.T) {
	m, prompt, answer := small(t)
	neurons := []Neuron{{0, 1}, {1, 2}}
	edited := m.MustWith(Suppress(neurons))
	a := edited.MustAttribute(prompt, answer)
	if p := edited.MustProbability(prompt, answer); math.Abs(p-a.Probability) > 1e-7 {
		t.Errorf("probability %v, predicted %v", a.Probability, p)
	}
	for _, n := range neurons {
		if a.Scores[n.Layer][n.Index] != 0 || a.Activations[n.Layer][n.Index] != 0 {
			t.Errorf("suppressed neuron %v has a score", n)
		}
	}
	for l, e := range a.CompletenessError {
		if math.Abs(e) > 1e-3*a.Probability {
			t.Errorf("layer %d: completeness error %g", l, e)
		}
	}
	// Layer 1's path starts below the edit in layer 1 but above that in layer 0.
	zero := m.MustWith(Suppress(neurons), Suppress(layer(0, m.Config().IntermediateSize)))
	if p := zero.MustProbability(prompt, answer); math.Abs(p-a.ProbabilityAtZero[0]) > 1e-6 {
		t.Errorf("probability at zero %v, by edits %v", a.ProbabilityAtZero[0], p)
	}
}
