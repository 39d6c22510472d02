package experiments

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// fabricated is an attribution of three layers, the second of which has the
// error and the estimate.
func fabricated(err, estimate float64, notConverged bool) AttributionExactness {
	return layerwise{
		errors: []float64{err / 10, err, err / 2}, estimates: []float64{err, estimate, err},
		nodes: []int{3, 6, 9}, referenceNodes: []int{9, 9, 9}, notConverged: notConverged,
	}.exactness(1e-5)
}

// TestVerdict judges measurements that were made up.
func TestVerdict(t *testing.T) {
	const tolerance = 1e-3
	exact, twice, thrice := fabricated(9e-4, 9.5e-4, false), fabricated(2e-3, 9e-4, false), fabricated(3*tolerance, 1e-4, false)
	admitted := fabricated(0.5, 0.2, true)
	modest := fabricated(1e-5, 2e-3, true) // says that it did not converge, and is within the tolerance
	for _, c := range []struct {
		name    string
		others  []AttributionExactness // than exact
		prompts int
		want    Promise
	}{
		{"all within", nil, 300, PromiseKept},
		{"one prompt", nil, 1, PromiseKept},
		{"at the tolerance", []AttributionExactness{fabricated(tolerance, tolerance, false)}, 1, PromiseKept},
		{"one of 300 by twice as much", []AttributionExactness{twice}, 300, PromiseKept},
		{"one of 200", []AttributionExactness{twice}, 200, PromiseKept},
		{"one of 199", []AttributionExactness{twice}, 199, PromiseBroken},
		{"two of 300", []AttributionExactness{twice, twice}, 300, PromiseBroken},
		{"two of 400", []AttributionExactness{twice, twice}, 400, PromiseKept},
		{"one of 300 by three times as much", []AttributionExactness{thrice}, 300, PromiseBroken},
		{"one of 300 by much, which is reported", []AttributionExactness{admitted}, 300, PromiseKept},
		{"two of 300, reported", []AttributionExactness{admitted, admitted}, 300, PromiseBroken},
		{"one of 300 by three times as much, another reported", []AttributionExactness{admitted, thrice}, 1000, PromiseBroken},
		{"reported without need", slices.Repeat([]AttributionExactness{modest}, 50), 300, PromiseKept},
		{"an estimate that deceives", slices.Repeat([]AttributionExactness{fabricated(4e-3, 1e-4, false)}, 30), 300, PromiseBroken},
	} {
		var each []PromptExactness
		for _, a := range c.others {
			each = append(each, PromptExactness{By: []AttributionExactness{{}, a}})
		}
		for len(each) < c.prompts {
			each = append(each, PromptExactness{By: []AttributionExactness{{}, exact}})
		}
		if got := exactnessTo(tolerance, 1, 3, each); got.Verdict != c.want || got.Prompts != c.prompts || got.Layers != 3*c.prompts {
			t.Errorf("%s: %+v, want %q", c.name, got, c.want)
		}
	}
}

// TestExactnessTo: what is counted of fabricated measurements, and which
// prompts are named.
func TestExactnessTo(t *testing.T) {
	var each []PromptExactness
	for i, a := range []AttributionExactness{
		fabricated(5e-4, 8e-4, false), fabricated(2e-3, 9e-4, false), fabricated(8e-3, 5e-3, true), fabricated(1e-6, 1e-7, false),
		fabricated(1e-4, 1e-3, false), fabricated(2e-4, 1e-3, false), fabricated(3e-4, 1e-3, false),
	} {
		each = append(each, PromptExactness{Prompt: fmt.Sprint(i), By: []AttributionExactness{a}})
	}
	got := exactnessTo(1e-3, 0, 3, each)
	if got.Within != 5 || got.NotConverged != 1 || math.Abs(got.Worst-8) > 1e-9 || math.Abs(got.WorstConverged-2) > 1e-9 {
		t.Errorf("within %d, not converged %d, worst %v and %v; want 5, 1, 8 and 2", got.Within, got.NotConverged, got.Worst, got.WorstConverged)
	}
	// Three estimates are too low, one of them below what the reference can tell.
	if got.Below != 3 || got.BelowSeen != 2 || got.AsReference != 7 || math.Abs(got.Nodes-6) > 1e-9 {
		t.Errorf("%d and %d layers estimated too low, %d as the reference, %v nodes; want 3, 2, 7 and 6", got.Below, got.BelowSeen, got.AsReference, got.Nodes)
	}
	worst := ""
	for _, p := range got.WorstPrompts {
		worst += p.Prompt
	}
	if first := got.WorstPrompts[0]; worst != "21065" || first.Layer != 1 || first.Estimate != 5e-3 {
		t.Errorf("the worst prompts are %q, the first of them %+v", worst, first)
	}
	if got.Verdict != PromiseBroken {
		t.Errorf("5 of 7 within: %s", got.Verdict)
	}
}

// TestProportion compares with published limits of Clopper and Pearson's
// interval, and with the closed form where all are among the k.
func TestProportion(t *testing.T) {
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{
		{0, 10, 0, 0.3085},
		{1, 10, 0.0025, 0.4450},
		{5, 10, 0.1871, 0.8129},
		{10, 10, 0.6915, 1},
		{300, 300, math.Pow(0.025, 1./300), 1},
		{0, 300, 0, 1 - math.Pow(0.025, 1./300)},
		{1, 1, 0.025, 1},
	} {
		got := proportion(c.k, c.n)
		if math.Abs(got.Low-c.low) > 5e-5 || math.Abs(got.High-c.high) > 5e-5 || got.Mean != float64(c.k)/float64(c.n) {
			t.Errorf("%d of %d: %+v, want [%v, %v]", c.k, c.n, got, c.low, c.high)
		}
	}
	// By its definition each end makes k or more, k or fewer, as rare as 2.5 %.
	const k, n = 299, 300
	i := proportion(k, n)
	if atLeast := math.Pow(i.Low, n) + n*math.Pow(i.Low, k)*(1-i.Low); math.Abs(atLeast-0.025) > 1e-9 {
		t.Errorf("with a share of %v there are %d or more of %d in %v of the cases", i.Low, k, n, atLeast)
	}
	if atMost := 1 - math.Pow(i.High, n); math.Abs(atMost-0.025) > 1e-9 {
		t.Errorf("with a share of %v there are %d or fewer of %d in %v of the cases", i.High, k, n, atMost)
	}
}
