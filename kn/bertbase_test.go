package kn_test

import (
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// TestBertBase compares Google's bert-base-cased, the paper's model, with what
// PyTorch computes from it in float64. KN_BERT_BASE names its folder;
// .ci/bert-base gets the model and sets it.
func TestBertBase(t *testing.T) {
	folder := os.Getenv("KN_BERT_BASE")
	if folder == "" {
		t.Log("nothing to compare: KN_BERT_BASE is not set; .ci/bert-base gets the model")
		return
	}
	var reference struct {
		Cases []struct {
			Prompt, Answer string
			IDs            []int
			Logits         map[string]float64
			Best           []int
			Probability    float64
			Layers         []struct {
				Sum     float64
				Neurons []int
				Scores  []float64
			}
		}
	}
	sharedtest.ReadJSON(t, &reference, "internal", "sharedtest", "testdata", "bertbase", "reference.json")
	m, err := kn.Load(folder, kn.WithCache("off"))
	if err != nil {
		t.Fatal(err)
	}
	const logits, probability, scores = 1e-4, 2e-5, 1e-3 // the first absolute, the others relative
	for _, c := range reference.Cases {
		if ids := m.Tokenizer().Encode(c.Prompt).IDs; !slices.Equal(ids, c.IDs) {
			t.Errorf("%q has the tokens %v, want %v", c.Prompt, ids, c.IDs)
		}
		p := m.MustPredict(c.Prompt, kn.PredictOptions{Answer: c.Answer, Top: len(c.Best)})
		if diff := p.Answer.Probability/c.Probability - 1; math.Abs(diff) > probability {
			t.Errorf("%q: P(%s) = %v, off by %.1e", c.Prompt, c.Answer, p.Answer.Probability, diff)
		}
		first := c.Logits[strconv.Itoa(c.Best[0])]
		for i, id := range c.Best {
			// Differences of logits are logarithms of quotients of probabilities.
			got, want := math.Log(p.Predictions[i].Probability/p.Predictions[0].Probability), c.Logits[strconv.Itoa(id)]-first
			if p.Predictions[i].ID != id || math.Abs(got-want) > logits {
				t.Errorf("%q: token %d comes %d-th with a logit %v below the first, want %d with %v", c.Prompt, p.Predictions[i].ID, i+1, got, id, want)
			}
		}
		a := m.MustAttribute(c.Prompt, c.Answer)
		largest := 0.0
		for _, row := range a.Scores {
			largest = max(largest, slices.Max(row))
		}
		for l, layer := range c.Layers {
			sum := 0.0
			for _, s := range a.Scores[l] {
				sum += s
			}
			// What the layer's 3,072 scores err by adds up to no more than what the answer's probability does.
			if math.Abs(sum-layer.Sum) > scores*max(largest, c.Probability) {
				t.Errorf("%q: layer %d's scores add up to %v, want %v", c.Prompt, l, sum, layer.Sum)
			}
			for k, i := range layer.Neurons {
				if diff := a.Scores[l][i] - layer.Scores[k]; math.Abs(diff) > scores*largest {
					t.Errorf("%q: neuron %d:%d scores %v, off by %.1e of the largest", c.Prompt, l, i, a.Scores[l][i], diff/largest)
				}
			}
		}
	}
}
