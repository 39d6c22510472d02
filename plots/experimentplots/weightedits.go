package experimentplots

import (
	"errors"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// UpdateRates draws how often updating facts changes the first answer, brings
// the new answer to the first place, and among the first five, by the facts'
// own neurons and by random ones, with 95 % intervals.
func UpdateRates(t *experiments.UpdateTable, options ...plots.Options) (*plots.Figure, error) {
	if t == nil {
		return nil, chart.Missing("update of facts")
	}
	if len(t.Sets) == 0 {
		return nil, errors.New("plots: the update of facts has no sets of neurons")
	}
	f, err := chart.New("update rates", "Updating facts in their neurons' weights", options, t.Provenance)
	if err != nil {
		return nil, err
	}
	line := fmt.Sprintf("%s of %s; lines: 95 %% intervals", chart.Plural(t.Prompts, "prompt"), chart.Plural(t.Facts, "fact"))
	f.Subtitle = []string{line}
	f.Panel("Share of the prompts [%]", "")
	b := chart.IntervalBars{Scale: 100, Rows: 2, Groups: []string{"another answer comes first", "the new answer comes first", "the new answer is among the first five"}}
	parts := []string{"Shares of the prompts with 95 % intervals", line}
	for _, s := range t.Sets {
		if err := chart.CheckIntervals(s.Set, s.Changed, s.Success, s.TopFive); err != nil {
			return nil, err
		}
		series := chart.IntervalSeries{Label: s.Label}
		series.Values = append(series.Values, s.Changed, s.Success, s.TopFive)
		b.Series = append(b.Series, series)
		for g, v := range series.Values {
			parts = append(parts, fmt.Sprintf("%s, %s: %s", s.Label, b.Groups[g], chart.PercentInterval(v)))
		}
	}
	b.Text = func(g, s int) string { return fmt.Sprintf("%.1f %%", 100*b.Series[s].Values[g].Mean) }
	if err := f.AddIntervalBars(b); err != nil {
		return nil, err
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustUpdateRates is [UpdateRates] for notebook cells: it panics instead of returning an error.
func MustUpdateRates(t *experiments.UpdateTable, options ...plots.Options) *plots.Figure {
	return kn.Must(UpdateRates(t, options...))
}

// ErasedPerplexity draws, for each relation that was erased, by how much the
// perplexity of its facts and that of other facts rises, with 95 % intervals;
// on the first bar, as marks, the same relation's when the controls are erased
// instead.
func ErasedPerplexity(t *experiments.EraseTable, options ...plots.Options) (*plots.Figure, error) {
	if t == nil {
		return nil, chart.Missing("erasure of relations")
	}
	if len(t.Relations) == 0 {
		return nil, errors.New("plots: no relation was erased")
	}
	f, err := chart.New("erased perplexity", "Erasing a relation's commonest neurons", options, t.Provenance)
	if err != nil {
		return nil, err
	}
	line := fmt.Sprintf("%s erased of each relation, as far as it has them; lines: 95 %% intervals", chart.Plural(t.Neurons, "neuron"))
	f.Subtitle = []string{line}
	f.Panel("Change of the perplexity [%]", "")
	b := chart.IntervalBars{Scale: 100, Rows: 2, Series: []chart.IntervalSeries{
		{Label: "facts of the relation"},
		{Label: "facts of other relations"},
		{Label: "facts of the relation, another relation's neurons erased", Mark: true, OnFirst: true},
		{Label: "facts of the relation, random neurons erased", Mark: true, OnFirst: true},
	}}
	parts := []string{"Change of the perplexity with 95 % intervals", line}
	for _, r := range t.Relations {
		if err := chart.CheckLength(r.Relation+": Sets", len(r.Sets), "the kinds of neurons", 3); err != nil {
			return nil, err
		}
		own, others := r.Sets[0].Erased.Perplexity.Change, r.Sets[0].Others.Perplexity.Change
		other, random := r.Sets[1].Erased.Perplexity.Change, r.Sets[2].Erased.Perplexity.Change
		if err := chart.CheckIntervals(r.Relation, own, others, other, random); err != nil {
			return nil, err
		}
		b.Groups = append(b.Groups, chart.Clean(r.Relation+" "+r.Name))
		for s, v := range []*chart.IntervalSeries{&b.Series[0], &b.Series[1], &b.Series[2], &b.Series[3]} {
			v.Values = append(v.Values, []stats.Interval{own, others, other, random}[s])
		}
		parts = append(parts, fmt.Sprintf("%s: its facts %s, others %s", r.Relation, chart.PercentInterval(own), chart.PercentInterval(others)))
	}
	b.Text = func(g, s int) string {
		if b.Series[s].Mark {
			return ""
		}
		return chart.Percent(b.Series[s].Values[g].Mean)
	}
	if err := f.AddIntervalBars(b); err != nil {
		return nil, err
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustErasedPerplexity is [ErasedPerplexity] for notebook cells: it panics instead of returning an error.
func MustErasedPerplexity(t *experiments.EraseTable, options ...plots.Options) *plots.Figure {
	return kn.Must(ErasedPerplexity(t, options...))
}
