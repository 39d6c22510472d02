package engine

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"
)

// integrationBatch is a batch of samples that are attributed together. It
// evaluates P(a·w) and its gradient on their integration paths, of which a
// sample has one for each layer.
//
// The layers below the scaled one, and the scaled layer's own attention, do not
// depend on a: observe computes them once. A sweep computes what is above. At
// a = 1 all paths meet in the unmodified model, where a single backward pass
// gives the gradients of all layers.
type integrationBatch struct {
	e       *Engine
	sizes   sizes // as the layout needs them
	samples []Sample
	batch   batch // the samples, in P rows
	row     []int // the row of each sample
	eps     float64
	edits   [][]any // [L] edits as graph inputs, nil for layers without
	work    *work

	layers []observed  // [L]
	atOne  [][]float32 // [L] of [P·F]: the neurons' gradient at a = 1, nil until it is needed

	activations [][][]float64   // [samples][L][F]
	probability []float64       // [samples]
	zero        [][]float64     // [samples][L] probability at a = 0
	top         *tensors.Tensor // gradient [b, n, H] of the last layer's input
}

// observed is what the unmodified model did in one layer.
type observed struct {
	in, out    *tensors.Tensor   // [b, n, H]; out is nil in the last layer
	mid, added *tensors.Tensor   // [P, H] at [MASK]; added is what the neurons add, without the bias
	neurons    *tensors.Tensor   // [P, F] at [MASK]
	saved      []*tensors.Tensor // the saved activations; none in the last layer
}

// integrationBatch runs the unmodified model on samples in a layout. nodes is
// how many each path is likely to need, by which progress estimates the share
// of the work that is done.
func (e *Engine) integrationBatch(ctx context.Context, samples []Sample, y layout, edits Edits, eps float64, nodes int, progress func(share float64)) (*integrationBatch, error) {
	c := e.Model.Config
	lengths := make([]int, len(samples))
	for i, s := range samples {
		lengths[i] = len(s.IDs)
	}
	packs := y.fill(lengths)
	ib := &integrationBatch{
		e: e, eps: eps, sizes: e.sizes.of(y), samples: samples, row: make([]int, len(samples)),
		batch:  y.batch(samples, packs, e.sizes.batch(len(packs))),
		layers: make([]observed, c.Layers), atOne: make([][]float32, c.Layers), zero: make([][]float64, len(samples)),
		work: &work{tell: progress},
	}
	for r, i := range ib.batch.rows {
		if i >= 0 {
			ib.row[i], ib.zero[i] = r, make([]float64, c.Layers)
		}
	}
	ib.work.expect(ib.total(nodes))
	ib.work.plan(2 * c.Layers * len(samples)) // the unmodified model, forwards and backwards
	for l := range c.Layers {
		ib.edits = append(ib.edits, editTensors([]*Edits{&edits}, l, c.IntermediateSize))
	}
	if err := ib.observe(ctx); err != nil {
		ib.release()
		return nil, err
	}
	return ib, nil
}

// observe runs the unmodified model.
func (ib *integrationBatch) observe(ctx context.Context) error {
	b, last := ib.batch, len(ib.layers)-1
	out, err := ib.e.run(ctx, embed, 0, form{eps: ib.eps}, b.ids.tensor(), b.positions.tensor())
	if err != nil {
		return err
	}
	ib.layers[0].in = out[0]
	for l := range last {
		out, err := ib.step(ctx, observe, l, b, ib.layers[l].in, b.pick.tensor())
		if err != nil {
			return err
		}
		o := &ib.layers[l]
		o.mid, o.neurons, o.added, o.out, o.saved = out[0], out[1], out[2], out[3], out[4:]
		ib.layers[l+1].in = o.out
		ib.work.spend(len(ib.samples))
	}
	out, err = ib.step(ctx, observeAnswer, last, b, ib.layers[last].in, b.pick.tensor(), b.answers)
	if err != nil {
		return err
	}
	o := &ib.layers[last]
	ib.top, o.mid, o.neurons, o.added = out[1], out[2], out[3], out[4]
	ib.work.spend(2 * len(ib.samples)) // with the last layer's gradient
	if ib.atOne[last], err = floats(out[5]); err != nil {
		return err
	}
	return ib.read(out[0])
}

// step runs a step in a layer, with the batch's mask and the layer's edits.
func (ib *integrationBatch) step(ctx context.Context, s step, l int, b batch, args ...any) ([]*tensors.Tensor, error) {
	f := form{masked: b.masked, edited: ib.edits[l] != nil, eps: ib.eps}
	return ib.e.run(ctx, s, l, f, b.arguments(args, ib.edits[l])...)
}

