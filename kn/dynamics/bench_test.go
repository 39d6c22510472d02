package dynamics_test

import (
	"context"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
)

// BenchmarkCompare compares two random models on 64 texts of some 16 tokens, at
// the size of the embedded model and at that of BERT-base.
func BenchmarkCompare(b *testing.B) {
	base := checkpoint.DefaultConfig()
	mini := base
	mini.Layers, mini.HiddenSize, mini.Heads, mini.IntermediateSize = 2, 128, 4, 512
	for name, config := range map[string]checkpoint.Config{"mini": mini, "base": base} {
		b.Run(name, func(b *testing.B) {
			one, other := drawn(b, config, 1), drawn(b, config, 2)
			var many []string
			for range 64 {
				many = append(many, strings.Join(texts[:2], " "))
			}
			tokens := 0
			for b.Loop() {
				c, err := dynamics.Compare(context.Background(), one, other, dynamics.Sentences(many), dynamics.Options{NoCache: true})
				if err != nil {
					b.Fatal(err)
				}
				tokens += c.Tokens
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}

// drawn writes a checkpoint with random weights.
func drawn(b *testing.B, config checkpoint.Config, seed uint64) string {
	b.Helper()
	small, err := checkpoint.OpenFolder(checkpointOf(b, "model"))
	if err != nil {
		b.Fatal(err)
	}
	config.VocabSize = small.Config().VocabSize
	c, err := checkpoint.NewClassifier(config, []string{"no", "yes"}, small.Tokenizer(), seed)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	if err := c.Save(dir); err != nil {
		b.Fatal(err)
	}
	return dir
}
