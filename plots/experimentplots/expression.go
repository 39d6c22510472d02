package experimentplots

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// textNames are the types of texts in words.
var textNames = [3]string{"T1: subject and answer", "T2: subject only", "T3: random texts"}

// ActivationExpression draws how strongly the facts' neurons act in texts that
// say the fact, that are about its subject, and in random ones, mean over
// facts with 95 % intervals, by both methods.
func ActivationExpression(r *experiments.ActivationExpression, options ...plots.Options) (*plots.Figure, error) {
	if err := checkExpression(r); err != nil {
		return nil, err
	}
	f, err := chart.New("activation and expression", "Neurons' activation in open texts", options, r.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{expressionLine(r)}
	f.Panel(poolingLabel(r.Pooling), "")
	b := chart.IntervalBars{Scale: 1, Rows: 2, Groups: textNames[:]}
	parts := []string{"Mean activation of the facts' neurons with 95 % intervals", expressionLine(r)}
	for s, m := range []experiments.MethodExpression{r.Gradients, r.Baseline} {
		series := chart.IntervalSeries{Label: fmt.Sprintf("%s (%s)", methodNames[s], chart.Plural(m.Facts, "fact")), Values: byType(m.TypeMeans)}
		b.Series = append(b.Series, series)
		for g, v := range series.Values {
			parts = append(parts, fmt.Sprintf("%s, %s: %s [%s, %s]", methodNames[s], textNames[g], chart.Short(v.Mean), chart.Short(v.Low), chart.Short(v.High)))
		}
	}
	digits := decimals(b.Series)
	b.Text = func(g, s int) string { return chart.Minus(fmt.Sprintf("%.*f", digits, b.Series[s].Values[g].Mean)) }
	if err := f.AddIntervalBars(b); err != nil {
		return nil, err
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// decimals are as many as the means need, up to three, or two from 1 on: the same
// for all, so that they can be compared.
func decimals(series []chart.IntervalSeries) int {
	most, need := 3, 1
	for _, s := range series {
		for _, v := range s.Values {
			if math.Abs(v.Mean) >= 1 {
				most = 2
			}
			for need < 3 && math.Abs(v.Mean-math.Round(v.Mean*math.Pow10(need))/math.Pow10(need)) > 5e-4 {
				need++
			}
		}
	}
	return min(most, need)
}

// MustActivationExpression is [ActivationExpression] for notebook cells: it panics instead of returning an error.
func MustActivationExpression(r *experiments.ActivationExpression, options ...plots.Options) *plots.Figure {
	return kn.Must(ActivationExpression(r, options...))
}

// ExpressionByRelation draws how strongly the knowledge neurons of each
// relation's facts act: in texts that say the fact as bars, in the others as
// marks, with 95 % intervals. The relations stand in order of the bars, below the mean of all facts.
func ExpressionByRelation(r *experiments.ActivationExpression, options ...plots.Options) (*plots.Figure, error) {
	if err := checkExpression(r); err != nil {
		return nil, err
	}
	f, err := chart.New("expression by relation", "Knowledge neurons' activation in open texts, by relation", options, r.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{expressionLine(r) + "; number of facts in brackets"}
	f.Panel(poolingLabel(r.Pooling), "")
	relations := slices.Clone(r.ByRelation)
	slices.SortStableFunc(relations, func(a, b experiments.RelationExpression) int {
		return cmp.Compare(b.Gradients.T1.Mean, a.Gradients.T1.Mean)
	})
	b := chart.IntervalBars{Scale: 1, Apart: 1, Groups: []string{fmt.Sprintf("all facts (%d)", r.Gradients.Facts)}}
	for k, v := range byType(r.Gradients.TypeMeans) {
		b.Series = append(b.Series, chart.IntervalSeries{Label: textNames[k], Values: []stats.Interval{v}, Mark: k > 0})
	}
	parts := []string{"Mean activation of the knowledge neurons in T1, T2 and T3", expressionLine(r)}
	for _, relation := range relations {
		name := relationName(relation.Relation, relation.Name)
		b.Groups = append(b.Groups, rowName(f, name, fmt.Sprintf(" (%d)", relation.Facts)))
		means := byType(relation.Gradients)
		for k := range means {
			b.Series[k].Values = append(b.Series[k].Values, means[k])
		}
		parts = append(parts, fmt.Sprintf("%s: %s, %s, %s", name, chart.Short(means[0].Mean), chart.Short(means[1].Mean), chart.Short(means[2].Mean)))
	}
	if err := f.AddIntervalBars(b); err != nil {
		return nil, err
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustExpressionByRelation is [ExpressionByRelation] for notebook cells: it panics instead of returning an error.
func MustExpressionByRelation(r *experiments.ActivationExpression, options ...plots.Options) *plots.Figure {
	return kn.Must(ExpressionByRelation(r, options...))
}

// byType lists the means of T1, T2 and T3.
func byType(m experiments.TypeMeans) []stats.Interval { return []stats.Interval{m.T1, m.T2, m.T3} }

// poolingLabel says what is drawn.
func poolingLabel(p experiments.Pooling) string {
	switch p {
	case experiments.MeanOfTokens:
		return "Mean activation, all tokens"
	case experiments.MaxOfTokens:
		return "Mean of a text's largest activation"
	}
	return "Mean activation at the masked word"
}

func expressionLine(r *experiments.ActivationExpression) string {
	return fmt.Sprintf("%s; %d, %d and %d texts T1, T2, T3; lines: 95 %% intervals", chart.Plural(r.Facts, "fact"), r.Texts.T1, r.Texts.T2, r.Texts.T3)
}

func checkExpression(r *experiments.ActivationExpression) error {
	if r == nil {
		return chart.Missing("activation and expression")
	}
	if r.Facts == 0 {
		return errors.New("plots: the activation and expression has no facts")
	}
	for s, m := range []experiments.MethodExpression{r.Gradients, r.Baseline} {
		if err := chart.CheckIntervals(methodNames[s], byType(m.TypeMeans)...); err != nil {
			return err
		}
	}
	for _, relation := range r.ByRelation {
		if err := chart.CheckIntervals(relation.Relation, byType(relation.Gradients)...); err != nil {
			return err
		}
	}
	return nil
}
