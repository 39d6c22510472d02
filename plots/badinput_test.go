package plots_test

import (
	"math"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

func badCurves(names string, spoil func(*kn.FactorCurves)) charttest.Case {
	return charttest.Bad("curves: "+names, func() (any, error) {
		c := factorCurves()
		spoil(c)
		return plots.FactorCurves(c)
	}, names)
}

func badNeurons(names string, spoil func(*kn.KnowledgeNeurons)) []charttest.Case {
	spoiled := func() *kn.KnowledgeNeurons {
		k := knowledgeNeurons(3, 12, 3072, 1)
		spoil(k)
		return k
	}
	return []charttest.Case{
		charttest.Bad("overlap: "+names, func() (any, error) { return plots.Overlap(spoiled()) }, names),
		charttest.Bad("layers: "+names, func() (any, error) { return plots.NeuronsPerLayer(spoiled()) }, names),
	}
}

func TestBadInput(t *testing.T) {
	nan := math.NaN()
	before, after := predictions()
	other := *after
	other.Prompt = "Another [MASK] ."
	tests := []charttest.Case{
		charttest.Bad("nil curves", func() (any, error) { return plots.FactorCurves(nil) }, "factor curves"),
		charttest.Bad("nil scatter", func() (any, error) { return plots.ActivationScatter(nil) }, "activation scatter"),
		charttest.Bad("nil attribution", func() (any, error) { return plots.AttributionHeatMap(nil) }, "attribution"),
		charttest.Bad("nil neurons", func() (any, error) { return plots.Overlap(nil) }, "knowledge neurons"),
		charttest.Bad("nil fact", func() (any, error) { return plots.NeuronsPerLayer([]*kn.KnowledgeNeurons{nil}) }, "fact 0"),
		charttest.Bad("nil before", func() (any, error) { return plots.Predictions(nil, after) }, "before"),
		charttest.Bad("nil after", func() (any, error) { return plots.Predictions(before, nil) }, "after"),
		charttest.Bad("nil for a slider", func() (any, error) { return plots.Slider(nil, nil) }, "factor curves"),
		charttest.Bad("no curves", func() (any, error) { return plots.FactorCurves(&kn.FactorCurves{}) }, "no factors"),
		charttest.Bad("no points", func() (any, error) { return plots.ActivationScatter(&kn.ActivationScatter{}) }, "no points"),
		charttest.Bad("no scores", func() (any, error) { return plots.AttributionHeatMap(&kn.Attribution{}) }, "no scores"),
		charttest.Bad("no neurons in the layers", func() (any, error) { return plots.AttributionHeatMap(&kn.Attribution{Scores: [][]float64{{}}}) }, "no scores"),
		charttest.Bad("no sets", func() (any, error) { return plots.Overlap(&kn.KnowledgeNeurons{}) }, "no coarse sets"),
		charttest.Bad("no facts", func() (any, error) { return plots.NeuronsPerLayer([]*kn.KnowledgeNeurons(nil)) }, "no facts"),
		charttest.Bad("no tokens", func() (any, error) { return plots.Predictions(before, &kn.Prediction{Prompt: before.Prompt}) }, "after"),
		charttest.Bad("two prompts", func() (any, error) { return plots.Predictions(before, &other) }, "Another [MASK]"),
		badCurves("knowledge neurons: probability has 12 values", func(c *kn.FactorCurves) { c.Own.Probability = c.Own.Probability[1:] }),
		badCurves("knowledge neurons: low has 0 values", func(c *kn.FactorCurves) { c.Own.Low = nil }),
		badCurves("factors[2] is NaN", func(c *kn.FactorCurves) { c.Matched.Factors[2] = nan }),
		badCurves("factors[0] is +Inf", func(c *kn.FactorCurves) { c.Random.Factors[0] = math.Inf(1) }),
		badCurves("probability[12] is NaN", func(c *kn.FactorCurves) { c.Random.Probability[12] = nan }),
		badCurves("high[1] is 1.5", func(c *kn.FactorCurves) { c.Own.High[1] = 1.5 }),
		badCurves("unmodified", func(c *kn.FactorCurves) { c.Probability = nan }),
		charttest.Bad("NaN activation", func() (any, error) {
			s := scatter([]string{"a"}, 5)
			s.Points[3].Activation = nan
			return plots.ActivationScatter(s)
		}, "point 3"),
		charttest.Bad("NaN correlation", func() (any, error) {
			s := scatter([]string{"a"}, 5)
			s.Pearson = nan
			return plots.ActivationScatter(s)
		}, "correlation"),
		charttest.Bad("NaN score", func() (any, error) {
			a := attribution(3, 8)
			a.Scores[2][7] = nan
			return plots.AttributionHeatMap(a)
		}, "Scores[2][7] is NaN"),
		charttest.Bad("ragged scores", func() (any, error) {
			a := attribution(3, 8)
			a.Scores[1] = a.Scores[1][:5]
			return plots.AttributionHeatMap(a)
		}, "Scores[1]"),
		charttest.Bad("NaN token", func() (any, error) {
			p := *before
			p.Predictions = []kn.TokenProbability{{Token: "Rome", Probability: nan}}
			return plots.Predictions(&p, after)
		}, "Rome"),
		charttest.Bad("two models", func() (any, error) {
			return plots.NeuronsPerLayer([]*kn.KnowledgeNeurons{knowledgeNeurons(2, 12, 64, 1), knowledgeNeurons(2, 3, 64, 1)})
		}, "12"),
		charttest.Bad("too few predictions", func() (any, error) { return plots.Slider(factorCurves(), []*kn.Prediction{before}) }, "predictions has 1 values"),
		charttest.Bad("nil prediction", func() (any, error) { return plots.Slider(factorCurves(), make([]*kn.Prediction, 13)) }, "factor 0"),
		charttest.Bad("size", func() (any, error) {
			return plots.FactorCurves(factorCurves(), plots.Options{Size: plots.Size{Width: 1}})
		}, "inches"),
		charttest.Bad("NaN size", func() (any, error) {
			return plots.FactorCurves(factorCurves(), plots.Options{Size: plots.Size{Text: plots.NotebookSize.Text * -1}})
		}, "points"),
		charttest.Bad("dots an inch", func() (any, error) { return plots.FactorCurves(factorCurves(), plots.Options{DPI: -1}) }, "dots"),
		charttest.Bad("Top", func() (any, error) { return plots.FactorCurves(factorCurves(), plots.Options{Top: -1}) }, "-1"),
		charttest.Bad("two options", func() (any, error) { return plots.FactorCurves(factorCurves(), plots.Options{}, plots.Options{}) }, "2 options"),
	}
	tests = append(tests, badNeurons("99:1", func(k *kn.KnowledgeNeurons) { k.Refined[0] = kn.Neuron{Layer: 99, Index: 1} })...)
	tests = append(tests, badNeurons("0:-1", func(k *kn.KnowledgeNeurons) { k.Refined[0] = kn.Neuron{Index: -1} })...)
	tests = append(tests, badNeurons("0 layers", func(k *kn.KnowledgeNeurons) { k.Layers = 0 })...)
	charttest.Errors(t, tests)
}

// TestExtremes draws what is unusual, but right.
func TestExtremes(t *testing.T) {
	flat := &kn.FactorCurves{Own: kn.Curve{Factors: []float64{1}, Probability: []float64{0}}}
	one := scatter([]string{""}, 1)
	zero := &kn.Attribution{Scores: [][]float64{{0}}}
	tiny := attribution(1, 1)
	tiny.Scores[0][0] = 1e-300
	huge := attribution(2, 2)
	huge.Scores[0][0] = 1e300
	empty := &kn.KnowledgeNeurons{Prompts: []string{"a"}, Coarse: [][]kn.Neuron{nil}, Layers: 1, FFN: 1}
	same, _ := predictions()
	for name, f := range map[string]*plots.Figure{
		"one factor": plots.MustFactorCurves(flat), "one point": plots.MustActivationScatter(one),
		"score 0": plots.MustAttributionHeatMap(zero), "tiny scores": plots.MustAttributionHeatMap(tiny), "huge scores": plots.MustAttributionHeatMap(huge),
		"no neurons": plots.MustOverlap(empty), "same prediction": plots.MustPredictions(same, same, plots.Options{Top: 100}),
	} {
		if _, err := f.SVG(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.PDF(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
