package electra

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// BenchmarkStep takes training steps with random tokens of the embedded
// model's vocabulary. KN_BACKEND chooses what computes; XLA needs -tags xla.
func BenchmarkStep(b *testing.B) {
	for _, size := range []struct{ hidden, batch int }{{128, 32}, {64, 32}, {64, 16}} {
		for _, s := range Samplers {
			b.Run(fmt.Sprintf("%d wide, %d windows of 32/%s", size.hidden, size.batch, s), func(b *testing.B) {
				benchmarkStep(b, Config{Sampler: s, Hidden: size.hidden, FFN: 4 * size.hidden, Batch: size.batch, Length: 32})
			})
		}
	}
}

func benchmarkStep(b *testing.B, c Config) {
	model := checkpoint.DefaultConfig()
	model.VocabSize, model.Layers, model.Heads = 7638, 2, 4
	c = c.WithDefaults().of(model)
	n := networks{sampler: c.Sampler, discriminator: c.discriminator(model)}
	n.generator = n.discriminator.Generator(c.GeneratorSize)
	l, err := newLearner(c, n, cmp.Or(os.Getenv(backend.EnvVar), backend.Default))
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	some := &batch{windows: make([]int, c.Batch)}
	for range c.Batch {
		for range c.Length {
			some.ids = append(some.ids, int32(rng.IntN(model.VocabSize)))
		}
		for _, p := range rng.Perm(c.Length)[:c.MaskedTokens()] {
			some.positions = append(some.positions, int32(p))
		}
	}
	for b.Loop() {
		if _, err := l.take(0, some.inputs(4, rng)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*c.Batch*c.Length)/b.Elapsed().Seconds(), "tokens/s")
}