// local runs a step that takes neither mask nor edits.
func (ib *integrationBatch) local(ctx context.Context, s step, l int, args ...any) ([]*tensors.Tensor, error) {
	return ib.e.run(ctx, s, l, form{eps: ib.eps}, args...)
}

// read copies out probabilities and activations.
func (ib *integrationBatch) read(probability *tensors.Tensor) error {
	flat, err := floats(probability)
	if err != nil {
		return err
	}
	ib.probability, ib.activations = make([]float64, len(ib.samples)), make([][][]float64, len(ib.samples))
	for i, r := range ib.row {
		if ib.probability[i] = float64(flat[r]); flat[r] != flat[r] {
			return errNaN
		}
	}
	f := ib.e.Model.Config.IntermediateSize
	for _, o := range ib.layers {
		flat, err := tensors.CopyFlatData[float32](o.neurons)
		if err != nil {
			return err
		}
		for i, r := range ib.row {
			ib.activations[i] = append(ib.activations[i], widen(flat[r*f:(r+1)*f]))
		}
	}
	return nil
}

// release frees what was observed.
func (ib *integrationBatch) release() {
	for _, o := range ib.layers {
		release(o.in, o.out, o.mid, o.neurons, o.added)
		release(o.saved...)
	}
	release(ib.top)
}

// point is a place on a path: a sample, the layer that is scaled, a factor.
type point struct {
	sample, layer int
	factor        float64
}

// evaluate returns the probability and w·gradient at points.
func (ib *integrationBatch) evaluate(ctx context.Context, points []point) (probability []float64, products [][]float64, err error) {
	probability, products = make([]float64, len(points)), make([][]float64, len(points))
	var ends, rest []int
	for i, pt := range points {
		if pt.factor == 1 {
			ends = append(ends, i)
		} else {
			rest = append(rest, i)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ib.evaluateEnds(ctx, points, ends, probability, products) })
	group.Go(func() error {
		return ib.sweep(ctx, points, rest, true, func(i int, prob float32, gradient []float32) (err error) {
			probability[i] = float64(prob)
			products[i], err = ib.product(points[i], gradient)
			return err
		})
	})
	return probability, products, group.Wait()
}

// evaluateEnds evaluates the points with the indices which, whose factor is 1:
// the unmodified model has their gradients.
func (ib *integrationBatch) evaluateEnds(ctx context.Context, points []point, which []int, probability []float64, products [][]float64) (err error) {
	f := ib.e.Model.Config.IntermediateSize
	for _, i := range which {
		pt := points[i]
		if ib.atOne[pt.layer] == nil {
			if err := ib.backwardAll(ctx); err != nil {
				return err
			}
		}
		probability[i] = ib.probability[pt.sample]
		r := ib.row[pt.sample]
		if products[i], err = ib.product(pt, ib.atOne[pt.layer][r*f:(r+1)*f]); err != nil {
			return err
		}
	}
	return nil
}

// product is the activation times the gradient, neuron by neuron [F].
func (ib *integrationBatch) product(pt point, gradient []float32) ([]float64, error) {
	product := make([]float64, len(gradient))
	for i, w := range ib.activations[pt.sample][pt.layer] {
		product[i] = w * float64(gradient[i])
		if product[i] != product[i] {
			return nil, fmt.Errorf("kn: the gradient of neuron %d:%d is not a number at factor %g", pt.layer, i, pt.factor)
		}
	}
	return product, nil
}

// probabilities returns the probabilities at points.
func (ib *integrationBatch) probabilities(ctx context.Context, points []point) ([]float64, error) {
	probability, all := make([]float64, len(points)), make([]int, len(points))
	for i := range all {
		all[i] = i
	}
	return probability, ib.sweep(ctx, points, all, false, func(i int, prob float32, _ []float32) error {
		probability[i] = float64(prob)
		return nil
	})
}

// backwardAll takes the unmodified model's gradient back through all layers.
func (ib *integrationBatch) backwardAll(ctx context.Context) error {
	g := ib.top
	for l := len(ib.layers) - 2; l >= 0; l-- {
		o := &ib.layers[l]
		out, err := ib.step(ctx, backwardNeurons, l, ib.batch, backwardInputs(o.in, ib.batch, g, o.saved)...)
		if err != nil {
			return err
		}
		release(g)
		release(o.saved...)
		g, o.saved = out[0], nil
		if ib.atOne[l], err = floats(out[1]); err != nil {
			return err
		}
		ib.work.spend(len(ib.samples))
	}
	release(g)
	ib.top = nil
	return nil
}

// backwardInputs are the inputs of backward and backwardNeurons.
func backwardInputs(x *tensors.Tensor, b batch, gradient *tensors.Tensor, saved []*tensors.Tensor) []any {
	args := []any{x, b.pick.tensor(), gradient}
	for _, v := range saved {
		args = append(args, v)
	}
	return args
}

// widen converts to float64.
func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
