package trainingplots_test

import (
	"math"
	"math/rand/v2"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// Made-up courses of trainings, of the shape and size of real ones.

func trained() *finetune.Record {
	rng := rand.New(rand.NewPCG(6, 6))
	r := &finetune.Record{Task: "relation", Steps: 1000, ModelSHA256: charttest.MadeUp.Digest, DataSHA256: "0123"}
	r.Config = finetune.Config{Model: "mini", Seed: 3, Batch: 32}
	for step := 5; step <= 1000; step += 5 {
		loss := 0.1 + 3*math.Exp(-float64(step)/200)*(1+0.1*rng.NormFloat64())
		r.History.Training = append(r.History.Training, finetune.TrainingPoint{Step: step, Loss: loss, Accuracy: math.Exp(-loss)})
	}
	for step := 0; step <= 1000; step += 100 {
		loss := 0.4 + 3.1*math.Exp(-float64(step)/220)
		r.History.Evaluations = append(r.History.Evaluations, finetune.EvaluationPoint{Step: step, Part: "dev", Loss: loss, Accuracy: math.Exp(-loss)})
	}
	return r
}

// layersBySteps has the start itself and 6 checkpoints.
func layersBySteps(layers int) *dynamics.LayersBySteps {
	r := &dynamics.LayersBySteps{Start: "mini", Provenance: charttest.MadeUp}
	r.Texts, r.Tokens = 256, 4100
	for _, step := range []int{0, 10, 30, 100, 300, 600, 1000} {
		grown := 1 - math.Exp(-float64(step)/250)
		var jsd, svcca, cka []float64
		for l := range layers + 1 {
			height := float64(l) / float64(layers)
			if l > 0 {
				jsd = append(jsd, 0.3*grown*height*height)
			}
			svcca = append(svcca, grown*(0.02+0.5*height))
			cka = append(cka, 0.8*grown*height*height*height)
		}
		r.Steps = append(r.Steps, step)
		r.AttentionJSD, r.SVCCADistance, r.CKADistance = append(r.AttentionJSD, jsd), append(r.SVCCADistance, svcca), append(r.CKADistance, cka)
	}
	return r
}

func modelPairs(layers int, names ...string) *dynamics.PairMatrices {
	r := &dynamics.PairMatrices{Names: names, Provenance: charttest.MadeUp}
	r.Texts, r.Tokens = 256, 4100
	matrix := func(most float64) [][]float64 {
		m := make([][]float64, len(names))
		for i := range m {
			m[i] = make([]float64, len(names))
			for j := range m[i] {
				if i != j {
					m[i][j] = most * (0.6 + 0.1*float64((i+j)%4))
				}
			}
		}
		return m
	}
	for l := range layers + 1 {
		height := float64(l) / float64(layers)
		if l > 0 {
			r.AttentionJSD = append(r.AttentionJSD, matrix(0.2*height))
		}
		r.SVCCADistance, r.CKADistance = append(r.SVCCADistance, matrix(0.05+0.5*height)), append(r.CKADistance, matrix(0.02+0.6*height))
	}
	return r
}

func followed() *dynamics.KnowledgeBySteps {
	r := &dynamics.KnowledgeBySteps{Start: "mini", Facts: 82, Prompts: 492, Provenance: charttest.MadeUp}
	for _, step := range []int{0, 10, 30, 100, 300, 600, 1000} {
		left := math.Exp(-float64(step) / 300)
		r.Steps = append(r.Steps, step)
		r.Probability, r.First = append(r.Probability, charttest.Interval(0.68*left, 0.05*left)), append(r.First, charttest.Interval(0.06+0.9*left, 0.03))
		r.Overlap = append(r.Overlap, charttest.Interval(0.2+0.8*left, 0.04*(1-left)))
		r.Control = append(r.Control, charttest.Interval(0.15+0.35*left, 0.04))
	}
	return r
}
