package landscapeplots_test

import (
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// Made-up landscapes, of the shape and size of real ones.

// bowl is a loss with its lowest point near (0.9, 0.1), a plateau at log 2 and
// walls far out; error follows it.
func bowl(a, b, narrow float64) (loss, wrong float64) {
	d := narrow * ((a-0.9)*(a-0.9) + 0.6*(b-0.1)*(b-0.1) + 0.3*a*b*b)
	loss = 0.04 + 0.66*(1-math.Exp(-3*d)) + 0.25*d*d
	return loss, 0.5 * (1 - math.Exp(-2*d))
}

// lossLine is a curve; the narrower, the larger narrow is.
func lossLine(narrow float64) *landscape.Line {
	l := &landscape.Line{Plane: landscape.Plane{Theta0: "start", Theta1: "end", Norm1: 4}, Provenance: charttest.MadeUp}
	l.Examples = 500
	for k := range 41 {
		a := float64(k)/5 - 4
		loss, wrong := bowl(a, 0, narrow)
		l.Alphas, l.Loss, l.Error = append(l.Alphas, a), append(l.Loss, loss), append(l.Error, wrong)
	}
	return l
}

// lossGrid is a surface on n x n points.
func lossGrid(n int) *landscape.Grid {
	g := &landscape.Grid{Plane: landscape.Plane{Theta0: "start", Theta1: "end", Theta2: "other", Norm1: 4, Norm2: 5, Cosine: 0.1}, Provenance: charttest.MadeUp}
	g.Examples = 500
	for k := range n {
		v := -1 + 3*float64(k)/float64(n-1)
		g.Alphas, g.Betas = append(g.Alphas, v), append(g.Betas, v)
	}
	for _, a := range g.Alphas {
		var losses, errors []float64
		for _, b := range g.Betas {
			loss, wrong := bowl(a, b, 1)
			losses, errors = append(losses, loss), append(errors, wrong)
		}
		g.Loss, g.Error = append(g.Loss, losses), append(g.Error, errors)
	}
	return g
}

// lossPath is a trajectory on that surface's plane.
func lossPath() *landscape.Path {
	g := lossGrid(2)
	p := &landscape.Path{Plane: g.Plane, Provenance: charttest.MadeUp}
	for k := range 9 {
		t := float64(k) / 8
		p.Points = append(p.Points, landscape.PathPoint{Step: 50 * k, Alpha: t, Beta: 0.5 * t * (1 - t), Distance: 4 * t, Explained: 1 - 0.4*t*(1-t)})
	}
	p.Points[0].Explained = 1
	return p
}

// groupResets are those of a model of twelve layers.
func groupResets() *landscape.GroupResets {
	r := &landscape.GroupResets{Theta0: "start", Theta1: "end", Start: landscape.Value{Loss: 0.71, Error: 0.5}, FineTuned: landscape.Value{Loss: 0.21, Error: 0.08}, Provenance: charttest.MadeUp}
	r.Examples = 500
	for i, g := range landscape.Groups(12) {
		v := landscape.Value{Loss: 0.22 + 0.03*float64(i*i), Error: 0.08 + 0.02*float64(i*i)}
		r.Groups = append(r.Groups, landscape.GroupReset{Name: g.Name, Value: v, Moved: 0.004 * float64(i+1)})
	}
	return r
}
