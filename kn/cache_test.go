package kn

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestResultsSurviveJSON(t *testing.T) {
	m, prompt, answer := small(t)
	m = m.MustWith(Scale([]Neuron{{0, 1}}, 1.5), Update([]Neuron{{1, 3}}, answer, "Rome"))
	neurons := []Neuron{{0, 1}, {1, 2}}
	for _, want := range []any{
		m.MustPredict(prompt, PredictOptions{Answer: answer}),
		m.MustAttribute(prompt, answer),
		m.MustKnowledgeNeurons([]string{prompt, prompt, prompt}, answer, Dai2022),
		m.MustFactorCurves([]string{prompt}, answer, neurons),
		m.MustActivationScatter([]Query{{prompt, answer}}, neurons),
	} {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got := reflect.New(reflect.TypeOf(want).Elem()).Interface()
		if err := json.Unmarshal(data, got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%T changes in JSON:\n%+v\n%+v", want, got, want)
		}
	}
}

// TestSecondTimeComesFromTheCache runs everything twice; the second model's
// weights are never read.
func TestSecondTimeComesFromTheCache(t *testing.T) {
	dir := t.TempDir()
	run := func(m *Model, prompt, answer string) []any {
		n := m.MustKnowledgeNeurons([]string{prompt}, answer)
		return []any{
			m.MustPredict(prompt), n,
			m.MustFactorCurves([]string{prompt}, answer, n.Refined),
			m.MustActivationScatter([]Query{{prompt, answer}}, n.Refined),
		}
	}
	first, prompt, answer := small(t, WithCache(dir))
	want := run(first, prompt, answer)
	second, _, _ := small(t, WithCache(dir))
	if got := run(second, prompt, answer); !reflect.DeepEqual(got, want) {
		t.Error("the cache returns another result")
	}
	if second.shared.engine != nil {
		t.Error("weights were read although everything is in the cache")
	}
	// Whatever changes a number must not hit.
	for _, o := range []AttributeOptions{{Rule: Trapezoid}, {Tolerance: 0.5}, {Nodes: 33}, {LayerNormEps: 1e-5}} {
		key, _ := second.key("attribute", Query{prompt, answer}, o.filled())
		if second.cache.Get(key, new(Attribution)) {
			t.Errorf("%+v finds the result of other options", o)
		}
	}
	n := []Neuron{{0, 1}}
	for _, e := range []Edit{Erase(n), Suppress(n), Update(n, answer, "Rome"), Update(n, answer, "London"), Update(n, answer, "Rome").WithLambdas(1, 7)} {
		edited := second.MustWith(e)
		key, err := edited.key("predict", []any{Query{prompt, ""}, 10})
		if err != nil || second.cache.Get(key, new(Prediction)) {
			t.Errorf("%+v finds the result of other edits, %v", e, err)
		}
		edited.MustPredict(prompt)
		if !second.cache.Get(key, new(Prediction)) {
			t.Errorf("the prediction under %+v is not kept", e)
		}
	}
}
