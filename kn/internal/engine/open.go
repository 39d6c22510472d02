package engine

import (
	"context"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Open reads a checkpoint's weights onto a backend: the one that option
// names, or what [backend.Choose] decides. chosen says which and why.
func Open(ctx context.Context, folder *checkpoint.Folder, option string, progress checkpoint.Progress) (e *Engine, chosen string, err error) {
	config, why := backend.Choose(option, folder.Config().Parameters())
	b, err := backend.Open(config)
	if err != nil {
		return nil, "", err
	}
	m, err := transformer.Read(ctx, b, folder, progress)
	if err != nil {
		return nil, "", err
	}
	return New(m), fmt.Sprintf("computing on %s: %s", config, why), nil
}
