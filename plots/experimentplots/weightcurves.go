package experimentplots

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// UpdateLambdas draws what updating facts does against λ2, the strength of the
// new answer, a line for each λ1, that of forgetting the old one: on the left the
// share of the prompts that are answered otherwise, on the right the share
// answered with the new answer; bands are 95 % intervals.
func UpdateLambdas(t *experiments.UpdateTable, options ...plots.Options) (*plots.Figure, error) {
	f, err := newUpdateCurve(t, options, "update lambdas", "Updating facts with other strengths", func(t *experiments.UpdateTable) []experiments.UpdatePoint { return t.Lambdas })
	if err != nil {
		return nil, err
	}
	var lambdas1, lambdas2 []float64
	for _, q := range t.Lambdas {
		lambdas1, lambdas2 = append(lambdas1, q.Lambda1), append(lambdas2, q.Lambda2)
	}
	lambdas1, lambdas2 = distinct(lambdas1), distinct(lambdas2)
	f.Subtitle = append(f.Subtitle, "λ1: strength of forgetting the old answer, λ2: of learning the new one")
	splitPanels(f, "λ2", "Share of the prompts [%]", "Another answer comes first", "The new answer comes first")
	parts := []string{"Shares of the prompts that are answered otherwise, and with the new answer, against λ1 and λ2"}
	var lines [2][]chart.Line
	for i, lambda1 := range slices.Backward(lambdas1) {
		for side := range lines {
			lines[side] = append(lines[side], chart.Line{Label: "λ1 = " + chart.Short(lambda1), Series: i, Wash: 0.12})
		}
		for _, q := range t.Lambdas {
			if q.Lambda1 != lambda1 {
				continue
			}
			for side, v := range []stats.Interval{q.Changed, q.Success} {
				lines[side][len(lines[side])-1].Add(float64(slices.Index(lambdas2, q.Lambda2)), percents(v))
			}
			parts = append(parts, fmt.Sprintf("λ1 = %s, λ2 = %s: %.0f %% and %.0f %%", chart.Short(lambda1), chart.Short(q.Lambda2), 100*q.Changed.Mean, 100*q.Success.Mean))
		}
	}
	var ticks []plot.Tick
	for i, lambda2 := range lambdas2 {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: chart.Short(lambda2)})
	}
	for side, p := range f.Panels {
		p.X.Tick.Marker = plot.ConstantTicks(ticks)
		p.X.Min, p.X.Max = -0.2, float64(len(lambdas2))-0.8
		legend := f.Legend
		if err := f.AddLines(p, lines[side]); err != nil {
			return nil, err
		}
		if side > 0 {
			f.Legend = legend // is the first panel's
		}
		p.Y.Min, p.Y.Max = 0, 100
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustUpdateLambdas is [UpdateLambdas] for notebook cells: it panics instead of returning an error.
func MustUpdateLambdas(t *experiments.UpdateTable, options ...plots.Options) *plots.Figure {
	return kn.Must(UpdateLambdas(t, options...))
}

// UpdateCounts draws what updating facts does against the number of neurons
// changed, the strongest of each fact; bands are 95 % intervals.
func UpdateCounts(t *experiments.UpdateTable, options ...plots.Options) (*plots.Figure, error) {
	f, err := newUpdateCurve(t, options, "update counts", "Updating facts in fewer neurons", func(t *experiments.UpdateTable) []experiments.UpdatePoint { return t.Counts })
	if err != nil {
		return nil, err
	}
	p := f.Panel("Neurons changed of a fact, at most", "Share of the prompts [%]")
	p.Add(f.Theme.Across())
	lines := []chart.Line{
		{Label: "the new answer comes first", Series: 2, Wash: 0.14},
		{Label: "the new answer is among the first five", Series: 1, Wash: 0.14},
		{Label: "another answer comes first", Series: 0, Wash: 0.14},
	}
	parts := []string{"Shares of the prompts with another answer first, the new one among the first five, and the new one first, against the number of neurons"}
	for _, q := range t.Counts {
		for k, v := range []stats.Interval{q.Success, q.TopFive, q.Changed} {
			lines[k].Add(float64(q.MostNeurons), percents(v))
		}
		parts = append(parts, fmt.Sprintf("%d: %.0f %%, %.0f %%, %.0f %%", q.MostNeurons, 100*q.Changed.Mean, 100*q.TopFive.Mean, 100*q.Success.Mean))
	}
	p.X.Tick.Marker = chart.NiceTicks{Whole: true}
	if err := f.AddLines(f.Panels[0], lines); err != nil {
		return nil, err
	}
	p.Y.Min, p.Y.Max = 0, 100
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustUpdateCounts is [UpdateCounts] for notebook cells: it panics instead of returning an error.
func MustUpdateCounts(t *experiments.UpdateTable, options ...plots.Options) *plots.Figure {
	return kn.Must(UpdateCounts(t, options...))
}

// newUpdateCurve starts a figure of one of the curves.
func newUpdateCurve(t *experiments.UpdateTable, options []plots.Options, kind, title string, of func(*experiments.UpdateTable) []experiments.UpdatePoint) (*chart.Draft, error) {
	if t == nil {
		return nil, chart.Missing("update of facts")
	}
	points := of(t)
	if len(points) == 0 {
		return nil, errors.New("plots: the update of facts has no such curve; give it CurveFacts")
	}
	for i, q := range points {
		name := fmt.Sprintf("point %d of the %s", i, kind)
		if err := chart.CheckFinite(name, []float64{q.Lambda1, q.Lambda2}); err != nil {
			return nil, err
		}
		if err := chart.CheckIntervals(name, q.Changed, q.Success, q.TopFive); err != nil {
			return nil, err
		}
	}
	f, err := chart.New(kind, title, options, t.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{fmt.Sprintf("%s; bands: 95 %% intervals", chart.Plural(t.CurveFacts, "fact"))}
	return f, nil
}

// ErasedPerplexityCurve draws by how much the perplexity of a relation's facts
// and of others' grows with the number of the relation's commonest neurons that
// are erased, both in powers; a line a relation, bands are 95 % intervals. Of
// more than six relations it is the median, with a band from the tenth to the
// ninetieth percentile of the relations, and a faint line for each.
func ErasedPerplexityCurve(t *experiments.EraseTable, options ...plots.Options) (*plots.Figure, error) {
	ratio := func(v float64) float64 { return math.Log10(max(1+v, leastError)) }
	return erasedCurve(t, options, "erased perplexity curve", "Erasing more of a relation's neurons", "Perplexity, times that before",
		func(r experiments.Recall) [3]float64 {
			v := r.Perplexity.Change
			return [3]float64{ratio(v.Mean), ratio(v.Low), ratio(v.High)}
		}, func(low, high float64, y *plot.Axis) {
			y.Tick.Marker = chart.LogTicks{}
			y.Min, y.Max = min(low, 0), max(high, math.Log10(2))
			margin := 0.04 * (y.Max - y.Min) // for the marks, so that both panels have one scale
			y.Min, y.Max = y.Min-margin, y.Max+margin
		})
}

// MustErasedPerplexityCurve is [ErasedPerplexityCurve] for notebook cells: it panics instead of returning an error.
func MustErasedPerplexityCurve(t *experiments.EraseTable, options ...plots.Options) *plots.Figure {
	return kn.Must(ErasedPerplexityCurve(t, options...))
}

// ErasedAccuracyCurve is [ErasedPerplexityCurve] for the share of prompts
// with the answer ranked first.
func ErasedAccuracyCurve(t *experiments.EraseTable, options ...plots.Options) (*plots.Figure, error) {
	return erasedCurve(t, options, "erased accuracy curve", "Answers left when a relation's neurons are erased", "Answer ranked first [%]",
		func(r experiments.Recall) [3]float64 { return percents(r.Accuracy) },
		func(_, _ float64, y *plot.Axis) { y.Min, y.Max = 0, 100 })
}

// MustErasedAccuracyCurve is [ErasedAccuracyCurve] for notebook cells: it panics instead of returning an error.
func MustErasedAccuracyCurve(t *experiments.EraseTable, options ...plots.Options) *plots.Figure {
	return kn.Must(ErasedAccuracyCurve(t, options...))
}

// erasedCurve draws the mean, low and high of a measure over the logarithm of
// the number of neurons, on the left of the erased relations' facts, on the
// right of the others', with one range of both.
func erasedCurve(t *experiments.EraseTable, options []plots.Options, kind, title, y string, of func(experiments.Recall) [3]float64, scale func(low, high float64, y *plot.Axis)) (*plots.Figure, error) {
	if t == nil {
		return nil, chart.Missing("erasure of relations")
	}
	f, err := chart.New(kind, title, options, t.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{"The commonest neurons of one relation at a time; bands: 95 % intervals"}
	splitPanels(f, "Neurons erased", y, "Facts of the relation", "Facts of other relations")
	parts := []string{y + " against the number of neurons erased, for facts of the relation and for others"}
	low, high := math.Inf(1), math.Inf(-1)
	var lines [2][]chart.Line
	for i, r := range slices.Backward(t.Relations) {
		line := chart.Line{Label: relationName(r.Relation, r.Name), Series: i, Wash: 0.12}
		both := []chart.Line{line, line}
		for k, q := range r.Curve {
			name := fmt.Sprintf("%s: point %d", r.Relation, k)
			if q.Neurons <= 0 {
				continue // a logarithm has no place for it
			}
			for side, recall := range []experiments.Recall{q.Erased, q.Others} {
				if err := chart.CheckIntervals(name, recall.Perplexity.Change, recall.Accuracy); err != nil {
					return nil, err
				}
				v := of(recall)
				both[side].Add(math.Log10(float64(q.Neurons)), v)
				low, high = min(low, v[1]), max(high, v[2])
			}
			parts = append(parts, fmt.Sprintf("%s, %s: perplexity %s and %s, answer first %.0f %% and %.0f %%", r.Relation, chart.Plural(q.Neurons, "neuron"),
				chart.Percent(q.Erased.Perplexity.Change.Mean), chart.Percent(q.Others.Perplexity.Change.Mean), 100*q.Erased.Accuracy.Mean, 100*q.Others.Accuracy.Mean))
		}
		lines[0], lines[1] = append(lines[0], both[0]), append(lines[1], both[1])
	}
	if low > high {
		return nil, errors.New("plots: the erasure of relations has no curve; give it Counts")
	}
	if len(t.Relations) > mostErasedLines {
		f.Subtitle = []string{fmt.Sprintf("The commonest neurons of one relation at a time, a faint line for each of %d", len(t.Relations))}
		low, high = math.Inf(1), math.Inf(-1)
		for side := range lines {
			lines[side] = ofMany(lines[side], "median of the relations; band: 10th to 90th percentile")
			for _, l := range lines[side] {
				low, high = min(low, slices.Min(l.Y)), max(high, slices.Max(l.Y))
			}
		}
	}
	for side, p := range f.Panels {
		p.X.Tick.Marker = chart.LogTicks{}
		legend := f.Legend
		if err := f.AddLines(p, lines[side]); err != nil {
			return nil, err
		}
		if side > 0 {
			f.Legend = legend // is the first panel's
		}
		scale(low, high, &p.Y)
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// mostErasedLines are as many relations as have a line of their own in the legend.
const mostErasedLines = 6

// ofMany makes lines faint and draws their median, with a band from their tenth
// to their ninetieth percentile, where at least half of them have a point.
func ofMany(lines []chart.Line, label string) []chart.Line {
	at := map[float64][]float64{}
	var all []chart.Line
	for _, l := range lines {
		for i, x := range l.X {
			at[x] = append(at[x], l.Y[i])
		}
		if len(l.X) > 0 {
			grey := chart.Wash(chart.Faint, 0.45)
			l.Color, l.Faint, l.Low, l.High = &grey, true, nil, nil
			all = append(all, l)
		}
	}
	median := chart.Line{Label: label, Series: 0, Wash: 0.2}
	for _, x := range slices.Sorted(maps.Keys(at)) {
		if ys := at[x]; 2*len(ys) >= len(all) {
			slices.Sort(ys)
			median.Add(x, [3]float64{stats.Quantile(ys, 0.5), stats.Quantile(ys, 0.1), stats.Quantile(ys, 0.9)})
		}
	}
	if len(median.X) > 0 {
		all = append(all, median)
	}
	return all
}

// splitPanels gives the figure two panels side by side, with one label of the
// vertical axis.
func splitPanels(f *chart.Draft, x, y string, titles ...string) {
	for i, title := range titles {
		p := f.Theme.Plot(x, y)
		if i > 0 {
			p.Y.Label.Text = ""
		}
		p.Title.Text, p.Title.Padding = title, f.Theme.Pt(4)
		p.Title.TextStyle = f.Theme.Aligned(f.Theme.Style(chart.NormalSize, chart.Ink), p.Title.TextStyle)
		p.Add(f.Theme.Across())
		f.Panels = append(f.Panels, p)
	}
	f.Layout = chart.SideBySide(len(titles))
}

// percents are an interval's middle and ends in percent.
func percents(v stats.Interval) [3]float64 {
	return [3]float64{100 * v.Mean, 100 * v.Low, 100 * v.High}
}

// distinct are the different values, sorted.
func distinct(values []float64) []float64 {
	slices.Sort(values)
	return slices.Compact(values)
}
