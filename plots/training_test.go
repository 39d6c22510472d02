package plots_test

import (
	"math"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

func TestBadTraining(t *testing.T) {
	nan := math.NaN()
	heat := func(r *dynamics.LayersBySteps, o ...plots.Options) (*plots.Figure, error) {
		return plots.DynamicsHeatMap(r, dynamics.JSD, o...)
	}
	pairs := func(r *dynamics.PairMatrices, o ...plots.Options) (*plots.Figure, error) {
		return plots.ModelPairs(r, dynamics.CKA, o...)
	}
	follow := func(r *dynamics.KnowledgeBySteps, o ...plots.Options) (*plots.Figure, error) {
		return plots.FollowedKnowledge(r, nil, o...)
	}
	two := func() *dynamics.LayersBySteps { return layersBySteps(2) }
	three := func() *dynamics.PairMatrices { return modelPairs(2, "a", "b", "c") }
	tests := []bad{
		{"nil record", func() (any, error) { return plots.TrainingHistory(nil) }, "record"},
		{"nil dynamics", func() (any, error) { return plots.DynamicsCurves(nil, dynamics.JSD) }, "checkpoints"},
		{"nil pairs", func() (any, error) { return plots.ModelPairs(nil, dynamics.JSD) }, "pairs"},
		{"nil knowledge", func() (any, error) { return plots.FollowedKnowledge(nil, nil) }, "knowledge"},
		{"no such measure", func() (any, error) { return plots.DynamicsHeatMap(two(), "jsd") }, "attention_jsd"},
		{"no such measure of pairs", func() (any, error) { return plots.ModelPairs(three(), "") }, "cka_distance"},
		spoiled("history is empty", trained, func(r *finetune.Record) { r.History = finetune.History{} }, plots.TrainingHistory),
		spoiled("dev: loss[2] is NaN", trained, func(r *finetune.Record) { r.History.Evaluations[2].Loss = nan }, plots.TrainingHistory),
		spoiled("attention_jsd[1][0] is NaN", two, func(r *dynamics.LayersBySteps) { r.AttentionJSD[1][0] = nan }, heat),
		spoiled("attention_jsd has 7 values, but Steps has 6", two, func(r *dynamics.LayersBySteps) { r.Steps = r.Steps[:6] }, heat),
		spoiled("no checkpoints", two, func(r *dynamics.LayersBySteps) { r.AttentionJSD = nil }, heat),
		spoiled("cka_distance[1][2] has 2 values, but Names has 3", three, func(r *dynamics.PairMatrices) { r.CKADistance[1][2] = r.CKADistance[1][2][:2] }, pairs),
		spoiled("no models", three, func(r *dynamics.PairMatrices) { r.Names = nil }, pairs),
		spoiled("no steps", followed, func(r *dynamics.KnowledgeBySteps) { r.Steps = nil }, follow),
		spoiled("Overlap: interval 3[0] is NaN", followed, func(r *dynamics.KnowledgeBySteps) { r.Overlap[3].Mean = nan }, follow),
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.draw(); err == nil || !strings.HasPrefix(err.Error(), "plots: ") || !strings.Contains(err.Error(), test.names) {
				t.Errorf("got %v, want an error that names %q", err, test.names)
			}
		})
	}
}

// TestTrainingSaysWhatItShows: in words, for who cannot see it.
func TestTrainingSaysWhatItShows(t *testing.T) {
	figures := allTraining(small)
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
