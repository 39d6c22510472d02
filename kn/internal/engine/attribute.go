package engine

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
)

// Options of an attribution, all of them filled in: see kn.AttributeOptions.
type Options struct {
	Rule         string
	Nodes        int
	Tolerance    float64
	LayerNormEps float64
}

// The rules' names.
const (
	Adaptive           = "adaptive"
	GaussLegendre      = "gauss_legendre"
	LeftRiemann        = "left_riemann"
	LinspaceInclusive  = "linspace_inclusive"
	Trapezoid          = "trapezoid"
	ActivationBaseline = "activation_baseline"
)

// rule is how an attribution integrates.
type rule struct {
	// start starts one layer's integral; nil for the baseline, which has none.
	start func(jumps []float64) quadrature.Integral
	// zero says that the first nodes asked for include 0.
	zero bool
	// nodes is how many a layer is likely to take, besides 1.
	nodes int
}

// fixedRules are the rules whose nodes do not depend on the integrand.
var fixedRules = map[string]struct {
	nodes func(int) (quadrature.Rule, error)
	zero  bool
}{
	GaussLegendre:     {quadrature.GaussLegendre, false},
	LeftRiemann:       {quadrature.LeftRiemann, true},
	LinspaceInclusive: {quadrature.LinspaceInclusive, true},
	Trapezoid:         {quadrature.Trapezoid, true},
}

// Check says what is wrong with options.
func (o Options) Check() error {
	_, err := o.rule(false)
	return err
}

// rule is the one that the options name. rough says that gradients jump on the
// paths, as ReLU makes them.
func (o Options) rule(rough bool) (rule, error) {
	if o.Tolerance < 0 || o.LayerNormEps < 0 || o.Nodes < 0 {
		return rule{}, fmt.Errorf("kn: nodes %d, tolerance %v and LayerNorm epsilon %v must not be negative", o.Nodes, o.Tolerance, o.LayerNormEps)
	}
	switch fixed, ok := fixedRules[o.Rule]; {
	case o.Rule == Adaptive && o.Nodes < quadrature.LeastCheckedNodes:
		return rule{}, fmt.Errorf("kn: the adaptive rule takes at least %d nodes a layer, not %d", quadrature.LeastCheckedNodes, o.Nodes)
	case o.Rule == Adaptive && rough && o.Nodes < quadrature.LeastAdaptiveNodes:
		return rule{}, fmt.Errorf("kn: on a model whose gradients jump (its activation function is a ReLU) the adaptive rule takes at least %d nodes a layer, not %d", quadrature.LeastAdaptiveNodes, o.Nodes)
	case o.Rule == Adaptive && rough:
		return rule{func(jumps []float64) quadrature.Integral { return quadrature.NewAdaptive(o.Nodes, jumps...) }, true, 40}, nil
	case o.Rule == Adaptive:
		return rule{func([]float64) quadrature.Integral { return quadrature.NewChecked(o.Nodes) }, true, 4}, nil
	case o.Rule == ActivationBaseline:
		return rule{}, nil
	case !ok:
		return rule{}, fmt.Errorf("kn: unknown integration rule %q", o.Rule)
	default:
		nodes, err := fixed.nodes(o.Nodes)
		return rule{func([]float64) quadrature.Integral { return quadrature.NewFixed(nodes) }, fixed.zero, o.Nodes}, err
	}
}

// Attribution is the result for one sample; kn.Attribution says what the fields are.
type Attribution struct {
	Probability                          float64
	ProbabilityAtZero, CompletenessError []float64 // [L]
	Nodes                                []int     // [L]
	EstimatedError                       []float64 // [L], or none
	NotConverged                         []int
	Scores, Activations                  [][]float64 // [L][F]
}

// Attribute attributes samples under edits and hands each result over as soon
// as it is there. progress is told the share of the work that is done, from 0
// to 1; it never falls. Neither is called by two goroutines at once.
func (e *Engine) Attribute(ctx context.Context, samples []Sample, edits Edits, o Options, done func(i int, a *Attribution) error, progress func(share float64)) error {
	rule, err := o.rule(isJumpy(e.Model.Config.HiddenAct))
	if err != nil {
		return err
	}
	e, release, err := e.with(edits.Values)
	if err != nil {
		return err
	}
	defer release()
	lengths := make([]int, len(samples))
	for i, s := range samples {
		lengths[i] = len(s.IDs)
	}
	finished := 0
	for _, g := range e.sizes.together(lengths, e.Model.Config.MaxPositions) {
		part := func(share float64) {
			progress((float64(finished) + share*float64(len(g.of))) / float64(len(samples)))
		}
		if err := e.attributeTogether(ctx, samples, g, edits, o, rule, done, part); err != nil {
			return err
		}
		finished += len(g.of)
		part(0)
	}
	return nil
}

// attributeTogether attributes the samples of a group.
func (e *Engine) attributeTogether(ctx context.Context, samples []Sample, g group, edits Edits, o Options, rule rule, done func(i int, a *Attribution) error, progress func(share float64)) error {
	own := make([]Sample, len(g.of))
	for k, i := range g.of {
		own[k] = samples[i]
	}
	paths, err := e.paths(ctx, own, g.layout, edits, o.LayerNormEps, rule.nodes, progress)
	if err != nil {
		return err
	}
	defer paths.release()
	return paths.attribute(ctx, rule, o.Tolerance, func(k int, a *Attribution) error { return done(g.of[k], a) })
}

