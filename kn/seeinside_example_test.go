package kn_test

import (
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	_ "github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

const france = "The capital of France is [MASK]."

// What the model holds at every token, as plain numbers.
func ExampleModel_Read() {
	model := kn.MustLoad("mini", kn.WithCache("off"))
	last := model.Config().Layers - 1
	s, err := model.Read(france, model.Sites(transformer.ResidPost, transformer.AttentionProbs)...)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(s.At(transformer.ResidPost, last)), "tokens of width", len(s.At(transformer.ResidPost, last)[0]) == model.Config().HiddenSize)
	sum := 0.0
	for _, p := range s.Attention(last)[0][s.Mask] {
		sum += p
	}
	fmt.Printf("the first head's attention at %s adds up to %.3f\n", s.Tokens[s.Mask], sum)
	// Output:
	// 9 tokens of width true
	// the first head's attention at [MASK] adds up to 1.000
}

// In which layer the answer appears.
func ExampleModel_LogitLens() {
	model := kn.MustLoad("mini", kn.WithCache("off"))
	l, err := model.LogitLens(france, "Paris")
	if err != nil {
		panic(err)
	}
	top := l.Cells[len(l.Cells)-1][l.Mask]
	fmt.Println("at the end:", top.Top, "rank", top.Rank)
	fmt.Println("of the embeddings:", l.Cells[0][l.Mask].Rank > 10)
	// Output:
	// at the end: Paris rank 1
	// of the embeddings: true
}

// Through which token of each layer the fact passes on its way to the answer.
func ExampleModel_CausalTrace() {
	model := kn.MustLoad("mini", kn.WithCache("off"))
	c, err := model.CausalTrace(france, "France", "Paris", kn.TraceOptions{Draws: 2})
	if err != nil {
		panic(err)
	}
	for _, l := range []int{0, len(c.Probability) - 1} {
		best := slices.Index(c.Probability[l], slices.Max(c.Probability[l]))
		fmt.Printf("layer %d: %s\n", l, c.Tokens[best])
	}
	// Output:
	// layer 0: France
	// layer 3: [MASK]
}

// The parts of the model that add to the answer's logit are all of it.
func ExampleModel_LogitParts() {
	model := kn.MustLoad("mini", kn.WithCache("off"))
	p, err := model.LogitParts(france, "Paris", kn.LogitOptions{Against: "London"})
	if err != nil {
		panic(err)
	}
	fmt.Println("Paris is ahead:", p.Answers.Logit > 0)
	fmt.Println("the parts are the whole:", math.Abs(p.Answers.Sum-p.Answers.Logit) < 1e-4)
	// Output:
	// Paris is ahead: true
	// the parts are the whole: true
}

// Which words of the prompt the answer is owed to.
func ExampleModel_AttributeTokens() {
	model := kn.MustLoad("mini", kn.WithCache("off"))
	a, err := model.AttributeTokens(france, "Paris", kn.TokenOptions{Against: "London"})
	if err != nil {
		panic(err)
	}
	sum := 0.0
	for _, s := range a.Scores {
		sum += s
	}
	fmt.Println("most by:", a.Tokens[slices.Index(a.Scores, slices.Max(a.Scores))])
	fmt.Println("in all:", math.Abs(sum-(a.Value-a.ValueAtBaseline)) < 0.01)
	// Output:
	// most by: France
	// in all: true
}

// What one neuron says and what fires it; kn.Show shows it in a notebook.
func ExampleModel_Portrait() {
	model := kn.MustLoad("mini", kn.WithCache("off"))
	probes := kn.Texts(france, "Mary was born in [MASK].", "Paris is the capital of France.")
	p, err := model.Portrait(kn.Neuron{Layer: 3, Index: 7}, probes, kn.PortraitOptions{Words: 3})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(p.Raised), len(p.Lowered), len(p.Most), len(p.Least))
	fmt.Println("in order:", p.Most[0].Peak >= p.Least[0].Peak)
	// Output:
	// 3 3 2 1
	// in order: true
}
