package pretrain

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
)

// TestCenter: whatever all words share is moved to the token types, and no
// probability changes.
func TestCenter(t *testing.T) {
	folder, err := checkpoint.OpenFolder(filepath.Join("..", "internal", "sharedtest", "testdata", "golden", "model"))
	if err != nil {
		t.Fatal(err)
	}
	c := folder.MustLoad(t.Context(), nil)
	distribution := func() []float64 {
		dir := filepath.Join(t.TempDir(), "model")
		if err := c.Save(dir); err != nil {
			t.Fatal(err)
		}
		p := kn.MustLoad(dir, kn.WithCache("off")).MustPredict("The capital of France is [MASK] .", kn.PredictOptions{Top: c.Config.VocabSize})
		slices.SortFunc(p.Predictions, func(a, b kn.TokenProbability) int { return a.ID - b.ID })
		var all []float64
		for _, q := range p.Predictions {
			all = append(all, q.Probability)
		}
		return all
	}
	words, types := c.Tensors[checkpoint.WordEmbeddings], c.Tensors[typeEmbeddings]
	rng := rand.New(rand.NewPCG(1, 1))
	width := words.Shape[1]
	for i := range width { // a common vector as large as the words themselves
		shared := float32(rng.NormFloat64())
		for at := i; at < len(words.Data); at += width {
			words.Data[at] += shared
		}
		for at := i; at < len(types.Data); at += width {
			types.Data[at] -= shared
		}
	}
	before := distribution()
	center(c.Config, c.Tensors)
	after := distribution()
	for i, p := range before {
		if math.Abs(after[i]-p) > 1e-5*p { // float32's rounding of sums of some ten terms
			t.Fatalf("token %d had probability %g and has %g", i, p, after[i])
		}
	}
	for i := range width {
		sum := 0.0
		for at := i; at < len(words.Data); at += width {
			sum += float64(words.Data[at])
		}
		if mean := sum / float64(words.Shape[0]); math.Abs(mean) > 1e-6 {
			t.Errorf("the mean of dimension %d is %g", i, mean)
		}
	}
}
