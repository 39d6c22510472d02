package kn

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
)

// paths evaluates P(a·w) and its gradient along the paths of P samples of n
// tokens. What does not depend on a is computed once, by prefix.
type paths struct {
	e       *engine
	samples []sample
	edits   []any // graph inputs; empty for none
	eps     float64

	pick    [][]float32       // [P, n], 1 at [MASK]
	targets []int32           // [P] the answers
	mid     []*tensors.Tensor // [L] of [P, H]: ResidMid at [MASK]
	out     []*tensors.Tensor // [L] of [P, n, H]: ResidPost of the unmodified model
	neurons []*tensors.Tensor // [L] of [P, F]: FFNPost at [MASK]

	activations [][][]float64 // [P][L][F]
	probability []float64     // [P]
}

// variant names a graph by what decides its form besides its inputs' shapes.
func (p *paths) variant(kind string, layer int) string {
	return fmt.Sprintf("%s %d edited=%t eps=%g", kind, layer, len(p.edits) > 0, p.eps)
}

// weights are w with LayerNorm's epsilon replaced if asked for.
func (p *paths) weights(w *bert.Weights) *bert.Weights {
	if p.eps != 0 {
		w.Config.LayerNormEps = p.eps
	}
	return w
}

// paths runs the unmodified model on samples of one length.
func (e *engine) paths(ctx context.Context, samples []sample, edits []Edit, eps float64) (*paths, error) {
	c := e.model.Config
	p := &paths{e: e, samples: samples, eps: eps}
	if len(edits) > 0 {
		p.edits = e.editTensors([]affine{compose(edits, c.Layers, c.IntermediateSize)})
	}
	for _, s := range samples {
		p.targets = append(p.targets, s.answer)
	}
	in := inputsOf(samples)
	p.pick = in.pick
	exec, err := e.exec(p.variant("prefix", 0), 2+len(p.edits), p.prefix)
	if err != nil {
		return nil, err
	}
	outputs, err := exec.Call(ctx, append([]any{in.ids, in.pick}, p.edits...)...)
	if err != nil {
		return nil, err
	}
	p.mid, p.out, p.neurons = outputs[1:1+c.Layers], outputs[1+c.Layers:1+2*c.Layers], outputs[1+2*c.Layers:]
	return p, p.read(outputs[0])
}

// prefix is the graph of the unmodified model with what the paths need:
// inputs ids [P, n], pick [P, n], edits; outputs the distribution [P, V],
// then per layer ResidMid [P, H], ResidPost [P, n, H], FFNPost [P, F].
func (p *paths) prefix(w *bert.Weights, in []*graph.Node) []*graph.Node {
	w = p.weights(w)
	ids, pick, hooks := in[0], in[1], bert.Hooks{}
	if len(in) > 2 {
		editingFrom(in[2:]).hooks(hooks, pick, 0, len(w.Layers))
	}
	var mid, out, neurons []**graph.Node
	for l := range w.Layers {
		mid = append(mid, hooks.Capture(bert.ResidMid, l))
		out = append(out, hooks.Capture(bert.ResidPost, l))
		neurons = append(neurons, hooks.Capture(bert.FFNPost, l)) // after the edits
	}
	h := bert.Row(w.Encode(bert.Inputs{IDs: ids}, hooks), pick) // [P, H]
	outputs := []*graph.Node{graph.Softmax(w.Logits(h), -1)}    // [P, V]
	for _, x := range mid {
		outputs = append(outputs, bert.Row(*x, pick))
	}
	for _, x := range out {
		outputs = append(outputs, *x)
	}
	for _, x := range neurons {
		outputs = append(outputs, bert.Row(*x, pick))
	}
	return outputs
}

