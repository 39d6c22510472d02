package checkpoint

import (
	"context"
	"math/rand/v2"
	"testing"
)

// BenchmarkLoad reads a BERT-base of 110 million random weights.
func BenchmarkLoad(b *testing.B) {
	c := mustLoad(b, tiny)
	vocabulary := c.Config.VocabSize
	c.Config = DefaultConfig()
	c.Config.VocabSize = vocabulary
	c.Config.MaxPositions = 28996 // stands for the rows of a real vocabulary
	c.Tensors = map[string]Tensor{}
	rng := rand.New(rand.NewPCG(1, 1))
	bytes := int64(0)
	for _, e := range c.Config.Expected() {
		t := Tensor{e.Shape, make([]float32, elements(e.Shape))}
		for i := range t.Data {
			t.Data[i] = rng.Float32()
		}
		c.Tensors[e.Name] = t
		bytes += 4 * int64(len(t.Data))
	}
	dir := b.TempDir()
	if err := c.Save(dir); err != nil {
		b.Fatal(err)
	}
	f := mustOpen(b, dir)
	if _, err := f.Digest(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(bytes)
	for b.Loop() {
		if _, err := f.Load(context.Background(), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen reads configuration and tokenizer.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		mustOpen(b, tiny)
	}
}
