package finetune

import (
	"cmp"
	"fmt"
	"os"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// BenchmarkStep takes training steps of 32 examples of 32 tokens, dropout
// included, at the embedded model's size and at BERT-base's, both with random
// weights. KN_BACKEND chooses what computes; XLA needs -tags xla.
func BenchmarkStep(b *testing.B) {
	small := checkpoint.DefaultConfig()
	small.VocabSize, small.HiddenSize, small.Layers, small.Heads, small.IntermediateSize = 7638, 128, 2, 4, 512
	base := checkpoint.DefaultConfig()
	base.VocabSize = 28996
	for name, config := range map[string]checkpoint.Config{"mini": small, "base": base} {
		on := cmp.Or(os.Getenv(backend.EnvVar), backend.Default)
		b.Run(fmt.Sprintf("%s/%s", name, on), func(b *testing.B) { benchmarkStep(b, config, on) })
	}
}

func benchmarkStep(b *testing.B, config checkpoint.Config, on string) {
	folder, err := checkpoint.OpenFS(mini.Files(), mini.Name)
	if err != nil {
		b.Fatal(err)
	}
	start, err := checkpoint.NewClassifier(config, []string{"a", "b"}, folder.Tokenizer(), 1)
	if err != nil {
		b.Fatal(err)
	}
	l, err := newLearner(Config{LearningRate: 1e-4, Steps: 1000, Seed: 1}.WithDefaults(), start, on)
	if err != nil {
		b.Fatal(err)
	}
	batch := randomBatch(folder.Tokenizer())
	if _, _, err := l.take(0, batch); err != nil {
		b.Fatal(err)
	}
	for step := 1; b.Loop(); step++ {
		if _, _, err := l.take(step, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
}

// randomBatch has 32 examples of 32 tokens.
func randomBatch(tok *tokenizer.Tokenizer) Batch {
	encoded, indices := make([]Encoded, 32), make([]int, 32)
	for i := range encoded {
		indices[i] = i
		encoded[i] = Encoded{IDs: make([]int32, 32), Types: make([]int32, 32), Label: int32(i % 2)}
		for j := range encoded[i].IDs {
			encoded[i].IDs[j] = int32(100 + (i*37+j*101)%5000)
		}
	}
	return newBatch(tok, encoded, indices)
}
