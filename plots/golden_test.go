package plots_test

import (
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/plot/cmpimg"
)

// tolerance of a pixel's color, from 0 to 1, for other processors' rounding.
const tolerance = 0.02

// TestGolden compares what each example draws with the image of it that was
// looked at and found good. With the flag -regen it writes the images anew.
func TestGolden(t *testing.T) {
	for name, example := range map[string]func(){
		"factor_curves.png":        ExampleFactorCurves,
		"factor_curves_paper.png":  ExampleFactorCurves_paperColumn,
		"activation_scatter.png":   ExampleActivationScatter,
		"neurons_per_layer.png":    ExampleNeuronsPerLayer,
		"attribution_heat_map.png": ExampleAttributionHeatMap,
		"overlap.png":              ExampleOverlap,
		"predictions.png":          ExamplePredictions,

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

		"loss_curves.png":  ExampleLossCurves,
		"loss_surface.png": ExampleLossSurface,
		"group_resets.png": ExampleGroupResets,

		"training_history.png":   ExampleTrainingHistory,
		"dynamics_heat_map.png":  ExampleDynamicsHeatMap,
		"dynamics_curves.png":    ExampleDynamicsCurves,
		"model_pairs.png":        ExampleModelPairs,
		"model_pairs_layers.png": ExampleModelPairs_layers,
		"followed_knowledge.png": ExampleFollowedKnowledge,

		"electra_steps.png":     ExampleElectraSteps,
		"electra_time.png":      ExampleElectraTime,
		"electra_proposals.png": ExampleElectraProposals,
		"electra_estimates.png": ExampleElectraEstimates,
		"electra_bounds.png":    ExampleElectraBounds,
	} {
		t.Run(name, func(t *testing.T) {
			example()
			got, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "golden", name)
			if *cmpimg.GenerateTestData { // the flag -regen
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			same, err := cmpimg.EqualApprox("png", got, want, tolerance)
			if err != nil {
				t.Fatal(err)
			}
			if !same {
				t.Errorf("the image differs from %s; look at what -regen makes of it", golden)
			}
			if len(want) > 60<<10 {
				t.Errorf("%s has %d bytes, want at most 60 KB", golden, len(want))
			}
		})
	}
}
