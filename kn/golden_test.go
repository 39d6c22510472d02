package kn

import (
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// goldenModel loads the reference checkpoint in a folder, without a cache.
func goldenModel(t testing.TB, dir string, options ...Option) *Model {
	t.Helper()
	m, err := Load(filepath.Join(dir, "model"), append([]Option{WithCache("off")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type goldenAttribution struct {
	Prompt, Target    string
	LeftRiemann       [][]float64 `json:"left_riemann_20"`
	Linspace          [][]float64 `json:"linspace_inclusive_20"`
	Trapezoid         [][]float64 `json:"trapezoid_20"`
	GaussLegendre     [][]float64 `json:"gauss_legendre_8"`
	Exact             [][]float64 `json:"gauss_legendre_64"`
	ProbabilityAtZero []float64   `json:"probability_at_zero"`
	Probability       float64
}

func goldenAttributions(t testing.TB, dir string) []goldenAttribution {
	var want struct{ Cases []goldenAttribution }
	sharedtest.ReadJSON(t, &want, dir, "attribution.json")
	return want.Cases
}

// scoreError is the largest difference as a share of the largest wanted score.
func scoreError(t *testing.T, got, want [][]float64) float64 {
	t.Helper()
	worst := 0.0
	for l := range want {
		if len(got[l]) != len(want[l]) {
			t.Fatalf("layer %d has %d scores, want %d", l, len(got[l]), len(want[l]))
		}
		for i := range want[l] {
			worst = max(worst, math.Abs(got[l][i]-want[l][i]))
		}
	}
	return worst / largestScore(want)
}

func largestScore(scores [][]float64) (largest float64) {
	for _, row := range scores {
		for _, s := range row {
			largest = max(largest, math.Abs(s))
		}
	}
	return largest
}

// exact is how far float32 may lie from float64, in shares of the largest score:
// half of what 8 Gauss nodes differ from 64 by.
const exact = 5e-5

// TestAttributionEqualsReference compares every rule with PyTorch's float64
// values, all prompts in one batch.
func TestAttributionEqualsReference(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		m, want := goldenModel(t, dir), goldenAttributions(t, dir)
		var queries []Query
		for _, c := range want {
			queries = append(queries, Query{c.Prompt, c.Target})
		}
		for _, rule := range []struct {
			options AttributeOptions
			want    func(goldenAttribution) [][]float64
			bound   float64 // of the error, as a share of the largest score
		}{
			{AttributeOptions{Rule: LeftRiemann, Nodes: 20}, func(c goldenAttribution) [][]float64 { return c.LeftRiemann }, exact},
			{AttributeOptions{Rule: LinspaceInclusive, Nodes: 20}, func(c goldenAttribution) [][]float64 { return c.Linspace }, exact},
			{AttributeOptions{Rule: Trapezoid, Nodes: 20}, func(c goldenAttribution) [][]float64 { return c.Trapezoid }, exact},
			{AttributeOptions{Rule: GaussLegendre, Nodes: 8}, func(c goldenAttribution) [][]float64 { return c.GaussLegendre }, exact},
			{AttributeOptions{Rule: GaussLegendre, Nodes: 64}, func(c goldenAttribution) [][]float64 { return c.Exact }, exact},
			{AttributeOptions{}, func(c goldenAttribution) [][]float64 { return c.Exact }, 1e-3}, // its tolerance,
		} {
			all, err := m.AttributeAll(queries, rule.options)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range want {
				name := fmt.Sprintf("%s: %s", all[i].Rule, c.Prompt)
				if e := scoreError(t, all[i].Scores, rule.want(c)); e > rule.bound {
					t.Errorf("%s: scores are off by %.2g of the largest", name, e)
				}
				checkProbabilities(t, name, all[i], c)
			}
		}
	}
}

func checkProbabilities(t *testing.T, name string, got *Attribution, want goldenAttribution) {
	t.Helper()
	if d := math.Abs(got.Probability - want.Probability); d > 1e-4*want.Probability {
		t.Errorf("%s: probability %v, want %v", name, got.Probability, want.Probability)
	}
	for l, p := range want.ProbabilityAtZero {
		if d := math.Abs(got.ProbabilityAtZero[l] - p); d > 1e-4*p {
			t.Errorf("%s: probability at zero of layer %d is %v, want %v", name, l, got.ProbabilityAtZero[l], p)
		}
		sum := 0.0
		for _, s := range got.Scores[l] {
			sum += s
		}
		if d := math.Abs(sum - (got.Probability - got.ProbabilityAtZero[l]) - got.CompletenessError[l]); d > 1e-12 {
			t.Errorf("%s: completeness error of layer %d is off by %g", name, l, d)
		}
	}
}

// TestAdaptiveEstimateBoundsTrueError checks against the 64-node reference
// that the tolerance holds, and that each layer's reported estimate is neither
// much below its true error nor above what was asked for.
func TestAdaptiveEstimateBoundsTrueError(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		m := goldenModel(t, dir)
		for _, c := range goldenAttributions(t, dir) {
			for _, tolerance := range []float64{1e-1, 1e-2, 1e-3} {
				a, err := m.Attribute(c.Prompt, c.Target, AttributeOptions{Tolerance: tolerance})
				if err != nil {
					t.Fatal(err)
				}
				if len(a.NotConverged) > 0 {
					t.Errorf("%s: layers %v did not converge to %g", c.Prompt, a.NotConverged, tolerance)
				}
				// 1e-5 is float32's own error.
				if e := scoreError(t, a.Scores, c.Exact); e > tolerance+1e-5 {
					t.Errorf("%s: error %.2g at tolerance %g", c.Prompt, e, tolerance)
				}
				if len(a.EstimatedError) != len(a.Scores) {
					t.Fatalf("%s: %d estimates for %d layers", c.Prompt, len(a.EstimatedError), len(a.Scores))
				}
				largest := largestScore(c.Exact)
				for l, row := range a.Scores {
					e := 0.0
					for i, s := range row {
						e = max(e, math.Abs(s-c.Exact[l][i]))
					}
					// An estimate is no bound: with four layers of 96 neurons the sum of
					// scores says less of the worst than in larger models.
					if e > 1.1*a.EstimatedError[l]+1e-5*largest {
						t.Errorf("%s: layer %d is off by %.2g at tolerance %g and estimates %.2g", c.Prompt, l, e, tolerance, a.EstimatedError[l])
					}
					if a.EstimatedError[l] > 1.01*tolerance*largest { // the rule knows the largest score only as it computes it
						t.Errorf("%s: layer %d estimates %.2g of the largest score at tolerance %g", c.Prompt, l, a.EstimatedError[l]/largest, tolerance)
					}
				}
			}
		}
	}
}

type goldenNeurons struct {
	Threshold float64 `json:"coarse_threshold"`
	Coarse    [][]Neuron
	Refined   map[string][]Neuron
	Scaling   []struct {
		Prompt, Target string
		Neurons        []Neuron
		Factors        []float64
		Probability    []float64 `json:"target_probability"`
		Suppressed     []float64 `json:"all_probabilities_suppressed"`
		Doubled        []float64 `json:"all_probabilities_doubled"`
	}
}

func TestNeuronSetsEqualReference(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		m := goldenModel(t, dir)
		var want goldenNeurons
		sharedtest.ReadJSON(t, &want, dir, "neurons.json")
		var coarse [][]Neuron
		for i, c := range goldenAttributions(t, dir) {
			a, err := m.Attribute(c.Prompt, c.Target, AttributeOptions{Tolerance: 1e-5})
			if err != nil {
				t.Fatal(err)
			}
			coarse = append(coarse, a.Coarse(want.Threshold))
			if !reflect.DeepEqual(coarse[i], want.Coarse[i]) {
				t.Errorf("%s: coarse set %v, want %v", c.Prompt, coarse[i], want.Coarse[i])
			}
		}
		for key, set := range want.Refined {
			var share float64
			if _, err := fmt.Sscan(key, &share); err != nil {
				t.Fatal(err)
			}
			if got := Refine(coarse, share); !reflect.DeepEqual(got, set) {
				t.Errorf("share %s: refined %v, want %v", key, got, set)
			}
		}
	}
}

func TestScalingEqualsReference(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		m := goldenModel(t, dir)
		var want goldenNeurons
		sharedtest.ReadJSON(t, &want, dir, "neurons.json")
		for _, c := range want.Scaling {
			curves, err := m.FactorCurves([]string{c.Prompt}, c.Target, c.Neurons, CurveOptions{Factors: c.Factors})
			if err != nil {
				t.Fatal(err)
			}
			for k, p := range c.Probability {
				if d := math.Abs(curves.Own.Probability[k] - p); d > 1e-4*p {
					t.Errorf("%s: factor %v: probability %v, want %v", c.Prompt, c.Factors[k], curves.Own.Probability[k], p)
				}
			}
			for _, whole := range []struct {
				edit Edit
				want []float64
			}{{Suppress(c.Neurons), c.Suppressed}, {Amplify(c.Neurons), c.Doubled}} {
				p, err := m.MustWith(whole.edit).Predict(c.Prompt, PredictOptions{Top: len(whole.want)})
				if err != nil {
					t.Fatal(err)
				}
				for _, q := range p.Predictions {
					if d := math.Abs(q.Probability - whole.want[q.ID]); d > 1e-4*whole.want[q.ID] {
						t.Errorf("%s: %v: token %s has probability %v, want %v", c.Prompt, whole.edit.Value, q.Token, q.Probability, whole.want[q.ID])
					}
				}
			}
		}
	}
}

// TestRefineCountsExactly: shares are compared without rounding, and a recipe
// may ask for a number of prompts.
func TestRefineCountsExactly(t *testing.T) {
	n := Neuron{1, 2}
	for total := 1; total <= 100; total++ {
		for count := 1; count <= total; count++ {
			coarse := make([][]Neuron, total)
			for i := range count {
				coarse[i] = []Neuron{n}
			}
			if got := Refine(coarse, float64(count)/float64(total)); len(got) != 1 {
				t.Fatalf("%d of %d prompts are not enough for their own share", count, total)
			}
			if got := refine(coarse, 0, 3, false); (len(got) == 1) != (count >= 3) {
				t.Fatalf("with at least 3 prompts, %d give %v", count, got)
			}
		}
	}
	if kept := Refine([][]Neuron{{n}, {n}, {n}, {}, {}}, 0.55); len(kept) != 1 {
		t.Error("3 of 5 prompts are not enough for a share of 0.55")
	}
}
