package engine

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"
)

// paths evaluates P(a·w) and its gradient along the paths of samples, layer by
// layer.
//
// What is below the scaled layer, and the scaled layer's own attention, does
// not depend on a and is computed once, by observe. The rest is up to climb.
// At a = 1 all layers' paths meet, in the unmodified model: one run backwards
// gives the gradients of all layers there.
type paths struct {
	e       *Engine
	sizes   sizes // as the layout needs them
	samples []Sample
	batch   batch // the samples, in P rows
	row     []int // the row of each sample
	eps     float64
	edits   [][]any // [L] edits as graph inputs, nil for layers without
	work    *work

	layers []observed  // [L]
	atOne  [][]float32 // [L] of [P·F]: the neurons' gradient at a = 1, once asked for

	activations [][][]float64   // [samples][L][F]
	probability []float64       // [samples]
	zero        [][]float64     // [samples][L] probability at a = 0, below 0 where not known yet
	top         *tensors.Tensor // gradient [b, n, H] of the last layer's input
}

// observed is what the unmodified model did in one layer.
type observed struct {
	in, out    *tensors.Tensor   // [b, n, H]; out is nil in the last layer
	mid, added *tensors.Tensor   // [P, H] at [MASK]; added is what the neurons add, without the bias
	neurons    *tensors.Tensor   // [P, F] at [MASK]
	values     []*tensors.Tensor // those of keep; none in the last layer
}

// paths runs the unmodified model on samples that lie as a layout says.
// progress is told the share of the work that is done, where every layer
// is likely to need so many nodes.
func (e *Engine) paths(ctx context.Context, samples []Sample, y layout, edits Edits, eps float64, nodes int, progress func(share float64)) (*paths, error) {
	c := e.Model.Config
	lengths := make([]int, len(samples))
	for i, s := range samples {
		lengths[i] = len(s.IDs)
	}
	bins := y.fill(lengths)
	p := &paths{
		e: e, eps: eps, sizes: e.sizes.of(y), samples: samples, row: make([]int, len(samples)),
		batch:  y.batch(samples, bins, e.sizes.batch(len(bins))),
		layers: make([]observed, c.Layers), atOne: make([][]float32, c.Layers),
		work: &work{tell: progress},
	}
	for r, i := range p.batch.rows {
		if i >= 0 {
			p.row[i] = r
		}
	}
	p.work.expect(p.total(nodes))
	p.work.plan(2 * c.Layers * len(samples)) // the unmodified model, forwards and backwards
	for l := range c.Layers {
		p.edits = append(p.edits, editTensors([]*Edits{&edits}, l, c.IntermediateSize))
	}
	if err := p.observe(ctx); err != nil {
		p.release()
		return nil, err
	}
	return p, nil
}

// observe runs the unmodified model.
func (p *paths) observe(ctx context.Context) error {
	b, last := p.batch, len(p.layers)-1
	out, err := p.e.run(ctx, embed, 0, form{eps: p.eps}, b.ids.tensor(), b.positions.tensor())
	if err != nil {
		return err
	}
	p.layers[0].in = out[0]
	for l := range last {
		out, err := p.step(ctx, observe, l, b, p.layers[l].in, b.pick.tensor())
		if err != nil {
			return err
		}
		o := &p.layers[l]
		o.mid, o.neurons, o.added, o.out, o.values = out[0], out[1], out[2], out[3], out[4:]
		p.layers[l+1].in = o.out
		p.work.spend(len(p.samples))
	}
	out, err = p.step(ctx, finishTo, last, b, p.layers[last].in, b.pick.tensor(), b.answers)
	if err != nil {
		return err
	}
	o := &p.layers[last]
	p.top, o.mid, o.neurons, o.added = out[1], out[2], out[3], out[4]
	p.work.spend(2 * len(p.samples)) // the last layer's gradient is there, too
	if p.atOne[last], err = floats(out[5]); err != nil {
		return err
	}
	return p.read(out[0])
}

// step runs a step in a layer, with mask and edits as the batch and the layer have them.
func (p *paths) step(ctx context.Context, s step, l int, b batch, args ...any) ([]*tensors.Tensor, error) {
	f := form{masked: b.hides, edited: p.edits[l] != nil, eps: p.eps}
	return p.e.run(ctx, s, l, f, b.arguments(args, p.edits[l])...)
}

