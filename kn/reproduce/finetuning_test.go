package reproduce_test

import (
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// TestBackends: each is named once.
func TestBackends(t *testing.T) {
	on := func(names ...string) (tuned []reproduce.Tuned) {
		for _, name := range names {
			tuned = append(tuned, reproduce.Tuned{Record: &finetune.Record{Backend: name}})
		}
		return tuned
	}
	for want, of := range map[string][][]reproduce.Tuned{
		"xla:cpu":                    {on("xla:cpu", "xla:cpu"), on("xla:cpu")},
		"go:ops_sequential, xla:cpu": {on("xla:cpu", "go:ops_sequential"), on("xla:cpu")},
	} {
		if got := reproduce.Backends(of...); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
