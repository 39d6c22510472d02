package experimentplots

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// methodNames are the two methods, as charts call them.
var methodNames = [2]string{"knowledge neurons (integrated gradients)", "activation baseline's neurons"}

// LayerDistribution draws which share of the refined neurons of all facts
// each layer has, by both methods, with 95 % intervals over facts where the
// table has them (the paper's figure 3).
func LayerDistribution(t *experiments.NeuronTable, options ...plots.Options) (*plots.Figure, error) {
	if err := checkTable(t); err != nil {
		return nil, err
	}
	layers := len(t.Gradients.PerLayer)
	if layers == 0 {
		return nil, errors.New("plots: the table of neurons has no layers")
	}
	if err := chart.CheckLength("Baseline.PerLayer", len(t.Baseline.PerLayer), "Gradients.PerLayer", layers); err != nil {
		return nil, err
	}
	f, err := chart.New("layer distribution", "Layers of the neurons that hold facts", options, t.Provenance)
	if err != nil {
		return nil, err
	}
	line := tableLine(t)
	if len(t.Gradients.PerLayerIntervals) > 0 {
		line += "; lines: 95 % intervals"
	}
	f.Subtitle = []string{line}
	f.Panel("Layer (0 is next to the embeddings)", "Share of the neurons [%]")
	b := chart.IntervalBars{Upright: true, Scale: 100, Groups: make([]string, layers)}
	parts := []string{"Share of the neurons in each layer from the embeddings on, in percent", line}
	for s, m := range []experiments.MethodNeurons{t.Gradients, t.Baseline} {
		shares := m.PerLayer
		if err := chart.CheckProbabilities(methodNames[s]+": PerLayer", shares); err != nil {
			return nil, err
		}
		if n := len(m.PerLayerIntervals); n > 0 {
			if err := errors.Join(chart.CheckLength("PerLayerIntervals", n, "PerLayer", layers), chart.CheckIntervals(methodNames[s], m.PerLayerIntervals...)); err != nil {
				return nil, err
			}
		}
		series, text := chart.IntervalSeries{Label: methodNames[s]}, methodNames[s]+":"
		for l, share := range shares {
			v := stats.Interval{Mean: share, Low: share, High: share}
			if len(m.PerLayerIntervals) > 0 {
				v = m.PerLayerIntervals[l]
			}
			series.Values = append(series.Values, v)
			text += fmt.Sprintf(" %.1f", 100*share)
		}
		b.Series, parts = append(b.Series, series), append(parts, text)
	}
	if layers <= 12 && !(f.Narrow() && layers > 6) {
		digits := 0
		if layers <= 6 {
			digits = 1
		}
		b.Text = func(g, s int) string { return fmt.Sprintf("%.*f", digits, 100*b.Series[s].Values[g].Mean) }
	}
	if err := f.AddIntervalBars(b); err != nil {
		return nil, err
	}
	f.Panels[0].X.Tick.Marker = plot.ConstantTicks(chart.Indices(layers, 24, 0))
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustLayerDistribution is [LayerDistribution] for notebook cells: it panics instead of returning an error.
func MustLayerDistribution(t *experiments.NeuronTable, options ...plots.Options) *plots.Figure {
	return kn.Must(LayerDistribution(t, options...))
}

// SharedNeurons draws how many neurons a fact has, and how many two facts of
// one relation and of different ones have in common, by both methods, with 95
// % intervals (the paper's table 2); the last rows leave out pairs of facts with the
// same answer.
func SharedNeurons(t *experiments.NeuronTable, options ...plots.Options) (*plots.Figure, error) {
	if err := checkTable(t); err != nil {
		return nil, err
	}
	f, err := chart.New("shared neurons", "Neurons that facts share", options, t.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{tableLine(t) + "; lines: 95 % intervals"}
	f.Panel("Number of neurons", "")
	b := chart.IntervalBars{Scale: 1, Rows: 2, Apart: 1, Groups: []string{
		"in a fact", "shared: facts of one relation", "shared: facts of different relations",
		"shared: one relation, different answers", "shared: different relations and answers",
	}}
	parts := []string{"Mean number of neurons with 95 % intervals", tableLine(t)}
	for s, m := range []experiments.MethodNeurons{t.Gradients, t.Baseline} {
		values := []stats.Interval{m.PerFact, m.Shared.Within, m.Shared.Across, m.Shared.WithinOther, m.Shared.AcrossOther}
		if err := chart.CheckIntervals(methodNames[s], values...); err != nil {
			return nil, err
		}
		b.Series = append(b.Series, chart.IntervalSeries{Label: methodNames[s], Values: values})
		for g, v := range values {
			parts = append(parts, fmt.Sprintf("%s, %s: %.2f [%.2f, %.2f]", methodNames[s], b.Groups[g], v.Mean, v.Low, v.High))
		}
	}
	b.Text = func(g, s int) string { return fmt.Sprintf("%.2f", b.Series[s].Values[g].Mean) }
	if err := f.AddIntervalBars(b); err != nil {
		return nil, err
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustSharedNeurons is [SharedNeurons] for notebook cells: it panics instead of returning an error.
func MustSharedNeurons(t *experiments.NeuronTable, options ...plots.Options) *plots.Figure {
	return kn.Must(SharedNeurons(t, options...))
}

func checkTable(t *experiments.NeuronTable) error {
	switch {
	case t == nil:
		return chart.Missing("table of neurons")
	case t.Facts == 0:
		return errors.New("plots: the table of neurons has no facts")
	}
	return nil
}

func tableLine(t *experiments.NeuronTable) string {
	return fmt.Sprintf("%s of %s, %s", chart.Plural(t.Facts, "fact"), chart.Plural(t.Relations, "relation"), chart.Plural(t.Prompts, "prompt"))
}
