package engine

import (
	"context"
	"fmt"
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

// leastAdaptiveNodes is the smallest bound on the adaptive rule's nodes with
// which it can tell its error: two rules must be there to compare.
const leastAdaptiveNodes = 9

// Start returns a function that starts one layer's integral, given where the
// integrand may jump; nil for the baseline, which has no integral.
func (o Options) Start() (func(jumps []float64) quadrature.Integral, error) {
	if o.Tolerance < 0 || o.LayerNormEps < 0 || o.Nodes < 0 {
		return nil, fmt.Errorf("kn: nodes %d, tolerance %v and LayerNorm epsilon %v must not be negative", o.Nodes, o.Tolerance, o.LayerNormEps)
	}
	fixed := map[string]func(int) (quadrature.Rule, error){
		GaussLegendre:     quadrature.GaussLegendre,
		LeftRiemann:       quadrature.LeftRiemann,
		LinspaceInclusive: quadrature.LinspaceInclusive,
		Trapezoid:         quadrature.Trapezoid,
	}
	switch rule := fixed[o.Rule]; {
	case o.Rule == Adaptive && o.Nodes < leastAdaptiveNodes:
		return nil, fmt.Errorf("kn: the adaptive rule takes at least %d nodes a layer, not %d", leastAdaptiveNodes, o.Nodes)
	case o.Rule == Adaptive:
		return func(jumps []float64) quadrature.Integral { return quadrature.NewAdaptive(o.Nodes, jumps...) }, nil
	case o.Rule == ActivationBaseline:
		return nil, nil
	case rule == nil:
		return nil, fmt.Errorf("kn: unknown integration rule %q", o.Rule)
	default:
		nodes, err := rule(o.Nodes)
		if err != nil {
			return nil, err
		}
		return func([]float64) quadrature.Integral { return quadrature.NewFixed(nodes) }, nil
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

// Attribute attributes samples under edits and hands each result over as it
// is there.
func (e *Engine) Attribute(ctx context.Context, samples []Sample, edits Edits, o Options, done func(i int, a *Attribution) error) error {
	start, err := o.Start()
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
	for _, g := range e.sizes.together(lengths, e.Model.Config.MaxPositions) {
		err := e.attributeTogether(ctx, samples, g, edits, o, start, done)
		if err != nil {
			return err
		}
	}
	return nil
}

// attributeTogether attributes the samples of a group.
func (e *Engine) attributeTogether(ctx context.Context, samples []Sample, g group, edits Edits, o Options, start func([]float64) quadrature.Integral, done func(i int, a *Attribution) error) error {
	own := make([]Sample, len(g.of))
	for k, i := range g.of {
		own[k] = samples[i]
	}
	paths, err := e.paths(ctx, own, g.layout, edits, o.LayerNormEps)
	if err != nil {
		return err
	}
	defer paths.release()
	results, err := paths.attribute(ctx, start, o.Tolerance)
	if err != nil {
		return err
	}
	for k, i := range g.of {
		if err := done(i, results[k]); err != nil {
			return err
		}
	}
	return nil
}

// attribute integrates along all paths; without an integral the activations
// themselves are the scores.
func (p *paths) attribute(ctx context.Context, start func([]float64) quadrature.Integral, tolerance float64) ([]*Attribution, error) {
	layers := len(p.layers)
	jumps, err := p.jumps(ctx)
	if err != nil {
		return nil, err
	}
	results := make([]*Attribution, len(p.samples))
	integrals := make([][]quadrature.Integral, len(p.samples)) // [samples][L]
	for i := range results {
		results[i] = &Attribution{
			Probability:       p.probability[i],
			CompletenessError: make([]float64, layers),
			Nodes:             make([]int, layers),
			Scores:            make([][]float64, layers),
			Activations:       p.activations[i],
		}
		for l := range layers {
			if start == nil {
				results[i].Scores[l] = slices.Clone(p.activations[i][l])
				continue
			}
			var known []float64
			if l == layers-1 {
				known = jumps[i]
			}
			integrals[i] = append(integrals[i], start(known))
		}
	}
	p.initZero()
	if start != nil {
		if err := p.integrate(ctx, integrals, tolerance); err != nil {
			return nil, err
		}
	}
	if err := p.atZero(ctx, results); err != nil {
		return nil, err
	}
	for i, r := range results {
		if start != nil {
			r.finish(integrals[i], tolerance*largest(integrals[i]))
		}
		r.complete()
	}
	return results, nil
}

// integrate drives the integrals [P][L] in rounds, in each of which the nodes
// that all of them ask for are evaluated together.
func (p *paths) integrate(ctx context.Context, integrals [][]quadrature.Integral, tolerance float64) error {
	for {
		bounds := make([]float64, len(integrals))
		for i := range bounds {
			bounds[i] = tolerance * largest(integrals[i])
		}
		points, asked := nextPoints(integrals, bounds)
		if len(points) == 0 {
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
			a.integral.Add(products[:a.nodes])
			products = products[a.nodes:]
		}
	}
}

// request is how many nodes an integral asked for.
type request struct {
	integral quadrature.Integral
	nodes    int
}

// nextPoints asks all integrals [P][L] for their next nodes.
func nextPoints(integrals [][]quadrature.Integral, bounds []float64) (points []point, asked []request) {
	for i, ofSample := range integrals {
		for l, integral := range ofSample {
			nodes := integral.Next(bounds[i])
			for _, a := range nodes {
				points = append(points, point{i, l, a})
			}
			if len(nodes) > 0 {
				asked = append(asked, request{integral, len(nodes)})
			}
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

// atZero fills in the probability when a layer's activation is 0, where no
// rule asked for it already.
func (p *paths) atZero(ctx context.Context, results []*Attribution) error {
	var points []point
	for i, ofSample := range p.zero {
		for l, probability := range ofSample {
			if probability < 0 {
				points = append(points, point{sample: i, layer: l})
			}
		}
	}
	probability, err := p.probabilities(ctx, points)
	if err != nil {
		return err
	}
	for k, pt := range points {
		p.zero[pt.sample][pt.layer] = probability[k]
	}
	for i, r := range results {
		r.ProbabilityAtZero = p.zero[i]
	}
	return nil
}

// finish takes the scores from the integrals.
func (a *Attribution) finish(integrals []quadrature.Integral, tolerance float64) {
	for l, in := range integrals {
		a.Scores[l], a.Nodes[l] = in.Value(), in.Evaluations()
		if estimate := in.Error(); estimate == estimate {
			a.EstimatedError = append(a.EstimatedError, estimate)
			if estimate > tolerance {
				a.NotConverged = append(a.NotConverged, l)
			}
		}
	}
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

// largest is the largest absolute entry of the integrals so far, 0 before the first values.
func largest(integrals []quadrature.Integral) float64 {
	m := 0.0
	for _, in := range integrals {
		for _, v := range in.Value() {
			m = max(m, v, -v)
		}
	}
	return m
}
