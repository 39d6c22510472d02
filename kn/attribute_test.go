package kn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// small returns the project's own reference model with its first prompt.
func small(t testing.TB, options ...Option) (m *Model, prompt, answer string) {
	t.Helper()
	dir := sharedtest.Goldens(t)[0]
	first := goldenAttributions(t, dir)[0]
	return goldenModel(t, dir, options...), first.Prompt, first.Target
}

// layer lists all neurons of a layer.
func layer(l, ffn int) []Neuron {
	var all []Neuron
	for i := range ffn {
		all = append(all, Neuron{l, i})
	}
	return all
}

// TestGradientEqualsFiniteDifferences takes the gradient at the path's middle
// from the one-node Gauss rule and moves every activation by hand.
func TestGradientEqualsFiniteDifferences(t *testing.T) {
	m, prompt, answer := small(t)
	a := m.MustAttribute(prompt, answer, AttributeOptions{Rule: GaussLegendre, Nodes: 1})
	const h = 0.02
	for l, row := range a.Scores {
		ffn := len(row)
		largest := 0.0
		for i := range row {
			largest = max(largest, math.Abs(row[i]/a.Activations[l][i]))
		}
		for i := range row {
			w := a.Activations[l][i]
			at := func(v float64) float64 {
				return m.MustWith(Scale(layer(l, ffn), 0.5), SetTo([]Neuron{{l, i}}, v)).MustProbability(prompt, answer)
			}
			slope := (at(w/2+h) - at(w/2-h)) / (2 * h)
			if d := math.Abs(row[i]/w - slope); d > 0.01*largest {
				t.Errorf("neuron %d:%d: gradient %g, finite difference %g", l, i, row[i]/w, slope)
			}
		}
	}
}

// TestBatchEqualsSingle: who else is in the batch must not matter.
func TestBatchEqualsSingle(t *testing.T) {
	dir := sharedtest.Goldens(t)[0]
	m := goldenModel(t, dir)
	var queries []Query
	for _, c := range goldenAttributions(t, dir) {
		queries = append(queries, Query{c.Prompt, c.Target}, Query{c.Prompt, "Rome"})
	}
	all, err := m.AttributeAll(queries, AttributeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range queries {
		one := m.MustAttribute(q.Prompt, q.Answer)
		if e := scoreError(t, all[i].Scores, one.Scores); e > 1e-5 {
			t.Errorf("%v: differs by %g from the batch", q, e)
		}
		if !reflect.DeepEqual(all[i].Nodes, one.Nodes) {
			t.Errorf("%v: nodes %v alone, %v in the batch", q, one.Nodes, all[i].Nodes)
		}
	}
}

func TestLayerNormEpsilonMatters(t *testing.T) {
	m, prompt, answer := small(t)
	a := m.MustAttribute(prompt, answer)
	b := m.MustAttribute(prompt, answer, AttributeOptions{LayerNormEps: 0.1})
	if e := scoreError(t, a.Scores, b.Scores); e < 1e-3 {
		t.Errorf("epsilon 0.1 changes scores by only %g", e)
	}
	same := m.MustAttribute(prompt, answer, AttributeOptions{LayerNormEps: m.Config().LayerNormEps})
	if e := scoreError(t, a.Scores, same.Scores); e != 0 {
		t.Errorf("the configuration's own epsilon changes scores by %g", e)
	}
}

func TestBaselineScoresAreActivations(t *testing.T) {
	m, prompt, answer := small(t)
	a := m.MustAttribute(prompt, answer, AttributeOptions{Rule: ActivationBaseline})
	if !reflect.DeepEqual(a.Scores, a.Activations) {
		t.Error("baseline scores are not the activations")
	}
	// Another graph computes these, without the backward pass and in other batches:
	// float32 rounds otherwise, by up to 2e-7 of the largest.
	if e := scoreError(t, m.MustActivations(prompt), a.Activations); e > 1e-6 {
		t.Errorf("activations that are read alone differ by %g", e)
	}
}

func TestCancelledContextStops(t *testing.T) {
	m, prompt, answer := small(t)
	ctx, cancel := context.WithCancel(context.Background())
	var calls int
	m = m.WithContext(ctx).WithProgress(func(done, total int, what string) {
		if calls++; what == "layers attributed" && done == 0 {
			cancel()
		}
	})
	if _, err := m.Attribute(prompt, answer); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after %d progress calls", err, calls)
	}
}

// TestSameBytesTwice marshals two independent computations.
func TestSameBytesTwice(t *testing.T) {
	var bytesOf [2][]byte
	for k := range bytesOf {
		m, prompt, answer := small(t)
		data, err := json.Marshal(m.MustAttribute(prompt, answer))
		if err != nil {
			t.Fatal(err)
		}
		bytesOf[k] = data
	}
	if !bytes.Equal(bytesOf[0], bytesOf[1]) {
		t.Error("two runs differ")
	}
}

// TestNeuronsTellWhatDidNotConverge: a tolerance that float32 cannot reach.
func TestNeuronsTellWhatDidNotConverge(t *testing.T) {
	m, prompt, answer := small(t)
	for tolerance, want := range map[float64][]int{1e-12: {0}, 0.5: nil} {
		r := Recipe{Attribute: AttributeOptions{Tolerance: tolerance, Nodes: 17}}
		if got := m.MustKnowledgeNeurons([]string{prompt}, answer, r).NotConverged; !reflect.DeepEqual(got, want) {
			t.Errorf("tolerance %g: prompts %v did not converge, want %v", tolerance, got, want)
		}
	}
}
