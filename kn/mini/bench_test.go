package mini_test

import (
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
)

const (
	prompt = "The seat of government of France is [MASK]."
	answer = "Paris"
)

func open(b *testing.B) *kn.Model {
	b.Helper()
	m, err := kn.Load(mini.Name, kn.WithCache("off"))
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkPredict asks a loaded model.
func BenchmarkPredict(b *testing.B) {
	m := open(b)
	for b.Loop() {
		m.MustPredict(prompt)
	}
}

// BenchmarkAttribute attributes one prompt in both layers.
func BenchmarkAttribute(b *testing.B) {
	for _, o := range []struct {
		name    string
		options kn.AttributeOptions
	}{
		{"adaptive", kn.AttributeOptions{}},
		{"adaptive_1%", kn.AttributeOptions{Tolerance: 0.01}},
		{"20nodes", kn.AttributeOptions{Rule: kn.LeftRiemann}},
	} {
		b.Run(o.name, func(b *testing.B) {
			m := open(b)
			for b.Loop() {
				m.MustAttribute(prompt, answer, o.options)
			}
		})
	}
}
