package trainingplots_test

import (
	"fmt"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/trainingplots"
)

func ExampleTrainingHistory() {
	fig := trainingplots.MustTrainingHistory(trained(), small)
	fig.MustSave(filepath.Join(folder, "training_history.png"))
	fmt.Println(fig.Title())
	// Output: Fine-tuning to the task “relation”
}

func ExampleDynamicsHeatMap() {
	fig := trainingplots.MustDynamicsHeatMap(layersBySteps(12), dynamics.SVCCA, plots.Options{DPI: 64})
	fig.MustSave(filepath.Join(folder, "dynamics_heat_map.png"))
	fmt.Println(fig.Title())
	// Output: Hidden states' SVCCA distance from the start, by layer
}

func ExampleDynamicsCurves() {
	fig := trainingplots.MustDynamicsCurves(layersBySteps(12), dynamics.JSD, plots.Options{DPI: 64})
	fig.MustSave(filepath.Join(folder, "dynamics_curves.png"))
	fmt.Println(fig.Title())
	// Output: Attention's divergence from the start, by layer
}

func ExampleModelPairs() {
	fig := trainingplots.MustModelPairs(modelPairs(2, "seed 1", "seed 2", "seed 3"), dynamics.SVCCA, small)
	fig.MustSave(filepath.Join(folder, "model_pairs.png"))
	fmt.Println(fig.Title())
	// Output: Hidden states' SVCCA distance between models, by layer
}

// A matrix for each of twelve layers, between data sets.
func ExampleModelPairs_layers() {
	fig := trainingplots.MustModelPairs(modelPairs(12, "MNLI", "RTE", "SST-2", "MRPC"), dynamics.JSD, small)
	fig.MustSave(filepath.Join(folder, "model_pairs_layers.png"))
	fmt.Println(fig.Title())
	// Output: Attention's divergence between models, by layer
}

func ExampleFollowedKnowledge() {
	fig := trainingplots.MustFollowedKnowledge(followed(), layersBySteps(2), small)
	fig.MustSave(filepath.Join(folder, "followed_knowledge.png"))
	fmt.Println(fig.Title())
	// Output: What fine-tuning leaves of facts
}
