package experimentplots

import (
	"errors"
	"fmt"
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// leastError is the smallest error that a logarithmic axis shows: float32
// scores have no smaller one. What is below is drawn there.
const leastError = 1e-8

// ConvergenceError draws the attributions' error against the number of nodes
// for every rule of integration, both in powers: the median over prompts with
// a band from the tenth to the ninetieth percentile.
func ConvergenceError(t *experiments.ConvergenceTable, options ...plots.Options) (*plots.Figure, error) {
	f, err := newConvergence(t, options, "convergence error", "Error of the attributions against nodes",
		"Largest error of a score [%]")
	if err != nil {
		return nil, err
	}
	f.Subtitle = append(f.Subtitle, fmt.Sprintf("In %% of the prompt's largest score; median over %s, bands: 10th to 90th percentile", chart.Plural(t.Prompts, "prompt")))
	shown := func(v float64) float64 { return math.Log10(100 * max(v, leastError)) }
	err = addRules(f, t, func(p experiments.ConvergencePoint) (middle, low, high float64) {
		return shown(p.Median), shown(p.Low), shown(p.High)
	})
	if err != nil {
		return nil, err
	}
	f.Panels[0].Y.Tick.Marker = chart.LogTicks{}
	parts := []string{"Largest error of a score as a share of the largest score against the number of nodes a layer", "Reference: " + t.Reference}
	for _, r := range t.Rules {
		text := ruleName(r.Rule) + ":"
		for _, q := range r.Points {
			text += fmt.Sprintf(" %s at %s nodes,", chart.Short(q.Median), chart.Short(q.Nodes))
		}
		parts = append(parts, text[:len(text)-1])
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustConvergenceError is [ConvergenceError] for notebook cells: it panics instead of returning an error.
func MustConvergenceError(t *experiments.ConvergenceTable, options ...plots.Options) *plots.Figure {
	return kn.Must(ConvergenceError(t, options...))
}

// ConvergenceAgreement draws how far each rule's coarse sets of neurons agree
// with the exact ones, against the number of nodes: the mean Jaccard index over
// prompts with its 95 % interval.
func ConvergenceAgreement(t *experiments.ConvergenceTable, options ...plots.Options) (*plots.Figure, error) {
	f, err := newConvergence(t, options, "convergence agreement", "Agreement of the neuron sets with the exact ones", "Jaccard index [%]")
	if err != nil {
		return nil, err
	}
	f.Subtitle = append(f.Subtitle, fmt.Sprintf("Coarse sets of %s; mean, bands: 95 %% intervals", chart.Plural(t.Prompts, "prompt")))
	err = addRules(f, t, func(p experiments.ConvergencePoint) (middle, low, high float64) {
		return 100 * p.Same.Mean, 100 * p.Same.Low, 100 * p.Same.High
	})
	if err != nil {
		return nil, err
	}
	f.Panels[0].Y.Max = 100
	parts := []string{"Mean Jaccard index of the coarse sets with the exact ones, in percent, against the number of nodes a layer"}
	for _, r := range t.Rules {
		text := ruleName(r.Rule) + ":"
		for _, q := range r.Points {
			text += fmt.Sprintf(" %.0f at %s nodes,", 100*q.Same.Mean, chart.Short(q.Nodes))
		}
		parts = append(parts, text[:len(text)-1])
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustConvergenceAgreement is [ConvergenceAgreement] for notebook cells: it panics instead of returning an error.
func MustConvergenceAgreement(t *experiments.ConvergenceTable, options ...plots.Options) *plots.Figure {
	return kn.Must(ConvergenceAgreement(t, options...))
}

// newConvergence starts a figure over nodes.
func newConvergence(t *experiments.ConvergenceTable, options []plots.Options, kind, title, y string) (*chart.Draft, error) {
	if err := checkConvergence(t); err != nil {
		return nil, err
	}
	f, err := chart.New(kind, title, options, t.Provenance)
	if err != nil {
		return nil, err
	}
	p := f.Panel("Nodes a layer", y)
	p.X.Tick.Marker = chart.LogTicks{}
	p.Add(f.Theme.Grid())
	return f, nil
}

// addRules draws a line for each rule over the logarithm of the nodes, the
// first rules above.
func addRules(f *chart.Draft, t *experiments.ConvergenceTable, of func(experiments.ConvergencePoint) (middle, low, high float64)) error {
	var lines []chart.Line
	for i := len(t.Rules) - 1; i >= 0; i-- {
		l := chart.Line{Label: ruleName(t.Rules[i].Rule), Series: i, Wash: 0.14}
		for _, q := range t.Rules[i].Points {
			middle, low, high := of(q)
			l.X, l.Y = append(l.X, math.Log10(q.Nodes)), append(l.Y, middle)
			l.Low, l.High = append(l.Low, low), append(l.High, high)
		}
		lines = append(lines, l)
	}
	return f.AddLines(f.Panels[0], lines)
}

// ruleNames are the rules of integration in words.
var ruleNames = map[kn.Rule]string{
	kn.LeftRiemann: "left Riemann (Dai 2022)", kn.LinspaceInclusive: "inclusive linspace (EleutherAI)",
	kn.Trapezoid: "trapezoid", kn.GaussLegendre: "Gauss-Legendre", kn.Adaptive: "adaptive (default)",
}

func ruleName(r kn.Rule) string {
	if name := ruleNames[r]; name != "" {
		return name
	}
	return string(r)
}

func checkConvergence(t *experiments.ConvergenceTable) error {
	if t == nil {
		return chart.Missing("table of convergence")
	}
	if len(t.Rules) == 0 {
		return errors.New("plots: the table of convergence has no rules")
	}
	for _, r := range t.Rules {
		if len(r.Points) == 0 {
			return fmt.Errorf("plots: the rule %q has no points", r.Rule)
		}
		for i, q := range r.Points {
			name := fmt.Sprintf("%s: point %d", r.Rule, i)
			if !(q.Nodes > 0) || math.IsInf(q.Nodes, 1) {
				return fmt.Errorf("plots: %s has %v nodes", name, q.Nodes)
			}
			if err := chart.CheckFinite(name, []float64{q.Median, q.Low, q.High}); err != nil {
				return err
			}
			if q.Low > q.High || q.Low < 0 || q.Median < 0 {
				return fmt.Errorf("plots: %s: errors from %v over %v to %v; they are in order and not negative", name, q.Low, q.Median, q.High)
			}
			if err := chart.CheckIntervals(name, q.Same); err != nil {
				return err
			}
		}
	}
	return nil
}
