package kn

import (
	"context"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
)

// blank starts the attribution of sample i.
func (p *paths) blank(i int) *Attribution {
	layers := p.e.model.Config.Layers
	return &Attribution{
		Probability:       p.probability[i],
		ProbabilityAtZero: make([]float64, layers),
		CompletenessError: make([]float64, layers),
		Nodes:             make([]int, layers),
		Scores:            make([][]float64, layers),
		Activations:       p.activations[i],
	}
}

// integrate fills in the attributions: rounds over the layers, in each of
// which the integrals of all samples ask for nodes that are evaluated together.
func (p *paths) integrate(ctx context.Context, results []*Attribution, start func() quadrature.Integral, tolerance float64) error {
	layers := p.e.model.Config.Layers
	integrals := make([][]quadrature.Integral, len(results)) // [P][L]
	for i := range integrals {
		for range layers {
			integrals[i] = append(integrals[i], start())
		}
	}
	if err := p.atZero(ctx, results); err != nil {
		return err
	}
	for busy := true; busy; {
		busy = false
		bounds := make([]float64, len(results))
		for i := range bounds {
			bounds[i] = tolerance * largest(integrals[i])
		}
		for l := range layers {
			asked, err := p.round(ctx, l, integrals, bounds)
			if err != nil {
				return err
			}
			busy = busy || asked
		}
	}
	for i, r := range results {
		r.finish(integrals[i], tolerance*largest(integrals[i]))
	}
	return nil
}

// round evaluates the nodes that layer l's integrals ask for, if any.
func (p *paths) round(ctx context.Context, l int, integrals [][]quadrature.Integral, bounds []float64) (asked bool, err error) {
	var points []point
	counts := make([]int, len(integrals))
	for i := range integrals {
		nodes := integrals[i][l].Next(bounds[i])
		counts[i] = len(nodes)
		for _, a := range nodes {
			points = append(points, point{i, a})
		}
	}
	if len(points) == 0 {
		return false, nil
	}
	_, products, err := p.evaluate(ctx, l, points)
	if err != nil {
		return false, err
	}
	for i, n := range counts {
		if n > 0 {
			integrals[i][l].Add(products[:n])
			products = products[n:]
		}
	}
	return true, nil
}

// atZero fills in the probability when a layer's activation is 0.
func (p *paths) atZero(ctx context.Context, results []*Attribution) error {
	points := make([]point, len(results))
	for i := range points {
		points[i].sample = i
	}
	for l := range p.e.model.Config.Layers {
		probability, _, err := p.evaluate(ctx, l, points)
		if err != nil {
			return err
		}
		for i, r := range results {
			r.ProbabilityAtZero[l] = probability[i]
		}
	}
	return nil
}

// baseline takes the activations themselves for scores.
func (p *paths) baseline(ctx context.Context, results []*Attribution) error {
	for _, r := range results {
		for l, w := range r.Activations {
			r.Scores[l] = slices.Clone(w)
		}
	}
	if err := p.atZero(ctx, results); err != nil {
		return err
	}
	for _, r := range results {
		r.complete()
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
	a.complete()
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
