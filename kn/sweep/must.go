package sweep

import (
	"context"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// MustRun is [Run] for notebook cells: it panics instead of returning an error.
func MustRun(ctx context.Context, model *kn.Model, source facts.Source, dir string, options Options, progress kn.Progress) *Summary {
	s, err := Run(ctx, model, source, dir, options, progress)
	if err != nil {
		panic(err)
	}
	return s
}