// local runs a step that knows neither mask nor edits.
func (p *paths) local(ctx context.Context, s step, l int, args ...any) ([]*tensors.Tensor, error) {
	return p.e.run(ctx, s, l, form{eps: p.eps}, args...)
}

// read copies probabilities and activations out of what was observed.
func (p *paths) read(probability *tensors.Tensor) error {
	flat, err := floats(probability)
	if err != nil {
		return err
	}
	p.probability, p.activations = make([]float64, len(p.samples)), make([][][]float64, len(p.samples))
	for i, r := range p.row {
		if p.probability[i] = float64(flat[r]); flat[r] != flat[r] {
			return errNaN
		}
	}
	f := p.e.Model.Config.IntermediateSize
	for _, o := range p.layers {
		flat, err := tensors.CopyFlatData[float32](o.neurons)
		if err != nil {
			return err
		}
		for i, r := range p.row {
			p.activations[i] = append(p.activations[i], widen(flat[r*f:(r+1)*f]))
		}
	}
	return nil
}

// release frees what was observed.
func (p *paths) release() {
	for _, o := range p.layers {
		release(o.in, o.out, o.mid, o.neurons, o.added)
		release(o.values...)
	}
	release(p.top)
}

// point is a place on a path: a sample, the layer that is scaled, a factor.
type point struct {
	sample, layer int
	factor        float64
}

// evaluate returns the probability and w·gradient at points.
func (p *paths) evaluate(ctx context.Context, points []point) (probability []float64, products [][]float64, err error) {
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
	group.Go(func() error { return p.evaluateEnds(ctx, points, ends, probability, products) })
	group.Go(func() error {
		return p.climb(ctx, points, rest, true, func(i int, prob float32, gradient []float32) (err error) {
			probability[i] = float64(prob)
			products[i], err = p.product(points[i], gradient)
			return err
		})
	})
	return probability, products, group.Wait()
}

// evaluateEnds is evaluate for those points, by their indices, that have the
// factor 1, where the unmodified model has the gradients of all layers.
func (p *paths) evaluateEnds(ctx context.Context, points []point, which []int, probability []float64, products [][]float64) (err error) {
	f := p.e.Model.Config.IntermediateSize
	for _, i := range which {
		pt := points[i]
		if p.atOne[pt.layer] == nil {
			if err := p.descend(ctx); err != nil {
				return err
			}
		}
		probability[i] = p.probability[pt.sample]
		r := p.row[pt.sample]
		if products[i], err = p.product(pt, p.atOne[pt.layer][r*f:(r+1)*f]); err != nil {
			return err
		}
	}
	return nil
}

// product is the activation times the gradient [F].
func (p *paths) product(pt point, gradient []float32) ([]float64, error) {
	product := make([]float64, len(gradient))
	for i, w := range p.activations[pt.sample][pt.layer] {
		product[i] = w * float64(gradient[i])
		if product[i] != product[i] {
			return nil, fmt.Errorf("kn: the gradient of neuron %d:%d is not a number at factor %g", pt.layer, i, pt.factor)
		}
	}
	return product, nil
}

// probabilities returns the probability at points.
func (p *paths) probabilities(ctx context.Context, points []point) ([]float64, error) {
	probability, all := make([]float64, len(points)), make([]int, len(points))
	for i := range all {
		all[i] = i
	}
	return probability, p.climb(ctx, points, all, false, func(i int, prob float32, _ []float32) error {
		probability[i] = float64(prob)
		return nil
	})
}

// descend takes the gradient of the unmodified model down through all layers.
func (p *paths) descend(ctx context.Context) error {
	g := p.top
	for l := len(p.layers) - 2; l >= 0; l-- {
		o := &p.layers[l]
		out, err := p.step(ctx, backwardTo, l, p.batch, backwardInputs(o.in, p.batch, g, o.values)...)
		if err != nil {
			return err
		}
		release(g)
		release(o.values...)
		g, o.values = out[0], nil
		if p.atOne[l], err = floats(out[1]); err != nil {
			return err
		}
		p.work.spend(len(p.samples))
	}
	release(g)
	p.top = nil
	return nil
}

// backwardInputs are the inputs of backward and backwardTo.
func backwardInputs(x *tensors.Tensor, b batch, gradient *tensors.Tensor, values []*tensors.Tensor) []any {
	args := []any{x, b.pick.tensor(), gradient}
	for _, v := range values {
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
