package plots

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// methodNames are the two methods, as charts call them.
var methodNames = [2]string{"knowledge neurons (integrated gradients)", "activation baseline's neurons"}

// LayerDistribution draws which share of the refined neurons of all facts
// each layer has, by both methods, with 95 % intervals over facts where the
// table has them (the paper's figure 3).
func LayerDistribution(t *experiments.NeuronTable, options ...Options) (*Figure, error) {
	if err := checkTable(t); err != nil {
		return nil, err
	}
	layers := len(t.Gradients.PerLayer)
	if layers == 0 {
		return nil, errors.New("plots: the table of neurons has no layers")
	}
	if err := sameLength("Baseline.PerLayer", len(t.Baseline.PerLayer), "Gradients.PerLayer", layers); err != nil {
		return nil, err
	}
	f, err := newDraft("layer distribution", "Layers of the neurons that hold facts", options, t.Provenance)
	if err != nil {
		return nil, err
	}
	line := tableLine(t)
	if len(t.Gradients.PerLayerIntervals) > 0 {
		line += "; lines: 95 % intervals"
	}
	f.subtitle = []string{line}
	f.panel("Layer (0 is next to the embeddings)", "Share of the neurons [%]")
	b := intervalBars{upright: true, scale: 100, groups: make([]string, layers)}
	parts := []string{"Share of the neurons in each layer from the embeddings on, in percent", line}
	for s, m := range []experiments.MethodNeurons{t.Gradients, t.Baseline} {
		shares := m.PerLayer
		if err := probabilities(methodNames[s]+": PerLayer", shares); err != nil {
			return nil, err
		}
		if n := len(m.PerLayerIntervals); n > 0 {
			if err := errors.Join(sameLength("PerLayerIntervals", n, "PerLayer", layers), checkIntervals(methodNames[s], m.PerLayerIntervals...)); err != nil {
				return nil, err
			}
		}
		series, text := intervalSeries{label: methodNames[s]}, methodNames[s]+":"
		for l, share := range shares {
			v := stats.Interval{Mean: share, Low: share, High: share}
			if len(m.PerLayerIntervals) > 0 {
				v = m.PerLayerIntervals[l]
			}
			series.values = append(series.values, v)
			text += fmt.Sprintf(" %.1f", 100*share)
		}
		b.series, parts = append(b.series, series), append(parts, text)
	}
	if layers <= 12 && !(f.narrow() && layers > 6) {
		digits := 0
		if layers <= 6 {
			digits = 1
		}
		b.text = func(g, s int) string { return fmt.Sprintf("%.*f", digits, 100*b.series[s].values[g].Mean) }
	}
	if err := f.addIntervalBars(b); err != nil {
		return nil, err
	}
	f.panels[0].X.Tick.Marker = plot.ConstantTicks(indices(layers, 24, 0))
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// MustLayerDistribution is [LayerDistribution] for notebook cells: it panics instead of returning an error.
func MustLayerDistribution(t *experiments.NeuronTable, options ...Options) *Figure {
	return kn.Must(LayerDistribution(t, options...))
}

// SharedNeurons draws how many neurons a fact has, and how many two facts of
// one relation and of different ones have in common, by both methods, with 95
// % intervals (the paper's table 2); the last rows leave out pairs of facts with the
// same answer.
func SharedNeurons(t *experiments.NeuronTable, options ...Options) (*Figure, error) {
	if err := checkTable(t); err != nil {
		return nil, err
	}
	f, err := newDraft("shared neurons", "Neurons that facts share", options, t.Provenance)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{tableLine(t) + "; lines: 95 % intervals"}
	f.panel("Number of neurons", "")
	b := intervalBars{scale: 1, rows: 2, apart: 1, groups: []string{
		"in a fact", "shared: facts of one relation", "shared: facts of different relations",
		"shared: one relation, different answers", "shared: different relations and answers",
	}}
	parts := []string{"Mean number of neurons with 95 % intervals", tableLine(t)}
	for s, m := range []experiments.MethodNeurons{t.Gradients, t.Baseline} {
		values := []stats.Interval{m.PerFact, m.Shared.Within, m.Shared.Across, m.Shared.WithinOther, m.Shared.AcrossOther}
		if err := checkIntervals(methodNames[s], values...); err != nil {
			return nil, err
		}
		b.series = append(b.series, intervalSeries{label: methodNames[s], values: values})
		for g, v := range values {
			parts = append(parts, fmt.Sprintf("%s, %s: %.2f [%.2f, %.2f]", methodNames[s], b.groups[g], v.Mean, v.Low, v.High))
		}
	}
	b.text = func(g, s int) string { return fmt.Sprintf("%.2f", b.series[s].values[g].Mean) }
	if err := f.addIntervalBars(b); err != nil {
		return nil, err
	}
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// MustSharedNeurons is [SharedNeurons] for notebook cells: it panics instead of returning an error.
func MustSharedNeurons(t *experiments.NeuronTable, options ...Options) *Figure {
	return kn.Must(SharedNeurons(t, options...))
}

func checkTable(t *experiments.NeuronTable) error {
	switch {
	case t == nil:
		return missing("table of neurons")
	case t.Facts == 0:
		return errors.New("plots: the table of neurons has no facts")
	}
	return nil
}

func tableLine(t *experiments.NeuronTable) string {
	return fmt.Sprintf("%s of %s, %s", plural(t.Facts, "fact"), plural(t.Relations, "relation"), plural(t.Prompts, "prompt"))
}
