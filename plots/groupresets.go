package plots

import (
	"errors"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// GroupResets draws the loss of a fine-tuned model in which one group of parameters
// after another has its values of before, with the error beside the bars; for
// comparison that of the fine-tuned model and of its start.
func GroupResets(r *landscape.GroupResets, options ...Options) (*Figure, error) {
	if r == nil {
		return nil, missing("groups that were reset")
	}
	if len(r.Groups) == 0 {
		return nil, errors.New("plots: no group of parameters was reset")
	}
	f, err := newDraft("group resets", "Parameters reset to their values before fine-tuning", options, r.Provenance)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{fmt.Sprintf("%s; in brackets: how far fine-tuning moved the group, as a share of its length", plural(r.Examples, "example"))}
	f.panel("Loss [nats]", "")
	rows := []landscape.GroupReset{{Name: "none: fine-tuned", Value: r.FineTuned}}
	rows = append(append(rows, r.Groups...), landscape.GroupReset{Name: "all: the start", Value: r.Start})
	b := intervalBars{scale: 1, rows: 2, series: make([]intervalSeries, 1)}
	parts := []string{"Loss in nats and error in percent with groups of parameters reset to their values before fine-tuning"}
	for i, row := range rows {
		if err := checkRow(row.Name, "the row", 1, []float64{row.Loss}, []float64{row.Error}); err != nil {
			return nil, err
		}
		name := clean(row.Name)
		if i > 0 && i < len(rows)-1 {
			name += fmt.Sprintf(" (%s %%)", short(100*row.Moved))
		}
		b.groups = append(b.groups, name)
		b.series[0].values = append(b.series[0].values, stats.Interval{Mean: row.Loss, Low: row.Loss, High: row.Loss})
		parts = append(parts, fmt.Sprintf("%s: loss %s, error %.1f %%", row.Name, short(row.Loss), 100*row.Error))
	}
	b.text = func(g, _ int) string { return fmt.Sprintf("%s, error %.1f %%", short(rows[g].Loss), 100*rows[g].Error) }
	if err := f.addIntervalBars(b); err != nil {
		return nil, err
	}
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// MustGroupResets is [GroupResets] for notebook cells: it panics instead of returning an error.
func MustGroupResets(r *landscape.GroupResets, options ...Options) *Figure {
	return kn.Must(GroupResets(r, options...))
}
