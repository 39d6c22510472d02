package dynamics

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// source is a checkpoint whose weights have not been read.
type source struct {
	name   string
	digest string
	folder *checkpoint.Folder
}

// openAll opens checkpoints and makes sure that they can be compared.
func openAll(ctx context.Context, names []string) ([]source, error) {
	sources := make([]source, len(names))
	for i, name := range names {
		folder, err := kn.OpenCheckpoint(name, kn.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		digest, err := folder.Digest()
		if err != nil {
			return nil, err
		}
		sources[i] = source{name, digest, folder}
		if err := transformer.SameEncoder(sources[0].folder.Config(), folder.Config()); err != nil {
			return nil, fmt.Errorf("dynamics: %s and %s cannot be compared: %w; take checkpoints of one model", sources[0].name, name, err)
		}
	}
	return sources, nil
}

// runner runs encoders of one shape layer by layer.
type runner struct {
	backend      compute.Backend
	embed, layer *transformer.Exec // of some model; see transformer.Exec.On
	// sides are what models are by themselves that a later job asks for again,
	// by their digests.
	sides map[string]*side
}

// encoder is a model that a runner runs.
type encoder struct {
	model        *transformer.Model
	embed, layer *transformer.Exec
}

func newRunner(config transformer.Config) (*runner, error) {
	name, _ := backend.Choose("", config.Parameters())
	b, err := backend.Open(name)
	return &runner{backend: b, sides: map[string]*side{}}, err
}

// read reads a model's weights.
func (r *runner) read(ctx context.Context, s source) (*encoder, error) {
	m, err := transformer.Read(ctx, r.backend, s.folder, nil)
	if err != nil {
		return nil, err
	}
	if r.layer == nil {
		if r.embed, err = m.NewPartExec(transformer.EmbeddingsPart, 2, embedGraph); err != nil {
			return nil, err
		}
		if r.layer, err = m.NewPartExec(transformer.OneLayer, 2, layerGraph); err != nil {
			return nil, err
		}
	}
	e := &encoder{model: m}
	if e.embed, err = r.embed.On(m); err == nil {
		e.layer, err = r.layer.On(m)
	}
	return e, err
}

// embedGraph: ids [B, n], types [B, n] -> [B, n, H].
func embedGraph(w *transformer.Weights, in []*graph.Node) []*graph.Node {
	return []*graph.Node{w.Embed(transformer.Inputs{IDs: in[0], Types: in[1]}, nil)}
}

// layerGraph: x [B, n, H], mask [B, n] -> [B, n, H], attention [B, A, n, n].
func layerGraph(w *transformer.Weights, in []*graph.Node) []*graph.Node {
	hooks := transformer.Hooks{}
	attention := hooks.Capture(transformer.AttentionProbs, 0)
	y := w.Layer(0, in[0], transformer.Whole(in[0], in[1]), hooks)
	return []*graph.Node{y, *attention}
}

// start computes the embeddings of a batch.
func (e *encoder) start(ctx context.Context, ids, types *tensors.Tensor) (*tensors.Tensor, error) {
	out, err := e.embed.Call(ctx, ids, types)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// next runs a layer, frees its input and returns its output and its attention.
func (e *encoder) next(ctx context.Context, layer int, x, mask *tensors.Tensor) (*tensors.Tensor, attentionMaps, error) {
	out, err := e.layer.CallAt(ctx, layer, x, mask)
	if err != nil {
		return nil, attentionMaps{}, err
	}
	_ = x.FinalizeAll() // nothing depends on its success
	dims := out[1].Shape().Dimensions
	probabilities, err := tensors.CopyFlatData[float32](out[1])
	_ = out[1].FinalizeAll()
	if err == nil && slices.ContainsFunc(probabilities, func(p float32) bool { return p != p }) {
		err = fmt.Errorf("dynamics: the attention of layer %d is not a number: the weights are too large for float32", layer)
	}
	return out[0], attentionMaps{probabilities, dims[1], dims[3]}, err
}
