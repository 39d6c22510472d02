package plots_test

import (
	"math"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

// spoiled is a result that cannot be drawn.
func spoiled[T any](names string, fresh func() *T, spoil func(*T), draw func(*T, ...plots.Options) (*plots.Figure, error)) bad {
	return bad{names, func() (any, error) {
		r := fresh()
		spoil(r)
		return draw(r)
	}, names}
}

func TestBadExperiments(t *testing.T) {
	nan := math.NaN()
	few := func() *experiments.Intervention { return intervention(2) }
	tests := []bad{
		{"nil table", func() (any, error) { return plots.LayerDistribution(nil) }, "table of neurons"},
		{"nil table to share", func() (any, error) { return plots.SharedNeurons(nil) }, "table of neurons"},
		{"nil intervention", func() (any, error) { return plots.Interventions(nil) }, "intervention"},
		{"nil intervention, suppressed", func() (any, error) { return plots.SuppressedByRelation(nil) }, "intervention"},
		{"nil recipes", func() (any, error) { return plots.RecipeOverlap(nil) }, "recipes"},
		{"nil steps", func() (any, error) { return plots.RecipeSteps(nil) }, "recipes"},
		{"nil convergence", func() (any, error) { return plots.ConvergenceError(nil) }, "convergence"},
		{"nil agreement", func() (any, error) { return plots.ConvergenceAgreement(nil) }, "convergence"},
		{"nil exactness", func() (any, error) { return plots.Exactness(nil) }, "exactness"},
		{"no prompts", func() (any, error) { return plots.Exactness(&experiments.ExactnessTable{}) }, "no prompts"},
		spoiled("no tolerances", exactness, func(t *experiments.ExactnessTable) { t.Tolerances = nil }, plots.Exactness),
		spoiled("a tolerance of 0", exactness, func(t *experiments.ExactnessTable) { t.Tolerances[1].Tolerance = 0 }, plots.Exactness),
		spoiled("prompt 7 has 1 values", exactness, func(t *experiments.ExactnessTable) { t.Each[7].By = t.Each[7].By[:1] }, plots.Exactness),
		spoiled("prompt 2: error and estimate to tolerance 1[0] is NaN", exactness, func(t *experiments.ExactnessTable) { t.Each[2].By[1].Error = nan }, plots.Exactness),
		spoiled("neither is negative", exactness, func(t *experiments.ExactnessTable) { t.Each[2].By[0].Estimate = -1 }, plots.Exactness),
		{"no facts", func() (any, error) { return plots.SharedNeurons(&experiments.NeuronTable{}) }, "no facts"},
		{"no sets", func() (any, error) { return plots.Interventions(&experiments.Intervention{}) }, "no sets"},
		{"no recipes", func() (any, error) { return plots.RecipeOverlap(&experiments.RecipeDiff{}) }, "no recipes"},
		{"no rules", func() (any, error) { return plots.ConvergenceError(&experiments.ConvergenceTable{}) }, "no rules"},
		{"too many rows", func() (any, error) { return plots.SuppressedByRelation(intervention(1000)) }, "too many"},
		{"two options", func() (any, error) {
			return plots.LayerDistribution(neuronTable(), plots.Options{}, plots.Options{})
		}, "2 options"},
		spoiled("no layers", neuronTable, func(t *experiments.NeuronTable) { t.Gradients.PerLayer = nil }, plots.LayerDistribution),
		spoiled("Baseline.PerLayer has 3 values", neuronTable, func(t *experiments.NeuronTable) { t.Baseline.PerLayer = t.Baseline.PerLayer[:3] }, plots.LayerDistribution),
		spoiled("PerLayer[2] is NaN", neuronTable, func(t *experiments.NeuronTable) { t.Gradients.PerLayer[2] = nan }, plots.LayerDistribution),
		spoiled("interval 1[0] is NaN", neuronTable, func(t *experiments.NeuronTable) { t.Baseline.Shared.Within.Mean = nan }, plots.SharedNeurons),
		spoiled("goes from 2 down to 1", neuronTable, func(t *experiments.NeuronTable) { t.Gradients.PerFact = stats.Interval{Mean: 1, Low: 2, High: 1} }, plots.SharedNeurons),
		spoiled("random: interval 1[1] is +Inf", few, func(r *experiments.Intervention) { r.Sets[2].Amplified.Low = math.Inf(1) }, plots.Interventions),
		spoiled("P19: Suppressed has 4 values", few, func(r *experiments.Intervention) {
			r.ByRelation[0].Suppressed = r.ByRelation[0].Suppressed[:4]
		}, plots.SuppressedByRelation),
		spoiled("P36: Amplified: interval 3[0] is NaN", few, func(r *experiments.Intervention) { r.ByRelation[1].Amplified[3].Mean = nan }, plots.AmplifiedByRelation),
		{"nil expression", func() (any, error) { return plots.ActivationExpression(nil) }, "activation and expression"},
		{"nothing expressed", func() (any, error) { return plots.ExpressionByRelation(&experiments.ActivationExpression{}) }, "no facts"},
		spoiled("interval 2[2] is -Inf", func() *experiments.ActivationExpression { return expression(2) },
			func(r *experiments.ActivationExpression) { r.Baseline.T3.High = math.Inf(-1) }, plots.ActivationExpression),
		spoiled("P36: interval 1[0] is NaN", func() *experiments.ActivationExpression { return expression(2) },
			func(r *experiments.ActivationExpression) { r.ByRelation[1].Gradients.T2.Mean = nan }, plots.ExpressionByRelation),
		{"nil update", func() (any, error) { return plots.UpdateRates(nil) }, "update of facts"},
		spoiled("no sets", update, func(t *experiments.UpdateTable) { t.Sets = nil }, plots.UpdateRates),
		spoiled("random: interval 1[2] is NaN", update, func(t *experiments.UpdateTable) { t.Sets[1].Success.High = nan }, plots.UpdateRates),
		{"nil update's curve", func() (any, error) { return plots.UpdateLambdas(nil) }, "update of facts"},
		spoiled("no such curve", update, func(t *experiments.UpdateTable) { t.Counts = nil }, plots.UpdateCounts),
		spoiled("point 2 of the update counts: interval 1[0] is NaN", update, func(t *experiments.UpdateTable) { t.Counts[2].Success.Mean = nan }, plots.UpdateCounts),
		spoiled("point 3 of the update lambdas[1] is +Inf", update, func(t *experiments.UpdateTable) { t.Lambdas[3].Lambda2 = math.Inf(1) }, plots.UpdateLambdas),
		{"nil erasure's curve", func() (any, error) { return plots.ErasedAccuracyCurve(nil) }, "erasure of relations"},
		spoiled("has no curve", func() *experiments.EraseTable { return erasure(1) }, func(t *experiments.EraseTable) { t.Relations[0].Curve = nil }, plots.ErasedPerplexityCurve),
		spoiled("P19: point 1: interval 0[1] is NaN", func() *experiments.EraseTable { return erasure(1) },
			func(t *experiments.EraseTable) { t.Relations[0].Curve[1].Others.Perplexity.Change.Low = nan }, plots.ErasedPerplexityCurve),
		{"nil erasure", func() (any, error) { return plots.ErasedPerplexity(nil) }, "erasure of relations"},
		spoiled("no relation", func() *experiments.EraseTable { return erasure(0) }, func(*experiments.EraseTable) {}, plots.ErasedPerplexity),
		spoiled("P19: Sets has 2 values", func() *experiments.EraseTable { return erasure(1) },
			func(t *experiments.EraseTable) { t.Relations[0].Sets = t.Relations[0].Sets[:2] }, plots.ErasedPerplexity),
		spoiled("P36: interval 3[0] is NaN", func() *experiments.EraseTable { return erasure(2) },
			func(t *experiments.EraseTable) { t.Relations[1].Sets[2].Erased.Perplexity.Change.Mean = nan }, plots.ErasedPerplexity),
		spoiled("Overlap has 2 values", recipeDiff, func(d *experiments.RecipeDiff) { d.Overlap = d.Overlap[:2] }, plots.RecipeOverlap),
		spoiled("Overlap[1] has 1 values", recipeDiff, func(d *experiments.RecipeDiff) { d.Overlap[1] = d.Overlap[1][:1] }, plots.RecipeOverlap),
		spoiled("no steps", recipeDiff, func(d *experiments.RecipeDiff) { d.Steps, d.Alone = nil, nil }, plots.RecipeSteps),
		spoiled("share p", recipeDiff, func(d *experiments.RecipeDiff) { d.Steps[3].Overlap.High = nan }, plots.RecipeSteps),
		spoiled("no points", convergence, func(t *experiments.ConvergenceTable) { t.Rules[1].Points = nil }, plots.ConvergenceError),
		spoiled("point 2 has 0 nodes", convergence, func(t *experiments.ConvergenceTable) { t.Rules[1].Points[2].Nodes = 0 }, plots.ConvergenceAgreement),
		spoiled("not negative", convergence, func(t *experiments.ConvergenceTable) { t.Rules[0].Points[0].Low = -1 }, plots.ConvergenceError),
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.draw(); err == nil || !strings.HasPrefix(err.Error(), "plots: ") || !strings.Contains(err.Error(), test.names) {
				t.Errorf("got %v, want an error that names %q", err, test.names)
			}
		})
	}
}

