package trainingplots

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// measureTexts say what a measure is, with its unit.
var measureTexts = map[dynamics.Measure]struct{ title, axis string }{
	dynamics.JSD:   {"Attention's divergence", "JS divergence of attention [nats]"},
	dynamics.SVCCA: {"Hidden states' SVCCA distance", "SVCCA distance of hidden states"},
	dynamics.CKA:   {"Hidden states' CKA distance", "CKA distance of hidden states"},
}

// layerNames name the layers that a measure has values of.
func layerNames(m dynamics.Measure, n int) []string {
	var names []string
	for l := range n {
		switch {
		case !m.States():
			names = append(names, strconv.Itoa(l))
		case l == 0:
			names = append(names, "emb.")
		default:
			names = append(names, strconv.Itoa(l-1))
		}
	}
	return names
}

// DynamicsHeatMap draws how far a training's checkpoints are from its start: a
// measure over layers (rows, the topmost above) and steps (columns).
func DynamicsHeatMap(r *dynamics.LayersBySteps, m dynamics.Measure, options ...plots.Options) (*plots.Figure, error) {
	f, values, err := newDynamics(r, m, "dynamics heat map", options)
	if err != nil {
		return nil, err
	}
	p := f.Panel("Step", "Layer")
	bar := chart.ColorBar{Label: measureTexts[m].axis, Scale: f.Options.Palette.Sequential, Low: 0, High: largest(values)}
	var cells []chart.Cell
	var columns, rows []plot.Tick
	names := layerNames(m, len(values[0]))
	for i, row := range values {
		columns = append(columns, plot.Tick{Value: float64(i), Label: strconv.Itoa(r.Steps[i])})
		for l, v := range row {
			cells = append(cells, chart.Cell{X: float64(i), Y: float64(l), Fill: bar.Color(v), Text: brief(v)})
		}
	}
	for l, name := range names {
		rows = append(rows, plot.Tick{Value: float64(l), Label: name})
	}
	room := 12
	if f.Narrow() {
		room = 6
	}
	f.AddCells(cells, len(values) <= room && len(names) <= 14)
	for i := range columns { // some labels are enough where there are many
		if every := (len(columns) + room - 1) / room; i%every != 0 {
			columns[i].Label = ""
		}
	}
	f.BareAxes(columns, rows)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(len(values))-0.5, -0.5, float64(len(names))-0.5
	f.AddColorBar(bar)
	return f.Figure(), nil
}

// MustDynamicsHeatMap is [DynamicsHeatMap] for notebook cells: it panics instead of returning an error.
func MustDynamicsHeatMap(r *dynamics.LayersBySteps, m dynamics.Measure, options ...plots.Options) *plots.Figure {
	return kn.Must(DynamicsHeatMap(r, m, options...))
}

// DynamicsCurves draws the same as a curve over steps for each layer, lighter
// for lower ones, from 0 at the start.
func DynamicsCurves(r *dynamics.LayersBySteps, m dynamics.Measure, options ...plots.Options) (*plots.Figure, error) {
	f, values, err := newDynamics(r, m, "dynamics curves", options)
	if err != nil {
		return nil, err
	}
	p := f.Panel("Step", measureTexts[m].axis)
	p.Add(f.Theme.Across())
	names := layerNames(m, len(values[0]))
	var lines []chart.Line
	for l, name := range names {
		line := chart.Line{Label: "layer " + name, Series: l, X: []float64{0}, Y: []float64{0}}
		if name == "emb." {
			line.Label = "embeddings"
		}
		for i, row := range values {
			if r.Steps[i] > 0 {
				line.X, line.Y = append(line.X, float64(r.Steps[i])), append(line.Y, row[l])
			}
		}
		lines = append(lines, line)
	}
	switch {
	case len(lines) > 4: // more than one can tell apart by name: in the order of their layers
		n := float64(len(lines) - 1)
		for l := range lines {
			shade := chart.Shade(f.Options.Palette.Sequential, 0.3+0.7*float64(l)/n)
			lines[l].Color = &shade
		}
	case !m.States(): // a layer looks the same where embeddings are beside it
		for l := range lines {
			lines[l].Series++
		}
	}
	if err := f.AddLines(p, lines); err != nil {
		return nil, err
	}
	p.X.Min, p.X.Max = 0, math.Max(1, float64(slices.Max(r.Steps)))
	p.X.Tick.Marker = chart.NiceTicks{Whole: true}
	p.Y.Min, p.Y.Max = 0, 1.05*largest(values)
	return f.Figure(), nil
}

// MustDynamicsCurves is [DynamicsCurves] for notebook cells: it panics instead of returning an error.
func MustDynamicsCurves(r *dynamics.LayersBySteps, m dynamics.Measure, options ...plots.Options) *plots.Figure {
	return kn.Must(DynamicsCurves(r, m, options...))
}

// newDynamics starts a figure of a training's measure.
func newDynamics(r *dynamics.LayersBySteps, m dynamics.Measure, kind string, options []plots.Options) (*chart.Draft, [][]float64, error) {
	if r == nil {
		return nil, nil, chart.Missing("comparison of checkpoints")
	}
	values := r.Of(m)
	if err := checkDynamics(r, m, values); err != nil {
		return nil, nil, err
	}
	f, err := chart.New(kind, measureTexts[m].title+" from the start, by layer", options, r.Provenance)
	if err != nil {
		return nil, nil, err
	}
	f.Subtitle = []string{fmt.Sprintf("Each checkpoint against the start, on %s of %d tokens", chart.Plural(r.Texts, "text"), r.Tokens)}
	last := len(values) - 1
	parts := []string{measureTexts[m].axis + " between a training's start and its checkpoints"}
	for l, name := range layerNames(m, len(values[0])) {
		parts = append(parts, fmt.Sprintf("Layer %s: %s after %d steps", name, chart.Short(values[last][l]), r.Steps[last]))
	}
	f.Description = chart.Sentences(parts...)
	return f, values, nil
}

func checkDynamics(r *dynamics.LayersBySteps, m dynamics.Measure, values [][]float64) error {
	switch {
	case measureTexts[m].axis == "":
		return fmt.Errorf("plots: there is no measure %q; there are %q", m, dynamics.AllMeasures)
	case len(values) == 0 || len(values[0]) == 0:
		return errors.New("plots: the comparison has no checkpoints or no layers")
	}
	if err := chart.CheckLength(string(m), len(values), "Steps", len(r.Steps)); err != nil {
		return err
	}
	for i, row := range values {
		name := fmt.Sprintf("%s[%d]", m, i)
		if err := chart.CheckLength(name, len(row), string(m)+"[0]", len(values[0])); err != nil {
			return err
		}
		if err := chart.CheckFinite(name, row); err != nil {
			return err
		}
	}
	return nil
}

// largest is the largest of some values, 1 if all are 0.
func largest(values [][]float64) float64 {
	most := 0.0
	for _, row := range values {
		most = max(most, slices.Max(row))
	}
	if most == 0 {
		return 1
	}
	return most
}

// brief writes a measure with two significant digits.
func brief(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 0.001:
		return strconv.FormatFloat(v, 'g', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}
