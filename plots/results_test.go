package plots_test

import (
	"path/filepath"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// TestResultsOfAModel draws what package kn computes, from first to last,
// with a reference model whose weights are random.
func TestResultsOfAModel(t *testing.T) {
	model := kn.MustLoad(filepath.Join("..", "kn", "internal", "sharedtest", "testdata", "golden", "model"), kn.WithCache("off"))
	prompts := []string{"The capital of France is [MASK] .", "[MASK] is the capital city of France"}
	neurons, err := model.KnowledgeNeurons(prompts, "Paris")
	if err != nil {
		t.Fatal(err)
	}
	curves := model.MustFactorCurves(prompts, "Paris", neurons.Refined, kn.CurveOptions{Factors: []float64{0, 1, 2}, Draws: 2})
	edited := model.MustWith(kn.Suppress(neurons.Refined))
	var predictions []*kn.Prediction
	for _, factor := range curves.Own.Factors {
		predictions = append(predictions, model.MustWith(kn.Scale(neurons.Refined, factor)).MustPredict(prompts[0]))
	}
	scatter, err := model.ActivationScatter([]kn.Query{{Prompt: prompts[0], Answer: "Paris"}, {Prompt: prompts[1], Answer: "Paris"}}, neurons.Refined)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plots.Slider(curves, predictions); err != nil {
		t.Error(err)
	}
	for _, f := range []*plots.Figure{
		plots.MustFactorCurves(curves),
		plots.MustActivationScatter(scatter),
		plots.MustNeuronsPerLayer(neurons),
		plots.MustAttributionHeatMap(model.MustAttribute(prompts[0], "Paris")),
		plots.MustOverlap(neurons),
		plots.MustPredictions(model.MustPredict(prompts[0]), edited.MustPredict(prompts[0])),
	} {
		charttest.Text(t, charttest.SVG(t, f))
		if p := f.Provenance(); len(p.Results) == 0 || len(p.Results[0].Digest) != 64 {
			t.Errorf("%s: provenance %+v", p.Chart, p)
		}
	}
}
