package experimentplots

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// TestExperimentsStayInside draws results with long names and wide intervals
// in all sizes.
func TestExperimentsStayInside(t *testing.T) {
	long := strings.Repeat("neurons of Łódź, 東京 and Αθηνά 🙂 ", 5)
	wide := stats.Interval{Mean: -0.9, Low: -1000, High: 12345}
	for _, size := range []plots.Size{plots.NotebookSize, plots.PaperColumn, {Width: 3.3 * vg.Inch, Height: 3.5 * vg.Inch, Text: 9}} {
		for _, n := range []int{1, 3, 41} {
			table := &experiments.NeuronTable{Facts: 1e6, Prompts: 1e7}
			table.Gradients.PerLayer, table.Baseline.PerLayer = make([]float64, n), make([]float64, n)
			table.Gradients.PerFact, table.Baseline.Shared.AcrossOther = wide, wide
			r := &experiments.Intervention{Facts: 1e6}
			d := &experiments.RecipeDiff{}
			c := &experiments.ConvergenceTable{}
			x := &experiments.ExactnessTable{Prompts: 1e6, Each: make([]experiments.PromptExactness, n)}
			for i := range n {
				if i < 5 {
					x.Tolerances = append(x.Tolerances, experiments.ToleranceExactness{Tolerance: math.Pow(10, float64(-4*i))})
					r.Sets = append(r.Sets, experiments.InterventionSet{Label: long, Suppressed: wide, Amplified: wide})
					d.Recipes = append(d.Recipes, experiments.RecipeResult{Name: long, PerFact: wide})
					c.Rules = append(c.Rules, experiments.RuleConvergence{Rule: kn.Rule(long), Points: []experiments.ConvergencePoint{
						{Nodes: 0.001, Median: 1e9, High: 1e30}, {Nodes: 1e6, Same: stats.Interval{Mean: 1, Low: 1, High: 1}},
					}})
				}
				d.Steps = append(d.Steps, experiments.RecipeStep{What: long, Overlap: wide, PerFact: wide})
			}
			for i := range n {
				for k := range x.Tolerances {
					x.Each[i].By = append(x.Each[i].By, experiments.AttributionExactness{Error: 1e30 * float64(k), Estimate: float64(i), NotConverged: i == 1})
				}
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
				erased.Relations = append(erased.Relations, experiments.ErasedRelation{Relation: "P1376", Name: long, Curve: []experiments.ErasePoint{p}})
			}
			for range d.Recipes {
				d.Overlap = append(d.Overlap, make([]stats.Interval, len(d.Recipes)))
			}
			o := plots.Options{Size: size}
			for _, f := range []*plots.Figure{
				MustLayerDistribution(table, o), MustSharedNeurons(table, o), MustInterventions(r, o), MustSuppressedByRelation(r, o),
				MustActivationExpression(e, o), MustExpressionByRelation(e, o), MustRecipeOverlap(d, o), MustRecipeSteps(d, o), MustConvergenceError(c, o), MustConvergenceAgreement(c, o),
				MustExactness(x, o),
				MustUpdateLambdas(u, o), MustUpdateCounts(u, o), MustErasedPerplexityCurve(erased, o), MustErasedAccuracyCurve(erased, o),
			} {
				charttest.Inside(t, f, n)
			}
		}
	}
}

// TestMedianOfManyLines: where at least half of the lines have a point.
func TestMedianOfManyLines(t *testing.T) {
	var lines []chart.Line
	for i := range 11 {
		l := chart.Line{Label: "one of many", Series: i}
		l.Add(0, [3]float64{float64(i), -1, 100})
		if i < 6 {
			l.Add(1, [3]float64{7, 7, 7})
		}
		if i < 5 {
			l.Add(2, [3]float64{9, 9, 9})
		}
		lines = append(lines, l)
	}
	all := ofMany(lines, "median")
	median := all[11]
	if len(all) != 12 || !reflect.DeepEqual(median, chart.Line{Label: "median", X: []float64{0, 1}, Y: []float64{5, 7}, Low: []float64{1, 7}, High: []float64{9, 7}, Wash: 0.2}) {
		t.Errorf("%d lines, the last %+v", len(all), median)
	}
	for _, l := range all[:11] {
		if !l.Faint || l.Low != nil {
			t.Errorf("line %+v", l)
		}
	}
	e := &experiments.EraseTable{}
	for range mostErasedLines + 1 {
		e.Relations = append(e.Relations, experiments.ErasedRelation{Relation: "P19", Curve: []experiments.ErasePoint{{Neurons: 1}, {Neurons: 2}}})
	}
	if f := MustErasedPerplexityCurve(e); len(chart.DraftOf(f).Legend) != 1 || !strings.HasPrefix(chart.DraftOf(f).Legend[0].Label, "median") {
		t.Errorf("the legend of many relations is %+v", chart.DraftOf(f).Legend)
	}
	e.Relations = e.Relations[1:]
	if f := MustErasedPerplexityCurve(e); len(chart.DraftOf(f).Legend) != mostErasedLines {
		t.Errorf("the legend of some relations is %+v", chart.DraftOf(f).Legend)
	}
}
