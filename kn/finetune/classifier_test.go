package finetune_test

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// landscape is the loss and error of theta0 + a·(theta1 - theta0) + b·(theta2
// - theta0), as PyTorch computes them in float64.
type landscape struct {
	Texts         []string
	Labels        []int
	Theta0        string
	Theta1        string
	Theta2        string
	Alphas, Betas []float64
	Loss, Error   [][]float64
}

// examples are the texts with their labels.
func (l landscape) examples() []finetune.Example {
	var out []finetune.Example
	for i, text := range l.Texts {
		out = append(out, finetune.Example{Sentence1: text, Label: l.Labels[i]})
	}
	return out
}

// TestClassifiersEqualReference compares the three checkpoints' own losses and
// errors with the corners of the reference's surface.
func TestClassifiersEqualReference(t *testing.T) {
	ctx := context.Background()
	for _, dir := range sharedtest.Goldens(t) {
		var want landscape
		sharedtest.ReadJSON(t, &want, dir, "landscape.json")
		for name, at := range map[string][2]float64{want.Theta0: {0, 0}, want.Theta1: {1, 0}, want.Theta2: {0, 1}} {
			c, err := finetune.Open(ctx, filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			e, err := c.Evaluate(ctx, want.examples(), nil)
			if err != nil {
				t.Fatal(err)
			}
			i, j := slices.Index(want.Alphas, at[0]), slices.Index(want.Betas, at[1])
			if loss := want.Loss[i][j]; math.Abs(e.Loss-loss) > 1e-4*loss {
				t.Errorf("%s/%s: the loss is %v, want %v", dir, name, e.Loss, loss)
			}
			if math.Abs(1-e.Accuracy-want.Error[i][j]) > 1e-9 {
				t.Errorf("%s/%s: the error is %v, want %v", dir, name, 1-e.Accuracy, want.Error[i][j])
			}
		}
	}
}

// golden opens one of the project's small classifiers with random weights.
func golden(t testing.TB) *finetune.Classifier {
	t.Helper()
	c, err := finetune.Open(context.Background(), filepath.Join(sharedtest.Goldens(t)[0], "classifier_1"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPredict checks that probabilities are those of the logits, that labels
// do not matter, and that pairs are told from their sentences.
func TestPredict(t *testing.T) {
	ctx, c := context.Background(), golden(t)
	examples := []finetune.Example{
		{Sentence1: "Mary was born in London", Label: 99},
		{Sentence1: "Mary was born in London", Sentence2: "Paris is in France"},
		{Sentence1: "Paris is in France", Sentence2: "Mary was born in London"},
	}
	predictions, err := c.Predict(ctx, examples, nil)
	if err != nil {
		t.Fatal(err)
	}
	examples[0].Label = 0
	logits, err := c.Logits(ctx, examples, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range predictions {
		sum := 0.0
		for k := range p.Probabilities {
			sum += p.Probabilities[k]
			ratio := math.Exp(float64(logits[i][k] - logits[i][0]))
			if math.Abs(p.Probabilities[k]/p.Probabilities[0]-ratio) > 1e-4*ratio {
				t.Errorf("example %d: probabilities %v of logits %v", i, p.Probabilities, logits[i])
			}
		}
		if best := slices.Max(p.Probabilities); math.Abs(sum-1) > 1e-12 || p.Probability != best || p.Label != c.Labels()[slices.Index(p.Probabilities, best)] {
			t.Errorf("example %d: %+v", i, p)
		}
	}
	if slices.Equal(logits[1], logits[2]) || slices.Equal(logits[0], logits[1]) {
		t.Error("a pair is not told from another")
	}
}

// TestBatchesChangeNothing classifies examples of all lengths one by one and together.
func TestBatchesChangeNothing(t *testing.T) {
	ctx, c := context.Background(), golden(t)
	var examples []finetune.Example
	for n := 1; n < 70; n += 3 { // the last ones are cut to the 64 positions
		examples = append(examples, finetune.Example{Sentence1: strings.Repeat("Paris ", n), Label: n % 3})
	}
	together, err := c.Logits(ctx, examples, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range examples {
		alone, err := c.Logits(ctx, []finetune.Example{x}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, a := range alone[0] {
			if math.Abs(float64(a-together[i][k])) > 1e-5 {
				t.Fatalf("example %d: logits %v alone, %v in a batch", i, alone[0], together[i])
			}
		}
	}
}

// TestEvaluation counts right and wrong.
func TestEvaluation(t *testing.T) {
	ctx, c := context.Background(), golden(t)
	examples := []finetune.Example{{Sentence1: "Paris", Label: 0}, {Sentence1: "Mary speaks German", Label: 2}, {Sentence1: "London", Label: 2}}
	e, err := c.Evaluate(ctx, examples, nil)
	if err != nil {
		t.Fatal(err)
	}
	predictions, err := c.Predict(ctx, examples, nil)
	if err != nil {
		t.Fatal(err)
	}
	right, loss, confused := 0.0, 0.0, 0
	for i, p := range predictions {
		loss -= math.Log(p.Probabilities[examples[i].Label]) / 3
		if p.Label == c.Labels()[examples[i].Label] {
			right++
		}
		confused += e.Confusion[examples[i].Label][slices.Index(c.Labels(), p.Label)]
	}
	if e.Examples != 3 || math.Abs(e.Accuracy-right/3) > 1e-12 || math.Abs(e.Loss-loss) > 1e-5 || math.Abs(e.Majority-2.0/3) > 1e-12 || confused < 3 {
		t.Errorf("got %+v, want accuracy %v and loss %v", e, right/3, loss)
	}
	if _, err := c.Evaluate(ctx, nil, nil); err == nil {
		t.Error("nothing was evaluated without an error")
	}
	if _, err := c.Evaluate(ctx, []finetune.Example{{Sentence1: "x", Label: 3}}, nil); err == nil || !strings.Contains(err.Error(), "label 3") {
		t.Errorf("label 3 of 3: %v", err)
	}
}

// TestOpenRefusesLanguageModels and the other way round.
func TestOpenRefusesLanguageModels(t *testing.T) {
	dir := sharedtest.Goldens(t)[0]
	if _, err := finetune.Open(context.Background(), filepath.Join(dir, "model")); err == nil || !strings.Contains(err.Error(), "fine-tune it first") {
		t.Errorf("got %v", err)
	}
	if _, err := kn.Load(filepath.Join(dir, "classifier_0")); err == nil || !strings.Contains(err.Error(), "is a classifier") {
		t.Errorf("got %v", err)
	}
}
