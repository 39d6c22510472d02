package plots_test

import (
	"math"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

func TestBadLandscapes(t *testing.T) {
	curve := func(spoil func(l *landscape.Line)) func() (any, error) {
		return func() (any, error) {
			l := lossLine(1)
			spoil(l)
			return plots.LossCurves([]plots.LossCurve{{"one", l}})
		}
	}
	surface := func(spoil func(g *landscape.Grid, p *landscape.Path)) func() (any, error) {
		return func() (any, error) {
			g, p := lossGrid(5), lossPath()
			spoil(g, p)
			return plots.TurnableSurface(g, p)
		}
	}
	for _, test := range []bad{
		{"no curve", func() (any, error) { return plots.LossCurves(nil) }, "no loss curve"},
		{"nil curve", func() (any, error) { return plots.LossCurves([]plots.LossCurve{{"one", nil}}) }, `loss curve "one"`},
		{"no points", curve(func(l *landscape.Line) { *l = landscape.Line{} }), "no points"},
		{"lengths", curve(func(l *landscape.Line) { l.Loss = l.Loss[1:] }), "one: loss has 40 values"},
		{"NaN", curve(func(l *landscape.Line) { l.Loss[3] = math.NaN() }), "loss[3] is NaN"},
		{"negative", curve(func(l *landscape.Line) { l.Loss[3] = -1 }), "no cross-entropy"},
		{"error", curve(func(l *landscape.Line) { l.Error[2] = 1.5 }), "error[2] is 1.5"},
		{"order", curve(func(l *landscape.Line) { l.Alphas[2] = -4 }), "rising order"},
		{"nil groups", func() (any, error) { return plots.GroupResets(nil) }, "groups"},
		{"no groups", func() (any, error) { return plots.GroupResets(&landscape.GroupResets{}) }, "no group"},
		{"NaN group", func() (any, error) {
			r := groupResets()
			r.Groups[2].Loss = math.NaN()
			return plots.GroupResets(r)
		}, "middle layers"},
		{"nil surface", func() (any, error) { return plots.LossSurface(nil, nil) }, "loss surface"},
		{"one alpha", func() (any, error) { return plots.LossSurface(lossGrid(2), &landscape.Path{}) }, "the trajectory is on the plane of"},
		{"rows", surface(func(g *landscape.Grid, _ *landscape.Path) { g.Error = g.Error[1:] }), "error has 4 values"},
		{"row", surface(func(g *landscape.Grid, _ *landscape.Path) { g.Loss[2] = g.Loss[2][1:] }), "row 2: loss has 4"},
		{"small", surface(func(g *landscape.Grid, _ *landscape.Path) { g.Betas = g.Betas[:1] }), "5 x 1 points"},
		{"betas", surface(func(g *landscape.Grid, _ *landscape.Path) { g.Betas[1] = 9 }), "betas[2]"},
		{"no way", surface(func(_ *landscape.Grid, p *landscape.Path) { p.Points = nil }), "has no points"},
		{"NaN way", surface(func(_ *landscape.Grid, p *landscape.Path) { p.Points[1].Beta = math.NaN() }), "point 1"},
	} {
		if _, err := test.draw(); err == nil || !strings.HasPrefix(err.Error(), "plots: ") || !strings.Contains(err.Error(), test.names) {
			t.Errorf("%s: got %v, want an error that names %q", test.name, err, test.names)
		}
	}
}

// TestExtremeLandscapes draws what is unusual, but right.
func TestExtremeLandscapes(t *testing.T) {
	flat, zero := lossGrid(2), lossGrid(3)
	for i := range flat.Loss {
		for j := range flat.Loss[i] {
			flat.Loss[i][j], flat.Error[i][j] = 0.7, 0
		}
	}
	zero.Loss[1][1], zero.Loss[0][0] = 0, 1e30
	way := lossPath()
	way.Points[8].Alpha = 50 // far outside
	one := lossLine(1)
	one.Alphas, one.Loss, one.Error = one.Alphas[:1], []float64{0}, []float64{1}
	for name, f := range map[string]*plots.Figure{
		"flat": plots.MustLossSurface(flat, way), "zero": plots.MustLossSurface(zero, nil),
		"paper": plots.MustLossSurface(lossGrid(5), way, plots.Options{Size: plots.PaperColumn}), "one point": plots.MustLossCurves([]plots.LossCurve{{"", one}}),
	} {
		if _, err := f.SVG(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.PDF(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	turnable(t, plots.MustTurnableSurface(zero, way))
}
