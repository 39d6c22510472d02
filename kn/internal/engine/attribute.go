package engine

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// rule is how an attribution integrates.
type rule struct {
	// start starts one layer's integral, where the gradient jumps at known
	// places. It is nil if there is nothing to integrate.
	start func(jumps []float64) quadrature.Integral
	// rough says that start makes use of the jumps.
	rough bool
	// zero says that 0 is among the first nodes.
	zero bool
	// nodes is how many a layer is likely to take, not counting the node 1.
	nodes int
}

// rule is the one that the options ask for. rough says that gradients jump on
// the paths, as ReLU makes them.
func (o Options) rule(rough bool) (rule, error) {
	switch {
	case o.Rule != nil:
		start := func([]float64) quadrature.Integral { return quadrature.NewFixed(*o.Rule) }
		return rule{start: start, zero: slices.Contains(o.Rule.Nodes, 0), nodes: len(o.Rule.Nodes)}, nil
	case o.MaxNodes == 0:
		return rule{}, nil
	case !rough:
		start := func([]float64) quadrature.Integral { return quadrature.NewChecked(o.MaxNodes) }
		return rule{start: start, zero: true, nodes: 4}, nil
	case o.MaxNodes < quadrature.LeastAdaptiveNodes:
		return rule{}, fmt.Errorf("kn: on a model whose gradients jump (its activation function is a ReLU) the adaptive rule takes at least %d nodes a layer, not %d", quadrature.LeastAdaptiveNodes, o.MaxNodes)
	default:
		start := func(jumps []float64) quadrature.Integral { return quadrature.NewAdaptive(o.MaxNodes, jumps...) }
		return rule{start: start, rough: true, zero: true, nodes: 40}, nil
	}
}

// attribute attributes rows, those under the same edits together.
func (e *Engine) attribute(ctx context.Context, rows []Row, o Options, emit func([]Result) error, progress func(share float64)) error {
	rule, err := o.rule(!transformer.Smooth(e.Model.Config.HiddenAct))
	if err != nil {
		return err
	}
	finished := 0
	return e.byEdits(rows, func(r Row) any { return r.Edits }, func(e *Engine, which []int) error {
		for _, g := range e.sizes.together(samplesOf(rows, which), e.Model.Config.MaxPositions) {
			part := func(share float64) {
				progress((float64(finished) + share*float64(len(g.of))) / float64(len(rows)))
			}
			if err := e.attributeTogether(ctx, rows, pick(which, g.of), g.layout, o, rule, emit, part); err != nil {
				return err
			}
			finished += len(g.of)
			part(0)
		}
		return nil
	})
}

// pick returns the chosen entries of a list.
func pick(of, chosen []int) []int {
	picked := make([]int, len(chosen))
	for k, i := range chosen {
		picked[k] = of[i]
	}
	return picked
}

// attributeTogether attributes the chosen rows, whose edits are the same.
func (e *Engine) attributeTogether(ctx context.Context, rows []Row, of []int, y layout, o Options, rule rule, emit func([]Result) error, progress func(share float64)) error {
	batch, err := e.integrationBatch(ctx, samplesOf(rows, of), y, rows[of[0]].Edits, o, rule.nodes, progress)
	if err != nil {
		return err
	}
	defer batch.release()
	return batch.attribute(ctx, rule, o.Tolerance, func(r Result) error {
		r.Row = of[r.Row]
		return emit([]Result{r})
	})
}

