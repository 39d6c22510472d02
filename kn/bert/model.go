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
	weights []any // *tensors.Tensor each, in the order in which NewWeights asks
}

// NewModel puts a checkpoint's tensors on the process's backend. The
// checkpoint's own copy is released tensor by tensor, so that the weights
// are not held twice.
func NewModel(c *checkpoint.Checkpoint) (*Model, error) {
	if _, ok := activations[c.Config.HiddenAct]; !ok {
		return nil, fmt.Errorf("bert: %s: config.json: hidden_act %q is not known", c.Source, c.Config.HiddenAct)
	}
	b, err := backend.Get()
	if err != nil {
		return nil, err
	}
	m := &Model{Config: c.Config, Backend: b}
	err = backend.Try(func() error {
		NewWeights(c.Config, func(name string, dims ...int) *graph.Node {
			t, ok := c.Tensors[name]
			if !ok {
				err = fmt.Errorf("bert: %s: tensor %s is missing", c.Source, name)
				return nil
			}
			delete(c.Tensors, name)
			m.weights = append(m.weights, tensors.FromFlatDataAndDimensions(t.Data, dims...))
			return nil
		})
		for _, w := range m.weights {
			if err := w.(*tensors.Tensor).MaterializeOnDevice(b, false, 0); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// GraphFn builds a graph from the weights' nodes and its own inputs.
type GraphFn func(w *Weights, inputs []*graph.Node) []*graph.Node

// Exec runs a [GraphFn] on a model. A graph is built and compiled for each
// combination of input shapes, and kept. It may be used by several
// goroutines at once.
type Exec struct {
	model *Model
	exec  *graph.Exec
}

// maxGraphs bounds the compiled graphs that an Exec keeps; prompts of every
// length with every batch size fit in it many times over.
const maxGraphs = 4096

// NewExec makes an executable of fn, which takes the given number of inputs.
func (m *Model) NewExec(inputs int, fn GraphFn) (*Exec, error) {
	e := &Exec{model: m}
	err := backend.Try(func() (err error) {
		e.exec, err = graph.NewExec(m.Backend, func(nodes []*graph.Node) []*graph.Node {
			next := inputs
			w := NewWeights(m.Config, func(string, ...int) *graph.Node {
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
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	args := append(append(make([]any, 0, len(inputs)+len(e.model.weights)), inputs...), e.model.weights...)
	err = backend.Try(func() (err error) {
		outputs, err = e.exec.Call(args...)
		return err
	})
	return outputs, err
}
