package plots_test

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
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
	// Output: The capital of France is [MASK]. 0.62 without noise, 0.03 with noise on * alone; mean of 2 draws. Away from where the answer is predicted, restoring layer 0 at “France” gives most: 0.589; the mean of the others there is 0.08.
}

func ExampleLogitLens() {
	fig := plots.MustLogitLens(logitLens(), plots.Options{DPI: 64})
	fig.MustSave(filepath.Join(folder, "logit_lens.png"))
	fmt.Println(fig.Description())
	// Output: The capital of France is [MASK]. What the head would predict before and after 12 layers, at 9 tokens. “Paris” is first the most probable after layer 11.
}

// tokenAttribution is made up: the subject counts, an article harms.
func tokenAttribution() *kn.TokenAttribution {
	return &kn.TokenAttribution{
		Prompt: "The capital of France is [MASK].", Answer: "Paris", Baseline: kn.BaselineZero, Tokens: seenTokens, Mask: 6,
		Value: 0.62, ValueAtBaseline: 0.0004,
		Scores:    []float64{-0.034, -0.06, 0.12, 0.04, 0.463, 0.02, 0.035, 0.014, 0.0206},
		Occlusion: []float64{-0.02, -0.03, 0.31, 0.05, 0.6, 0.01, 0.02, -0.01, 0.2},
		Rule:      kn.Adaptive, Nodes: 46, EstimatedError: 0.004, CompletenessError: -0.001, Provenance: charttest.MadeUp,
	}
}

// logitParts are made up: the upper layers add most, one head of layer 9 above all.
func logitParts() *kn.LogitParts {
	of := func(scale float64) kn.Parts {
		p := kn.Parts{Embeddings: 0.4 * scale, Biases: -1.1 * scale}
		for l := range 12 {
			var heads []float64
			bias := 0.02 * scale
			sum := bias
			for h := range 12 {
				v := scale * 0.03 * float64((l*7+h*5)%11-4)
				if l == 9 && h == 4 {
					v = 2.2 * scale
				}
				heads, sum = append(heads, v), sum+v
			}
			p.Heads, p.AttentionBias, p.Attention = append(p.Heads, heads), append(p.AttentionBias, bias), append(p.Attention, sum)
			p.FFN = append(p.FFN, scale*(0.1*float64(l)-0.25*float64(l%3)))
			p.Sum += p.Attention[l] + p.FFN[l]
		}
		p.Sum += p.Embeddings + p.Biases
		p.Logit = p.Sum
		return p
	}
	control := of(-0.1)
	return &kn.LogitParts{Prompt: "The capital of France is [MASK].", Answer: "Paris", Token: "Paris", Answers: of(1), Control: &control, Provenance: charttest.MadeUp}
}

func ExampleTokenAttribution() {
	fig := plots.MustTokenAttribution(tokenAttribution(), small)
	fig.MustSave(filepath.Join(folder, "token_attribution.png"))
	fmt.Println(fig.Title())
	// Output: Attribution of P(Paris) to tokens
}

func ExampleLogitParts() {
	fig := plots.MustLogitParts(logitParts(), small)
	fig.MustSave(filepath.Join(folder, "logit_parts.png"))
	fmt.Println(fig.Title())
	// Output: What adds to the logit of “Paris”
}

func ExampleLogitHeads() {
	fig := plots.MustLogitHeads(logitParts(), plots.Options{DPI: 64})
	fig.MustSave(filepath.Join(folder, "logit_heads.png"))
	fmt.Println(fig.Title())
	// Output: What heads add to the logit of “Paris”
}
