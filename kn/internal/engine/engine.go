// Package engine computes with one model: probabilities under edits, neurons'
// activations, and attributions. Package kn, or a worker process in its place,
// runs it for what is not in the cache. Everything is asked of one method,
// [Engine.Do].
//
// A model is run layer by layer. The graphs take the weights of one layer as
// arguments, so a dozen small graphs serve all layers and all start layers,
// which is what makes compiling affordable where it is not free. Only what
// depends on the scaled row is computed, and nothing twice: see
// integrationBatch and sweep.
package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
)

// Engine runs the library's graphs on one model and keeps them compiled. It
// may be used by several goroutines at once.
type Engine struct {
	Model *bert.Model

	graphs *graphs
	sizes  sizes
}

// graphs are the compiled graphs, which a model shares with those that edits
// make of it: weights are arguments.
type graphs struct {
	model *bert.Model

	mutex sync.Mutex
	execs map[graphKey]*bert.Exec
}

// New makes an engine of a model.
func New(model *bert.Model) *Engine {
	return &Engine{Model: model, graphs: &graphs{model: model, execs: map[graphKey]*bert.Exec{}}, sizes: sizesFor(model.Backend)}
}

// form is what decides a graph besides the shapes of its inputs.
type form struct {
	masked bool    // an attention mask is among the inputs
	edited bool    // a layer's edits are among the inputs
	eps    float64 // LayerNorm's epsilon in place of the configuration's, unless 0
}

type graphKey struct {
	name   string
	form   form
	inputs int
}

// inputs hands out a graph's inputs one after another.
type inputs struct {
	nodes []*graph.Node
	form  form
}

func (in *inputs) next() *graph.Node {
	n := in.nodes[0]
	in.nodes = in.nodes[1:]
	return n
}

// take hands out the next n.
func (in *inputs) take(n int) []*graph.Node {
	taken := in.nodes[:n]
	in.nodes = in.nodes[n:]
	return taken
}

// mask returns the mask [B, 1 or n, n], or nil if there is none.
func (in *inputs) mask() *graph.Node {
	if !in.form.masked {
		return nil
	}
	return in.next()
}

// hooks returns hooks that apply the layer's edits, if it has any.
func (in *inputs) hooks(pick *graph.Node) bert.Hooks {
	hooks := bert.Hooks{}
	if in.form.edited {
		addEdits(hooks, pick, in.take(editInputs))
	}
	return hooks
}

// step is one of the engine's graphs: its unique name, the weights that it
// takes, and what builds it. Its last inputs are the mask and the edits, in this
// order, where its form has them.
type step struct {
	name  string
	parts bert.Parts
	build func(w *bert.Weights, in *inputs) []*graph.Node
}

// run runs a step with the weights of a layer.
func (e *Engine) run(ctx context.Context, s step, layer int, f form, args ...any) ([]*tensors.Tensor, error) {
	exec, err := e.graphs.exec(s, f, len(args))
	if err != nil {
		return nil, err
	}
	return exec.CallOn(ctx, e.Model, layer, args...)
}

func (g *graphs) exec(s step, f form, inputCount int) (*bert.Exec, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	key := graphKey{s.name, f, inputCount}
	if x := g.execs[key]; x != nil {
		return x, nil
	}
	x, err := g.model.NewPartExec(s.parts, inputCount, func(w *bert.Weights, nodes []*graph.Node) []*graph.Node {
		if f.eps != 0 {
			w.Config.LayerNormEps = f.eps
		}
		return s.build(w, &inputs{nodes, f})
	})
	if err != nil {
		return nil, err
	}
	g.execs[key] = x
	return x, nil
}

// release frees tensors' memory now. The garbage collector does not see the
// backend's memory, and would let too much of it pile up.
func release(all ...*tensors.Tensor) {
	for _, t := range all {
		if t != nil {
			_ = t.FinalizeAll() // nothing depends on its success
		}
	}
}

// floats copies a tensor out and frees it.
func floats(t *tensors.Tensor) ([]float32, error) {
	flat, err := tensors.CopyFlatData[float32](t)
	release(t)
	return flat, err
}

// errNaN says that a model's output is not a number.
var errNaN = fmt.Errorf("kn: the model's output is not a number; are its weights damaged?")
