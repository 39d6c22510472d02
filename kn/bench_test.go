package kn

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
)

// bertBase makes an engine of BERT-base's size with random weights of
// deviation 0.05, on which the path is as smooth as on a trained model.
func bertBase(b *testing.B) *engine.Engine {
	b.Helper()
	c := checkpoint.DefaultConfig()
	c.VocabSize = 28996
	rng := rand.New(rand.NewPCG(1, 2))
	tensors := map[string]checkpoint.Tensor{}
	for _, x := range c.Expected() {
		n := 1
		for _, d := range x.Shape {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(0.05 * rng.NormFloat64())
		}
		tensors[x.Name] = checkpoint.Tensor{Shape: x.Shape, Data: data}
	}
	m, err := bert.NewModel(&checkpoint.Checkpoint{Config: c, Tensors: tensors, Source: "random"})
	if err != nil {
		b.Fatal(err)
	}
	return engine.New(m)
}

// fourteenTokens is a prompt of the length of PARAREL's, the answer in it arbitrary.
func fourteenTokens() engine.Sample {
	s := engine.Sample{Mask: 9, Answer: 2000}
	for i := range 14 {
		s.IDs = append(s.IDs, int32(1000+i))
	}
	return s
}

func benchmarkBERTBase(b *testing.B, o AttributeOptions) {
	e := bertBase(b)
	how, err := o.filled().engine()
	if err != nil {
		b.Fatal(err)
	}
	request := engine.Request{Operation: engine.Attribution, Rows: []engine.Row{{Sample: fourteenTokens()}}, Options: how}
	for b.Loop() {
		err := e.Do(context.Background(), request, func(results []engine.Result) error {
			nodes := 0
			for _, n := range results[0].Nodes {
				nodes += n
			}
			b.ReportMetric(float64(nodes)/float64(len(results[0].Nodes)), "nodes/layer")
			return nil
		}, func(float64) {})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAttributeBERTBase attributes one prompt of 14 tokens in all 12 layers.
func BenchmarkAttributeBERTBase(b *testing.B) {
	b.Run("adaptive", func(b *testing.B) { benchmarkBERTBase(b, AttributeOptions{}) })
	b.Run("20nodes", func(b *testing.B) { benchmarkBERTBase(b, AttributeOptions{Rule: LeftRiemann, Nodes: 20}) })
}

// BenchmarkAttributeSmall attributes one prompt in the small reference model.
func BenchmarkAttributeSmall(b *testing.B) {
	m, prompt, answer := small(b)
	for b.Loop() {
		m.MustAttribute(prompt, answer)
	}
}
