package experiments

import (
	"cmp"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// Promise says whether a tolerance was kept.
type Promise string

// The verdicts of [Exactness]. A tolerance is kept if at least 99.5 % of the
// prompts are within it, and each of the others is off by less than three
// times the tolerance or reported as not converged.
const (
	PromiseKept   Promise = "kept"
	PromiseBroken Promise = "not kept"
)

// The numbers of that rule.
const (
	keptPerMille = 995
	keptTimes    = 3
)

// worstPrompts are as many as are listed by name.
const worstPrompts = 5

// layerwise are the errors and estimates of an attribution's layers.
type layerwise struct {
	errors, estimates     []float64 // as shares of the prompt's largest score
	nodes, referenceNodes []int
	notConverged          bool
}

// exactness sums the layers up, in view of a reference to a tolerance.
func (l layerwise) exactness(reference float64) AttributionExactness {
	a := AttributionExactness{NotConverged: l.notConverged}
	for i, e := range l.errors {
		if i == 0 || e > a.Error {
			a.Error, a.Layer, a.Estimate = e, i, l.estimates[i]
		}
		if e > l.estimates[i] {
			a.Below++
			if e > reference {
				a.BelowSeen++
			}
		}
		if l.nodes[i] >= l.referenceNodes[i] {
			a.AsReference++
		}
		a.Nodes += float64(l.nodes[i]) / float64(len(l.errors))
	}
	return a
}

// summarize makes the table of its prompts.
func (t *ExactnessTable) summarize(o ExactnessOptions) {
	t.Prompts = len(t.Each)
	t.Reference.Tolerance = o.Reference
	t.Check = ExactnessCheck{Rule: kn.GaussLegendre, Nodes: o.CheckNodes}
	relations := map[string]bool{}
	var checks []float64
	for _, p := range t.Each {
		relations[p.Relation] = true
		t.Reference.Nodes += p.Reference.Nodes / float64(t.Prompts)
		t.Reference.Estimate = max(t.Reference.Estimate, p.Reference.Estimate)
		if p.Reference.NotConverged {
			t.Reference.NotConverged++
		}
		if p.Check != nil {
			checks = append(checks, *p.Check)
		}
	}
	t.Relations = len(relations)
	slices.Sort(checks)
	t.Check.Prompts, t.Check.Difference, t.Check.Median = len(checks), stats.Quantile(checks, 1), stats.Quantile(checks, 0.5)
	for k, tolerance := range o.Tolerances {
		t.Tolerances = append(t.Tolerances, exactnessTo(tolerance, k, t.Layers, t.Each))
	}
}

// exactnessTo judges the k-th tolerance.
func exactnessTo(tolerance float64, k, layers int, each []PromptExactness) ToleranceExactness {
	t := ToleranceExactness{Tolerance: tolerance, Prompts: len(each), Layers: layers * len(each)}
	excused := true // those that are not within
	for _, p := range each {
		a := p.By[k]
		off := a.Error / tolerance
		t.Worst = max(t.Worst, off)
		switch {
		case a.Error <= tolerance:
			t.Within++
		case !a.NotConverged && !(a.Error < keptTimes*tolerance):
			excused = false
		}
		if a.NotConverged {
			t.NotConverged++
		} else {
			t.WorstConverged = max(t.WorstConverged, off)
		}
		t.Below, t.BelowSeen, t.AsReference = t.Below+a.Below, t.BelowSeen+a.BelowSeen, t.AsReference+a.AsReference
		t.Nodes += a.Nodes / float64(len(each))
		t.WorstPrompts = append(t.WorstPrompts, WorstPrompt{p.Relation, p.Prompt, p.Answer, a})
	}
	slices.SortStableFunc(t.WorstPrompts, func(a, b WorstPrompt) int { return cmp.Compare(b.Error, a.Error) })
	t.WorstPrompts = slices.Clone(t.WorstPrompts[:min(worstPrompts, len(each))])
	t.Share = proportion(t.Within, t.Prompts)
	t.Verdict = PromiseBroken
	if 1000*t.Within >= keptPerMille*t.Prompts && excused {
		t.Verdict = PromiseKept
	}
	return t
}

// proportion is that of k of n with its 95 % interval, the exact one of
// Clopper and Pearson (Biometrika 26, 1934), which is no narrower than it says
// even where all of n are among the k. The bootstrap's would have no width
// there.
func proportion(k, n int) stats.Interval {
	const tail = 0.025
	i := stats.Interval{Mean: float64(k) / float64(max(n, 1)), Low: 0, High: 1}
	if k > 0 {
		i.Low = distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile(tail)
	}
	if k < n {
		i.High = distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(1 - tail)
	}
	return i
}
