package engine

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// integrationBatch is a batch of samples that are attributed together. It
// evaluates P(a·w), or its logarithm, and the gradient on their integration
// paths, of which a sample has one for each layer. w are the layer's neurons
// where the answer is predicted: one row of them for each of its k tokens.
//
// The layers below the scaled one, and the scaled layer's own attention, do not
// depend on a: observe computes them once. A layerPass computes what is above, in a
// causal model only in those rows, since nothing before them changes. At
// a = 1 all paths meet in the unmodified model, where a single backward pass
// gives the gradients of all layers.
type integrationBatch struct {
	e       *Engine
	sizes   sizes // as the layout needs them
	samples []Sample
	batch   batch   // the samples, each in a slot, with P rows in all
	tail    batch   // in a causal model the rows alone; elsewhere the same as batch
	slot    []int   // the slot of each sample
	form    form    // what all steps have in common
	raised  bool    // probabilities are asked for, and graphs give their logarithms
	edits   [][]any // [L] edits as graph inputs, nil for layers without
	work    *work

	layers []observed  // [L]
	atOne  [][]float32 // [L] of [P·F]: the neurons' gradient at a = 1, nil until it is needed

	neurons [][][]float64   // [samples][L][k·F] activations, of each row
	value   []float64       // [samples] probability, or its logarithm
	zero    [][]float64     // [samples][L] the same at a = 0
	top     *tensors.Tensor // gradient [b, n, H] of the last layer's input
}

// observed is what the unmodified model did in one layer.
type observed struct {
	in, out    *tensors.Tensor   // [b, n, H]; out is nil in the last layer
	tail       *tensors.Tensor   // [b, k, H] the tail of in; nil unless the model is causal
	mid, added *tensors.Tensor   // [P, H] where the answer is predicted; added is what the neurons add, without the bias
	neurons    *tensors.Tensor   // [P, F] there
	saved      []*tensors.Tensor // the saved activations, of the tail; none in the last layer
	past       []*tensors.Tensor // keys and values [b, n, G·d]; none unless the model is causal
}