// attribute integrates along all paths, and emits each sample's result as soon
// as its integrals are done. If the rule has no integral, the activations are
// the scores. A result's Row is the sample's index.
func (ib *integrationBatch) attribute(ctx context.Context, rule rule, tolerance float64, emit func(Result) error) error {
	jumps := make([][]float64, len(ib.samples))
	if rule.rough {
		var err error
		if jumps, err = ib.jumps(ctx); err != nil {
			return err
		}
	}
	if !rule.zero {
		if err := ib.atZero(ctx); err != nil {
			return err
		}
	}
	layers := len(ib.layers)
	integrals := make([][]quadrature.Integral, len(ib.samples)) // [samples][L]
	if rule.start != nil {
		for i := range ib.samples {
			for l := range layers {
				var known []float64
				if l == layers-1 {
					known = jumps[i]
				}
				integrals[i] = append(integrals[i], rule.start(known))
			}
		}
	}
	evaluate := func(points []point) ([]float64, [][]float64, error) {
		value, products, err := ib.evaluate(ctx, points)
		for k, pt := range points {
			if err == nil && pt.factor == 0 {
				ib.zero[pt.sample][pt.layer] = value[k]
			}
		}
		return value, products, err
	}
	return integrate(integrals, tolerance, evaluate, func(i int) error {
		r := Result{
			Row: i, Probability: ib.value[i], ProbabilityAtZero: ib.zero[i],
			CompletenessError: make([]float64, layers), Nodes: make([]int, layers), Activations: ib.activations(i),
		}
		if rule.start == nil {
			for _, row := range r.Activations {
				r.Scores = append(r.Scores, slices.Clone(row))
			}
		} else if err := r.finish(integrals[i], tolerance*largest(integrals[i])); err != nil {
			return err
		}
		r.complete()
		if ib.form.logarithm && !ib.raised {
			r.Probability = math.Exp(r.Probability)
			for l, v := range r.ProbabilityAtZero {
				r.ProbabilityAtZero[l] = math.Exp(v)
			}
		}
		return emit(r)
	})
}

// integrate drives the integrals [samples][L] in rounds. Each round evaluates
// the nodes that all of them ask for together: evaluate returns S and the integrand
// at points. finished is told of a sample when its integrals ask for no more.
func integrate(integrals [][]quadrature.Integral, tolerance float64, evaluate func([]point) ([]float64, [][]float64, error), finished func(i int) error) error {
	open := make([]int, len(integrals))
	for i := range open {
		open[i] = i
	}
	for len(open) > 0 {
		var points []point
		var requests []asked
		var still []int
		for _, i := range open {
			more, of := nextPoints(i, integrals[i], tolerance*largest(integrals[i]))
			if len(more) == 0 {
				if err := finished(i); err != nil {
					return err
				}
				continue
			}
			points, requests, still = append(points, more...), append(requests, of...), append(still, i)
		}
		if open = still; len(open) == 0 {
			return nil
		}
		value, products, err := evaluate(points)
		if err != nil {
			return err
		}
		for _, a := range requests {
			a.integral.Add(products[:a.nodes], value[:a.nodes])
			products, value = products[a.nodes:], value[a.nodes:]
		}
	}
	return nil
}

// asked is how many nodes an integral asked for.
type asked struct {
	integral quadrature.Integral
	nodes    int
}

// nextPoints asks a sample's integrals [L] for their next nodes.
func nextPoints(sample int, integrals []quadrature.Integral, bound float64) (points []point, requests []asked) {
	for l, integral := range integrals {
		nodes := integral.Next(bound)
		for _, a := range nodes {
			points = append(points, point{sample, l, a})
		}
		if len(nodes) > 0 {
			requests = append(requests, asked{integral, len(nodes)})
		}
	}
	return points, requests
}

// atZero computes the values at a = 0.
func (ib *integrationBatch) atZero(ctx context.Context) error {
	var points []point
	for i := range ib.zero {
		for l := range ib.zero[i] {
			points = append(points, point{sample: i, layer: l})
		}
	}
	value, err := ib.values(ctx, points)
	if err != nil {
		return err
	}
	for k, pt := range points {
		ib.zero[pt.sample][pt.layer] = value[k]
	}
	return nil
}

// finish takes scores, nodes and errors from the integrals [L].
func (r *Result) finish(integrals []quadrature.Integral, tolerance float64) error {
	for l, in := range integrals {
		if slices.ContainsFunc(in.Value(), math.IsNaN) {
			return fmt.Errorf("kn: gradients in layer %d are not numbers (NaN); are the model's weights damaged, or changed too much?", l)
		}
		r.Scores, r.Nodes[l] = append(r.Scores, in.Value()), in.Evaluations()
		if estimate := in.Error(); estimate == estimate {
			r.EstimatedError = append(r.EstimatedError, estimate)
			if estimate > tolerance {
				r.NotConverged = append(r.NotConverged, l)
			}
		}
	}
	return nil
}

// complete fills in the completeness errors, of probabilities or of their
// logarithms, whichever was integrated.
func (r *Result) complete() {
	for l, row := range r.Scores {
		sum := 0.0
		for _, s := range row {
			sum += s
		}
		r.CompletenessError[l] = sum - (r.Probability - r.ProbabilityAtZero[l])
	}
}

// largest is the largest absolute entry of the integrals so far, and 0 before
// the first values. NaN does not count: it would make no layer converge.
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
