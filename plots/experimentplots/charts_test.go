package experimentplots_test

import (
	"testing"

	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// folder is where the examples save their figures.
var folder string

func TestMain(m *testing.M) { charttest.Main(m, &folder) }

// small keeps the images of these tests small.
var small = plots.Options{DPI: 80}

// all draws every chart from the data of these tests, by kind.
func all(o plots.Options) map[string]*plots.Figure {
	return map[string]*plots.Figure{
		"layer distribution":        experimentplots.MustLayerDistribution(neuronTable(), o),
		"shared neurons":            experimentplots.MustSharedNeurons(neuronTable(), o),
		"interventions":             experimentplots.MustInterventions(intervention(3), o),
		"suppressed by relation":    experimentplots.MustSuppressedByRelation(intervention(12), o),
		"amplified by relation":     experimentplots.MustAmplifiedByRelation(intervention(12), o),
		"activation and expression": experimentplots.MustActivationExpression(expression(3), o),
		"expression by relation":    experimentplots.MustExpressionByRelation(expression(12), o),
		"update rates":              experimentplots.MustUpdateRates(update(), o),
		"update lambdas":            experimentplots.MustUpdateLambdas(update(), o),
		"update counts":             experimentplots.MustUpdateCounts(update(), o),
		"erased perplexity":         experimentplots.MustErasedPerplexity(erasure(4), o),
		"erased perplexity curve":   experimentplots.MustErasedPerplexityCurve(erasure(4), o),
		"erased accuracy curve":     experimentplots.MustErasedAccuracyCurve(erasure(4), o),
		"recipe overlap":            experimentplots.MustRecipeOverlap(recipeDiff(), o),
		"recipe steps":              experimentplots.MustRecipeSteps(recipeDiff(), o),
		"convergence error":         experimentplots.MustConvergenceError(convergence(), o),
		"convergence agreement":     experimentplots.MustConvergenceAgreement(convergence(), o),
		"exactness":                 experimentplots.MustExactness(exactness(), o),
	}
}

func TestFiles(t *testing.T) {
	charttest.Files(t, all, map[string][]string{
		"layer distribution":        {"knowledge neurons (integrated gradients)", "activation baseline's neurons", "31", "238 facts of 34 relations, 3318 prompts"},
		"shared neurons":            {"4.10", "shared: facts of one relation", "Number of neurons"},
		"interventions":             {"suppressed (× 0)", "amplified (× 2)", "−45.0 %", "+50.0 %", "random neurons of the same layers"},
		"suppressed by relation":    {"all facts (84)", "P36 capital (7)", "Change of the answer's probability [%]", "All facts, knowledge neurons: −45.0 % [−47.0, −43.0]"},
		"amplified by relation":     {"All facts, knowledge neurons: +50.0 % [+47.0, +53.0]"},
		"activation and expression": {"T1: subject and answer", "T3: random texts", "0.485", "−0.018", "Mean activation at the masked word", "210 facts; 1800, 2050 and 1800 texts T1, T2, T3; lines: 95 % intervals"},
		"expression by relation":    {"all facts (205)", "P36 capital (6)", "T2: subject only"},
		"update rates":              {"another answer comes first", "48.5 %", "random neurons of the same layers", "1500 prompts of 210 facts; lines: 95 % intervals"},
		"erased perplexity":         {"P19 place of birth", "facts of other relations", "Change of the perplexity [%]"},
		"recipe overlap":            {"EleutherAI2021", "4.0 neurons a fact", "52", "[46, 58]", "Jaccard index [%]"},
		"recipe steps":              {"threshold t: 0.2 → 0.3 (4.4)", "alone, in Dai2022", "14 %"},
		"convergence error":         {"left Riemann (Dai 2022)", "adaptive (default)", "100", "Largest error of a score [%]"},
		"convergence agreement":     {"Nodes a layer", "Gauss-Legendre"},
		"exactness": {
			"error = estimate", "adaptive to 1 %", "adaptive to 0.1 %", "reported as not converged", "The rule's own estimate [%]",
			"Worst layer of 80 prompts, in % of the prompt's largest score; reference: adaptive to 0.001 %",
		},
	})
}

func TestGolden(t *testing.T) {
	charttest.Golden(t, folder, map[string]func(){
		"layer_distribution.png":      ExampleLayerDistribution,
		"shared_neurons.png":          ExampleSharedNeurons,
		"interventions.png":           ExampleInterventions,
		"suppressed_by_relation.png":  ExampleSuppressedByRelation,
		"amplified_by_relation.png":   ExampleAmplifiedByRelation,
		"activation_expression.png":   ExampleActivationExpression,
		"expression_by_relation.png":  ExampleExpressionByRelation,
		"update_rates.png":            ExampleUpdateRates,
		"erased_perplexity.png":       ExampleErasedPerplexity,
		"update_lambdas.png":          ExampleUpdateLambdas,
		"update_counts.png":           ExampleUpdateCounts,
		"erased_perplexity_curve.png": ExampleErasedPerplexityCurve,
		"erased_accuracy_curve.png":   ExampleErasedAccuracyCurve,
		"recipe_overlap.png":          ExampleRecipeOverlap,
		"recipe_steps.png":            ExampleRecipeSteps,
		"convergence_error.png":       ExampleConvergenceError,
		"convergence_error_paper.png": ExampleConvergenceError_paperColumn,
		"convergence_agreement.png":   ExampleConvergenceAgreement,
		"exactness.png":               ExampleExactness,
	})
}
