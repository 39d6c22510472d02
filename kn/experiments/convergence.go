package experiments

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// ConvergenceOptions are the options of [Convergence].
type ConvergenceOptions struct {
	Prompts int `json:"prompts"` // drawn, of different facts where there are enough; 0: 30
	// Nodes of the fixed rules. Empty: 2 to 64.
	Nodes []int `json:"nodes"`
	// Tolerances of the adaptive rule. Empty: 0.1 to 0.0001.
	Tolerances []float64 `json:"tolerances"`
	// Reference is the tolerance of the reference. 0: 1e-5.
	Reference float64 `json:"reference"`
	// Threshold t of the coarse sets compared. 0: 0.2.
	Threshold float64 `json:"threshold"`
	Seed      uint64  `json:"seed"`
	Resamples int     `json:"resamples"` // 0: 2000
}

func (o ConvergenceOptions) filled() ConvergenceOptions {
	o.Prompts, o.Reference, o.Threshold = cmp.Or(o.Prompts, 30), cmp.Or(o.Reference, 1e-5), cmp.Or(o.Threshold, kn.DefaultThreshold)
	if len(o.Nodes) == 0 {
		o.Nodes = []int{2, 4, 8, 16, 20, 32, 64}
	}
	if len(o.Tolerances) == 0 {
		o.Tolerances = []float64{0.1, 0.01, 0.001, 0.0001}
	}
	return o
}

// referenceNodes bounds the reference's nodes a layer.
const referenceNodes = 4096

// Convergence measures the attributions' error against the number of nodes,
// for every rule, on real prompts: how much of a published set of neurons is
// integration error. The reference is the adaptive rule at a tolerance far
// below all that is measured, which finds the jumps of ReLU's derivative; its
// own estimate of its error is in the result.
func Convergence(ctx context.Context, m *kn.Model, of []Fact, o ConvergenceOptions, progress kn.Progress) (*ConvergenceTable, error) {
	o = o.filled()
	queries := drawQueries(of, o.Prompts, o.Seed)
	if len(queries) == 0 {
		return nil, errNoFacts
	}
	var rules []kn.AttributeOptions
	for _, rule := range []kn.Rule{kn.LeftRiemann, kn.LinspaceInclusive, kn.Trapezoid, kn.GaussLegendre} {
		for _, n := range o.Nodes {
			rules = append(rules, kn.AttributeOptions{Rule: rule, Nodes: n})
		}
	}
	for _, tolerance := range o.Tolerances {
		rules = append(rules, kn.AttributeOptions{Rule: kn.Adaptive, Tolerance: tolerance})
	}
	measured := make([][]measurement, len(queries)) // [prompts][rules]
	estimates := make([]float64, len(queries))
	err := sideBySide(ctx, len(queries), "prompts by every rule", progress, func(ctx context.Context, i int) (err error) {
		measured[i], estimates[i], err = measure(silent(ctx, m), queries[i], rules, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	t := &ConvergenceTable{
		Prompts: len(queries),
		Reference: fmt.Sprintf("adaptive to %g of the largest score; by its own estimate within %.1e in the worst prompt",
			o.Reference, slices.Max(estimates)),
	}
	for k, rule := range rules {
		if k == 0 || rule.Rule != rules[k-1].Rule {
			t.Rules = append(t.Rules, RuleConvergence{Rule: rule.Rule})
		}
		last := &t.Rules[len(t.Rules)-1]
		p := summarizeRule(measured, k, o)
		p.Tolerance = rule.Tolerance
		last.Points = append(last.Points, p)
	}
	t.Provenance, err = m.Provenance(o, o.Seed)
	return t, err
}

// measurement is one rule's in one prompt.
type measurement struct {
	nodes float64 // a layer
	err   float64 // largest error of a score as a share of the largest score
	same  float64 // Jaccard index of the coarse set with the exact one
}

// measure attributes a prompt by the reference and by every rule. estimate is
// the reference's own, as a share of the largest score.
func measure(m *kn.Model, q kn.Query, rules []kn.AttributeOptions, o ConvergenceOptions) (all []measurement, estimate float64, err error) {
	exact, err := m.Attribute(q.Prompt, q.Answer, kn.AttributeOptions{Rule: kn.Adaptive, Tolerance: o.Reference, Nodes: referenceNodes})
	if err != nil {
		return nil, 0, err
	}
	largest := 0.0
	for _, row := range exact.Scores {
		for _, s := range row {
			largest = max(largest, math.Abs(s))
		}
	}
	if largest == 0 {
		return nil, 0, fmt.Errorf("experiments: every score of %q is 0; nothing can converge", q.Prompt)
	}
	coarse := exact.Coarse(o.Threshold)
	for _, rule := range rules {
		a, err := m.Attribute(q.Prompt, q.Answer, rule)
		if err != nil {
			return nil, 0, err
		}
		var r measurement
		for l, row := range a.Scores {
			r.nodes += float64(a.Nodes[l]) / float64(len(a.Nodes))
			for i, s := range row {
				r.err = max(r.err, math.Abs(s-exact.Scores[l][i])/largest)
			}
		}
		r.same = jaccard(a.Coarse(o.Threshold), coarse)
		all = append(all, r)
	}
	return all, slices.Max(exact.EstimatedError) / largest, nil
}

// summarizeRule is one point of a rule's curve, over prompts.
func summarizeRule(measured [][]measurement, k int, o ConvergenceOptions) ConvergencePoint {
	var p ConvergencePoint
	var errors []float64
	same := map[int][]float64{}
	for i, of := range measured {
		p.Nodes += of[k].nodes / float64(len(measured))
		errors = append(errors, of[k].err)
		same[i] = []float64{of[k].same}
	}
	slices.Sort(errors)
	p.Median, p.Low, p.High = stats.Quantile(errors, 0.5), stats.Quantile(errors, 0.1), stats.Quantile(errors, 0.9)
	p.Same = stats.Bootstrap(same, stats.Options{Resamples: o.Resamples, Seed: o.Seed})
	return p
}
