package plots_test

import (
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// folder is where the examples save their figures.
var folder string

func TestMain(m *testing.M) { charttest.Main(m, &folder) }

// all draws every chart from the data of these tests, by kind.
func all(o plots.Options) map[string]*plots.Figure {
	before, after := predictions()
	return map[string]*plots.Figure{
		"factor curves":        plots.MustFactorCurves(factorCurves(), o),
		"activation scatter":   plots.MustActivationScatter(scatter([]string{"P36", "P19"}, 9), o),
		"neurons per layer":    plots.MustNeuronsPerLayer(knowledgeNeurons(3, 12, 3072, 1), o),
		"attribution heat map": plots.MustAttributionHeatMap(attribution(3, 512), o),
		"overlap":              plots.MustOverlap(knowledgeNeurons(4, 3, 512, 1), o),
		"predictions":          plots.MustPredictions(before, after, o),

		"sensitivity":            plots.MustSensitivity(sensitivity(), o),
		"comparison of two sets": plots.MustSetComparison(twoSets(), o),
		"token attribution":      plots.MustTokenAttribution(tokenAttribution(), o),
		"logit parts":            plots.MustLogitParts(logitParts(), o),
		"logit heads":            plots.MustLogitHeads(logitParts(), o),
		"attention heads":        plots.MustAttentionHeads(attention(4, 4), o),
		"attention arcs":         plots.MustAttentionArcs(attention(4, 4), 1, 2, o),
	}
}

func TestFiles(t *testing.T) {
	charttest.Files(t, all, map[string][]string{
		"factor curves": {
			"knowledge neurons (5)", "activation-matched control (5)", "random control (5)", "unmodified model: 0.646",
			"Factor by which the neurons are multiplied", "Probability of “Paris”",
		},
		"activation scatter":   {"P36 (9)", "P19 (9)", "least-squares line", "Pearson r = 0.71 over 18 prompts, mean of 2 neurons"},
		"neurons per layer":    {"Share of the neurons [%]", "Layer (0 is next to the embeddings)"},
		"attribution heat map": {"Score [probability]", "Neuron index (4 a column, the strongest shown)", "2:233"},
		"overlap":              {"Overlap [%]", "refined (5)", "1  The capital of France is [MASK] ."},

		"sensitivity":            {"default: t = 0.2, p = 0.7; 6 neurons", "Of the default set [%]", "Share p of the prompts", "0.45"},
		"comparison of two sets": {"in both sets (3)", "10:1122", "B: −240 %", "1 (0 to 2)", "0.0026; 3 or more with P = 2.1e-09", "Neurons shared"},
		"token attribution":      {"Score [probability]", "[MASK] *", "+0.463", "raises it"},
		"logit parts":            {"Added to the logit", "embed.", "biases", "one of its heads"},
		"logit heads":            {"Head", "Layer (0 is next to the embeddings)", "Added to the logit"},
		"attention heads":        {"Attention weight", "Head", "[CLS] The capital of France is [MASK] . [SEP]"},
		"attention arcs":         {"[MASK]", "France", "from the mask"},

		"predictions": {"before", "after", "answer: Paris", "Rome", "< 0.015", "Probability at [MASK]"},
	})
}

// TestHeatMapUnit: the colour bar has the target's unit.
func TestHeatMapUnit(t *testing.T) {
	a := attribution(3, 512)
	a.Target = kn.TargetLogProbability
	if text := charttest.Text(t, charttest.SVG(t, plots.MustAttributionHeatMap(a))); !strings.Contains(text, "Score [nats]") {
		t.Errorf("no unit of the logarithm in %q", text)
	}
}

func TestGolden(t *testing.T) {
	charttest.Golden(t, folder, map[string]func(){
		"factor_curves.png":        ExampleFactorCurves,
		"factor_curves_paper.png":  ExampleFactorCurves_paperColumn,
		"activation_scatter.png":   ExampleActivationScatter,
		"neurons_per_layer.png":    ExampleNeuronsPerLayer,
		"attribution_heat_map.png": ExampleAttributionHeatMap,
		"overlap.png":              ExampleOverlap,
		"predictions.png":          ExamplePredictions,
		"causal_trace.png":         ExampleCausalTrace,
		"logit_lens.png":           ExampleLogitLens,
		"token_attribution.png":    ExampleTokenAttribution,
		"logit_parts.png":          ExampleLogitParts,
		"logit_heads.png":          ExampleLogitHeads,
		"sensitivity.png":          ExampleSensitivity,
		"set_comparison.png":       ExampleSetComparison,
		"attention_heads.png":      ExampleAttentionHeads,
		"attention_arcs.png":       ExampleAttentionArcs,
	})
}
