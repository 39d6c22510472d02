// Package engine computes with one model: probabilities under edits, neurons'
// activations, and attributions. Package kn, or a worker process in its place,
// runs it for what is not in the cache. Everything is asked of one method,
// [Engine.Do].
//
// A model is run layer by layer. The graphs take the weights of one layer as
// arguments, so a dozen small graphs serve all layers and all start layers,
// which is what makes compiling affordable where it is not free. Only what
// depends on the scaled row is computed, and nothing twice: see
// integrationBatch and layerPass.
package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Engine runs the library's graphs on one model and keeps them compiled. It
// may be used by several goroutines at once.
type Engine struct {
	Model *transformer.Model

	graphs *graphs
	sizes  sizes
}

// graphs are the compiled graphs, which a model shares with those that edits
// make of it: weights are arguments.
type graphs struct {
	model *transformer.Model
	parts transformer.Parts // those that steps with weights take in addition

	mutex sync.Mutex
	execs map[graphKey]*transformer.Exec
}

// New makes an engine of a model.
func New(model *transformer.Model) *Engine {
	e := &Engine{Model: model, graphs: &graphs{model: model, execs: map[graphKey]*transformer.Exec{}}, sizes: sizesFor(model.Backend)}
	// A large model's matrices are multiplied quickly in either layout, and take
	// too much memory twice. Without the copies it works, too.
	small := !backend.Large(model.Config.Parameters())
	if small && backend.TakesAnyShape(model.Backend) && model.Transpose() == nil {
		e.graphs.parts = transformer.Transposed
	}
	if model.Config.Causal() {
		e.sizes.packing = layout{} // what is evaluated many times is a tail of a few tokens
	}
	return e
}

// form is what decides a graph besides the shapes of its inputs.
type form struct {
	answers   int     // tokens of each answer
	logarithm bool    // answers have the logarithms of their probabilities: always if they are of several tokens, whose product may be too small for a float32
	masked    bool    // an attention mask is among the inputs
	past      bool    // a causal layer's past is among the inputs
	edited    bool    // a layer's edits are among the inputs
	eps       float64 // the norms' epsilon in place of the configuration's, unless 0
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

// context is what the rows x [B, n, H] attend to, themselves or their past
// included.
func (in *inputs) context(x *graph.Node) transformer.Context {
	c := transformer.Context{Keys: x}
	if in.form.masked {
		c.Mask = in.next() // [B, 1 or n, n]
	}
	if in.form.past {
		keys, values, of, positions := in.next(), in.next(), graph.InsertAxes(in.next(), -1), in.next()
		c.Positions = positions // [B, n]
		c.Past = past(graph.Gather(keys, of), graph.Gather(values, of), positions)
	}
	return c
}

// past is what a causal layer knows of the tokens before rows with the given
// positions [B, k]: keys, values [B, p, G·d], of tokens from the first one on.
func past(keys, values, positions *graph.Node) *transformer.Past {
	first := graph.Slice(positions, graph.AxisRange(), graph.AxisRange(0, 1)) // [B, 1]
	place := graph.Iota(keys.Graph(), shapes.Make(first.DType(), 1, keys.Shape().Dimensions[1]), 1)
	before := graph.ConvertDType(graph.LessThan(place, first), keys.DType()) // [B, p]
	return &transformer.Past{Keys: keys, Values: values, Mask: before}
}

// hooks returns hooks that apply the layer's edits, if it has any.
func (in *inputs) hooks(pick *graph.Node) transformer.Hooks {
	hooks := transformer.Hooks{}
	if in.form.edited {
		addEdits(hooks, pick, in.take(editInputs))
	}
	return hooks
}

// step is one of the engine's graphs: its unique name, the weights that it
// takes, and what builds it. Its last inputs are the mask, the past (keys,
// values, whose it is, and the rows' positions) and the edits, in this order,
// where its form has them.
type step struct {
	name  string
	parts transformer.Parts
	build func(w *transformer.Weights, in *inputs) []*graph.Node
}

// run runs a step with the weights of a layer.
func (e *Engine) run(ctx context.Context, s step, layer int, f form, args ...any) ([]*tensors.Tensor, error) {
	exec, err := e.graphs.exec(s, f, len(args))
	if err != nil {
		return nil, err
	}
	return exec.CallOn(ctx, e.Model, layer, args...)
}

func (g *graphs) exec(s step, f form, inputCount int) (*transformer.Exec, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	key := graphKey{s.name, f, inputCount}
	if x := g.execs[key]; x != nil {
		return x, nil
	}
	parts := s.parts
	if parts&(transformer.OneLayer|transformer.HeadPart) != 0 {
		parts |= g.parts
	}
	x, err := g.model.NewPartExec(parts, inputCount, func(w *transformer.Weights, nodes []*graph.Node) []*graph.Node {
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