// integrationBatch runs the unmodified model on samples in a layout. nodes is
// how many each path is likely to need, by which progress estimates the share
// of the work that is done.
func (e *Engine) integrationBatch(ctx context.Context, samples []Sample, y layout, edits Edits, o Options, nodes int, progress func(share float64)) (*integrationBatch, error) {
	c := e.Model.Config
	lengths := make([]int, len(samples))
	for i, s := range samples {
		lengths[i] = len(s.IDs)
	}
	packs := y.fill(lengths)
	ib := &integrationBatch{
		e: e, sizes: e.sizes.of(y), samples: samples, slot: make([]int, len(samples)),
		form:   form{answers: y.answers, logarithm: o.Logarithm || y.answers > 1, eps: o.LayerNormEps},
		raised: y.answers > 1 && !o.Logarithm,
		batch:  y.batch(samples, packs, e.sizes.batch(len(packs))),
		layers: make([]observed, c.Layers), atOne: make([][]float32, c.Layers), zero: make([][]float64, len(samples)),
		work: &work{tell: progress},
	}
	for s, i := range ib.batch.slots {
		if i >= 0 {
			ib.slot[i], ib.zero[i] = s, make([]float64, c.Layers)
		}
	}
	if ib.tail = ib.batch; c.Causal() {
		ib.tail = tailOf(y.kind).batch(samples, packs, len(ib.batch.slots))
		for s := range ib.batch.slots {
			ib.tail.past = append(ib.tail.past, int32(s))
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
	b, last, causal := ib.batch, len(ib.layers)-1, ib.e.Model.Config.Causal()
	out, err := ib.e.run(ctx, embed, 0, ib.form, b.ids.tensor(), b.positions.tensor())
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
		if causal {
			kept := transformer.KeptValues(ib.e.Model.Config)
			o.saved, o.past, o.tail = o.saved[:kept], o.saved[kept:kept+2], o.saved[kept+2]
		}
		ib.layers[l+1].in = o.out
		ib.work.spend(len(ib.samples))
	}
	out, err = ib.step(ctx, observeAnswer, last, b, ib.layers[last].in, b.pick.tensor(), b.answers)
	if err != nil {
		return err
	}
	o := &ib.layers[last]
	ib.top, o.mid, o.neurons, o.added, o.past = out[1], out[2], out[3], out[4], out[6:]
	ib.work.spend(2 * len(ib.samples)) // with the last layer's gradient
	if ib.atOne[last], err = floats(out[5]); err != nil {
		return err
	}
	return ib.read(out[0])
}

// step runs a step in a layer, with the batch's mask or past and the layer's edits.
func (ib *integrationBatch) step(ctx context.Context, s step, l int, b batch, args ...any) ([]*tensors.Tensor, error) {
	f := ib.form
	f.masked, f.edited, f.past = b.masked, ib.edits[l] != nil, b.layout.tail
	if f.past {
		past := ib.layers[l].past
		args = append(args, past[0], past[1], b.past, b.positions.tensor())
	}
	return ib.e.run(ctx, s, l, f, b.arguments(args, ib.edits[l])...)
}

// local runs a step that takes no mask, past or edits.
func (ib *integrationBatch) local(ctx context.Context, s step, l int, args ...any) ([]*tensors.Tensor, error) {
	return ib.e.run(ctx, s, l, ib.form, args...)
}

// read copies out values and activations.
func (ib *integrationBatch) read(value *tensors.Tensor) error {
	flat, err := floats(value)
	if err != nil {
		return err
	}
	ib.value, ib.neurons = make([]float64, len(ib.samples)), make([][][]float64, len(ib.samples))
	for i, s := range ib.slot {
		if ib.value[i] = ib.target(flat[s]); flat[s] != flat[s] {
			return errNaN
		}
	}
	width := ib.width()
	for _, o := range ib.layers {
		flat, err := tensors.CopyFlatData[float32](o.neurons)
		if err != nil {
			return err
		}
		for i, s := range ib.slot {
			ib.neurons[i] = append(ib.neurons[i], widen(flat[s*width:(s+1)*width]))
		}
	}
	return nil
}

// width is the number of activations of a layer that a sample has: k·F.
func (ib *integrationBatch) width() int {
	return ib.form.answers * ib.e.Model.Config.IntermediateSize
}

// activations are a sample's neurons [L][F], in the mean of the places where its
// answer is predicted.
func (ib *integrationBatch) activations(sample int) [][]float64 {
	means := make([][]float64, len(ib.layers))
	for l, rows := range ib.neurons[sample] {
		means[l] = ib.sumOfRows(rows)
		for i := range means[l] {
			means[l][i] /= float64(ib.form.answers)
		}
	}
	return means
}

// sumOfRows adds up what the rows of a sample have: [k·F] -> [F].
func (ib *integrationBatch) sumOfRows(rows []float64) []float64 {
	sum := slices.Clone(rows[:ib.e.Model.Config.IntermediateSize])
	for i, x := range rows[len(sum):] {
		sum[i%len(sum)] += x
	}
	return sum
}

// release frees what was observed.
func (ib *integrationBatch) release() {
	for _, o := range ib.layers {
		release(o.in, o.out, o.tail, o.mid, o.neurons, o.added)
		release(o.saved...)
		release(o.past...)
	}
	release(ib.top)
}

// point is a place on a path: a sample, the layer that is scaled, a factor.
type point struct {
	sample, layer int
	factor        float64
}

// evaluate returns the value and w·gradient at points.
func (ib *integrationBatch) evaluate(ctx context.Context, points []point) (value []float64, products [][]float64, err error) {
	value, products = make([]float64, len(points)), make([][]float64, len(points))
	var ends, rest []int
	for i, pt := range points {
		if pt.factor == 1 {
			ends = append(ends, i)
		} else {
			rest = append(rest, i)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ib.evaluateEnds(ctx, points, ends, value, products) })
	group.Go(func() error {
		return ib.layerPasses(ctx, points, rest, true, func(i int, v float32, gradient []float32) (err error) {
			value[i] = ib.target(v)
			products[i], err = ib.product(points[i], value[i], gradient)
			return err
		})
	})
	return value, products, group.Wait()
}

// evaluateEnds evaluates the points with the indices which, whose factor is 1:
// the unmodified model has their gradients.
func (ib *integrationBatch) evaluateEnds(ctx context.Context, points []point, which []int, value []float64, products [][]float64) (err error) {
	width := ib.width()
	for _, i := range which {
		pt := points[i]
		if ib.atOne[pt.layer] == nil {
			if err := ib.backwardAll(ctx); err != nil {
				return err
			}
		}
		value[i] = ib.value[pt.sample]
		s := ib.slot[pt.sample]
		if products[i], err = ib.product(pt, value[i], ib.atOne[pt.layer][s*width:(s+1)*width]); err != nil {
			return err
		}
	}
	return nil
}

// target is what is integrated, of a graph's value.
func (ib *integrationBatch) target(v float32) float64 {
	if ib.raised {
		return math.Exp(float64(v))
	}
	return float64(v)
}

// product is the activation times the target's gradient, neuron by neuron [F].
// gradient [k·F] is that of the graph's value: ∂P is P·∂log P.
func (ib *integrationBatch) product(pt point, target float64, gradient []float32) ([]float64, error) {
	product, scale := make([]float64, len(gradient)), 1.0
	if ib.raised {
		scale = target
	}
	for i, w := range ib.neurons[pt.sample][pt.layer] {
		product[i] = w * float64(gradient[i]) * scale
		if product[i] != product[i] {
			return nil, fmt.Errorf("kn: the gradient of neuron %d:%d is not a number at factor %g", pt.layer, i%ib.e.Model.Config.IntermediateSize, pt.factor)
		}
	}
	return ib.sumOfRows(product), nil
}

// values returns the values at points.
func (ib *integrationBatch) values(ctx context.Context, points []point) ([]float64, error) {
	value, all := make([]float64, len(points)), make([]int, len(points))
	for i := range all {
		all[i] = i
	}
	return value, ib.layerPasses(ctx, points, all, false, func(i int, v float32, _ []float32) error {
		value[i] = ib.target(v)
		return nil
	})
}

// backwardAll takes the unmodified model's gradient back through all layers.
func (ib *integrationBatch) backwardAll(ctx context.Context) error {
	g := ib.top
	for l := len(ib.layers) - 2; l >= 0; l-- {
		o := &ib.layers[l]
		x := o.in
		if o.tail != nil {
			x = o.tail
		}
		out, err := ib.step(ctx, backwardNeurons, l, ib.tail, backwardInputs(x, ib.tail, g, o.saved)...)
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
