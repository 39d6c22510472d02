package plots

import (
	"errors"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// UpdateRates draws how often updating facts changes the first answer, brings
// the new answer to the first place, and among the first five, by the facts'
// own neurons and by random ones, with 95 % intervals.
func UpdateRates(t *experiments.UpdateTable, options ...Options) (*Figure, error) {
	if t == nil {
		return nil, missing("update of facts")
	}
	if len(t.Sets) == 0 {
		return nil, errors.New("plots: the update of facts has no sets of neurons")
	}
	f, err := newDraft("update rates", "Updating facts in their neurons' weights", options, t.Provenance)
	if err != nil {
		return nil, err
	}
	line := fmt.Sprintf("%s of %s; lines: 95 %% intervals", plural(t.Prompts, "prompt"), plural(t.Facts, "fact"))
	f.subtitle = []string{line}
	f.panel("Share of the prompts [%]", "")
	b := intervalBars{scale: 100, rows: 2, groups: []string{"another answer comes first", "the new answer comes first", "the new answer is among the first five"}}
	parts := []string{"Shares of the prompts with 95 % intervals", line}
	for _, s := range t.Sets {
		if err := checkIntervals(s.Set, s.Changed, s.Success, s.TopFive); err != nil {
			return nil, err
		}
		series := intervalSeries{label: s.Label}
		series.values = append(series.values, s.Changed, s.Success, s.TopFive)
		b.series = append(b.series, series)
		for g, v := range series.values {
			parts = append(parts, fmt.Sprintf("%s, %s: %s", s.Label, b.groups[g], percentInterval(v)))
		}
	}
	b.text = func(g, s int) string { return fmt.Sprintf("%.1f %%", 100*b.series[s].values[g].Mean) }
	if err := f.addIntervalBars(b); err != nil {
		return nil, err
	}
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// MustUpdateRates is [UpdateRates] for notebook cells: it panics instead of returning an error.
func MustUpdateRates(t *experiments.UpdateTable, options ...Options) *Figure {
	return kn.Must(UpdateRates(t, options...))
}

// ErasedPerplexity draws, for each relation that was erased, by how much the
// perplexity of its facts and that of other facts rises, with 95 % intervals;
// on the first bar, as marks, the same relation's when the controls are erased
// instead.
func ErasedPerplexity(t *experiments.EraseTable, options ...Options) (*Figure, error) {
	if t == nil {
		return nil, missing("erasure of relations")
	}
	if len(t.Relations) == 0 {
		return nil, errors.New("plots: no relation was erased")
	}
	f, err := newDraft("erased perplexity", "Erasing a relation's commonest neurons", options, t.Provenance)
	if err != nil {
		return nil, err
	}
	line := fmt.Sprintf("%s erased of each relation, as far as it has them; lines: 95 %% intervals", plural(t.Neurons, "neuron"))
	f.subtitle = []string{line}
	f.panel("Change of the perplexity [%]", "")
	b := intervalBars{scale: 100, rows: 2, series: []intervalSeries{
		{label: "facts of the relation"},
		{label: "facts of other relations"},
		{label: "facts of the relation, another relation's neurons erased", mark: true, onFirst: true},
		{label: "facts of the relation, random neurons erased", mark: true, onFirst: true},
	}}
	parts := []string{"Change of the perplexity with 95 % intervals", line}
	for _, r := range t.Relations {
		if err := sameLength(r.Relation+": Sets", len(r.Sets), "the kinds of neurons", 3); err != nil {
			return nil, err
		}
		own, others := r.Sets[0].Erased.Perplexity.Change, r.Sets[0].Others.Perplexity.Change
		other, random := r.Sets[1].Erased.Perplexity.Change, r.Sets[2].Erased.Perplexity.Change
		if err := checkIntervals(r.Relation, own, others, other, random); err != nil {
			return nil, err
		}
		b.groups = append(b.groups, clean(r.Relation+" "+r.Name))
		for s, v := range []*intervalSeries{&b.series[0], &b.series[1], &b.series[2], &b.series[3]} {
			v.values = append(v.values, []stats.Interval{own, others, other, random}[s])
		}
		parts = append(parts, fmt.Sprintf("%s: its facts %s, others %s", r.Relation, percentInterval(own), percentInterval(others)))
	}
	b.text = func(g, s int) string {
		if b.series[s].mark {
			return ""
		}
		return percent(b.series[s].values[g].Mean)
	}
	if err := f.addIntervalBars(b); err != nil {
		return nil, err
	}
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// MustErasedPerplexity is [ErasedPerplexity] for notebook cells: it panics instead of returning an error.
func MustErasedPerplexity(t *experiments.EraseTable, options ...Options) *Figure {
	return kn.Must(ErasedPerplexity(t, options...))
}
