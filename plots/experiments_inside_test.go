package plots

import (
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// TestExperimentsStayInside draws results with long names and wide intervals
// in all sizes.
func TestExperimentsStayInside(t *testing.T) {
	long := strings.Repeat("neurons of Łódź, 東京 and Αθηνά 🙂 ", 5)
	wide := stats.Interval{Mean: -0.9, Low: -1000, High: 12345}
	for _, size := range []Size{NotebookSize, PaperColumn, {Width: 3.3 * vg.Inch, Height: 3.5 * vg.Inch, Text: 9}} {
		for _, n := range []int{1, 3, 41} {
			table := &experiments.NeuronTable{Facts: 1e6, Prompts: 1e7}
			table.Gradients.PerLayer, table.Baseline.PerLayer = make([]float64, n), make([]float64, n)
			table.Gradients.PerFact, table.Baseline.Shared.AcrossOther = wide, wide
			r := &experiments.Intervention{Facts: 1e6}
			d := &experiments.RecipeDiff{}
			c := &experiments.ConvergenceTable{}
			for i := range n {
				if i < 5 {
					r.Sets = append(r.Sets, experiments.InterventionSet{Label: long, Suppressed: wide, Amplified: wide})
					d.Recipes = append(d.Recipes, experiments.RecipeResult{Name: long, PerFact: wide})
					c.Rules = append(c.Rules, experiments.RuleConvergence{Rule: kn.Rule(long), Points: []experiments.ConvergencePoint{
						{Nodes: 0.001, Median: 1e9, High: 1e30}, {Nodes: 1e6, Same: stats.Interval{Mean: 1, Low: 1, High: 1}},
					}})
				}
				d.Steps = append(d.Steps, experiments.RecipeStep{What: long, Overlap: wide, PerFact: wide})
			}
			for range n {
				all := make([]stats.Interval, len(r.Sets))
				r.ByRelation = append(r.ByRelation, experiments.RelationIntervention{Relation: "P1376", Name: long, Facts: 123456, Suppressed: all, Amplified: all})
			}
			e := &experiments.ActivationExpression{Facts: 1e6}
			e.Gradients.T1, e.Baseline.T3 = wide, wide
			for range n {
				e.ByRelation = append(e.ByRelation, experiments.RelationExpression{Relation: "P1376", Name: long, Facts: 123456, Gradients: e.Gradients.TypeMeans})
			}
			u, erased := &experiments.UpdateTable{CurveFacts: 1e6}, &experiments.EraseTable{}
			for i := range n {
				q := experiments.UpdatePoint{Lambda1: float64(i % 4), Lambda2: 1000 * float64(i), MostNeurons: 1000 * i}
				u.Lambdas, u.Counts = append(u.Lambdas, q), append(u.Counts, q)
				var p experiments.ErasePoint
				p.Neurons, p.Erased.Perplexity.Change = 1000*i+1, stats.Interval{Mean: 1, Low: -1, High: 1e6}
				if i >= 5 {
					continue // the legend leaves no room
				}
				erased.Relations = append(erased.Relations, experiments.ErasedRelation{Relation: "P1376", Name: long, Curve: []experiments.ErasePoint{p}})
			}
			for range d.Recipes {
				d.Overlap = append(d.Overlap, make([]stats.Interval, len(d.Recipes)))
			}
			o := Options{Size: size}
			for _, f := range []*Figure{
				MustLayerDistribution(table, o), MustSharedNeurons(table, o), MustInterventions(r, o), MustSuppressedByRelation(r, o),
				MustActivationExpression(e, o), MustExpressionByRelation(e, o), MustRecipeOverlap(d, o), MustRecipeSteps(d, o), MustConvergenceError(c, o), MustConvergenceAgreement(c, o),
				MustUpdateLambdas(u, o), MustUpdateCounts(u, o), MustErasedPerplexityCurve(erased, o), MustErasedAccuracyCurve(erased, o),
			} {
				textInside(t, f, n)
			}
		}
	}
}
