package plots_test

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

var seenTokens = []string{"[CLS]", "The", "capital", "of", "France", "is", "[MASK]", ".", "[SEP]"}

// causalTrace is made up: the subject counts below, [MASK] above.
func causalTrace() *kn.CausalTrace {
	c := &kn.CausalTrace{
		Prompt: "The capital of France is [MASK].", Answer: "Paris", Subject: "France", Tokens: seenTokens, Noisy: []int{4}, Mask: 6,
		Restore: kn.RestoreState, Window: 1, Sigma: 0.13, Clean: 0.62, Corrupted: 0.03, Draws: []float64{0.02, 0.04},
	}
	for l := range 12 {
		row := make([]float64, len(seenTokens))
		for t := range row {
			row[t] = c.Corrupted + 0.01*float64(t%3)
		}
		row[4] += 0.55 / (1 + math.Exp(float64(l-7)))
		row[6] += 0.55 / (1 + math.Exp(float64(8-l)*1.4))
		c.Probability, c.Control = append(c.Probability, row), append(c.Control, 0.08+0.004*float64(l))
	}
	return c
}

// logitLens is made up: the answer rises in the upper layers.
func logitLens() *kn.LogitLens {
	l := &kn.LogitLens{Prompt: "The capital of France is [MASK].", Answer: "Paris", Token: "Paris", Tokens: seenTokens, Mask: 6, Vocabulary: 29000}
	for k := range 13 {
		var row []kn.LensCell
		for t, token := range seenTokens {
			c := kn.LensCell{Top: token, TopProbability: 0.4, Probability: 0.001, Rank: 400}
			if t == l.Mask {
				c = kn.LensCell{Top: []string{"the", "located", "London", "Paris"}[k*4/13], TopProbability: 0.3, Probability: 0.62 / (1 + math.Exp(float64(9-k))), Rank: 1 + (12-k)*(12-k)}
			}
			row = append(row, c)
		}
		l.Cells, l.Control = append(l.Cells, row), append(l.Control, 0.001)
	}
	return l
}

func ExampleCausalTrace() {
	fig := plots.MustCausalTrace(causalTrace(), small)
	fig.MustSave(filepath.Join(folder, "causal_trace.png"))
	fmt.Println(fig.Description())
	// Output: The capital of France is [MASK]. 0.62 without noise, 0.03 with noise on * alone; mean of 2 draws; cells in %. Away from where the answer is predicted, restoring layer 0 at “France” gives most: 0.589; a random token there 0.08.
}

func ExampleLogitLens() {
	fig := plots.MustLogitLens(logitLens(), plots.Options{DPI: 64})
	fig.MustSave(filepath.Join(folder, "logit_lens.png"))
	fmt.Println(fig.Description())
	// Output: The capital of France is [MASK]. What the head would predict before and after 12 layers, at 9 tokens. “Paris” is first the most probable after layer 11.
}
