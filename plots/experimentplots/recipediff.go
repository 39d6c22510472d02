package experimentplots

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// RecipeOverlap draws how far the neuron sets of the recipes agree: the mean
// Jaccard index |A and B| / |A or B| of the facts' refined sets, in percent,
// with its 95 % interval.
func RecipeOverlap(d *experiments.RecipeDiff, options ...plots.Options) (*plots.Figure, error) {
	if err := checkDiff(d); err != nil {
		return nil, err
	}
	f, err := chart.New("recipe overlap", "Agreement of the published recipes", options, d.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{fmt.Sprintf("Jaccard index of a fact's neuron sets, mean over %s; in brackets: 95 %% intervals", chart.Plural(d.Facts, "fact"))}
	p := f.Panel("", "")
	n := len(d.Recipes)
	bar := chart.ColorBar{Label: "Jaccard index [%]", Scale: f.Options.Palette.Sequential, Low: 0, High: 100}
	parts := []string{"Mean Jaccard index of the neuron sets that recipes give a fact, in percent"}
	var cells []chart.Cell
	var columns, rows []plot.Tick
	for i, r := range d.Recipes {
		columns = append(columns, plot.Tick{Value: float64(i), Label: chart.Fit(p.X.Tick.Label, chart.Clean(r.Name), f.Options.Size.Width*0.7/vg.Length(n))})
		name := chart.Fit(p.Y.Tick.Label, chart.Clean(r.Name), f.Options.Size.Width*0.3)
		rows = append(rows, plot.Tick{Value: float64(n - 1 - i), Label: fmt.Sprintf("%s\n%.1f neurons a fact", name, r.PerFact.Mean)})
		parts = append(parts, fmt.Sprintf("%s finds %.2f neurons a fact [%.2f, %.2f]", r.Name, r.PerFact.Mean, r.PerFact.Low, r.PerFact.High))
		for j, v := range d.Overlap[i] {
			text := fmt.Sprintf("%.0f", 100*v.Mean)
			if v.Low < v.High {
				text += fmt.Sprintf("\n[%.0f, %.0f]", 100*v.Low, 100*v.High)
			}
			cells = append(cells, chart.Cell{X: float64(j), Y: float64(n - 1 - i), Fill: bar.Color(100 * v.Mean), Text: text})
			if j > i {
				parts = append(parts, fmt.Sprintf("%s and %s: %.0f [%.0f, %.0f]", r.Name, d.Recipes[j].Name, 100*v.Mean, 100*v.Low, 100*v.High))
			}
		}
	}
	f.AddCells(cells, true)
	f.BareAxes(columns, rows)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5, -0.5, float64(n)-0.5
	f.AddColorBar(bar)
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustRecipeOverlap is [RecipeOverlap] for notebook cells: it panics instead of returning an error.
func MustRecipeOverlap(d *experiments.RecipeDiff, options ...plots.Options) *plots.Figure {
	return kn.Must(RecipeOverlap(d, options...))
}

// RecipeSteps draws what each difference between the recipes moves: which
// share of a fact's neurons it changes, 1 less the mean Jaccard index of the
// sets before and after it, with 95 % intervals, and how many neurons a fact
// has with it. Differences are taken one after another on the way from the
// authors' recipe to the default, and each alone.
func RecipeSteps(d *experiments.RecipeDiff, options ...plots.Options) (*plots.Figure, error) {
	if err := checkDiff(d); err != nil {
		return nil, err
	}
	if len(d.Steps)+len(d.Alone) == 0 {
		return nil, errors.New("plots: the recipes' comparison has no steps")
	}
	f, err := chart.New("recipe steps", "What each difference between the recipes changes", options, d.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{fmt.Sprintf("Mean over %s, with 95 %% intervals; in brackets: neurons a fact with it (%.1f in %s)",
		chart.Plural(d.Facts, "fact"), d.Recipes[0].PerFact.Mean, chart.Clean(d.Recipes[0].Name))}
	f.Panel("Neurons changed, 1 − Jaccard index [%]", "")
	steps := append(append([]experiments.RecipeStep{}, d.Steps...), d.Alone...)
	b := chart.IntervalBars{Scale: 100, Rows: 2, Apart: len(d.Steps), Series: []chart.IntervalSeries{
		{Label: "one after another, " + recipeWay(d)}, {Label: "alone, in " + d.Recipes[0].Name, From: len(d.Steps)},
	}}
	parts := []string{"Share of a fact's neurons that each difference between the recipes changes, in percent"}
	for i, s := range steps {
		changed := stats.Interval{Mean: 1 - s.Overlap.Mean, Low: 1 - s.Overlap.High, High: 1 - s.Overlap.Low}
		b.Groups = append(b.Groups, fmt.Sprintf("%s (%.1f)", s.What, s.PerFact.Mean))
		how, series := "one after another", &b.Series[0]
		if i >= len(d.Steps) {
			how, series = "alone", &b.Series[1]
		}
		series.Values = append(series.Values, changed)
		parts = append(parts, fmt.Sprintf("%s (%s): %.0f [%.0f, %.0f], %.2f neurons a fact", s.What, how,
			100*changed.Mean, 100*changed.Low, 100*changed.High, s.PerFact.Mean))
	}
	b.Text = func(g, _ int) string { return fmt.Sprintf("%.0f %%", 100*(1-steps[g].Overlap.Mean)) }
	if err := f.AddIntervalBars(b); err != nil {
		return nil, err
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustRecipeSteps is [RecipeSteps] for notebook cells: it panics instead of returning an error.
func MustRecipeSteps(d *experiments.RecipeDiff, options ...plots.Options) *plots.Figure {
	return kn.Must(RecipeSteps(d, options...))
}

// recipeWay names the recipes on the way of the steps.
func recipeWay(d *experiments.RecipeDiff) string {
	var names []string
	for _, r := range d.Recipes {
		names = append(names, r.Name)
	}
	return "from " + strings.Join(names, " to ")
}

func checkDiff(d *experiments.RecipeDiff) error {
	if d == nil {
		return chart.Missing("comparison of recipes")
	}
	if len(d.Recipes) == 0 {
		return errors.New("plots: the comparison has no recipes")
	}
	if err := chart.CheckLength("Overlap", len(d.Overlap), "Recipes", len(d.Recipes)); err != nil {
		return err
	}
	for i, row := range d.Overlap {
		name := fmt.Sprintf("Overlap[%d]", i)
		if err := chart.CheckLength(name, len(row), "Recipes", len(d.Recipes)); err != nil {
			return err
		}
		if err := chart.CheckIntervals(name, append(slices.Clone(row), d.Recipes[i].PerFact)...); err != nil {
			return err
		}
	}
	for _, s := range append(slices.Clone(d.Steps), d.Alone...) {
		if err := chart.CheckIntervals("step "+chart.Quoted(s.What), s.Overlap, s.PerFact); err != nil {
			return err
		}
	}
	return nil
}
