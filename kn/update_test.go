package kn

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// goldenEditing is what PyTorch predicts before and after edits of weights.
type goldenEditing struct {
	Prompt, Old, New string
	Neurons          []Neuron
	Lambda1, Lambda2 float64
	Before           []float64
	AfterUpdate      []float64 `json:"after_update"`
	AfterErase       []float64 `json:"after_erase"`
}

// TestWeightEditsEqualReference compares whole distributions.
func TestWeightEditsEqualReference(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		m := goldenModel(t, dir)
		var want goldenEditing
		sharedtest.ReadJSON(t, &want, dir, "editing.json")
		update := Update(want.Neurons, want.Old, want.New).WithLambdas(want.Lambda1, want.Lambda2)
		for _, c := range []struct {
			name  string
			edits []Edit
			want  []float64
		}{
			{"before", nil, want.Before},
			{"update", []Edit{update}, want.AfterUpdate},
			{"erase", []Edit{Erase(want.Neurons)}, want.AfterErase},
			{"before again", nil, want.Before},
		} {
			p, err := m.MustWith(c.edits...).Predict(want.Prompt, PredictOptions{Top: len(c.want)})
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range p.Predictions {
				if d := math.Abs(q.Probability - c.want[q.ID]); d > 1e-4*c.want[q.ID] {
					t.Errorf("%s: %s: token %s has probability %v, want %v", dir, c.name, q.Token, q.Probability, c.want[q.ID])
				}
			}
		}
	}
}

// TestWeightEditsReachEverything: what a handle with an edit of weights
// computes in any way is the same model's.
func TestWeightEditsReachEverything(t *testing.T) {
	m, prompt, answer := small(t)
	neurons := []Neuron{{0, 3}, {0, 5}, {1, 5}, {1, 9}}
	plain := m.MustPredict(prompt, PredictOptions{Answer: answer})
	for _, e := range []Edit{Update(neurons, answer, "Rome"), Erase(neurons)} {
		edited := m.MustWith(e)
		p := edited.MustPredict(prompt, PredictOptions{Answer: answer})
		if p.Answer.Probability == plain.Answer.Probability {
			t.Errorf("%s changed nothing", e.Op)
		}
		near := func(what string, got float64) {
			t.Helper()
			if math.Abs(got-p.Answer.Probability) > 1e-6*p.Answer.Probability {
				t.Errorf("%s: %s gives %v, want %v", e.Op, what, got, p.Answer.Probability)
			}
		}
		trials := []Trial{{Query: Query{prompt, answer}}, {Query{prompt, answer}, []Edit{e}}, {Query{prompt, answer}, []Edit{Scale(neurons, 1), e}}}
		together := m.MustProbabilities(trials)
		near("a trial", together[1])
		near("a trial with edits of both kinds", together[2])
		if math.Abs(together[0]-plain.Answer.Probability) > 1e-6*plain.Answer.Probability {
			t.Errorf("%s reaches another trial", e.Op)
		}
		outcomes := m.MustOutcomes(trials)
		near("an outcome", outcomes[1].Answer.Probability)
		if outcomes[1].Answer.Rank != p.Answer.Rank || outcomes[1].Top.ID != p.Predictions[0].ID || outcomes[0].Top.ID != plain.Predictions[0].ID {
			t.Errorf("%s: outcomes %+v, predicted %+v", e.Op, outcomes, p)
		}
		a := edited.MustAttribute(prompt, answer, AttributeOptions{Tolerance: 1e-5})
		near("an attribution", a.Probability)
		for l, err := range a.CompletenessError {
			if math.Abs(err) > 1e-4*a.Probability {
				t.Errorf("%s: completeness error of layer %d is %v", e.Op, l, err)
			}
		}
		if e.Op == OpErase && (a.Scores[1][9] != 0 || a.Scores[0][3] != 0) {
			t.Errorf("erased neurons score %v and %v", a.Scores[1][9], a.Scores[0][3])
		}
		c := edited.MustFactorCurves([]string{prompt}, answer, []Neuron{{0, 1}}, CurveOptions{Factors: []float64{1}, Draws: 1})
		near("a curve", c.Own.Probability[0])
		if reflect.DeepEqual(edited.MustActivations(prompt), m.MustActivations(prompt)) {
			t.Errorf("%s in layer 0 leaves the activations of layer 1 alone", e.Op)
		}
	}
	if again := m.MustPredict(prompt, PredictOptions{Answer: answer}); !reflect.DeepEqual(again, plain) {
		t.Error("the unedited handle predicts differently after edits of weights were used")
	}
}

