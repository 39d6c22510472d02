package kn

import (
	"math"
	"testing"
)

// seeInside are models of every family, with a prompt and an answer.
func seeInside(t *testing.T) map[string]*Model {
	t.Helper()
	models := map[string]*Model{"bert": goldenModel(t, "internal/sharedtest/testdata/golden")}
	for _, family := range families {
		models[family], _ = openFamily(t, family)
	}
	return models
}

const insidePrompt, insideAnswer = "The capital of France is [MASK].", "Paris"

// TestLogitLensEndsInThePrediction: at the last layer, where the answer is
// predicted, the lens is the model's own prediction, after an edit, too.
func TestLogitLensEndsInThePrediction(t *testing.T) {
	for family, plain := range seeInside(t) {
		for _, m := range []*Model{plain, plain.MustWith(Scale([]Neuron{{1, 3}, {0, 2}}, 5))} {
			l := m.MustLogitLens(insidePrompt, insideAnswer)
			p := m.MustPredict(insidePrompt, PredictOptions{Top: 1, Answer: insideAnswer})
			last := l.Cells[len(l.Cells)-1][l.Mask]
			if len(l.Cells) != m.Config().Layers+1 || len(l.Cells[0]) != len(l.Tokens) {
				t.Fatalf("%s: %d rows of %d cells", family, len(l.Cells), len(l.Cells[0]))
			}
			if math.Abs(last.Probability-p.Answer.Probability) > 1e-6 || last.Rank != p.Answer.Rank || last.Top != p.Predictions[0].Token {
				t.Errorf("%s: the lens ends in %+v, the prediction is %+v, %+v", family, last, p.Answer, p.Predictions[0])
			}
		}
	}
}
