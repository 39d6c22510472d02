package mini_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
)

func ExampleGPTFiles() {
	model := kn.MustLoad(mini.GPTName, kn.WithCache("off"))
	p := model.MustPredict("The capital of Sweden is the city of", kn.PredictOptions{Top: 1})
	fmt.Println(p.Predictions[0].Token)
	// Output:
	// Stockholm
}

// What kn-mini-gpt was taught, kn-mini was taught too: that is what makes them
// comparable.
func TestGPTSharesItsFacts(t *testing.T) {
	both := map[facts.Fact]bool{}
	for _, f := range mini.MustFacts() {
		f.Frequency = 0 // which depends on how many there are
		both[f.Fact] = true
	}
	taught := mini.MustGPTFacts()
	if len(taught) < 3900 {
		t.Errorf("%d facts", len(taught))
	}
	for _, f := range taught {
		if f.Frequency = 0; !both[f.Fact] {
			t.Errorf("kn-mini was not taught %v", f.Fact)
		}
	}
}

func TestGPTKnowsItsFacts(t *testing.T) {
	model, taught := kn.MustLoad(mini.GPTName, kn.WithCache("off")), mini.MustGPTFacts()
	rng := rand.New(rand.NewPCG(1, 1))
	const n = 200
	right := map[bool]int{}
	for range n {
		f := taught[rng.IntN(len(taught))]
		for _, held := range []bool{false, true} {
			prompts, err := f.Prompts(held)
			if err != nil {
				t.Fatal(err)
			}
			prompts = slices.DeleteFunc(prompts, func(p string) bool { return !strings.HasSuffix(strings.TrimRight(p, ".)"), facts.Mask) })
			prompt := prompts[rng.IntN(len(prompts))] // in the others more follows the answer
			if model.MustPredict(prompt, kn.PredictOptions{Answer: f.Answer, Top: 1}).Answer.Rank == 1 {
				right[held]++
			}
		}
	}
	for _, held := range []bool{false, true} {
		if right[held] < n*9/10 {
			t.Errorf("held out %v: of %d facts it knows %d", held, n, right[held])
		}
	}
}

// The numbers that it must reach, as its evaluation recorded them.
func TestGPTRecordedEvaluation(t *testing.T) {
	e := evaluation(t, mini.GPTFiles())
	n := e.Neurons
	for what, share := range map[string]float64{"trained": e.Trained.First.Mean, "held-out": e.HeldOut.First.Mean} {
		if share < 0.9 {
			t.Errorf("recall on %s prompts is %v", what, share)
		}
	}
	if n.Facts < 50 || n.PerFact.Mean < 3 || n.PerFact.Mean > 30 || len(n.PerLayer) != 4 {
		t.Errorf("%d facts with %v neurons in layers %v", n.Facts, n.PerFact, n.PerLayer)
	}
	own := n.Change("own")
	if own == nil || own.Suppressed.High > -0.2 || own.Amplified.Low < 0.05 {
		t.Fatalf("own neurons: %+v", own)
	}
	for _, set := range []string{"random", "other relation"} {
		if c := n.Change(set); c == nil || c.Suppressed.Mean < -0.1 || c.Suppressed.Mean > 0.1 || c.SuppressedLess.High >= 0 {
			t.Errorf("%s neurons: %+v", set, c)
		}
	}
}

func TestGPTCardIsOfTheseFiles(t *testing.T) {
	cardIsOf(t, mini.GPTCard(), mini.GPTName, mini.GPTFiles(), 2<<20)
}