// read copies probabilities and activations out of the prefix's outputs.
func (p *paths) read(distribution *tensors.Tensor) error {
	flat, err := tensors.CopyFlatData[float32](distribution)
	if err != nil {
		return err
	}
	v, f := p.e.model.Config.VocabSize, p.e.model.Config.IntermediateSize
	for i, s := range p.samples {
		probability := float64(flat[i*v+int(s.answer)])
		if probability != probability {
			return fmt.Errorf("kn: the model's output is not a number; are its weights damaged?")
		}
		p.probability = append(p.probability, probability)
	}
	p.activations = make([][][]float64, len(p.samples))
	for _, layer := range p.neurons {
		flat, err := tensors.CopyFlatData[float32](layer)
		if err != nil {
			return err
		}
		for i := range p.samples {
			p.activations[i] = append(p.activations[i], widen(flat[i*f:(i+1)*f]))
		}
	}
	return nil
}

// tail returns the graph from layer l's neurons on. R rows each scale the
// neurons of one sample by one factor:
//
//	mid [P, H], out [P, n, H], neurons [P, F], pick [P, n], targets [P],
//	which [R] sample of the row, factor [R], edits
//
// and its outputs are P(factor·w) [R] and its gradient [R, F].
func (p *paths) tail(l int) bert.GraphFn {
	return func(w *bert.Weights, in []*graph.Node) []*graph.Node {
		w = p.weights(w)
		rows := func(x *graph.Node) *graph.Node { return graph.Gather(x, graph.InsertAxes(in[5], -1)) }
		mid, out, pick, targets := rows(in[0]), rows(in[1]), rows(in[3]), rows(in[4])
		scaled := graph.Mul(rows(in[2]), graph.InsertAxes(in[6], -1)) // [R, F]
		hooks := bert.Hooks{}
		if len(in) > 7 {
			editingFrom(in[7:]).hooks(hooks, pick, l+1, len(w.Layers))
		}
		row := w.FFNOut(l, mid, scaled, nil) // [R, H]
		for k := l + 1; k < len(w.Layers); k++ {
			x := bert.SetRow(out, pick, row) // [R, n, H]
			if k < len(w.Layers)-1 {
				out = w.Layer(k, x, x, nil, hooks) // [R, n, H]
				row = bert.Row(out, pick)          // [R, H]
				continue
			}
			row = graph.Squeeze(w.Layer(k, graph.InsertAxes(row, 1), x, nil, hooks), 1) // [R, H]
		}
		probability := w.Probability(row, targets) // [R]
		// Rows do not touch each other: the sum's gradient is each row's own.
		gradient := graph.Gradient(graph.ReduceAllSum(probability), scaled)[0] // [R, F]
		return []*graph.Node{probability, gradient}
	}
}

// point is a place on a path: a sample and a factor.
type point struct {
	sample int
	factor float64
}

// evaluate returns the probability and w·gradient at points on the paths of
// layer l, in batches.
func (p *paths) evaluate(ctx context.Context, l int, points []point) (probability []float64, products [][]float64, err error) {
	exec, err := p.e.exec(p.variant("tail", l), 7+len(p.edits), p.tail(l))
	if err != nil {
		return nil, nil, err
	}
	f := p.e.model.Config.IntermediateSize
	for batch := range slices.Chunk(points, p.e.rowsPerBatch(len(p.pick[0]))) {
		which, factor := make([]int32, len(batch)), make([]float32, len(batch))
		for k, pt := range batch {
			which[k], factor[k] = int32(pt.sample), float32(pt.factor)
		}
		args := append([]any{p.mid[l], p.out[l], p.neurons[l], p.pick, p.targets, which, factor}, p.edits...)
		out, err := exec.Call(ctx, args...)
		if err != nil {
			return nil, nil, err
		}
		prob, err := tensors.CopyFlatData[float32](out[0])
		if err != nil {
			return nil, nil, err
		}
		gradient, err := tensors.CopyFlatData[float32](out[1])
		if err != nil {
			return nil, nil, err
		}
		probability = append(probability, widen(prob)...)
		for k, pt := range batch {
			product := widen(gradient[k*f : (k+1)*f])
			for i, w := range p.activations[pt.sample][l] {
				product[i] *= w
				if product[i] != product[i] {
					return nil, nil, fmt.Errorf("kn: the gradient of neuron %v is not a number at factor %g", Neuron{l, i}, pt.factor)
				}
			}
			products = append(products, product)
		}
	}
	return probability, products, nil
}

// widen converts to float64.
func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
