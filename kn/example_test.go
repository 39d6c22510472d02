package kn_test

import (
	"fmt"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// tiny is a reference checkpoint that is part of the project; its weights
// are random.
var tiny = filepath.Join("internal", "sharedtest", "testdata", "golden", "model")

func ExampleModel_Predict() {
	model := kn.MustLoad(tiny, kn.WithCache("off"))
	p, err := model.Predict("The capital of France is [MASK] .", kn.PredictOptions{Top: 2, Answer: "Paris"})
	if err != nil {
		panic(err)
	}
	for _, t := range p.Predictions {
		fmt.Printf("%s %.3f\n", t.Token, t.Probability)
	}
	fmt.Printf("%s %.3f, rank %d\n", p.Answer.Token, p.Answer.Probability, p.Answer.Rank)
	// Output:
	// lucy 0.099
	// V 0.041
	// Paris 0.001, rank 176
}

func ExampleModel_Attribute() {
	model := kn.MustLoad(tiny, kn.WithCache("off"))
	a, err := model.Attribute("The capital of France is [MASK] .", "Paris")
	if err != nil {
		panic(err)
	}
	fmt.Println("layers that did not converge:", len(a.NotConverged))
	for _, n := range a.Top(3) {
		fmt.Printf("neuron %v scores %+.5f\n", n, a.Scores[n.Layer][n.Index])
	}
	// Output:
	// layers that did not converge: 0
	// neuron 0:31 scores +0.00048
	// neuron 1:26 scores +0.00040
	// neuron 1:14 scores +0.00032
}

func ExampleModel_KnowledgeNeurons() {
	model := kn.MustLoad(tiny, kn.WithCache("off"))
	prompts := []string{"The capital of France is [MASK] .", "[MASK] is the capital city of France"}
	n, err := model.KnowledgeNeurons(prompts, "Paris", kn.Recipe{Attribute: kn.Dai2022.Attribute})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(n.Coarse[0]), len(n.Coarse[1]), n.Refined)
	// Output:
	// 8 7 [1:14 1:26]
}

func ExampleShow() {
	model := kn.MustLoad(tiny, kn.WithCache("off"))
	prompt := "The capital of France is [MASK] ."
	before := model.MustPredict(prompt, kn.PredictOptions{Top: 2, Answer: "Paris"})
	found := model.MustKnowledgeNeurons([]string{prompt}, "Paris", kn.Recipe{Attribute: kn.Dai2022.Attribute})
	after := model.MustWith(kn.Suppress(found.Refined)).MustPredict(prompt, kn.PredictOptions{Top: 2, Answer: "Paris"})
	kn.MustShow(before, kn.Effect(before, after))
	// Output:
	// The capital of France is [MASK] .
	//   token at [MASK]  rank  probability
	//   lucy                1        0.099
	//   V                   2        0.041
	//   Paris             176      0.00054
	// The capital of France is [MASK] .
	//   token at [MASK]       before        after
	//   Paris                0.00054      0.00014
	//   lucy                   0.099  below 0.037
	//   V                      0.041  below 0.037
	//   O                below 0.041        0.119
	//   spanish          below 0.041        0.037
}

func ExampleModel_With() {
	model := kn.MustLoad(tiny, kn.WithCache("off"))
	const prompt = "The capital of France is [MASK] ."
	neurons := model.MustAttribute(prompt, "Paris").Coarse(0.2)
	without, err := model.With(kn.Suppress(neurons))
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.4f unmodified\n", model.MustProbability(prompt, "Paris"))
	fmt.Printf("%.4f suppressed\n", without.MustProbability(prompt, "Paris"))
	fmt.Printf("%.4f amplified\n", model.MustWith(kn.Amplify(neurons)).MustProbability(prompt, "Paris"))
	// Output:
	// 0.0005 unmodified
	// 0.0001 suppressed
	// 0.0010 amplified
}

// The neurons of a fact are made to tell another answer. The model itself stays
// as it is.
func ExampleUpdate() {
	model := kn.MustLoad(tiny, kn.WithCache("off"))
	const prompt = "The capital of France is [MASK] ."
	neurons := model.MustAttribute(prompt, "Paris").Coarse(0.2)
	updated, err := model.With(kn.Update(neurons, "Paris", "Rome"))
	if err != nil {
		panic(err)
	}
	for _, m := range []*kn.Model{model, updated} {
		p := m.MustPredict(prompt, kn.PredictOptions{Top: 1, Answer: "Rome"})
		fmt.Printf("%s first; %s has rank %d\n", p.Predictions[0].Token, p.Answer.Token, p.Answer.Rank)
	}
	// Output:
	// lucy first; Rome has rank 233
	// lucy first; Rome has rank 159
}

func ExampleModel_FactorCurves() {
	model := kn.MustLoad(tiny, kn.WithCache("off"))
	prompts := []string{"The capital of France is [MASK] ."}
	neurons := model.MustAttribute(prompts[0], "Paris").Coarse(0.2)
	c, err := model.FactorCurves(prompts, "Paris", neurons, kn.CurveOptions{Factors: []float64{0, 1, 2}})
	if err != nil {
		panic(err)
	}
	fmt.Printf("own     %.4f\n", c.Own.Probability)
	fmt.Printf("random  %.4f\n", c.Random.Probability)
	fmt.Printf("matched %.4f\n", c.Matched.Probability)
	// Output:
	// own     [0.0001 0.0005 0.0010]
	// random  [0.0008 0.0005 0.0004]
	// matched [0.0022 0.0005 0.0004]
}

func ExampleRefine() {
	coarse := [][]kn.Neuron{{{0, 7}, {1, 2}}, {{1, 2}}, {{1, 2}, {1, 9}}}
	fmt.Println(kn.Refine(coarse, 0.7))
	// Output: [1:2]
}
