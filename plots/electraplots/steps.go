package electraplots

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/electra"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// Steps draws one metric of pre-trainings over their steps: the mean of
// each variant's seeds, with a band from the lowest to the highest. Lines begin
// at the first measurement after the start: beside the start's values those of
// trained models would look alike.
func Steps(records []*electra.Record, metric electra.Metric, options ...plots.Options) (*plots.Figure, error) {
	return curves(records, metric, "steps", "Steps", func(m electra.Measurement) float64 { return float64(m.Step) }, options)
}

// MustSteps is [Steps] for notebook cells: it panics instead of returning an error.
func MustSteps(records []*electra.Record, metric electra.Metric, options ...plots.Options) *plots.Figure {
	return kn.Must(Steps(records, metric, options...))
}

// Time is [Steps] over the time that training took, measuring not
// counted: of each variant, the mean of its seeds' times.
func Time(records []*electra.Record, metric electra.Metric, options ...plots.Options) (*plots.Figure, error) {
	return curves(records, metric, "time", "Time of training [s]", func(m electra.Measurement) float64 { return m.Seconds }, options)
}

// MustTime is [Time] for notebook cells: it panics instead of returning an error.
func MustTime(records []*electra.Record, metric electra.Metric, options ...plots.Options) *plots.Figure {
	return kn.Must(Time(records, metric, options...))
}

func curves(records []*electra.Record, metric electra.Metric, over, x string, at func(electra.Measurement) float64, options []plots.Options) (*plots.Figure, error) {
	variants, runs, err := byVariant(records)
	if err != nil {
		return nil, err
	}
	series := seriesOf(variants, runs)
	f, err := chart.New("electra "+metric.Name+" over "+over, metric.Title, options)
	if err != nil {
		return nil, err
	}
	line := fmt.Sprintf("Mean of %s a variant", chart.Plural(len(runs[variants[0]]), "seed"))
	if len(runs[variants[0]]) > 1 {
		line += "; bands: lowest to highest"
	}
	f.Subtitle = []string{line}
	f.Provenance = []kn.Provenance{{
		Model: records[0].Config.Model, Digest: records[0].DataSHA256, Version: kn.Version, Seed: records[0].Config.Seed,
		Options: map[string]any{"metric": metric.Name, "steps": float64(records[0].Steps)},
	}}
	scale, unit := 1.0, ""
	if metric.Share {
		scale, unit = 100, " [%]"
	}
	p := f.Panel(x, metric.Axis+unit)
	p.Add(f.Theme.Across())
	parts := []string{metric.Title + " over " + over, line}
	var lines []chart.Line
	for i := len(variants) - 1; i >= 0; i-- {
		l, err := meanLine(runs[variants[i]], func(m electra.Measurement) float64 { return scale * metric.Of(m) }, at)
		if err != nil {
			return nil, fmt.Errorf("plots: %s: %w", variants[i], err)
		}
		l.Label, l.Series, l.Wash = variants[i], series[i], 0.14
		lines = append(lines, l)
		parts = append(parts, fmt.Sprintf("%s: %s at the end", variants[i], chart.Short(l.Y[len(l.Y)-1])))
	}
	if err := f.AddLines(f.Panels[0], lines); err != nil {
		return nil, err
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// byVariant groups the trainings of one variant, in the order in which
// the variants come.
func byVariant(records []*electra.Record) (variants []string, runs map[string][]*electra.Record, err error) {
	runs = map[string][]*electra.Record{}
	for i, r := range records {
		if r == nil || len(r.Measurements) == 0 {
			return nil, nil, fmt.Errorf("plots: training %d has no measurements", i)
		}
		name := r.Config.Variant()
		if len(runs[name]) == 0 {
			variants = append(variants, name)
		} else if n := len(runs[name][0].Measurements); n != len(r.Measurements) {
			return nil, nil, fmt.Errorf("plots: trainings of %s have %d and %d measurements", name, n, len(r.Measurements))
		}
		runs[name] = append(runs[name], r)
	}
	if len(variants) == 0 {
		return nil, nil, errors.New("plots: there are no trainings to draw")
	}
	return variants, runs, nil
}

// seriesOf gives each variant the colour and mark that it has whichever
// others are drawn: the first two of a sampler are next to each other.
func seriesOf(variants []string, runs map[string][]*electra.Record) (series []int) {
	seen := map[electra.Sampler]int{}
	for _, v := range variants {
		s := runs[v][0].Config.WithDefaults().Sampler
		n := seen[s]
		series = append(series, 2*max(0, slices.Index(electra.Samplers, s))+n%2+n/2*2*len(electra.Samplers))
		seen[s]++
	}
	return series
}

// meanLine is the mean over trainings, with their lowest and highest.
func meanLine(runs []*electra.Record, value, at func(electra.Measurement) float64) (l chart.Line, err error) {
	for k, first := range runs[0].Measurements {
		if first.Step == 0 && len(runs[0].Measurements) > 1 {
			continue
		}
		var x, y float64
		low, high := math.Inf(1), math.Inf(-1)
		for _, r := range runs {
			m := r.Measurements[k]
			v := value(m)
			x, y = x+at(m)/float64(len(runs)), y+v/float64(len(runs))
			low, high = math.Min(low, v), math.Max(high, v)
		}
		if err := chart.CheckFinite("measurements", []float64{x, y}); err != nil {
			return l, err
		}
		l.X, l.Y = append(l.X, x), append(l.Y, y)
		if len(runs) > 1 {
			l.Low, l.High = append(l.Low, low), append(l.High, high)
		}
	}
	return l, nil
}
