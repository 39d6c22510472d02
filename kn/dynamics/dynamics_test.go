package dynamics_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

type golden struct {
	Prompts []string
	JSD     []float64 `json:"attention_jsd_per_layer"`
	SVCCA   []struct {
		Distance float64
		KeptA    int `json:"kept_a"`
		KeptB    int `json:"kept_b"`
	}
}

// TestCompareEqualsReference compares a model and a disturbed copy with what
// PyTorch and numpy make of them in float64.
func TestCompareEqualsReference(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		var want golden
		sharedtest.ReadJSON(t, &want, dir, "dynamics.json")
		got, err := dynamics.Compare(context.Background(), filepath.Join(dir, "model"), filepath.Join(dir, "model_b"),
			dynamics.Sentences(want.Prompts), dynamics.Options{NoCache: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.AttentionJSD) != len(want.JSD) || len(got.SVCCADistance) != len(want.SVCCA) {
			t.Fatalf("%d and %d layers, want %d and %d", len(got.AttentionJSD), len(got.SVCCADistance), len(want.JSD), len(want.SVCCA))
		}
		for l, w := range want.JSD {
			if math.Abs(got.AttentionJSD[l]-w) > 1e-4*w {
				t.Errorf("%s: attention of layer %d differs by %v, want %v", dir, l, got.AttentionJSD[l], w)
			}
		}
		for l, w := range want.SVCCA {
			if math.Abs(got.SVCCADistance[l]-w.Distance) > 1e-6+1e-4*w.Distance || got.KeptA[l] != w.KeptA || got.KeptB[l] != w.KeptB {
				t.Errorf("%s: hidden states %d: distance %v with %d and %d directions, want %+v", dir, l, got.SVCCADistance[l], got.KeptA[l], got.KeptB[l], w)
			}
		}
	}
}

// golden returns a small checkpoint's folder.
func checkpointOf(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(sharedtest.Goldens(t)[0], name)
}

// texts of several lengths, with words of several pieces.
var texts = []string{
	"Paris is the capital of France .", "London", "Mary was born in London and lives in Rome", "John speaks German",
	"Peter plays the piano for a doctor who speaks Italian", "the river and the mountain are in Norway", "Anna works in Vienna .",
}

