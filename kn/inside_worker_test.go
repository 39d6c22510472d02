//go:build linux || darwin

package kn

import (
	"fmt"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// TestInsideByWorker: what a worker hands over is what this process computes, also
// when the worker dies in the middle of a trace.
func TestInsideByWorker(t *testing.T) {
	inside := func(m *Model) string {
		prompt := "The capital of France is [MASK] ."
		s := m.MustRead(prompt)
		all := []any{
			*m.MustLogitLens(prompt, "Paris"), *m.MustCausalTrace(prompt, "France", "Paris", TraceOptions{Draws: 2, Restore: RestoreFFN}),
			*m.MustLogitParts(prompt, "Paris"), *m.MustPortrait(Neuron{1, 3}, Texts(prompt)),
			*m.MustAttributeTokens(prompt, "Paris"), *m.MustAttributeTokens(prompt, "Paris", TokenOptions{Against: "Rome"}),
		}
		for _, site := range s.Sites {
			all = append(all, s.At(site.Point, site.Layer), s.Attention(site.Layer))
		}
		return fmt.Sprintf("%+v", all)
	}
	want := inside(goldenModel(t, sharedtest.Goldens(t)[0]))
	for _, lives := range []string{"", "3"} {
		m := warm(t, lives, WithCache("off"))
		if got := inside(m); got != want {
			t.Errorf("lives %q: the worker's results differ:\n%.2000s\n%.2000s", lives, got, want)
		}
		if m.shared.engine != nil {
			t.Errorf("lives %q: the weights were read in this process", lives)
		}
	}
}
