package plots_test

import (
	"fmt"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

// small keeps the images of these tests small.
var small = plots.Options{DPI: 80}

func ExampleFactorCurves() {
	fig, err := plots.FactorCurves(factorCurves(), small)
	if err != nil {
		panic(err)
	}
	fig.MustSave(filepath.Join(folder, "factor_curves.png"))
	fmt.Println(fig.Title())
	// Output: Scaling the knowledge neurons of “Paris”
}

func ExampleFactorCurves_paperColumn() {
	curves := factorCurves()
	curves.Own.Low, curves.Own.High, curves.Matched.Low, curves.Matched.High = nil, nil, nil, nil
	fig := plots.MustFactorCurves(curves, plots.Options{Size: plots.PaperColumn, DPI: 140, Title: "Paris"})
	fig.MustSave(filepath.Join(folder, "factor_curves_paper.png"))
	fmt.Println(fig.Title())
	// Output: Paris
}

func ExampleActivationScatter() {
	points := scatter([]string{"P36 capital", "P19 place of birth", "P103 native language"}, 40)
	fig := plots.MustActivationScatter(points, small)
	fig.MustSave(filepath.Join(folder, "activation_scatter.png"))
	fmt.Println(fig.Description())
	// Output: Probability of the answer against the mean activation of knowledge neurons, 120 prompts. Pearson r = 0.71 over 120 prompts, mean of 2 neurons.
}

func ExampleNeuronsPerLayer() {
	facts := []*kn.KnowledgeNeurons{
		knowledgeNeurons(5, 12, 3072, 1), knowledgeNeurons(5, 12, 3072, 4), knowledgeNeurons(5, 12, 3072, 8),
	}
	fig := plots.MustNeuronsPerLayer(facts, small)
	fig.MustSave(filepath.Join(folder, "neurons_per_layer.png"))
	fmt.Println(fig.Description())
	// Output: 15 neurons of 3 facts. Neurons in each layer from the embeddings on: 0 0 0 0 0 0 0 0 0 3 8 4.
}

func ExampleAttributionHeatMap() {
	fig := plots.MustAttributionHeatMap(attribution(12, 3072), plots.Options{DPI: 80, Top: 3})
	fig.MustSave(filepath.Join(folder, "attribution_heat_map.png"))
	fmt.Println(fig.Description())
	// Output: Attribution scores of the answer “Paris” over 12 layers of 3072 neurons. Prompt: The capital of France is [MASK] . Neuron 11:233: 0.081. Neuron 10:1210: 0.062. Neuron 9:2187: 0.041.
}

func ExampleOverlap() {
	fig := plots.MustOverlap(knowledgeNeurons(5, 12, 3072, 1), small)
	fig.MustSave(filepath.Join(folder, "overlap.png"))
	fmt.Println(fig.Description())
	// Output: 5 prompts with 15.8 coarse neurons each on average; 5 neurons left after refining. Mean overlap of two prompts: 46 %.
}

func ExamplePredictions() {
	before, after := predictions()
	fig := plots.MustPredictions(before, after, plots.Options{DPI: 80, Top: 4})
	fig.MustSave(filepath.Join(folder, "predictions.png"))
	fmt.Println(fig.Title())
	// Output: Predictions before and after the edit
}

func ExampleSlider() {
	fragment, err := plots.Slider(factorCurves(), nil)
	if err != nil {
		panic(err)
	}
	if err := plots.ShowHTML(fragment); err != nil {
		fmt.Println(err)
	}
	// Output: plots: not in a GoNB notebook, so nothing can be shown; save the figure instead
}
