package experimentplots_test

import (
	"fmt"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

func ExampleLayerDistribution() {
	fig := experimentplots.MustLayerDistribution(neuronTable(), small)
	fig.MustSave(filepath.Join(folder, "layer_distribution.png"))
	fmt.Println(fig.Title())
	// Output: Layers of the neurons that hold facts
}

func ExampleSharedNeurons() {
	fig := experimentplots.MustSharedNeurons(neuronTable(), small)
	fig.MustSave(filepath.Join(folder, "shared_neurons.png"))
	fmt.Println(fig.Title())
	// Output: Neurons that facts share
}

func ExampleInterventions() {
	fig := experimentplots.MustInterventions(intervention(3), small)
	fig.MustSave(filepath.Join(folder, "interventions.png"))
	fmt.Println(fig.Title())
	// Output: Suppressing and amplifying neurons
}

func ExampleSuppressedByRelation() {
	fig := experimentplots.MustSuppressedByRelation(intervention(8), small)
	fig.MustSave(filepath.Join(folder, "suppressed_by_relation.png"))
	fmt.Println(fig.Title())
	// Output: Suppressing neurons, by relation
}

// In a paper's column, a row for each of 34 relations: the figure is higher
// than the size says.
func ExampleAmplifiedByRelation() {
	fig := experimentplots.MustAmplifiedByRelation(intervention(34), plots.Options{Size: plots.PaperColumn, DPI: 70})
	fig.MustSave(filepath.Join(folder, "amplified_by_relation.png"))
	fmt.Println(fig.Title())
	// Output: Amplifying neurons, by relation
}

func ExampleRecipeOverlap() {
	fig := experimentplots.MustRecipeOverlap(recipeDiff(), small)
	fig.MustSave(filepath.Join(folder, "recipe_overlap.png"))
	fmt.Println(fig.Title())
	// Output: Agreement of the published recipes
}

func ExampleRecipeSteps() {
	fig := experimentplots.MustRecipeSteps(recipeDiff(), small)
	fig.MustSave(filepath.Join(folder, "recipe_steps.png"))
	fmt.Println(fig.Title())
	// Output: What each difference between the recipes changes
}

func ExampleConvergenceError() {
	fig := experimentplots.MustConvergenceError(convergence(), small)
	fig.MustSave(filepath.Join(folder, "convergence_error.png"))
	fmt.Println(fig.Title())
	// Output: Error of the attributions against nodes
}

func ExampleConvergenceError_paperColumn() {
	fig := experimentplots.MustConvergenceError(convergence(), plots.Options{Size: plots.PaperColumn, DPI: 140, Title: "Convergence"})
	fig.MustSave(filepath.Join(folder, "convergence_error_paper.png"))
	fmt.Println(fig.Title())
	// Output: Convergence
}

func ExampleConvergenceAgreement() {
	fig := experimentplots.MustConvergenceAgreement(convergence(), small)
	fig.MustSave(filepath.Join(folder, "convergence_agreement.png"))
	fmt.Println(fig.Title())
	// Output: Agreement of the neuron sets with the exact ones
}

func ExampleExactness() {
	fig := experimentplots.MustExactness(exactness(), small)
	fig.MustSave(filepath.Join(folder, "exactness.png"))
	fmt.Println(fig.Title())
	// Output: Error of the attributions against its estimate
}

func ExampleActivationExpression() {
	fig := experimentplots.MustActivationExpression(expression(0), small)
	fig.MustSave(filepath.Join(folder, "activation_expression.png"))
	fmt.Println(fig.Title())
	// Output: Neurons' activation in open texts
}

func ExampleExpressionByRelation() {
	fig := experimentplots.MustExpressionByRelation(expression(8), small)
	fig.MustSave(filepath.Join(folder, "expression_by_relation.png"))
	fmt.Println(fig.Title())
	// Output: Knowledge neurons' activation in open texts, by relation
}

func ExampleUpdateRates() {
	fig := experimentplots.MustUpdateRates(update(), small)
	fig.MustSave(filepath.Join(folder, "update_rates.png"))
	fmt.Println(fig.Title())
	// Output: Updating facts in their neurons' weights
}

func ExampleErasedPerplexity() {
	fig := experimentplots.MustErasedPerplexity(erasure(4), small)
	fig.MustSave(filepath.Join(folder, "erased_perplexity.png"))
	fmt.Println(fig.Title())
	// Output: Erasing a relation's commonest neurons
}

func ExampleUpdateLambdas() {
	fig := experimentplots.MustUpdateLambdas(update(), small)
	fig.MustSave(filepath.Join(folder, "update_lambdas.png"))
	fmt.Println(fig.Title())
	// Output: Updating facts with other strengths
}

func ExampleUpdateCounts() {
	fig := experimentplots.MustUpdateCounts(update(), small)
	fig.MustSave(filepath.Join(folder, "update_counts.png"))
	fmt.Println(fig.Title())
	// Output: Updating facts in fewer neurons
}

func ExampleErasedPerplexityCurve() {
	fig := experimentplots.MustErasedPerplexityCurve(erasure(4), small)
	fig.MustSave(filepath.Join(folder, "erased_perplexity_curve.png"))
	fmt.Println(fig.Title())
	// Output: Erasing more of a relation's neurons
}

func ExampleErasedAccuracyCurve() {
	fig := experimentplots.MustErasedAccuracyCurve(erasure(4), small)
	fig.MustSave(filepath.Join(folder, "erased_accuracy_curve.png"))
	fmt.Println(fig.Title())
	// Output: Answers left when a relation's neurons are erased
}