// attribute integrates along all paths and hands each sample's result over
// once its integrals are done; without an integral the activations themselves
// are the scores.
func (p *paths) attribute(ctx context.Context, rule rule, tolerance float64, done func(i int, a *Attribution) error) error {
	jumps, err := p.jumps(ctx)
	if err != nil {
		return err
	}
	p.initZero()
	if !rule.zero {
		if err := p.atZero(ctx); err != nil {
			return err
		}
	}
	layers := len(p.layers)
	integrals := make([][]quadrature.Integral, len(p.samples)) // [samples][L]
	if rule.start != nil {
		for i := range p.samples {
			for l := range layers {
				var known []float64
				if l == layers-1 {
					known = jumps[i]
				}
				integrals[i] = append(integrals[i], rule.start(known))
			}
		}
	}
	return p.integrate(ctx, integrals, tolerance, func(i int) error {
		a := &Attribution{
			Probability: p.probability[i], ProbabilityAtZero: p.zero[i],
			CompletenessError: make([]float64, layers), Nodes: make([]int, layers), Activations: p.activations[i],
		}
		if rule.start == nil {
			for _, row := range p.activations[i] {
				a.Scores = append(a.Scores, slices.Clone(row))
			}
		} else {
			if err := a.finish(integrals[i], tolerance*largest(integrals[i])); err != nil {
				return err
			}
		}
		a.complete()
		return done(i, a)
	})
}

// integrate drives the integrals [P][L] in rounds, in each of which the nodes
// that all of them ask for are evaluated together. finished is told of each
// sample whose integrals ask for none.
func (p *paths) integrate(ctx context.Context, integrals [][]quadrature.Integral, tolerance float64, finished func(i int) error) error {
	open := make([]int, len(integrals))
	for i := range open {
		open[i] = i
	}
	for len(open) > 0 {
		var points []point
		var asked []request
		var still []int
		for _, i := range open {
			more, of := nextPoints(i, integrals[i], tolerance*largest(integrals[i]))
			if len(more) == 0 {
				if err := finished(i); err != nil {
					return err
				}
				continue
			}
			points, asked, still = append(points, more...), append(asked, of...), append(still, i)
		}
		if open = still; len(open) == 0 {
			return nil
		}
		probability, products, err := p.evaluate(ctx, points)
		if err != nil {
			return err
		}
		for k, pt := range points {
			if pt.factor == 0 {
				p.zero[pt.sample][pt.layer] = probability[k]
			}
		}
		for _, a := range asked {
			a.integral.Add(products[:a.nodes], probability[:a.nodes])
			products, probability = products[a.nodes:], probability[a.nodes:]
		}
	}
	return nil
}

// request is how many nodes an integral asked for.
type request struct {
	integral quadrature.Integral
	nodes    int
}

// nextPoints asks a sample's integrals [L] for their next nodes.
func nextPoints(sample int, integrals []quadrature.Integral, bound float64) (points []point, asked []request) {
	for l, integral := range integrals {
		nodes := integral.Next(bound)
		for _, a := range nodes {
			points = append(points, point{sample, l, a})
		}
		if len(nodes) > 0 {
			asked = append(asked, request{integral, len(nodes)})
		}
	}
	return points, asked
}

// initZero marks the probabilities at zero as not known.
func (p *paths) initZero() {
	p.zero = make([][]float64, len(p.samples))
	for i := range p.zero {
		p.zero[i] = slices.Repeat([]float64{-1}, len(p.layers))
	}
}

// atZero computes the probability where a layer's activation is 0.
func (p *paths) atZero(ctx context.Context) error {
	var points []point
	for i := range p.zero {
		for l := range p.zero[i] {
			points = append(points, point{sample: i, layer: l})
		}
	}
	probability, err := p.probabilities(ctx, points)
	if err != nil {
		return err
	}
	for k, pt := range points {
		p.zero[pt.sample][pt.layer] = probability[k]
	}
	return nil
}

// finish takes the scores from the integrals.
func (a *Attribution) finish(integrals []quadrature.Integral, tolerance float64) error {
	for l, in := range integrals {
		if slices.ContainsFunc(in.Value(), math.IsNaN) {
			return fmt.Errorf("kn: gradients in layer %d are not numbers (NaN); are the model's weights damaged, or changed too much?", l)
		}
		a.Scores, a.Nodes[l] = append(a.Scores, in.Value()), in.Evaluations()
		if estimate := in.Error(); estimate == estimate {
			a.EstimatedError = append(a.EstimatedError, estimate)
			if estimate > tolerance {
				a.NotConverged = append(a.NotConverged, l)
			}
		}
	}
	return nil
}

// complete fills in the completeness errors.
func (a *Attribution) complete() {
	for l, row := range a.Scores {
		sum := 0.0
		for _, s := range row {
			sum += s
		}
		a.CompletenessError[l] = sum - (a.Probability - a.ProbabilityAtZero[l])
	}
}

// largest is the largest absolute entry of the integrals so far, 0 before the
// first values. What is no number does not count: it must not open all layers.
func largest(integrals []quadrature.Integral) float64 {
	m := 0.0
	for _, in := range integrals {
		for _, v := range in.Value() {
			if v = math.Abs(v); v > m {
				m = v
			}
		}
	}
	return m
}