// TestEraseIsSuppressingEverywhere, by weights instead of activations.
func TestEraseIsSuppressingEverywhere(t *testing.T) {
	m, prompt, answer := small(t)
	neurons := []Neuron{{0, 3}, {1, 5}}
	erased := m.MustWith(Erase(neurons)).MustProbability(prompt, answer)
	if want := m.MustWith(Suppress(neurons).AtAllPositions()).MustProbability(prompt, answer); erased != want {
		t.Errorf("erased %v, suppressed everywhere %v", erased, want)
	}
}

// TestWeightEditsCompose in order: an update goes on what the edits before it left.
func TestWeightEditsCompose(t *testing.T) {
	m, prompt, answer := small(t)
	n := []Neuron{{0, 3}, {1, 5}}
	p := func(edits ...Edit) float64 { return m.MustWith(edits...).MustProbability(prompt, answer) }
	plain, erased := p(), p(Erase(n))
	for _, c := range []struct {
		name string
		got  float64
		want float64
	}{
		{"erasing nothing", p(Erase(nil)), plain},
		{"updating nothing", p(Update(nil, answer, "Rome")), plain},
		{"updating with lambdas of 0", p(Update(n, answer, "Rome").WithLambdas(0, 0)), plain},
		{"erased, then updated", p(Erase(n), Update(n, answer, "Rome")), erased}, // |v| is 0
		{"updated, then erased", p(Update(n, answer, "Rome"), Erase(n)), erased},
		{"erased twice over in two handles", m.MustWith(Erase(n[:1])).MustWith(Erase(n[1:])).MustProbability(prompt, answer), erased},
		{"a neuron named twice", p(Update(append(n, n...), answer, "Rome")), p(Update(n, answer, "Rome"))},
	} {
		if c.got != c.want {
			t.Errorf("%s gives %v, want %v", c.name, c.got, c.want)
		}
	}
	twice := p(Update(n, answer, "Rome"), Update(n, "Rome", "London"))
	if twice == p(Update(n, "Rome", "London"), Update(n, answer, "Rome")) {
		t.Error("the order of updates does not matter although lengths change")
	}
}

func TestBadWeightEdits(t *testing.T) {
	m, _, _ := small(t)
	n := []Neuron{{0, 3}}
	for _, c := range []struct {
		edit  Edit
		words string
	}{
		{Update(n, "", "Rome"), "needs the old answer"},
		{Update(n, "Paris", ""), "needs the new answer"},
		{Update(n, "Paris", "日"), "new answer"},
		{Update(n, "Paris", "Rome").WithLambdas(math.NaN(), 1), "finite"},
		{Update(n, "Paris", "Rome").WithLambdas(1, math.Inf(1)), "finite"},
		{Update([]Neuron{{7, 0}}, "Paris", "Rome"), "no neuron 7:0"},
		{Erase([]Neuron{{0, -1}}), "no neuron 0:-1"},
		{Edit{Op: "forget", Neurons: n}, `unknown edit "forget"`},
	} {
		if _, err := m.With(c.edit); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%+v gives %v, want %q", c.edit, err, c.words)
		}
		if _, err := m.Probabilities([]Trial{{Query{"[MASK]", "Rome"}, []Edit{c.edit}}}); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%+v in a trial gives %v, want %q", c.edit, err, c.words)
		}
	}
}