// TestExperimentsWithoutNumbers draws results that are small, zero or exact.
func TestExperimentsWithoutNumbers(t *testing.T) {
	table := &experiments.NeuronTable{Facts: 1}
	table.Gradients.PerLayer, table.Baseline.PerLayer = make([]float64, 48), make([]float64, 48)
	sets := &experiments.Intervention{Sets: []experiments.InterventionSet{{Set: "own"}}}
	recipes := &experiments.RecipeDiff{
		Recipes: []experiments.RecipeResult{{}}, Overlap: [][]stats.Interval{{{Mean: 1, Low: 1, High: 1}}}, Alone: []experiments.RecipeStep{{}},
	}
	exact := &experiments.ConvergenceTable{Rules: []experiments.RuleConvergence{{Rule: "mine", Points: []experiments.ConvergencePoint{{Nodes: 1}}}}}
	for name, f := range map[string]*plots.Figure{
		"layers": plots.MustLayerDistribution(table), "shared": plots.MustSharedNeurons(table),
		"sets": plots.MustInterventions(sets), "suppressed": plots.MustSuppressedByRelation(sets),
		"expression":  plots.MustActivationExpression(&experiments.ActivationExpression{Facts: 1}),
		"by relation": plots.MustExpressionByRelation(&experiments.ActivationExpression{Facts: 1}),
		"overlap":     plots.MustRecipeOverlap(recipes), "steps": plots.MustRecipeSteps(recipes),
		"error": plots.MustConvergenceError(exact), "agreement": plots.MustConvergenceAgreement(exact),
		"exactness": plots.MustExactness(&experiments.ExactnessTable{
			Prompts: 1, Tolerances: []experiments.ToleranceExactness{{Tolerance: 1e-3}},
			Each: []experiments.PromptExactness{{By: []experiments.AttributionExactness{{}}}},
		}),
	} {
		if _, err := f.SVG(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
