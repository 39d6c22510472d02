package experimentplots

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// Interventions draws how much suppressing and amplifying each set of neurons
// changes the answer's probability, mean over all facts with 95 % intervals.
func Interventions(r *experiments.Intervention, options ...plots.Options) (*plots.Figure, error) {
	if err := checkIntervention(r); err != nil {
		return nil, err
	}
	f, err := chart.New("interventions", "Suppressing and amplifying neurons", options, r.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{interventionLine(r)}
	recordFew(f, r)
	f.Panel("Change of the answer's probability [%]", "")
	b := chart.IntervalBars{Scale: 100, Rows: 2, Series: []chart.IntervalSeries{{Label: "suppressed (× 0)"}, {Label: "amplified (× 2)"}}}
	parts := []string{"Mean change of the answer's probability with 95 % intervals", interventionLine(r)}
	for _, s := range r.Sets {
		b.Groups = append(b.Groups, s.Label)
		b.Series[0].Values = append(b.Series[0].Values, s.Suppressed)
		b.Series[1].Values = append(b.Series[1].Values, s.Amplified)
		parts = append(parts, fmt.Sprintf("%s: suppressed %s, amplified %s", s.Label, chart.PercentInterval(s.Suppressed), chart.PercentInterval(s.Amplified)))
	}
	b.Text = func(g, s int) string { return chart.Percent(b.Series[s].Values[g].Mean) }
	if err := f.AddIntervalBars(b); err != nil {
		return nil, err
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustInterventions is [Interventions] for notebook cells: it panics instead of returning an error.
func MustInterventions(r *experiments.Intervention, options ...plots.Options) *plots.Figure {
	return kn.Must(Interventions(r, options...))
}

// SuppressedByRelation draws how much suppressing the knowledge neurons
// changes the answer's probability in each relation (the paper's figure 4),
// as bars with 95 % intervals, beside the other sets of neurons as marks. The
// relations stand in order of the change, below the mean of all facts. The
// figure is as high as its rows need.
func SuppressedByRelation(r *experiments.Intervention, options ...plots.Options) (*plots.Figure, error) {
	return changeByRelation(r, options, "suppressed", "Suppressing neurons, by relation", -1,
		func(s experiments.InterventionSet) stats.Interval { return s.Suppressed },
		func(r experiments.RelationIntervention) []stats.Interval { return r.Suppressed })
}

// MustSuppressedByRelation is [SuppressedByRelation] for notebook cells: it panics instead of returning an error.
func MustSuppressedByRelation(r *experiments.Intervention, options ...plots.Options) *plots.Figure {
	return kn.Must(SuppressedByRelation(r, options...))
}

// AmplifiedByRelation is [SuppressedByRelation] for doubling the neurons (the
// paper's figure 5).
func AmplifiedByRelation(r *experiments.Intervention, options ...plots.Options) (*plots.Figure, error) {
	return changeByRelation(r, options, "amplified", "Amplifying neurons, by relation", 1,
		func(s experiments.InterventionSet) stats.Interval { return s.Amplified },
		func(r experiments.RelationIntervention) []stats.Interval { return r.Amplified })
}

// MustAmplifiedByRelation is [AmplifiedByRelation] for notebook cells: it panics instead of returning an error.
func MustAmplifiedByRelation(r *experiments.Intervention, options ...plots.Options) *plots.Figure {
	return kn.Must(AmplifiedByRelation(r, options...))
}

// changeByRelation draws one way of intervening; sign is that of its effect.
func changeByRelation(r *experiments.Intervention, options []plots.Options, how, title string, sign float64,
	all func(experiments.InterventionSet) stats.Interval, of func(experiments.RelationIntervention) []stats.Interval,
) (*plots.Figure, error) {
	if err := checkIntervention(r); err != nil {
		return nil, err
	}
	f, err := chart.New(how+" by relation", title, options, r.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{interventionLine(r) + "; number of facts in brackets", "All facts, knowledge neurons: " + chart.PercentInterval(all(r.Sets[0]))}
	recordFew(f, r)
	f.Panel("Change of the answer's probability [%]", "")
	relations := slices.Clone(r.ByRelation)
	slices.SortStableFunc(relations, func(a, b experiments.RelationIntervention) int {
		return cmp.Compare(sign*of(b)[0].Mean, sign*of(a)[0].Mean)
	})
	b := chart.IntervalBars{Scale: 100, Apart: 1, Groups: []string{fmt.Sprintf("all facts (%d)", r.Facts)}}
	for k, s := range r.Sets {
		series := chart.IntervalSeries{Label: s.Label, Values: []stats.Interval{all(s)}, Mark: k > 0}
		for _, relation := range relations {
			series.Values = append(series.Values, of(relation)[k])
		}
		b.Series = append(b.Series, series)
	}
	parts := []string{
		"Mean change of the answer's probability when knowledge neurons are " + how + ", with 95 % intervals",
		"All facts: " + chart.PercentInterval(all(r.Sets[0])),
	}
	for _, relation := range relations {
		name := relationName(relation.Relation, relation.Name)
		b.Groups = append(b.Groups, rowName(f, name, fmt.Sprintf(" (%d)", relation.Facts)))
		parts = append(parts, name+": "+chart.PercentInterval(of(relation)[0]))
	}
	if err := f.AddIntervalBars(b); err != nil {
		return nil, err
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// recordFew records an intervention in facts that are few enough to be listed.
func recordFew(f *chart.Draft, r *experiments.Intervention) {
	if len(r.Of) > 0 {
		f.Record(r)
	}
}

// relationName is a relation's property with its name, if it has one.
func relationName(property, name string) string {
	if name == "" {
		return property
	}
	return property + " " + name
}

// rowName shortens a row's name until it has room beside its count.
func rowName(f *chart.Draft, name, count string) string {
	style := f.Panels[0].Y.Tick.Label
	return chart.Fit(style, chart.Clean(name), f.NameRoom(1)-chart.Width(style, count)) + count
}

func interventionLine(r *experiments.Intervention) string {
	return fmt.Sprintf("Means over %s of %s; lines: 95 %% intervals", chart.Plural(r.Prompts, "prompt"), chart.Plural(r.Facts, "fact"))
}

func checkIntervention(r *experiments.Intervention) error {
	if r == nil {
		return chart.Missing("intervention")
	}
	if len(r.Sets) == 0 {
		return errors.New("plots: the intervention has no sets of neurons")
	}
	for _, s := range r.Sets {
		if err := chart.CheckIntervals(s.Set, s.Suppressed, s.Amplified); err != nil {
			return err
		}
	}
	for _, relation := range r.ByRelation {
		for name, intervals := range map[string][]stats.Interval{"Suppressed": relation.Suppressed, "Amplified": relation.Amplified} {
			name = relation.Relation + ": " + name
			if err := chart.CheckLength(name, len(intervals), "Sets", len(r.Sets)); err != nil {
				return err
			}
			if err := chart.CheckIntervals(name, intervals...); err != nil {
				return err
			}
		}
	}
	return nil
}
