package landscapeplots

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// LossSurface draws the loss on a plane as filled contours, and the error beside
// it at the same scale, with a training's trajectory from its start to its end; path may
// be nil. The loss has logarithmic bands where its values are far apart.
func LossSurface(grid *landscape.Grid, path *landscape.Path, options ...plots.Options) (*plots.Figure, error) {
	if err := checkGrid(grid); err != nil {
		return nil, err
	}
	if err := checkPath(grid, path); err != nil {
		return nil, err
	}
	f, err := chart.New("loss surface", "Loss and error on the plane of two fine-tunings", options, grid.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{surfaceLine(grid, path)}
	if path != nil {
		f.Provenance = append(f.Provenance, path.Provenance)
	}
	loss, lossBar := lossField(grid, f.Options.Palette)
	wrong, errorBar := errorField(grid, f.Options.Palette)
	for i, z := range []field{loss, wrong} {
		p := f.Panel("α (towards θ₁)", "β (towards θ₂)")
		p.X.Padding, p.Y.Padding = 0, 0
		p.X.Tick.Marker, p.Y.Tick.Marker = chart.NiceTicks{Few: true}, chart.NiceTicks{Few: true}
		p.X.Min, p.X.Max = grid.Alphas[0], grid.Alphas[len(grid.Alphas)-1]
		p.Y.Min, p.Y.Max = grid.Betas[0], grid.Betas[len(grid.Betas)-1]
		p.Add(contours{field: z, bar: []chart.ColorBar{lossBar, errorBar}[i], border: f.Theme.Line(0.8, chart.Faint), line: f.Theme.Line(0.5, chart.Wash(chart.White, 0.9))})
		if err := addPath(f, p, path, i == 0); err != nil {
			return nil, err
		}
		addEnds(f, p, i == 0)
	}
	f.BarsBeside([]chart.ColorBar{lossBar, errorBar})
	f.Description = describeSurface(grid, path)
	return f.Figure(), nil
}

// MustLossSurface is [LossSurface] for notebook cells: it panics instead of returning an error.
func MustLossSurface(grid *landscape.Grid, path *landscape.Path, options ...plots.Options) *plots.Figure {
	return kn.Must(LossSurface(grid, path, options...))
}

// surfaceBands is the number of bands that a surface has about.
const surfaceBands = 12

// lossField is a surface's loss as it is shown, with its colours.
func lossField(g *landscape.Grid, colors plots.Palette) (field, chart.ColorBar) {
	var all []float64
	for _, row := range g.Loss {
		all = append(all, row...)
	}
	scale := newLossScale(all)
	bar := chart.ColorBar{Label: "Loss [nats]", Scale: colors.Sequential, Log: scale.log}
	bar.Low, bar.High, bar.Bands = bands(scale.low, scale.high, surfaceBands)
	return field{g.Alphas, g.Betas, mapped(g.Loss, scale.shown)}, bar
}

// errorField is a surface's error in percent, with its colours.
func errorField(g *landscape.Grid, colors plots.Palette) (field, chart.ColorBar) {
	z := mapped(g.Error, func(v float64) float64 { return 100 * v })
	low, high := 100.0, 0.0
	for _, row := range z {
		for _, v := range row {
			low, high = min(low, v), max(high, v)
		}
	}
	if high-low < 1 {
		low, high = max(0, low-0.5), min(100, high+0.5)
	}
	bar := chart.ColorBar{Label: "Error [%]", Scale: colors.Sequential}
	bar.Low, bar.High, bar.Bands = bands(low, high, surfaceBands)
	return field{g.Alphas, g.Betas, z}, bar
}

func mapped(rows [][]float64, f func(float64) float64) [][]float64 {
	out := make([][]float64, len(rows))
	for i, row := range rows {
		for _, v := range row {
			out[i] = append(out[i], f(v))
		}
	}
	return out
}

// addPath draws a training's trajectory.
func addPath(f *chart.Draft, p *plot.Plot, path *landscape.Path, legend bool) error {
	if path == nil {
		return nil
	}
	points := make(plotter.XYs, len(path.Points))
	for i, q := range path.Points {
		points[i].X, points[i].Y = q.Alpha, q.Beta
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return fmt.Errorf("plots: trajectory: %w", err)
	}
	halo := *line
	halo.LineStyle = f.Theme.Line(3, chart.White)
	line.LineStyle = f.Theme.Line(1.5, f.Color(1))
	p.Add(chart.Clipped{Line: &halo}, chart.Clipped{Line: line})
	dot := draw.GlyphStyle{Color: f.Color(1), Radius: f.Theme.Pt(1.6), Shape: draw.CircleGlyph{}}
	for _, q := range path.Points {
		p.Add(glyphAt{spot{q.Alpha, q.Beta}, dot})
	}
	if legend {
		f.AddLegend("checkpoints of the training", line, glyphAt{style: dot})
	}
	return nil
}

// addEnds marks the three points that span the plane.
func addEnds(f *chart.Draft, p *plot.Plot, legend bool) {
	for _, end := range []struct {
		spot
		name  string
		shape draw.GlyphDrawer
	}{
		{spot{0, 0}, "start (θ₀)", draw.CircleGlyph{}},
		{spot{1, 0}, "end (θ₁)", draw.BoxGlyph{}},
		{spot{0, 1}, "other end (θ₂)", draw.PyramidGlyph{}},
	} {
		mark := glyphAt{end.spot, draw.GlyphStyle{Color: chart.Ink, Radius: f.Theme.Pt(3), Shape: end.shape}}
		p.Add(mark)
		if legend {
			f.AddLegend(end.name, mark)
		}
	}
}

func checkGrid(g *landscape.Grid) error {
	if g == nil {
		return chart.Missing("loss surface")
	}
	if len(g.Alphas) < 2 || len(g.Betas) < 2 {
		return fmt.Errorf("plots: a surface on %d x %d points cannot be drawn; give two alphas and two betas or more", len(g.Alphas), len(g.Betas))
	}
	if err := errors.Join(chart.CheckAxis("alphas", g.Alphas), chart.CheckAxis("betas", g.Betas)); err != nil {
		return err
	}
	for name, rows := range map[string][][]float64{"loss": g.Loss, "error": g.Error} {
		if err := chart.CheckLength(name, len(rows), "alphas", len(g.Alphas)); err != nil {
			return err
		}
	}
	for i := range g.Alphas {
		if err := checkRow(fmt.Sprintf("row %d", i), "betas", len(g.Betas), g.Loss[i], g.Error[i]); err != nil {
			return err
		}
	}
	return nil
}

// checkPath refuses a trajectory on another plane.
func checkPath(g *landscape.Grid, path *landscape.Path) error {
	if path == nil {
		return nil
	}
	if path.Theta0 != g.Theta0 || path.Theta1 != g.Theta1 || path.Theta2 != g.Theta2 || path.Group != g.Group {
		return fmt.Errorf("plots: the trajectory is on the plane of %s, %s and %s, the surface on that of %s, %s and %s", path.Theta0, path.Theta1, path.Theta2, g.Theta0, g.Theta1, g.Theta2)
	}
	if len(path.Points) == 0 {
		return errors.New("plots: the trajectory has no points")
	}
	for i, q := range path.Points {
		if err := chart.CheckFinite(fmt.Sprintf("trajectory: point %d", i), []float64{q.Alpha, q.Beta, q.Explained}); err != nil {
			return err
		}
	}
	return nil
}

func surfaceLine(g *landscape.Grid, path *landscape.Path) string {
	line := chart.Plural(g.Examples, "example")
	if g.Group != "" {
		line += "; only the parameters of the " + g.Group + " move"
	}
	if g.EncoderOnly {
		line += "; θ₂ without its classifier"
	}
	if path != nil {
		low := 1.0
		for _, q := range path.Points {
			low = min(low, q.Explained)
		}
		line += fmt.Sprintf("; at least %.0f %% of the checkpoints' squared distance from θ₀ lie in the plane", 100*low)
	}
	return line
}

func describeSurface(g *landscape.Grid, path *landscape.Path) string {
	a, b := 0, 0
	for i, row := range g.Loss {
		for j, v := range row {
			if v < g.Loss[a][b] {
				a, b = i, j
			}
		}
	}
	parts := []string{
		"Mean cross-entropy in nats and error in percent on a plane through three models", surfaceLine(g, path),
		fmt.Sprintf("The lowest loss is %s, at α = %s, β = %s, with an error of %.1f %%", chart.Short(g.Loss[a][b]), chart.Short(g.Alphas[a]), chart.Short(g.Betas[b]), 100*g.Error[a][b]),
	}
	if path != nil {
		text := "The training's trajectory (step: α, β):"
		for _, q := range path.Points {
			text += fmt.Sprintf(" %d: %s, %s;", q.Step, chart.Short(q.Alpha), chart.Short(q.Beta))
		}
		parts = append(parts, text[:len(text)-1])
	}
	return chart.Sentences(parts...)
}
