package landscape

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
)

// Options are what all measurements take. The zero value is the default.
type Options struct {
	// Alphas and Betas are the grid; nil: -4 to 4 in steps of 0.2 for a curve,
	// the range of the paper, -1 to 2 in steps of 0.25 for a surface. Both have
	// 0 and 1 on them. Charts and widths need them in rising order.
	Alphas, Betas []float64
	// Group is what moves, all else staying as in θ1; nil: every parameter.
	Group *Group
	// Cells is a folder that keeps each point of a grid as soon as it has been
	// measured, under the digest of all that determines it; "": the cache. A
	// measurement that was interrupted goes on from there.
	Cells    string
	NoCache  bool        // neither look points up nor keep them
	Progress kn.Progress // nil: a bar in a notebook's cell
}

// Curve measures loss and error along the line from theta0 to theta1 and beyond.
// Models are classifiers, named as [finetune.Open] takes them. The examples'
// labels are numbers from 0, in the order of theta1's.
//
// Each point is kept as soon as it is measured, so that a killed run loses only
// the points that it was working on; a finer grid uses those of a coarse one. A
// loss that is no number is an error that names the point.
func Curve(ctx context.Context, theta0, theta1 string, examples []finetune.Example, o Options) (*Line, error) {
	if o.Betas != nil {
		return nil, errors.New("landscape: a curve has no betas; give theta2 for a surface")
	}
	if o.Alphas == nil {
		o.Alphas = steps(-4, 4, 0.2)
	}
	if err := checkGrid("alphas", o.Alphas); err != nil {
		return nil, err
	}
	s, err := newSpace(ctx, []string{theta0, theta1}, examples, o)
	if err != nil {
		return nil, err
	}
	points := make([]point, len(o.Alphas))
	for i, a := range o.Alphas {
		points[i] = point{alpha: a, group: o.Group}
	}
	values, err := s.measure(ctx, points)
	if err != nil {
		return nil, err
	}
	l := &Line{Alphas: o.Alphas, Sample: s.sample, Provenance: s.provenance("curve", o)}
	if l.Plane, err = s.plane(ctx, o.Group); err != nil {
		return nil, err
	}
	for _, v := range values {
		l.Loss, l.Error = append(l.Loss, v.Loss), append(l.Error, v.Error)
	}
	return l, nil
}

// MustCurve is [Curve] for notebook cells: it panics instead of returning an error.
func MustCurve(ctx context.Context, theta0, theta1 string, examples []finetune.Example, o Options) *Line {
	return kn.Must(Curve(ctx, theta0, theta1, examples, o))
}

// Surface measures loss and error on the plane through theta0, theta1 and
// theta2. See [Curve] for what it is given and what it keeps.
func Surface(ctx context.Context, theta0, theta1, theta2 string, examples []finetune.Example, o Options) (*Grid, error) {
	if o.Alphas == nil {
		o.Alphas = steps(-1, 2, 0.25)
	}
	if o.Betas == nil {
		o.Betas = steps(-1, 2, 0.25)
	}
	if err := errors.Join(checkGrid("alphas", o.Alphas), checkGrid("betas", o.Betas)); err != nil {
		return nil, err
	}
	s, err := newSpace(ctx, []string{theta0, theta1, theta2}, examples, o)
	if err != nil {
		return nil, err
	}
	var points []point
	for _, a := range o.Alphas {
		for _, b := range o.Betas {
			points = append(points, point{a, b, o.Group})
		}
	}
	values, err := s.measure(ctx, points)
	if err != nil {
		return nil, err
	}
	g := &Grid{Alphas: o.Alphas, Betas: o.Betas, Sample: s.sample, Provenance: s.provenance("surface", o)}
	if g.Plane, err = s.plane(ctx, o.Group); err != nil {
		return nil, err
	}
	for i := range o.Alphas {
		var loss, wrong []float64
		for _, v := range values[i*len(o.Betas) : (i+1)*len(o.Betas)] {
			loss, wrong = append(loss, v.Loss), append(wrong, v.Error)
		}
		g.Loss, g.Error = append(g.Loss, loss), append(g.Error, wrong)
	}
	return g, nil
}

// MustSurface is [Surface] for notebook cells: it panics instead of returning an error.
func MustSurface(ctx context.Context, theta0, theta1, theta2 string, examples []finetune.Example, o Options) *Grid {
	return kn.Must(Surface(ctx, theta0, theta1, theta2, examples, o))
}

// steps are the numbers from low to high; step by step from 0, so that 0 and 1
// are among them exactly.
func steps(low, high, step float64) []float64 {
	var out []float64
	n := math.Round(1 / step)
	for k := math.Round(low * n); k <= math.Round(high*n); k++ {
		out = append(out, k/n)
	}
	return out
}

// checkGrid refuses what makes no axis.
func checkGrid(name string, values []float64) error {
	if len(values) == 0 {
		return fmt.Errorf("landscape: there are no %s", name)
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("landscape: %s[%d] is %v; give finite numbers", name, i, v)
		}
	}
	return nil
}