func compare(t testing.TB, a, b string, texts []string) *dynamics.Comparison {
	t.Helper()
	c, err := dynamics.Compare(context.Background(), a, b, dynamics.Sentences(texts), dynamics.Options{NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEqualModelsAreAtDistanceZero: also a classifier and itself.
func TestEqualModelsAreAtDistanceZero(t *testing.T) {
	for _, name := range []string{"model", "classifier_1"} {
		c := compare(t, checkpointOf(t, name), checkpointOf(t, name), texts)
		for l, d := range c.AttentionJSD {
			if d != 0 {
				t.Errorf("%s: attention of layer %d differs by %v from itself", name, l, d)
			}
		}
		for l := range c.SVCCADistance {
			if c.SVCCADistance[l] != 0 || c.CKADistance[l] != 0 {
				t.Errorf("%s: hidden states %d are at distance %v and %v from themselves", name, l, c.SVCCADistance[l], c.CKADistance[l])
			}
		}
	}
}

// TestCompareMasksAndClassifiers: heads do not matter, order does not matter,
// and all measures keep their bounds.
func TestCompareMasksAndClassifiers(t *testing.T) {
	a, b := checkpointOf(t, "model"), checkpointOf(t, "classifier_0")
	c, back := compare(t, a, b, texts), compare(t, b, a, texts)
	near := func(what string, x, y []float64, bound float64) {
		for l := range x {
			if !(x[l] > 0 && x[l] < bound) || math.Abs(x[l]-y[l]) > 1e-9 {
				t.Errorf("%s %d: %v one way, %v the other", what, l, x[l], y[l])
			}
		}
	}
	near("attention", c.AttentionJSD, back.AttentionJSD, math.Ln2)
	near("SVCCA", c.SVCCADistance, back.SVCCADistance, 1)
	near("CKA", c.CKADistance, back.CKADistance, 1)
}

// TestBatchingChangesNothing: what texts are padded to, and the order they come
// in, is no matter.
func TestBatchingChangesNothing(t *testing.T) {
	a, b := checkpointOf(t, "model"), checkpointOf(t, "model_b")
	var many, turned []string
	for range 12 { // several batches
		many = append(many, texts...)
	}
	for i := range texts {
		turned = append(turned, texts[len(texts)-1-i])
	}
	once := compare(t, a, b, texts)
	for _, c := range []*dynamics.Comparison{compare(t, a, b, many), compare(t, a, b, turned)} {
		for l := range once.SVCCADistance {
			if math.Abs(c.SVCCADistance[l]-once.SVCCADistance[l]) > 1e-6 || math.Abs(c.CKADistance[l]-once.CKADistance[l]) > 1e-7 {
				t.Errorf("hidden states %d: %v and %v instead of %v and %v", l, c.SVCCADistance[l], c.CKADistance[l], once.SVCCADistance[l], once.CKADistance[l])
			}
		}
		for l, d := range once.AttentionJSD {
			if math.Abs(c.AttentionJSD[l]-d) > 1e-5*d {
				t.Errorf("attention of layer %d: %v instead of %v", l, c.AttentionJSD[l], d)
			}
		}
	}
	// One text by itself is what it is beside others.
	sum := 0.0
	for _, text := range texts {
		sum += compare(t, a, b, []string{text}).AttentionJSD[1] / float64(len(texts))
	}
	if math.Abs(sum-once.AttentionJSD[1]) > 1e-5*sum {
		t.Errorf("the mean over texts is %v, one by one %v", once.AttentionJSD[1], sum)
	}
}

// TestTrainingAndPairs: they hold what single comparisons give, and the second
// time they come from the cache.
func TestTrainingAndPairs(t *testing.T) {
	t.Setenv("KN_CACHE", t.TempDir())
	ctx, steps := context.Background(), 0
	o := dynamics.Options{Progress: func(done, total int, what string) { steps++ }}
	start := checkpointOf(t, "classifier_0")
	later := []string{checkpointOf(t, "classifier_1"), checkpointOf(t, "classifier_2")}
	examples := dynamics.Sentences(texts)
	checkpoints := []dynamics.Checkpoint{{Step: 10, Model: later[0]}, {Step: 20, Model: later[1]}}
	training, err := dynamics.Training(ctx, start, checkpoints, examples, o)
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := dynamics.Pairs(ctx, []dynamics.Named{{"seed 0", start}, {"seed 1", later[0]}, {"seed 2", later[1]}}, examples, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, model := range later {
		single := compare(t, start, model, texts)
		for l, d := range single.AttentionJSD {
			if training.AttentionJSD[i][l] != d || pairs.AttentionJSD[l][0][i+1] != d || pairs.AttentionJSD[l][i+1][0] != d || pairs.AttentionJSD[l][i][i] != 0 {
				t.Errorf("attention of layer %d: %v and %v, want %v", l, training.AttentionJSD[i][l], pairs.AttentionJSD[l], d)
			}
		}
		for l, d := range single.SVCCADistance {
			if training.SVCCADistance[i][l] != d || pairs.SVCCADistance[l][0][i+1] != d {
				t.Errorf("hidden states %d: %v and %v, want %v", l, training.SVCCADistance[i][l], pairs.SVCCADistance[l], d)
			}
		}
	}
	if steps == 0 {
		t.Error("no progress was reported")
	}
	steps = 0
	again, err := dynamics.Training(ctx, start, checkpoints, examples, o)
	if err != nil || steps != 0 || again.SVCCADistance[1][2] != training.SVCCADistance[1][2] || again.Tokens != training.Tokens {
		t.Errorf("the second time took %d steps (%v)", steps, err)
	}
}

func TestCompareSaysWhatItRead(t *testing.T) {
	long := strings.Repeat("the river and ", 40)
	c := compare(t, checkpointOf(t, "model"), checkpointOf(t, "model_b"), []string{long, "Paris ☃", "London"})
	if c.Texts != 3 || c.Cut != 1 || len(c.Unknown) != 1 || c.Tokens != 64+4+3 {
		t.Errorf("%+v", c.Sample)
	}
}

func TestCompareErrors(t *testing.T) {
	ctx := context.Background()
	model, other := checkpointOf(t, "model"), filepath.Join(t.TempDir(), "other")
	stopped, stop := context.WithCancel(ctx)
	stop()
	for name, c := range map[string]struct {
		ctx  context.Context
		b    string
		text []string
		want []string
	}{
		"no text":      {ctx, model, nil, []string{"no text"}},
		"no model":     {ctx, other, texts, []string{other}},
		"interrupted":  {stopped, model, texts, []string{"canceled"}},
		"other shapes": {ctx, smaller(t), texts, []string{"num_attention_heads", "2 and 4", "one model"}},
	} {
		_, err := dynamics.Compare(c.ctx, model, c.b, dynamics.Sentences(c.text), dynamics.Options{NoCache: true})
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; %q is missing", name, err, want)
			}
		}
	}
	if _, err := dynamics.Training(ctx, model, nil, dynamics.Sentences(texts), dynamics.Options{}); err == nil {
		t.Error("a training without checkpoints passed")
	}
	if _, err := dynamics.Training(ctx, model, []dynamics.Checkpoint{{Step: 5, Model: model}, {Step: 5, Model: model}}, dynamics.Sentences(texts), dynamics.Options{}); err == nil {
		t.Error("a training with a step twice passed")
	}
	if _, err := dynamics.Pairs(ctx, []dynamics.Named{{"one", model}}, dynamics.Sentences(texts), dynamics.Options{}); err == nil {
		t.Error("a single model passed for a pair")
	}
}

// smaller is the small model with its heads cut differently.
func smaller(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(checkpointOf(t, "model"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.Replace(data, []byte(`"num_attention_heads": 2`), []byte(`"num_attention_heads": 4`), 1)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func ExampleCompare() {
	folder := filepath.Join("..", "internal", "sharedtest", "testdata", "golden")
	texts := []string{"Mary was born in London", "Paris is the capital of France ."}
	c := dynamics.MustCompare(context.Background(), filepath.Join(folder, "model"), filepath.Join(folder, "model_b"), dynamics.Sentences(texts), dynamics.Options{})
	for l, d := range c.AttentionJSD {
		fmt.Printf("layer %d: attention %.4f nats, hidden states %.3f by CKA\n", l, d, c.CKADistance[l+1])
	}
	fmt.Println(c.Tokens, "tokens")
	// Output:
	// layer 0: attention 0.0013 nats, hidden states 0.003 by CKA
	// layer 1: attention 0.0011 nats, hidden states 0.003 by CKA
	// 16 tokens
}
