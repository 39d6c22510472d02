package dynamics

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/cache"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/notebook"
)

// study is a comparison of several models on texts.
type study struct {
	kind    string
	names   []string // of the models
	query   any      // what else is part of the result
	texts   []finetune.Example
	options Options
	pair    func(models []source) []job
}

// carryOut finds a study's result in the cache, or measures it and keeps it.
func carryOut[T any](ctx context.Context, s study, result func(all []Measures, sample Sample, p kn.Provenance) *T) (*T, error) {
	models, err := openAll(ctx, s.names)
	if err != nil {
		return nil, err
	}
	var digests []string
	for _, m := range models {
		digests = append(digests, m.digest)
	}
	texts, err := cache.Key("texts", s.texts)
	if err != nil {
		return nil, err
	}
	key, err := cache.Key("dynamics "+s.kind, s.names, digests, s.query, texts, SVCCAThreshold)
	if err != nil {
		return nil, err
	}
	var store cache.Cache
	if s.options.Progress == nil {
		s.options.Progress = notebook.Step()
	}
	if !s.options.NoCache {
		store = cache.Default()
	}
	r := new(T)
	if store.Get(key, r) {
		return r, nil
	}
	t, err := encodeFor(models, s.texts)
	if err != nil {
		return nil, err
	}
	all, err := runAll(ctx, s.pair(models), t, s.options.Progress)
	if err != nil {
		return nil, err
	}
	r = result(all, t.sample, kn.Provenance{
		Model: strings.Join(s.names, ", "), Digest: digests[0], Version: kn.Version,
		Options: map[string]any{"measure": s.kind, "digests": strings.Join(digests, ", "), "texts": texts, "kept": SVCCAThreshold},
	})
	if err := store.Put(key, r); err != nil {
		fmt.Fprintln(os.Stderr, "warning:", err) // the result is there all the same
	}
	return r, nil
}
