package experimentplots_test

import (
	"math"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

func TestBadExperiments(t *testing.T) {
	nan := math.NaN()
	few := func() *experiments.Intervention { return intervention(2) }
	tests := []charttest.Case{
		charttest.Bad("nil table", func() (any, error) { return experimentplots.LayerDistribution(nil) }, "table of neurons"),
		charttest.Bad("nil table to share", func() (any, error) { return experimentplots.SharedNeurons(nil) }, "table of neurons"),
		charttest.Bad("nil intervention", func() (any, error) { return experimentplots.Interventions(nil) }, "intervention"),
		charttest.Bad("nil intervention, suppressed", func() (any, error) { return experimentplots.SuppressedByRelation(nil) }, "intervention"),
		charttest.Bad("nil recipes", func() (any, error) { return experimentplots.RecipeOverlap(nil) }, "recipes"),
		charttest.Bad("nil steps", func() (any, error) { return experimentplots.RecipeSteps(nil) }, "recipes"),
		charttest.Bad("nil convergence", func() (any, error) { return experimentplots.ConvergenceError(nil) }, "convergence"),
		charttest.Bad("nil agreement", func() (any, error) { return experimentplots.ConvergenceAgreement(nil) }, "convergence"),
		charttest.Bad("nil exactness", func() (any, error) { return experimentplots.Exactness(nil) }, "exactness"),
		charttest.Bad("no prompts", func() (any, error) { return experimentplots.Exactness(&experiments.ExactnessTable{}) }, "no prompts"),
		charttest.Spoiled("no tolerances", exactness, func(t *experiments.ExactnessTable) { t.Tolerances = nil }, experimentplots.Exactness),
		charttest.Spoiled("a tolerance of 0", exactness, func(t *experiments.ExactnessTable) { t.Tolerances[1].Tolerance = 0 }, experimentplots.Exactness),
		charttest.Spoiled("prompt 7 has 1 values", exactness, func(t *experiments.ExactnessTable) { t.Each[7].By = t.Each[7].By[:1] }, experimentplots.Exactness),
		charttest.Spoiled("prompt 2: error and estimate to tolerance 1[0] is NaN", exactness, func(t *experiments.ExactnessTable) { t.Each[2].By[1].Error = nan }, experimentplots.Exactness),
		charttest.Spoiled("neither is negative", exactness, func(t *experiments.ExactnessTable) { t.Each[2].By[0].Estimate = -1 }, experimentplots.Exactness),
		charttest.Bad("no facts", func() (any, error) { return experimentplots.SharedNeurons(&experiments.NeuronTable{}) }, "no facts"),
		charttest.Bad("no sets", func() (any, error) { return experimentplots.Interventions(&experiments.Intervention{}) }, "no sets"),
		charttest.Bad("no recipes", func() (any, error) { return experimentplots.RecipeOverlap(&experiments.RecipeDiff{}) }, "no recipes"),
		charttest.Bad("no rules", func() (any, error) { return experimentplots.ConvergenceError(&experiments.ConvergenceTable{}) }, "no rules"),
		charttest.Bad("too many rows", func() (any, error) { return experimentplots.SuppressedByRelation(intervention(1000)) }, "too many"),
		charttest.Bad("two options", func() (any, error) {
			return experimentplots.LayerDistribution(neuronTable(), plots.Options{}, plots.Options{})
		}, "2 options"),
		charttest.Spoiled("no layers", neuronTable, func(t *experiments.NeuronTable) { t.Gradients.PerLayer = nil }, experimentplots.LayerDistribution),
		charttest.Spoiled("Baseline.PerLayer has 3 values", neuronTable, func(t *experiments.NeuronTable) { t.Baseline.PerLayer = t.Baseline.PerLayer[:3] }, experimentplots.LayerDistribution),
		charttest.Spoiled("PerLayer[2] is NaN", neuronTable, func(t *experiments.NeuronTable) { t.Gradients.PerLayer[2] = nan }, experimentplots.LayerDistribution),
		charttest.Spoiled("interval 1[0] is NaN", neuronTable, func(t *experiments.NeuronTable) { t.Baseline.Shared.Within.Mean = nan }, experimentplots.SharedNeurons),
		charttest.Spoiled("goes from 2 down to 1", neuronTable, func(t *experiments.NeuronTable) { t.Gradients.PerFact = stats.Interval{Mean: 1, Low: 2, High: 1} }, experimentplots.SharedNeurons),
		charttest.Spoiled("random: interval 1[1] is +Inf", few, func(r *experiments.Intervention) { r.Sets[2].Amplified.Low = math.Inf(1) }, experimentplots.Interventions),
		charttest.Spoiled("P19: Suppressed has 4 values", few, func(r *experiments.Intervention) {
			r.ByRelation[0].Suppressed = r.ByRelation[0].Suppressed[:4]
		}, experimentplots.SuppressedByRelation),
		charttest.Spoiled("P36: Amplified: interval 3[0] is NaN", few, func(r *experiments.Intervention) { r.ByRelation[1].Amplified[3].Mean = nan }, experimentplots.AmplifiedByRelation),
		charttest.Bad("nil expression", func() (any, error) { return experimentplots.ActivationExpression(nil) }, "activation and expression"),
		charttest.Bad("nothing expressed", func() (any, error) { return experimentplots.ExpressionByRelation(&experiments.ActivationExpression{}) }, "no facts"),
		charttest.Spoiled("interval 2[2] is -Inf", func() *experiments.ActivationExpression { return expression(2) },
			func(r *experiments.ActivationExpression) { r.Baseline.T3.High = math.Inf(-1) }, experimentplots.ActivationExpression),
		charttest.Spoiled("P36: interval 1[0] is NaN", func() *experiments.ActivationExpression { return expression(2) },
			func(r *experiments.ActivationExpression) { r.ByRelation[1].Gradients.T2.Mean = nan }, experimentplots.ExpressionByRelation),
		charttest.Bad("nil update", func() (any, error) { return experimentplots.UpdateRates(nil) }, "update of facts"),
		charttest.Spoiled("no sets", update, func(t *experiments.UpdateTable) { t.Sets = nil }, experimentplots.UpdateRates),
		charttest.Spoiled("random: interval 1[2] is NaN", update, func(t *experiments.UpdateTable) { t.Sets[1].Success.High = nan }, experimentplots.UpdateRates),
		charttest.Bad("nil update's curve", func() (any, error) { return experimentplots.UpdateLambdas(nil) }, "update of facts"),
		charttest.Spoiled("no such curve", update, func(t *experiments.UpdateTable) { t.Counts = nil }, experimentplots.UpdateCounts),
		charttest.Spoiled("point 2 of the update counts: interval 1[0] is NaN", update, func(t *experiments.UpdateTable) { t.Counts[2].Success.Mean = nan }, experimentplots.UpdateCounts),
		charttest.Spoiled("point 3 of the update lambdas[1] is +Inf", update, func(t *experiments.UpdateTable) { t.Lambdas[3].Lambda2 = math.Inf(1) }, experimentplots.UpdateLambdas),
		charttest.Bad("nil erasure's curve", func() (any, error) { return experimentplots.ErasedAccuracyCurve(nil) }, "erasure of relations"),
		charttest.Spoiled("has no curve", func() *experiments.EraseTable { return erasure(1) }, func(t *experiments.EraseTable) { t.Relations[0].Curve = nil }, experimentplots.ErasedPerplexityCurve),
		charttest.Spoiled("P19: point 1: interval 0[1] is NaN", func() *experiments.EraseTable { return erasure(1) },
			func(t *experiments.EraseTable) { t.Relations[0].Curve[1].Others.Perplexity.Change.Low = nan }, experimentplots.ErasedPerplexityCurve),
		charttest.Bad("nil erasure", func() (any, error) { return experimentplots.ErasedPerplexity(nil) }, "erasure of relations"),
		charttest.Spoiled("no relation", func() *experiments.EraseTable { return erasure(0) }, func(*experiments.EraseTable) {}, experimentplots.ErasedPerplexity),
		charttest.Spoiled("P19: Sets has 2 values", func() *experiments.EraseTable { return erasure(1) },
			func(t *experiments.EraseTable) { t.Relations[0].Sets = t.Relations[0].Sets[:2] }, experimentplots.ErasedPerplexity),
		charttest.Spoiled("P36: interval 3[0] is NaN", func() *experiments.EraseTable { return erasure(2) },
			func(t *experiments.EraseTable) { t.Relations[1].Sets[2].Erased.Perplexity.Change.Mean = nan }, experimentplots.ErasedPerplexity),
		charttest.Spoiled("Overlap has 2 values", recipeDiff, func(d *experiments.RecipeDiff) { d.Overlap = d.Overlap[:2] }, experimentplots.RecipeOverlap),
		charttest.Spoiled("Overlap[1] has 1 values", recipeDiff, func(d *experiments.RecipeDiff) { d.Overlap[1] = d.Overlap[1][:1] }, experimentplots.RecipeOverlap),
		charttest.Spoiled("no steps", recipeDiff, func(d *experiments.RecipeDiff) { d.Steps, d.Alone = nil, nil }, experimentplots.RecipeSteps),
		charttest.Spoiled("share p", recipeDiff, func(d *experiments.RecipeDiff) { d.Steps[3].Overlap.High = nan }, experimentplots.RecipeSteps),
		charttest.Spoiled("no points", convergence, func(t *experiments.ConvergenceTable) { t.Rules[1].Points = nil }, experimentplots.ConvergenceError),
		charttest.Spoiled("point 2 has 0 nodes", convergence, func(t *experiments.ConvergenceTable) { t.Rules[1].Points[2].Nodes = 0 }, experimentplots.ConvergenceAgreement),
		charttest.Spoiled("not negative", convergence, func(t *experiments.ConvergenceTable) { t.Rules[0].Points[0].Low = -1 }, experimentplots.ConvergenceError),
	}
	charttest.Errors(t, tests)
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
		"layers": experimentplots.MustLayerDistribution(table), "shared": experimentplots.MustSharedNeurons(table),
		"sets": experimentplots.MustInterventions(sets), "suppressed": experimentplots.MustSuppressedByRelation(sets),
		"expression":  experimentplots.MustActivationExpression(&experiments.ActivationExpression{Facts: 1}),
		"by relation": experimentplots.MustExpressionByRelation(&experiments.ActivationExpression{Facts: 1}),
		"overlap":     experimentplots.MustRecipeOverlap(recipes), "steps": experimentplots.MustRecipeSteps(recipes),
		"error": experimentplots.MustConvergenceError(exact), "agreement": experimentplots.MustConvergenceAgreement(exact),
		"exactness": experimentplots.MustExactness(&experiments.ExactnessTable{
			Prompts: 1, Tolerances: []experiments.ToleranceExactness{{Tolerance: 1e-3}},
			Each: []experiments.PromptExactness{{By: []experiments.AttributionExactness{{}}}},
		}),
	} {
		if _, err := f.SVG(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
