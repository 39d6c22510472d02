package trainingplots_test

import (
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
	"github.com/knowledge-neurons/gonb-kn/plots/trainingplots"
)

// folder is where the examples save their figures.
var folder string

func TestMain(m *testing.M) { charttest.Main(m, &folder) }

// small keeps the images of these tests small.
var small = plots.Options{DPI: 80}

// all draws every chart from the data of these tests, by kind.
func all(o plots.Options) map[string]*plots.Figure {
	return map[string]*plots.Figure{
		"training history":   trainingplots.MustTrainingHistory(trained(), o),
		"dynamics heat map":  trainingplots.MustDynamicsHeatMap(layersBySteps(12), dynamics.SVCCA, o),
		"dynamics curves":    trainingplots.MustDynamicsCurves(layersBySteps(2), dynamics.JSD, o),
		"model pairs":        trainingplots.MustModelPairs(modelPairs(2, "seed 1", "seed 2", "seed 3"), dynamics.SVCCA, o),
		"followed knowledge": trainingplots.MustFollowedKnowledge(followed(), layersBySteps(2), o),
	}
}

func TestFiles(t *testing.T) {
	charttest.Files(t, all, map[string][]string{})
}

func TestGolden(t *testing.T) {
	charttest.Golden(t, folder, map[string]func(){
		"training_history.png":   ExampleTrainingHistory,
		"dynamics_heat_map.png":  ExampleDynamicsHeatMap,
		"dynamics_curves.png":    ExampleDynamicsCurves,
		"model_pairs.png":        ExampleModelPairs,
		"model_pairs_layers.png": ExampleModelPairs_layers,
		"followed_knowledge.png": ExampleFollowedKnowledge,
	})
}
