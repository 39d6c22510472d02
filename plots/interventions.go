package plots

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// Interventions draws how much suppressing and amplifying each set of neurons
// changes the answer's probability, mean over all facts with 95 % intervals.
func Interventions(r *experiments.Intervention, options ...Options) (*Figure, error) {
	if err := checkIntervention(r); err != nil {
		return nil, err
	}
	f, err := newDraft("interventions", "Suppressing and amplifying neurons", options, r.Provenance)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{interventionLine(r)}
	f.panel("Change of the answer's probability [%]", "")
	b := intervalBars{scale: 100, rows: 2, series: []intervalSeries{{label: "suppressed (× 0)"}, {label: "amplified (× 2)"}}}
	parts := []string{"Mean change of the answer's probability with 95 % intervals", interventionLine(r)}
	for _, s := range r.Sets {
		b.groups = append(b.groups, s.Label)
		b.series[0].values = append(b.series[0].values, s.Suppressed)
		b.series[1].values = append(b.series[1].values, s.Amplified)
		parts = append(parts, fmt.Sprintf("%s: suppressed %s, amplified %s", s.Label, percentInterval(s.Suppressed), percentInterval(s.Amplified)))
	}
	b.text = func(g, s int) string { return percent(b.series[s].values[g].Mean) }
	if err := f.addIntervalBars(b); err != nil {
		return nil, err
	}
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// MustInterventions is [Interventions] for notebook cells: it panics instead of returning an error.
func MustInterventions(r *experiments.Intervention, options ...Options) *Figure {
	return kn.Must(Interventions(r, options...))
}

// SuppressedByRelation draws how much suppressing the knowledge neurons
// changes the answer's probability in each relation (the paper's figure 4),
// as bars with 95 % intervals, beside the other sets of neurons as marks. The
// relations stand in order of the change, below the mean of all facts. The
// figure is as high as its rows need.
func SuppressedByRelation(r *experiments.Intervention, options ...Options) (*Figure, error) {
	return changeByRelation(r, options, "suppressed", "Suppressing neurons, by relation", -1,
		func(s experiments.InterventionSet) stats.Interval { return s.Suppressed },
		func(r experiments.RelationIntervention) []stats.Interval { return r.Suppressed })
}

// MustSuppressedByRelation is [SuppressedByRelation] for notebook cells: it panics instead of returning an error.
func MustSuppressedByRelation(r *experiments.Intervention, options ...Options) *Figure {
	return kn.Must(SuppressedByRelation(r, options...))
}

// AmplifiedByRelation is [SuppressedByRelation] for doubling the neurons (the
// paper's figure 5).
func AmplifiedByRelation(r *experiments.Intervention, options ...Options) (*Figure, error) {
	return changeByRelation(r, options, "amplified", "Amplifying neurons, by relation", 1,
		func(s experiments.InterventionSet) stats.Interval { return s.Amplified },
		func(r experiments.RelationIntervention) []stats.Interval { return r.Amplified })
}

// MustAmplifiedByRelation is [AmplifiedByRelation] for notebook cells: it panics instead of returning an error.
func MustAmplifiedByRelation(r *experiments.Intervention, options ...Options) *Figure {
	return kn.Must(AmplifiedByRelation(r, options...))
}

// changeByRelation draws one way of intervening; sign is that of its effect.
func changeByRelation(r *experiments.Intervention, options []Options, how, title string, sign float64,
	all func(experiments.InterventionSet) stats.Interval, of func(experiments.RelationIntervention) []stats.Interval,
) (*Figure, error) {
	if err := checkIntervention(r); err != nil {
		return nil, err
	}
	f, err := newDraft(how+" by relation", title, options, r.Provenance)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{interventionLine(r) + "; number of facts in brackets", "All facts, knowledge neurons: " + percentInterval(all(r.Sets[0]))}
	f.panel("Change of the answer's probability [%]", "")
	relations := slices.Clone(r.ByRelation)
	slices.SortStableFunc(relations, func(a, b experiments.RelationIntervention) int {
		return cmp.Compare(sign*of(b)[0].Mean, sign*of(a)[0].Mean)
	})
	b := intervalBars{scale: 100, apart: 1, groups: []string{fmt.Sprintf("all facts (%d)", r.Facts)}}
	for k, s := range r.Sets {
		series := intervalSeries{label: s.Label, values: []stats.Interval{all(s)}, mark: k > 0}
		for _, relation := range relations {
			series.values = append(series.values, of(relation)[k])
		}
		b.series = append(b.series, series)
	}
	parts := []string{
		"Mean change of the answer's probability when knowledge neurons are " + how + ", with 95 % intervals",
		"All facts: " + percentInterval(all(r.Sets[0])),
	}
	for _, relation := range relations {
		name := relationName(relation.Relation, relation.Name)
		b.groups = append(b.groups, f.rowName(name, fmt.Sprintf(" (%d)", relation.Facts)))
		parts = append(parts, name+": "+percentInterval(of(relation)[0]))
	}
	if err := f.addIntervalBars(b); err != nil {
		return nil, err
	}
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// relationName is a relation's property with its name, if it has one.
func relationName(property, name string) string {
	if name == "" {
		return property
	}
	return property + " " + name
}

// rowName shortens a row's name until it has room beside its count.
func (f *Draft) rowName(name, count string) string {
	style := f.panels[0].Y.Tick.Label
	return fit(style, clean(name), f.nameRoom(1)-width(style, count)) + count
}

func interventionLine(r *experiments.Intervention) string {
	return fmt.Sprintf("Means over %s of %s; lines: 95 %% intervals", plural(r.Prompts, "prompt"), plural(r.Facts, "fact"))
}

func checkIntervention(r *experiments.Intervention) error {
	if r == nil {
		return missing("intervention")
	}
	if len(r.Sets) == 0 {
		return errors.New("plots: the intervention has no sets of neurons")
	}
	for _, s := range r.Sets {
		if err := checkIntervals(s.Set, s.Suppressed, s.Amplified); err != nil {
			return err
		}
	}
	for _, relation := range r.ByRelation {
		for name, intervals := range map[string][]stats.Interval{"Suppressed": relation.Suppressed, "Amplified": relation.Amplified} {
			name = relation.Relation + ": " + name
			if err := sameLength(name, len(intervals), "Sets", len(r.Sets)); err != nil {
				return err
			}
			if err := checkIntervals(name, intervals...); err != nil {
				return err
			}
		}
	}
	return nil
}
