package transformer

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// Model is a transformer's weights on a backend.
type Model struct {
	Config  Config
	Backend compute.Backend
	tensors map[string]*tensors.Tensor
	own     []*tensors.Tensor // those that are not shared from another model
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
	m, err := newModel(b, c.Config, c.Source)
	if err != nil {
		return nil, err
	}
	for _, x := range c.Config.Expected() {
		t, ok := c.Tensors[x.Name]
		if !ok {
			return nil, fmt.Errorf("transformer: %s: tensor %s is missing", c.Source, x.Name)
		}
		delete(c.Tensors, x.Name)
		if err := m.upload(x.Name, t); err != nil {
			return nil, fmt.Errorf("transformer: %s: tensor %s: %w", c.Source, x.Name, err)
		}
	}
	return m, nil
}

// Read reads a folder's weights onto a backend: straight into its memory
// where the backend lets others write there, as those that compute on the
// processor do.
func Read(ctx context.Context, b compute.Backend, folder *checkpoint.Folder, progress checkpoint.Progress) (*Model, error) {
	if !b.HasSharedBuffers() {
		c, err := folder.Load(ctx, progress)
		if err != nil {
			return nil, err
		}
		return NewModelOn(b, c)
	}
	m, err := newModel(b, folder.Config(), folder.Source())
	if err != nil {
		return nil, err
	}
	if _, err := folder.LoadInto(ctx, m.place, progress); err != nil {
		return nil, err
	}
	return m, nil
}

func newModel(b compute.Backend, c Config, source string) (*Model, error) {
	for _, act := range []string{c.HiddenAct, c.HeadAct()} {
		if _, ok := activations[act]; !ok {
			return nil, fmt.Errorf("transformer: %s: config.json: hidden_act %q is not known", source, act)
		}
	}
	return &Model{Config: c, Backend: b, tensors: map[string]*tensors.Tensor{}}, nil
}

// upload copies a tensor to the backend.
func (m *Model) upload(name string, t checkpoint.Tensor) error {
	return backend.Try(func() error {
		w := tensors.FromFlatDataAndDimensions(t.Data, t.Shape...)
		m.put(name, w)
		return w.MaterializeOnDevice(m.Backend, false, 0)
	})
}

// put makes a tensor the model's own.
func (m *Model) put(name string, t *tensors.Tensor) {
	m.tensors[name], m.own = t, append(m.own, t)
}

// Free gives back the memory of the tensors that the model does not share
// from another one: all of them in a model that was read, and in one by
// [Model.With] or [Combiner.Combine] those that were computed for it. It must
// not be used any more, nor those that share tensors from it; those that it
// shares tensors from may. The backend's memory is not the garbage collector's
// to measure.
func (m *Model) Free() {
	for _, t := range m.own {
		_ = t.FinalizeAll() // nothing depends on its success
	}
	m.own = nil
	clear(m.tensors)
}

// Shared returns a model with the same tensors that owns none of them: its Free
// leaves them alone.
func (m *Model) Shared() *Model {
	return &Model{Config: m.Config, Backend: m.Backend, tensors: maps.Clone(m.tensors)}
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
	HeadPart       // of a masked language model
	ClassifierPart // pooler and classifier
	// Transposed gives the dense layers of other parts their weights twice, as
	// they are and transposed, which the Go backend is quick with where matrices are
	// small. The model must have them by [Model.Transpose].
	Transposed
)

// wholeModel are the parts that a model with this configuration has.
func wholeModel(c Config) Parts {
	if c.Classifies() {
		return EmbeddingsPart | AllLayers | ClassifierPart
	}
	return EmbeddingsPart | AllLayers | HeadPart
}

// weights asks lookup for the weights of the parts, always in the same order.
func (p Parts) weights(c Config, layer int, lookup Lookup) *Weights {
	if p&Transposed != 0 {
		return p.withTransposed(c, layer, lookup)
	}
	w := &Weights{Config: c}
	// A tied head needs the word embeddings, but only once.
	var word *graph.Node
	if p&EmbeddingsPart != 0 {
		w.Embeddings = NewEmbeddings(c, lookup)
		word = w.Embeddings.Word
	} else if p&HeadPart != 0 && c.TieWordEmbeddings {
		word = lookup(c.WordEmbeddings(), c.VocabSize, c.EmbeddingWidth())
	}
	switch {
	case p&AllLayers != 0:
		w.Layers = NewLayers(c, lookup)
	case p&OneLayer != 0:
		w.Layers = []LayerWeights{newLayer(c, layer, lookup)}
	}
	if p&HeadPart != 0 {
		w.Head = newHead(c, word, lookup)
	}
	if p&ClassifierPart != 0 {
		w.Pooler = NewDense("bert.pooler.dense", c.HiddenSize, c.HiddenSize, lookup)
		w.Classifier = NewDense("classifier", len(c.Labels), c.HiddenSize, lookup)
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
	parts   Parts
	exec    *graph.Exec
	weights [][]string // names of the weights for each layer that the graph can be given; one entry if that is no matter
	ready   sync.Map   // when each graph had been called, by graph.GraphId
}

// maxGraphs bounds the compiled graphs that an Exec keeps; prompts of every
// length with every batch size fit in it many times over.
const maxGraphs = 4096

// NewExec makes an executable of fn, which takes the given number of inputs
// and is given all weights.
func (m *Model) NewExec(inputs int, fn GraphFn) (*Exec, error) {
	return m.NewPartExec(wholeModel(m.Config), inputs, fn)
}

// NewPartExec makes an executable of fn, which is given the weights of some
// parts of the model.
func (m *Model) NewPartExec(parts Parts, inputs int, fn GraphFn) (*Exec, error) {
	e := &Exec{model: m, parts: parts}
	choices := 1
	if parts&OneLayer != 0 {
		choices = m.Config.Layers
	}
	for l := range choices {
		var names []string
		parts.weights(m.Config, l, func(name string, _ ...int) *graph.Node {
			names = append(names, name)
			return new(graph.Node)
		})
		e.weights = append(e.weights, names)
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
	return e.CallOn(ctx, e.model, layer, inputs...)
}

// CallOn is [Exec.CallAt] with the weights of m, which must come by
// [Model.With] from the model that the graph was made for. Nothing is compiled
// again.
func (e *Exec) CallOn(ctx context.Context, m *Model, layer int, inputs ...any) (outputs []*tensors.Tensor, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	weights := e.weights[min(layer, len(e.weights)-1)]
	args := append(make([]any, 0, len(inputs)+len(weights)), inputs...)
	for _, name := range weights {
		args = append(args, m.tensors[name])
	}
	var g *graph.Graph
	begun := time.Now()
	err = backend.Try(func() (err error) {
		outputs, g, err = e.exec.CallWithGraph(args...)
		return err
	})
	if err != nil {
		return nil, err
	}
	// Calls that began before the graph's first one had ended have compiled it
	// or have waited for that.
	if ready, _ := e.ready.LoadOrStore(g.GraphId(), time.Now()); begun.Before(ready.(time.Time)) && !backend.TakesAnyShape(e.model.Backend) {
		backend.Compiled(ctx, begun)
	}
	return outputs, nil
}
