package kn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
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

func TestResultsSurviveJSON(t *testing.T) {
	m, prompt, answer := small(t)
	m = m.MustWith(Scale([]Neuron{{0, 1}}, 1.5))
	neurons := []Neuron{{0, 1}, {1, 2}}
	for _, want := range []any{
		m.MustPredict(prompt, PredictOptions{Answer: answer}),
		m.MustAttribute(prompt, answer),
		m.MustKnowledgeNeurons([]string{prompt}, answer, Dai2022),
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
	if w, _ := m.Activations(prompt); !reflect.DeepEqual(a.Scores, w) {
		t.Error("baseline scores are not the activations")
	}
}

func TestCancelledContextStops(t *testing.T) {
	m, prompt, answer := small(t)
	ctx, cancel := context.WithCancel(context.Background())
	var calls int
	m = m.WithContext(ctx).WithProgress(func(done, total int, what string) {
		if calls++; what == "prompts attributed" && done == 0 {
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
