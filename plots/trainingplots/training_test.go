package trainingplots_test

import (
	"math"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
	"github.com/knowledge-neurons/gonb-kn/plots/trainingplots"
)

func TestBadTraining(t *testing.T) {
	nan := math.NaN()
	heat := func(r *dynamics.LayersBySteps, o ...plots.Options) (*plots.Figure, error) {
		return trainingplots.DynamicsHeatMap(r, dynamics.JSD, o...)
	}
	pairs := func(r *dynamics.PairMatrices, o ...plots.Options) (*plots.Figure, error) {
		return trainingplots.ModelPairs(r, dynamics.CKA, o...)
	}
	follow := func(r *dynamics.KnowledgeBySteps, o ...plots.Options) (*plots.Figure, error) {
		return trainingplots.FollowedKnowledge(r, nil, o...)
	}
	two := func() *dynamics.LayersBySteps { return layersBySteps(2) }
	three := func() *dynamics.PairMatrices { return modelPairs(2, "a", "b", "c") }
	tests := []charttest.Case{
		charttest.Bad("nil record", func() (any, error) { return trainingplots.TrainingHistory(nil) }, "record"),
		charttest.Bad("nil dynamics", func() (any, error) { return trainingplots.DynamicsCurves(nil, dynamics.JSD) }, "checkpoints"),
		charttest.Bad("nil pairs", func() (any, error) { return trainingplots.ModelPairs(nil, dynamics.JSD) }, "pairs"),
		charttest.Bad("nil knowledge", func() (any, error) { return trainingplots.FollowedKnowledge(nil, nil) }, "knowledge"),
		charttest.Bad("no such measure", func() (any, error) { return trainingplots.DynamicsHeatMap(two(), "jsd") }, "attention_jsd"),
		charttest.Bad("no such measure of pairs", func() (any, error) { return trainingplots.ModelPairs(three(), "") }, "cka_distance"),
		charttest.Spoiled("history is empty", trained, func(r *finetune.Record) { r.History = finetune.History{} }, trainingplots.TrainingHistory),
		charttest.Spoiled("dev: loss[2] is NaN", trained, func(r *finetune.Record) { r.History.Evaluations[2].Loss = nan }, trainingplots.TrainingHistory),
		charttest.Spoiled("attention_jsd[1][0] is NaN", two, func(r *dynamics.LayersBySteps) { r.AttentionJSD[1][0] = nan }, heat),
		charttest.Spoiled("attention_jsd has 7 values, but Steps has 6", two, func(r *dynamics.LayersBySteps) { r.Steps = r.Steps[:6] }, heat),
		charttest.Spoiled("no checkpoints", two, func(r *dynamics.LayersBySteps) { r.AttentionJSD = nil }, heat),
		charttest.Spoiled("cka_distance[1][2] has 2 values, but Names has 3", three, func(r *dynamics.PairMatrices) { r.CKADistance[1][2] = r.CKADistance[1][2][:2] }, pairs),
		charttest.Spoiled("no models", three, func(r *dynamics.PairMatrices) { r.Names = nil }, pairs),
		charttest.Spoiled("no steps", followed, func(r *dynamics.KnowledgeBySteps) { r.Steps = nil }, follow),
		charttest.Spoiled("Overlap: interval 3[0] is NaN", followed, func(r *dynamics.KnowledgeBySteps) { r.Overlap[3].Mean = nan }, follow),
	}
	charttest.Errors(t, tests)
}

// TestTrainingSaysWhatItShows: in words, for who cannot see it.
func TestTrainingSaysWhatItShows(t *testing.T) {
	figures := all(small)
	for name, want := range map[string][]string{
		"training history":   {"train: loss", "dev: loss", "after 1000 steps"},
		"dynamics heat map":  {"Layer emb.: 0.0196 after 1000 steps", "Layer 11: 0.51"},
		"dynamics curves":    {"Layer 1: 0.295"},
		"model pairs":        {"Layer 1: nearest are seed 1 and seed 2 (0.385), furthest seed 2 and seed 3 (0.495)"},
		"followed knowledge": {"answer ranked first: from 96.0 to 9.2 [6.2, 12.2]"},
	} {
		for _, w := range want {
			if d := figures[name].Description(); !strings.Contains(d, w) {
				t.Errorf("%s: %q is missing in %q", name, w, d)
			}
		}
	}
}
