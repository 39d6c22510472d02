package bert

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// Model is a BERT's weights on a backend.
type Model struct {
	Config  Config
	Backend compute.Backend
	tensors map[string]*tensors.Tensor
}

// NewModel puts a checkpoint's tensors on the process's backend. The
// checkpoint's own copy is released tensor by tensor, so that the weights
// are not held twice.
func NewModel(c *checkpoint.Checkpoint) (*Model, error) {
	b, err := backend.Get()
	if err != nil {
		return nil, err
	}
	return NewModelOn(b, c)
}

// NewModelOn is [NewModel] on a backend of the caller's choice.
func NewModelOn(b compute.Backend, c *checkpoint.Checkpoint) (*Model, error) {
	if _, ok := activations[c.Config.HiddenAct]; !ok {
		return nil, fmt.Errorf("bert: %s: config.json: hidden_act %q is not known", c.Source, c.Config.HiddenAct)
	}
	m := &Model{Config: c.Config, Backend: b, tensors: map[string]*tensors.Tensor{}}
	var err error
	take := func(name string, dims ...int) *graph.Node {
		t, ok := c.Tensors[name]
		if !ok {
			err = fmt.Errorf("bert: %s: tensor %s is missing", c.Source, name)
			return nil
		}
		delete(c.Tensors, name)
		w := tensors.FromFlatDataAndDimensions(t.Data, dims...)
		if e := w.MaterializeOnDevice(b, false, 0); e != nil && err == nil {
			err = fmt.Errorf("bert: %s: tensor %s: %w", c.Source, name, e)
		}
		m.tensors[name] = w
		return nil
	}
	if e := backend.Try(func() error { NewWeights(c.Config, take); return err }); e != nil {
		return nil, e
	}
	return m, nil
}

// Parts says which of a model's weights a graph is given.
type Parts uint8

// The parts of a model. A graph on OneLayer finds the layer's weights in
// w.Layers[0] and is told at each call which layer that is, so it is
// compiled once for all of them.
const (
	EmbeddingsPart Parts = 1 << iota
	OneLayer
	AllLayers
	HeadPart
	WholeModel = EmbeddingsPart | AllLayers | HeadPart
)

// weights asks lookup for the weights of the parts, always in the same order.
func (p Parts) weights(c Config, layer int, lookup Lookup) *Weights {
	w := &Weights{Config: c}
	// A tied head needs the word embeddings, but only once.
	var word *graph.Node
	if p&EmbeddingsPart != 0 {
		w.Embeddings = newEmbeddings(c, lookup)
		word = w.Embeddings.Word
	} else if p&HeadPart != 0 && c.TieWordEmbeddings {
		word = lookup(wordEmbeddings, c.VocabSize, c.HiddenSize)
	}
	switch {
	case p&AllLayers != 0:
		for l := range c.Layers {
			w.Layers = append(w.Layers, newLayer(c, l, lookup))
		}
	case p&OneLayer != 0:
		w.Layers = []LayerWeights{newLayer(c, layer, lookup)}
	}
	if p&HeadPart != 0 {
		w.Head = newHead(c, word, lookup)
	}
	return w
}

// GraphFn builds a graph from the weights' nodes and its own inputs.
type GraphFn func(w *Weights, inputs []*graph.Node) []*graph.Node

// Exec runs a [GraphFn] on a model. A graph is built and compiled for each
// combination of input shapes, and kept. It may be used by several
// goroutines at once.
type Exec struct {
	model   *Model
	exec    *graph.Exec
	weights [][]any // the arguments for each layer that the graph can be given; one entry if that is no matter
}

// maxGraphs bounds the compiled graphs that an Exec keeps; prompts of every
// length with every batch size fit in it many times over.
const maxGraphs = 4096

// NewExec makes an executable of fn, which takes the given number of inputs
// and is given all weights.
func (m *Model) NewExec(inputs int, fn GraphFn) (*Exec, error) {
	return m.NewPartExec(WholeModel, inputs, fn)
}

// NewPartExec makes an executable of fn, which is given the weights of some
// parts of the model.
func (m *Model) NewPartExec(parts Parts, inputs int, fn GraphFn) (*Exec, error) {
	e := &Exec{model: m}
	choices := 1
	if parts&OneLayer != 0 {
		choices = m.Config.Layers
	}
	for l := range choices {
		var args []any
		parts.weights(m.Config, l, func(name string, _ ...int) *graph.Node {
			args = append(args, m.tensors[name])
			return nil
		})
		e.weights = append(e.weights, args)
	}
	err := backend.Try(func() (err error) {
		e.exec, err = graph.NewExec(m.Backend, func(nodes []*graph.Node) []*graph.Node {
			next := inputs
			w := parts.weights(m.Config, 0, func(string, ...int) *graph.Node {
				next++
				return nodes[next-1]
			})
			return fn(w, nodes[:inputs])
		})
		if err == nil {
			e.exec.SetMaxCache(maxGraphs)
		}
		return err
	})
	return e, err
}

// Call runs the graph on inputs, each a tensor or a Go value that GoMLX
// makes one of. A call that has begun runs to its end; ctx is looked at
// before it.
func (e *Exec) Call(ctx context.Context, inputs ...any) (outputs []*tensors.Tensor, err error) {
	return e.CallAt(ctx, 0, inputs...)
}

// CallAt is [Exec.Call] with the weights of the given layer for a graph on [OneLayer].
func (e *Exec) CallAt(ctx context.Context, layer int, inputs ...any) (outputs []*tensors.Tensor, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	weights := e.weights[min(layer, len(e.weights)-1)]
	args := append(append(make([]any, 0, len(inputs)+len(weights)), inputs...), weights...)
	err = backend.Try(func() (err error) {
		outputs, err = e.exec.Call(args...)
		return err
	})
	return outputs, err
}
