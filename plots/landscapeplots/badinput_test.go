package landscapeplots_test

import (
	"math"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
	"github.com/knowledge-neurons/gonb-kn/plots/landscapeplots"
)

func TestBadLandscapes(t *testing.T) {
	curve := func(spoil func(l *landscape.Line)) func() (any, error) {
		return func() (any, error) {
			l := lossLine(1)
			spoil(l)
			return landscapeplots.LossCurves([]landscapeplots.LossCurve{{"one", l}})
		}
	}
	surface := func(spoil func(g *landscape.Grid, p *landscape.Path)) func() (any, error) {
		return func() (any, error) {
			g, p := lossGrid(5), lossPath()
			spoil(g, p)
			return landscapeplots.TurnableSurface(g, p)
		}
	}
	charttest.Errors(t, []charttest.Case{
		charttest.Bad("no curve", func() (any, error) { return landscapeplots.LossCurves(nil) }, "no loss curve"),
		charttest.Bad("nil curve", func() (any, error) { return landscapeplots.LossCurves([]landscapeplots.LossCurve{{"one", nil}}) }, `loss curve "one"`),
		charttest.Bad("no points", curve(func(l *landscape.Line) { *l = landscape.Line{} }), "no points"),
		charttest.Bad("lengths", curve(func(l *landscape.Line) { l.Loss = l.Loss[1:] }), "one: loss has 40 values"),
		charttest.Bad("NaN", curve(func(l *landscape.Line) { l.Loss[3] = math.NaN() }), "loss[3] is NaN"),
		charttest.Bad("negative", curve(func(l *landscape.Line) { l.Loss[3] = -1 }), "no cross-entropy"),
		charttest.Bad("error", curve(func(l *landscape.Line) { l.Error[2] = 1.5 }), "error[2] is 1.5"),
		charttest.Bad("order", curve(func(l *landscape.Line) { l.Alphas[2] = -4 }), "rising order"),
		charttest.Bad("nil groups", func() (any, error) { return landscapeplots.GroupResets(nil) }, "groups"),
		charttest.Bad("no groups", func() (any, error) { return landscapeplots.GroupResets(&landscape.GroupResets{}) }, "no group"),
		charttest.Bad("NaN group", func() (any, error) {
			r := groupResets()
			r.Groups[2].Loss = math.NaN()
			return landscapeplots.GroupResets(r)
		}, "middle layers"),
		charttest.Bad("nil surface", func() (any, error) { return landscapeplots.LossSurface(nil, nil) }, "loss surface"),
		charttest.Bad("one alpha", func() (any, error) { return landscapeplots.LossSurface(lossGrid(2), &landscape.Path{}) }, "the trajectory is on the plane of"),
		charttest.Bad("rows", surface(func(g *landscape.Grid, _ *landscape.Path) { g.Error = g.Error[1:] }), "error has 4 values"),
		charttest.Bad("row", surface(func(g *landscape.Grid, _ *landscape.Path) { g.Loss[2] = g.Loss[2][1:] }), "row 2: loss has 4"),
		charttest.Bad("small", surface(func(g *landscape.Grid, _ *landscape.Path) { g.Betas = g.Betas[:1] }), "5 x 1 points"),
		charttest.Bad("betas", surface(func(g *landscape.Grid, _ *landscape.Path) { g.Betas[1] = 9 }), "betas[2]"),
		charttest.Bad("no way", surface(func(_ *landscape.Grid, p *landscape.Path) { p.Points = nil }), "has no points"),
		charttest.Bad("NaN way", surface(func(_ *landscape.Grid, p *landscape.Path) { p.Points[1].Beta = math.NaN() }), "point 1"),
	})
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
		"flat": landscapeplots.MustLossSurface(flat, way), "zero": landscapeplots.MustLossSurface(zero, nil),
		"paper": landscapeplots.MustLossSurface(lossGrid(5), way, plots.Options{Size: plots.PaperColumn}), "one point": landscapeplots.MustLossCurves([]landscapeplots.LossCurve{{"", one}}),
	} {
		if _, err := f.SVG(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.PDF(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	turnable(t, landscapeplots.MustTurnableSurface(zero, way))
}
