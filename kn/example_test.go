package kn_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
)

// prompt asks kn-mini for a fact that it knows.
const prompt = "The seat of government of France is [MASK]."

// A model is the embedded one, as here, a folder, or a name on the Hugging Face
// hub. Its weights are read when they are first needed.
func ExampleLoad() {
	model, err := kn.Load(mini.Name)
	if err != nil {
		panic(err)
	}
	c := model.Config()
	fmt.Printf("%s: %d layers of %d neurons\n", model.Label(), c.Layers, c.IntermediateSize)
	// Output:
	// mini: 4 layers of 768 neurons
}

func ExampleModel_Predict() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	p, err := model.Predict(prompt, kn.PredictOptions{Top: 2, Answer: "Paris"})
	if err != nil {
		panic(err)
	}
	for _, t := range p.Predictions {
		fmt.Printf("%s %.3f\n", t.Token, t.Probability)
	}
	fmt.Printf("%s %.3f, rank %d\n", p.Answer.Token, p.Answer.Probability, p.Answer.Rank)
	// Output:
	// Paris 0.430
	// Brussels 0.054
	// Paris 0.430, rank 1
}

func ExampleModel_Attribute() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	a, err := model.Attribute(prompt, "Paris")
	if err != nil {
		panic(err)
	}
	fmt.Println("layers that did not converge:", len(a.NotConverged))
	for _, n := range a.Top(3) {
		fmt.Printf("neuron %v scores %+.5f\n", n, a.Scores[n.Layer][n.Index])
	}
	// Output:
	// layers that did not converge: 0
	// neuron 3:130 scores +0.23597
	// neuron 3:113 scores +0.17678
	// neuron 3:754 scores +0.07022
}

func ExampleModel_KnowledgeNeurons() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	prompts := []string{prompt, "France has its capital at [MASK]."}
	n, err := model.KnowledgeNeurons(prompts, "Paris", kn.Recipe{Attribute: kn.Dai2022.Attribute})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(n.Coarse[0]), len(n.Coarse[1]), n.Refined)
	// Output:
	// 4 4 [1:320 3:113 3:130 3:754]
}

// Many prompts at once, each under edits of its own, are computed in batches.
func ExampleModel_Probabilities() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	neurons := model.MustAttribute(prompt, "Paris").Coarse(0.2)
	paris := kn.Query{Prompt: prompt, Answer: "Paris"}
	p, err := model.Probabilities([]kn.Trial{
		{Query: paris},
		{Query: paris, Edits: []kn.Edit{kn.Suppress(neurons)}},
		{Query: kn.Query{Prompt: prompt, Answer: "Vienna"}, Edits: []kn.Edit{kn.Update(neurons, "Paris", "Vienna")}},
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("Paris %.3f, suppressed %.3f; Vienna, updated %.3f\n", p[0], p[1], p[2])
	// Output:
	// Paris 0.430, suppressed 0.178; Vienna, updated 0.350
}

func ExampleModel_TokenActivations() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	neuron := model.MustAttribute(prompt, "Paris").Top(1)
	read, err := model.TokenActivations([]kn.Reading{{Text: prompt, Neurons: neuron}})
	if err != nil {
		panic(err)
	}
	for i, token := range read[0].Tokens {
		fmt.Printf("%-10s %+.2f\n", token, read[0].Values[0][i])
	}
	// Output:
	// [CLS]      -0.00
	// The        -0.00
	// seat       -0.00
	// of         -0.00
	// government -0.00
	// of         -0.00
	// France     -0.08
	// is         -0.00
	// [MASK]     +1.18
	// .          -0.00
	// [SEP]      -0.00
}

// An edited model is saved as a folder that transformers loads too, with the
// edits in its weights.
func ExampleModel_Save() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	neurons := model.MustAttribute(prompt, "Paris").Coarse(0.2)
	if err := model.MustWith(kn.Update(neurons, "Paris", "Vienna")).Save(dir); err != nil {
		panic(err)
	}
	saved := kn.MustLoad(dir, kn.WithCache("off"))
	fmt.Printf("%.3f before, %.3f saved\n", model.MustProbability(prompt, "Vienna"), saved.MustProbability(prompt, "Vienna"))
	// Output:
	// 0.001 before, 0.350 saved
}

