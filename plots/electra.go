package plots

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/electra"
)

// ElectraSteps draws one metric of pre-trainings over their steps: the mean of
// each variant's seeds, with a band from the lowest to the highest. Lines begin
// at the first measurement after the start: beside the start's values those of
// trained models would look alike.
func ElectraSteps(records []*electra.Record, metric electra.Metric, options ...Options) (*Figure, error) {
	return electraCurves(records, metric, "steps", "Steps", func(m electra.Measurement) float64 { return float64(m.Step) }, options)
}

// MustElectraSteps is [ElectraSteps] for notebook cells: it panics instead of returning an error.
func MustElectraSteps(records []*electra.Record, metric electra.Metric, options ...Options) *Figure {
	return kn.Must(ElectraSteps(records, metric, options...))
}

// ElectraTime is [ElectraSteps] over the time that training took, measuring not
// counted: of each variant, the mean of its seeds' times.
func ElectraTime(records []*electra.Record, metric electra.Metric, options ...Options) (*Figure, error) {
	return electraCurves(records, metric, "time", "Time of training [s]", func(m electra.Measurement) float64 { return m.Seconds }, options)
}

// MustElectraTime is [ElectraTime] for notebook cells: it panics instead of returning an error.
func MustElectraTime(records []*electra.Record, metric electra.Metric, options ...Options) *Figure {
	return kn.Must(ElectraTime(records, metric, options...))
}

func electraCurves(records []*electra.Record, metric electra.Metric, chart, x string, at func(electra.Measurement) float64, options []Options) (*Figure, error) {
	variants, runs, err := electraVariants(records)
	if err != nil {
		return nil, err
	}
	series := electraSeries(variants, runs)
	f, err := newDraft("electra "+metric.Name+" over "+chart, metric.Title, options)
	if err != nil {
		return nil, err
	}
	line := fmt.Sprintf("Mean of %s a variant", plural(len(runs[variants[0]]), "seed"))
	if len(runs[variants[0]]) > 1 {
		line += "; bands: lowest to highest"
	}
	f.subtitle = []string{line}
	f.provenance = []kn.Provenance{{
		Model: records[0].Config.Model, Digest: records[0].DataSHA256, Version: kn.Version, Seed: records[0].Config.Seed,
		Options: map[string]any{"metric": metric.Name, "steps": records[0].Steps},
	}}
	scale, unit := 1.0, ""
	if metric.Share {
		scale, unit = 100, " [%]"
	}
	p := f.panel(x, metric.Axis+unit)
	p.Add(f.theme.across())
	parts := []string{metric.Title + " over " + chart, line}
	var lines []bandedLine
	for i := len(variants) - 1; i >= 0; i-- {
		l, err := electraLine(runs[variants[i]], func(m electra.Measurement) float64 { return scale * metric.Of(m) }, at)
		if err != nil {
			return nil, fmt.Errorf("plots: %s: %w", variants[i], err)
		}
		l.label, l.series, l.wash = variants[i], series[i], 0.14
		lines = append(lines, l)
		parts = append(parts, fmt.Sprintf("%s: %s at the end", variants[i], short(l.y[len(l.y)-1])))
	}
	if err := f.addLines(f.panels[0], lines); err != nil {
		return nil, err
	}
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// electraVariants groups the trainings of one variant, in the order in which
// the variants come.
func electraVariants(records []*electra.Record) (variants []string, runs map[string][]*electra.Record, err error) {
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

// electraSeries gives each variant the colour and mark that it has whichever
// others are drawn: the first two of a sampler are next to each other.
func electraSeries(variants []string, runs map[string][]*electra.Record) (series []int) {
	seen := map[electra.Sampler]int{}
	for _, v := range variants {
		s := runs[v][0].Config.WithDefaults().Sampler
		n := seen[s]
		series = append(series, 2*max(0, slices.Index(electra.Samplers, s))+n%2+n/2*2*len(electra.Samplers))
		seen[s]++
	}
	return series
}

// electraLine is the mean over trainings, with their lowest and highest.
func electraLine(runs []*electra.Record, value, at func(electra.Measurement) float64) (l bandedLine, err error) {
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
		if err := finite("measurements", []float64{x, y}); err != nil {
			return l, err
		}
		l.x, l.y = append(l.x, x), append(l.y, y)
		if len(runs) > 1 {
			l.low, l.high = append(l.low, low), append(l.high, high)
		}
	}
	return l, nil
}
