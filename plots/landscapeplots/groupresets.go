package landscapeplots

import (
	"errors"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// GroupResets draws the loss of a fine-tuned model in which one group of parameters
// after another has its values of before, with the error beside the bars; for
// comparison that of the fine-tuned model and of its start.
func GroupResets(r *landscape.GroupResets, options ...plots.Options) (*plots.Figure, error) {
	if r == nil {
		return nil, chart.Missing("groups that were reset")
	}
	if len(r.Groups) == 0 {
		return nil, errors.New("plots: no group of parameters was reset")
	}
	f, err := chart.New("group resets", "Parameters reset to their values before fine-tuning", options, r.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{fmt.Sprintf("%s; in brackets: how far fine-tuning moved the group, as a share of its length", chart.Plural(r.Examples, "example"))}
	f.Panel("Loss [nats]", "")
	rows := []landscape.GroupReset{{Name: "none: fine-tuned", Value: r.FineTuned}}
	rows = append(append(rows, r.Groups...), landscape.GroupReset{Name: "all: the start", Value: r.Start})
	b := chart.IntervalBars{Scale: 1, Rows: 2, Series: make([]chart.IntervalSeries, 1)}
	parts := []string{"Loss in nats and error in percent with groups of parameters reset to their values before fine-tuning"}
	for i, row := range rows {
		if err := checkRow(row.Name, "the row", 1, []float64{row.Loss}, []float64{row.Error}); err != nil {
			return nil, err
		}
		name := chart.Clean(row.Name)
		if i > 0 && i < len(rows)-1 {
			name += fmt.Sprintf(" (%s %%)", chart.Short(100*row.Moved))
		}
		b.Groups = append(b.Groups, name)
		b.Series[0].Values = append(b.Series[0].Values, stats.Interval{Mean: row.Loss, Low: row.Loss, High: row.Loss})
		parts = append(parts, fmt.Sprintf("%s: loss %s, error %.1f %%", row.Name, chart.Short(row.Loss), 100*row.Error))
	}
	b.Text = func(g, _ int) string {
		return fmt.Sprintf("%s, error %.1f %%", chart.Short(rows[g].Loss), 100*rows[g].Error)
	}
	if err := f.AddIntervalBars(b); err != nil {
		return nil, err
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustGroupResets is [GroupResets] for notebook cells: it panics instead of returning an error.
func MustGroupResets(r *landscape.GroupResets, options ...plots.Options) *plots.Figure {
	return kn.Must(GroupResets(r, options...))
}