// Edits alone are a file of a few lines, to be applied to the model that they
// were made for.
func ExampleLoadEdits() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "edits.json")
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	neurons := model.MustAttribute(prompt, "Paris").Coarse(0.2)
	if err := model.MustWith(kn.Suppress(neurons)).SaveEdits(path); err != nil {
		panic(err)
	}
	edits, err := kn.LoadEdits(path)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.3f\n", model.MustWith(edits...).MustProbability(prompt, "Paris"))
	// Output:
	// 0.178
}

func ExampleShow() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	before := model.MustPredict(prompt, kn.PredictOptions{Top: 2, Answer: "Paris"})
	found := model.MustKnowledgeNeurons([]string{prompt}, "Paris", kn.Recipe{Attribute: kn.Dai2022.Attribute})
	after := model.MustWith(kn.Suppress(found.Refined)).MustPredict(prompt, kn.PredictOptions{Top: 2, Answer: "Paris"})
	kn.MustShow(before, kn.Effect(before, after))
	// Output:
	// The seat of government of France is [MASK].
	//   token       id  rank  probability
	//   Paris     6760     1        0.430
	//   Brussels  6285     2        0.054
	// The seat of government of France is [MASK].
	//   token at [MASK]       before        after
	//   Paris                  0.430        0.178
	//   Brussels               0.054  below 0.085
	//   Rome             below 0.054        0.085
}

func ExampleModel_With() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	neurons := model.MustAttribute(prompt, "Paris").Coarse(0.2)
	without, err := model.With(kn.Suppress(neurons))
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.4f unmodified\n", model.MustProbability(prompt, "Paris"))
	fmt.Printf("%.4f suppressed\n", without.MustProbability(prompt, "Paris"))
	fmt.Printf("%.4f amplified\n", model.MustWith(kn.Amplify(neurons)).MustProbability(prompt, "Paris"))
	// Output:
	// 0.4297 unmodified
	// 0.1783 suppressed
	// 0.6810 amplified
}

// The neurons of a fact are made to tell another answer. The model itself stays
// as it is.
func ExampleUpdate() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	neurons := model.MustAttribute(prompt, "Paris").Coarse(0.2)
	updated, err := model.With(kn.Update(neurons, "Paris", "Vienna"))
	if err != nil {
		panic(err)
	}
	for _, m := range []*kn.Model{model, updated} {
		p := m.MustPredict(prompt, kn.PredictOptions{Top: 1, Answer: "Vienna"})
		fmt.Printf("%s first; %s has rank %d\n", p.Predictions[0].Token, p.Answer.Token, p.Answer.Rank)
	}
	// Output:
	// Paris first; Vienna has rank 179
	// Vienna first; Vienna has rank 1
}

func ExampleModel_FactorCurves() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	prompts := []string{prompt}
	neurons := model.MustAttribute(prompts[0], "Paris").Coarse(0.2)
	c, err := model.FactorCurves(prompts, "Paris", neurons, kn.CurveOptions{Factors: []float64{0, 1, 2}})
	if err != nil {
		panic(err)
	}
	fmt.Printf("own     %.4f\n", c.Own.Probability)
	fmt.Printf("random  %.4f\n", c.Random.Probability)
	fmt.Printf("matched %.4f\n", c.Matched.Probability)
	// Output:
	// own     [0.1783 0.4297 0.6810]
	// random  [0.4305 0.4297 0.4287]
	// matched [0.3684 0.4297 0.4464]
}

func ExampleRefine() {
	coarse := [][]kn.Neuron{{{0, 7}, {1, 2}}, {{1, 2}}, {{1, 2}, {1, 9}}}
	fmt.Println(kn.Refine(coarse, 0.7))
	// Output: [1:2]
}
