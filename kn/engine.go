package kn

import (
	"context"
	"fmt"
	"sync"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
)

// engine runs the library's graphs on one model and keeps them compiled.
type engine struct {
	model *bert.Model
	mutex sync.Mutex
	execs map[string]*bert.Exec
}

func newEngine(model *bert.Model) *engine {
	return &engine{model: model, execs: map[string]*bert.Exec{}}
}

// exec returns the executable of a name, made on its first use.
func (e *engine) exec(name string, inputs int, fn bert.GraphFn) (*bert.Exec, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if x := e.execs[name]; x != nil {
		return x, nil
	}
	x, err := e.model.NewExec(inputs, fn)
	if err != nil {
		return nil, err
	}
	e.execs[name] = x
	return x, nil
}

// memoryPerBatch bounds the values that one call of a graph keeps for its
// gradient, in bytes; larger batches gain no speed.
const memoryPerBatch = 256 << 20

// rowsPerBatch is the number of sequences of n tokens to run at once.
func (e *engine) rowsPerBatch(n int) int {
	c := e.model.Config
	perToken := 4 * c.Layers * (12*c.HiddenSize + 5*c.IntermediateSize + 2*c.Heads*n)
	return max(1, memoryPerBatch/(perToken*n))
}

// sample is a prompt made ready: its tokens, where [MASK] is among them, and
// the answer's token (0 when none is asked about).
type sample struct {
	ids    []int32
	mask   int
	answer int32
}

// sampleInputs are graph inputs for samples of one length.
type sampleInputs struct {
	ids  [][]int32   // [B, n]
	pick [][]float32 // [B, n], 1 at [MASK]
}

func inputsOf(samples []sample) sampleInputs {
	var in sampleInputs
	for _, s := range samples {
		pick := make([]float32, len(s.ids))
		pick[s.mask] = 1
		in.ids, in.pick = append(in.ids, s.ids), append(in.pick, pick)
	}
	return in
}

// editing are the graph inputs of edits, each [R, L, F] with R the batch or 1.
type editing struct{ maskScale, maskOffset, restScale, restOffset *graph.Node }

// editInputs is the number of inputs that editing takes.
const editInputs = 4

func editingFrom(inputs []*graph.Node) editing {
	return editing{inputs[0], inputs[1], inputs[2], inputs[3]}
}

// hooks applies the edits to every layer's neurons from the given one on.
// pick [B, n] marks [MASK]; where only that row is computed there is no rest.
func (e editing) hooks(hooks bert.Hooks, pick *graph.Node, first, layers int) bert.Hooks {
	at := func(coefficients *graph.Node, l int) *graph.Node { // [R, L, F] -> [R, 1, F]
		return graph.Slice(coefficients, graph.AxisRange(), graph.AxisRange(l, l+1), graph.AxisRange())
	}
	for l := first; l < layers; l++ {
		hooks.Add(bert.FFNPost, l, func(w *graph.Node) *graph.Node { // [B, m, F]
			edited := graph.Add(graph.Mul(w, at(e.maskScale, l)), at(e.maskOffset, l))
			if w.Shape().Dimensions[1] == 1 {
				return edited
			}
			rest := graph.Add(graph.Mul(w, at(e.restScale, l)), at(e.restOffset, l))
			isMask := graph.InsertAxes(pick, -1) // [B, n, 1]
			return graph.Add(graph.Mul(edited, isMask), graph.Mul(rest, graph.OneMinus(isMask)))
		})
	}
	return hooks
}

// editTensors arranges affine edits, one for each batch row, as graph inputs.
func (e *engine) editTensors(rows []affine) []any {
	c := e.model.Config
	size := c.Layers * c.IntermediateSize
	gather := func(part func(affine) []float32, fill float32) any {
		flat := make([]float32, 0, len(rows)*size)
		for _, a := range rows {
			values := part(a)
			for i := len(values); i < size; i++ {
				flat = append(flat, fill)
			}
			flat = append(flat, values...)
		}
		return tensors.FromFlatDataAndDimensions(flat, len(rows), c.Layers, c.IntermediateSize)
	}
	return []any{
		gather(func(a affine) []float32 { return a.maskScale }, 1),
		gather(func(a affine) []float32 { return a.maskOffset }, 0),
		gather(func(a affine) []float32 { return a.restScale }, 1),
		gather(func(a affine) []float32 { return a.restOffset }, 0),
	}
}

// row is one run of the model: a sample under edits.
type row struct {
	sample
	edits affine
}

// distributions returns the probabilities [V] at [MASK] of every row, in
// batches of equal length. visit is called for each row once, in order of
// length.
func (e *engine) distributions(ctx context.Context, rows []row, edited bool, visit func(i int, p []float32) error) error {
	name, inputs := "distribution", 2
	if edited {
		name, inputs = "distribution edited", 2+editInputs
	}
	exec, err := e.exec(name, inputs, func(w *bert.Weights, in []*graph.Node) []*graph.Node {
		hooks := bert.Hooks{}
		if edited {
			editingFrom(in[2:]).hooks(hooks, in[1], 0, len(w.Layers))
		}
		h := w.EncodeRow(bert.Inputs{IDs: in[0]}, in[1], hooks) // [B, H]
		return []*graph.Node{graph.Softmax(w.Logits(h), -1)}    // [B, V]
	})
	if err != nil {
		return err
	}
	return byLength(rows, func(r row) int { return len(r.ids) }, e.rowsPerBatch, func(batch []int) error {
		samples, edits := make([]sample, len(batch)), make([]affine, len(batch))
		for k, i := range batch {
			samples[k], edits[k] = rows[i].sample, rows[i].edits
		}
		in := inputsOf(samples)
		args := []any{in.ids, in.pick}
		if edited {
			args = append(args, e.editTensors(edits)...)
		}
		out, err := exec.Call(ctx, args...)
		if err != nil {
			return err
		}
		probabilities, err := tensors.CopyFlatData[float32](out[0])
		if err != nil {
			return err
		}
		v := e.model.Config.VocabSize
		for k, i := range batch {
			p := probabilities[k*v : (k+1)*v]
			if p[0] != p[0] {
				return fmt.Errorf("kn: the model's output is not a number; are its weights damaged?")
			}
			if err := visit(i, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// byLength calls run with the indices of items in batches of one length.
func byLength[T any](items []T, length func(T) int, limit func(n int) int, run func(batch []int) error) error {
	var lengths []int
	groups := map[int][]int{}
	for i, item := range items {
		n := length(item)
		if groups[n] == nil {
			lengths = append(lengths, n)
		}
		groups[n] = append(groups[n], i)
	}
	for _, n := range lengths {
		group := groups[n]
		for most := limit(n); len(group) > 0; {
			k := min(most, len(group))
			if err := run(group[:k]); err != nil {
				return err
			}
			group = group[k:]
		}
	}
	return nil
}
