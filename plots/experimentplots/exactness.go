package experimentplots

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// Exactness draws the adaptive rule's true error against its own estimate,
// both in powers, a point a prompt and tolerance: that of the layer that is
// furthest off. Points above the diagonal were estimated too low, and those
// above the dashed line of their colour broke the tolerance. Attributions that
// the rule reports as not converged are ringed.
func Exactness(t *experiments.ExactnessTable, options ...plots.Options) (*plots.Figure, error) {
	if err := checkExactness(t); err != nil {
		return nil, err
	}
	f, err := chart.New("exactness", "Error of the attributions against its estimate", options, t.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = append(f.Subtitle, fmt.Sprintf("Worst layer of %s, in %% of the prompt's largest score; reference: adaptive to %s",
		chart.Plural(t.Prompts, "prompt"), inPercent(t.Reference.Tolerance)))
	p := f.Theme.Plot("The rule's own estimate [%]", "Largest error of a score [%]")
	p.X.Tick.Marker, p.Y.Tick.Marker = chart.LogTicks{}, chart.LogTicks{}
	f.Panels = []*plot.Plot{p}
	p.Add(f.Theme.Grid())
	addDiagonal(f)
	for k := range t.Tolerances {
		if err := addTolerance(f, t, k); err != nil {
			return nil, err
		}
	}
	if err := addUnconverged(f, t); err != nil {
		return nil, err
	}
	const pad = 0.15 // of a power of ten
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = p.X.Min-pad, p.X.Max+pad, p.Y.Min-pad, p.Y.Max+pad
	parts := []string{"Largest error of a score against the adaptive rule's own estimate of it, in the worst layer of each prompt, as shares of the largest score"}
	for _, r := range t.Tolerances {
		parts = append(parts, fmt.Sprintf("Adaptive to %s: %d of %s within it, the worst error is %s times it",
			inPercent(r.Tolerance), r.Within, chart.Plural(r.Prompts, "prompt"), chart.Short(r.Worst)))
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustExactness is [Exactness] for notebook cells: it panics instead of returning an error.
func MustExactness(t *experiments.ExactnessTable, options ...plots.Options) *plots.Figure {
	return kn.Must(Exactness(t, options...))
}

// addDiagonal draws the line on which the estimate is the error.
func addDiagonal(f *chart.Draft) {
	style := f.Theme.Line(1, chart.Faint)
	const far = 100 // powers of ten
	f.Panels[0].Add(chart.PlotFunc(func(c draw.Canvas, x, y func(float64) vg.Length) {
		c.StrokeLines(style, c.ClipLinesXY([]vg.Point{{X: x(-far), Y: y(-far)}, {X: x(far), Y: y(far)}})...)
	}))
	f.AddLegend("error = estimate", &plotter.Line{LineStyle: style})
}

// addTolerance draws the points of the k-th tolerance, and a line at it.
func addTolerance(f *chart.Draft, t *experiments.ExactnessTable, k int) error {
	tolerance, p := t.Tolerances[k].Tolerance, f.Panels[0]
	name := "adaptive to " + inPercent(tolerance)
	points, err := plotter.NewScatter(exactnessPoints(t, k, func(experiments.AttributionExactness) bool { return true }))
	if err != nil {
		return fmt.Errorf("plots: %s: %w", name, err)
	}
	opacity := 0.85
	if t.Prompts > 150 {
		opacity = 0.55
	}
	color := f.Color(k)
	points.GlyphStyle = draw.GlyphStyle{Color: chart.Wash(color, opacity), Radius: f.Theme.Pt(2.4), Shape: chart.Glyphs[k%len(chart.Glyphs)]}
	style, at := f.Theme.Line(1.2, color), shownError(tolerance)
	style.Dashes = chart.Dashes(1, style.Width)
	p.Add(chart.PlotFunc(func(c draw.Canvas, _, y func(float64) vg.Length) {
		c.StrokeLines(style, c.ClipLinesXY([]vg.Point{{X: c.Min.X, Y: y(at)}, {X: c.Max.X, Y: y(at)}})...)
	}), points)
	p.Y.Min, p.Y.Max = min(p.Y.Min, at), max(p.Y.Max, at)
	f.AddLegend(name, &plotter.Line{LineStyle: style}, points)
	return nil
}

// addUnconverged rings the attributions that the rule reports as not converged.
func addUnconverged(f *chart.Draft, t *experiments.ExactnessTable) error {
	var all plotter.XYs
	for k := range t.Tolerances {
		all = append(all, exactnessPoints(t, k, func(a experiments.AttributionExactness) bool { return a.NotConverged })...)
	}
	if len(all) == 0 {
		return nil
	}
	rings, err := plotter.NewScatter(all)
	if err != nil {
		return fmt.Errorf("plots: not converged: %w", err)
	}
	rings.GlyphStyle = draw.GlyphStyle{Color: chart.Ink, Radius: f.Theme.Pt(4), Shape: draw.RingGlyph{}}
	f.Panels[0].Add(rings)
	f.AddLegend("reported as not converged", rings)
	return nil
}

// exactnessPoints are those of the k-th tolerance's attributions that are asked for.
func exactnessPoints(t *experiments.ExactnessTable, k int, asked func(experiments.AttributionExactness) bool) (points plotter.XYs) {
	for _, e := range t.Each {
		if a := e.By[k]; asked(a) {
			points = append(points, plotter.XY{X: shownError(a.Estimate), Y: shownError(a.Error)})
		}
	}
	return points
}

// shownError is where a share stands on a logarithmic axis of percents.
func shownError(share float64) float64 { return math.Log10(100 * max(share, leastError)) }

// inPercent writes a share such as a tolerance: 0.001 as 0.1 %.
func inPercent(share float64) string {
	return strconv.FormatFloat(100*share, 'g', 3, 64) + " %"
}

func checkExactness(t *experiments.ExactnessTable) error {
	switch {
	case t == nil:
		return chart.Missing("table of exactness")
	case len(t.Each) == 0:
		return errors.New("plots: the table of exactness has no prompts")
	case len(t.Tolerances) == 0:
		return errors.New("plots: the table of exactness has no tolerances")
	}
	for _, r := range t.Tolerances {
		if !(r.Tolerance > 0) || math.IsInf(r.Tolerance, 1) {
			return fmt.Errorf("plots: a tolerance of %v cannot be drawn", r.Tolerance)
		}
	}
	for i, p := range t.Each {
		name := fmt.Sprintf("prompt %d", i)
		if err := chart.CheckLength(name, len(p.By), "the table of exactness", len(t.Tolerances)); err != nil {
			return err
		}
		for k, a := range p.By {
			if err := chart.CheckFinite(fmt.Sprintf("%s: error and estimate to tolerance %d", name, k), []float64{a.Error, a.Estimate}); err != nil {
				return err
			}
			if a.Error < 0 || a.Estimate < 0 {
				return fmt.Errorf("plots: %s: an error of %v, estimated as %v; neither is negative", name, a.Error, a.Estimate)
			}
		}
	}
	return nil
}
