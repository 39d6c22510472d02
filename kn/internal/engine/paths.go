package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
)

// paths evaluates P(a·w) and its gradient along the paths of samples of one
// padded length, layer by layer.
//
// What is below the scaled layer, and the scaled layer's own attention, does
// not depend on a and is computed once, by newPaths. The rest of a point is
// enter, keep for every layer above, finish, backward for every layer down
// again, leave. At a = 1 all layers' paths meet, in the unmodified model:
// one run backwards gives the gradients of all layers there.
type paths struct {
	e       *Engine
	batch   batch // [P], padded
	samples int   // of the batch, those that are not padding
	eps     float64
	edits   [][]any // [L] edits as graph inputs, nil for layers without

	layers []observed  // [L]
	atOne  [][]float32 // [L] of [P·F]: the neurons' gradient at a = 1, once asked for

	activations [][][]float64   // [P][L][F]
	probability []float64       // [P]
	zero        [][]float64     // [P][L] probability at a = 0, below 0 where not known yet
	top         *tensors.Tensor // gradient [P, n, H] of the last layer's input
}

// observed is what the unmodified model did in one layer.
type observed struct {
	in, out      *tensors.Tensor   // [P, n, H]; out is nil in the last layer
	mid, neurons *tensors.Tensor   // [P, H], [P, F] at [MASK]
	values       []*tensors.Tensor // those of keep; none in the last layer
}

// paths runs the unmodified model on samples of one padded length.
func (e *Engine) paths(ctx context.Context, samples []Sample, edits Edits, eps float64) (*paths, error) {
	c := e.Model.Config
	n := 0
	for _, s := range samples {
		n = max(n, e.sizes.length(len(s.IDs), c.MaxPositions))
	}
	p := &paths{
		e: e, eps: eps, samples: len(samples),
		batch:  batchOf(samples, n, e.sizes.batch(len(samples)), e.sizes.static),
		layers: make([]observed, c.Layers), atOne: make([][]float32, c.Layers),
	}
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
	out, err := p.e.run(ctx, embed, 0, form{eps: p.eps}, b.ids)
	if err != nil {
		return err
	}
	p.layers[0].in = out[0]
	for l := range last {
		out, err := p.step(ctx, observe, l, b, p.layers[l].in, b.pick)
		if err != nil {
			return err
		}
		o := &p.layers[l]
		o.mid, o.neurons, o.out, o.values = out[0], out[1], out[2], out[3:]
		p.layers[l+1].in = o.out
	}
	out, err = p.step(ctx, finishTo, last, b, p.layers[last].in, b.pick, b.answers)
	if err != nil {
		return err
	}
	o := &p.layers[last]
	p.top, o.mid, o.neurons = out[1], out[2], out[3]
	if p.atOne[last], err = floats(out[4]); err != nil {
		return err
	}
	return p.read(out[0])
}

// step runs a step in a layer, with mask and edits as the batch and the layer have them.
func (p *paths) step(ctx context.Context, s step, l int, b batch, args ...any) ([]*tensors.Tensor, error) {
	f := form{masked: b.mask != nil, edited: p.edits[l] != nil, eps: p.eps}
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
	p.probability, p.activations = widen(flat[:p.samples]), make([][][]float64, p.samples)
	for _, v := range p.probability {
		if v != v {
			return errNaN
		}
	}
	f := p.e.Model.Config.IntermediateSize
	for _, o := range p.layers {
		flat, err := tensors.CopyFlatData[float32](o.neurons)
		if err != nil {
			return err
		}
		for i := range p.samples {
			p.activations[i] = append(p.activations[i], widen(flat[i*f:(i+1)*f]))
		}
	}
	return nil
}

// release frees what was observed.
func (p *paths) release() {
	for _, o := range p.layers {
		release(o.in, o.out, o.mid, o.neurons)
		release(o.values...)
	}
	release(p.top)
}

// point is a place on a path: a sample and a factor.
type point struct {
	sample int
	factor float64
}

// evaluate returns the probability and w·gradient at points on the paths of
// layer l.
func (p *paths) evaluate(ctx context.Context, l int, points []point) (probability []float64, products [][]float64, err error) {
	// Where a is 1 the unmodified model has the gradients of all layers.
	var rest []point
	for _, pt := range points {
		if pt.factor != 1 {
			rest = append(rest, pt)
		}
	}
	if len(rest) < len(points) && p.atOne[l] == nil {
		if err := p.descend(ctx); err != nil {
			return nil, nil, err
		}
	}
	var prob, gradient []float32
	for chunk := range slices.Chunk(rest, p.e.rowsPerBatch(p.batch.n)) {
		some, g, err := p.rows(ctx, l, chunk, true)
		if err != nil {
			return nil, nil, err
		}
		prob, gradient = append(prob, some...), append(gradient, g...)
	}
	f := p.e.Model.Config.IntermediateSize
	for _, pt := range points {
		var g []float32
		if pt.factor == 1 {
			g = p.atOne[l][pt.sample*f : (pt.sample+1)*f]
			probability = append(probability, p.probability[pt.sample])
		} else {
			g, gradient = gradient[:f], gradient[f:]
			probability, prob = append(probability, float64(prob[0])), prob[1:]
		}
		product := make([]float64, f)
		for i, w := range p.activations[pt.sample][l] {
			product[i] = w * float64(g[i])
			if product[i] != product[i] {
				return nil, nil, fmt.Errorf("kn: the gradient of neuron %d:%d is not a number at factor %g", l, i, pt.factor)
			}
		}
		products = append(products, product)
	}
	return probability, products, nil
}

// probabilities returns the probability at points on the paths of layer l.
func (p *paths) probabilities(ctx context.Context, l int, points []point) (probability []float64, err error) {
	for chunk := range slices.Chunk(points, p.e.rowsPerBatch(p.batch.n)) {
		some, _, err := p.rows(ctx, l, chunk, false)
		if err != nil {
			return nil, err
		}
		probability = append(probability, widen(some)...)
	}
	return probability, nil
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
	}
	release(g)
	p.top = nil
	return nil
}

// backwardInputs are the inputs of backward and backwardTo.
func backwardInputs(x *tensors.Tensor, b batch, gradient *tensors.Tensor, values []*tensors.Tensor) []any {
	args := []any{x, b.pick, gradient}
	for _, v := range values {
		args = append(args, v)
	}
	return args
}

// rows runs one batch of points on the paths of layer l: probabilities [R]
// and, if asked for, the neurons' gradients [R·F].
func (p *paths) rows(ctx context.Context, l int, points []point, gradients bool) (probability, gradient []float32, err error) {
	size := p.e.sizes.batch(len(points))
	which, factor := make([]int32, size), make([]float32, size)
	for k := range size {
		pt := points[min(k, len(points)-1)]
		which[k], factor[k] = int32(pt.sample), float32(pt.factor)
	}
	r := &run{paths: p, batch: p.batch.chosen(which), layer: l, start: []any{p.layers[l].mid, p.layers[l].neurons, which, factor}}
	defer r.release()
	if gradients {
		probability, gradient, err = r.gradient(ctx)
	} else {
		probability, err = r.probability(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	f := p.e.Model.Config.IntermediateSize
	return probability[:len(points)], gradient[:min(len(gradient), len(points)*f)], nil
}

// run is one batch of rows on its way through the layers above its own.
type run struct {
	*paths
	batch batch // [R]
	layer int
	start []any // mid, neurons, which, factor

	x      *tensors.Tensor     // [R, n, H] where the rows are now
	inputs []*tensors.Tensor   // of the layers passed
	values [][]*tensors.Tensor // kept in them
}

func (r *run) release() {
	release(r.x)
	release(r.inputs...)
	for _, v := range r.values {
		release(v...)
	}
}

// enter sets the rows at the layer's output.
func (r *run) enter(ctx context.Context) error {
	out, err := r.local(ctx, enter, r.layer, append(slices.Clone(r.start), r.layers[r.layer].out, r.batch.pick)...)
	if err == nil {
		r.x = out[0]
	}
	return err
}

// probability is the forward run alone.
func (r *run) probability(ctx context.Context) ([]float32, error) {
	last := len(r.layers) - 1
	if r.layer == last {
		out, err := r.local(ctx, top, last, append(slices.Clone(r.start), r.batch.answers)...)
		if err != nil {
			return nil, err
		}
		return floats(out[0])
	}
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	for k := r.layer + 1; k < last; k++ {
		out, err := r.step(ctx, forward, k, r.batch, r.x, r.batch.pick)
		if err != nil {
			return nil, err
		}
		release(r.x)
		r.x = out[0]
	}
	out, err := r.step(ctx, answer, last, r.batch, r.x, r.batch.pick, r.batch.answers)
	if err != nil {
		return nil, err
	}
	return floats(out[0])
}

// gradient is the run up and down again.
func (r *run) gradient(ctx context.Context) (probability, gradient []float32, err error) {
	last := len(r.layers) - 1
	if r.layer == last {
		out, err := r.local(ctx, through, last, append(slices.Clone(r.start), r.batch.answers)...)
		if err != nil {
			return nil, nil, err
		}
		return both(out[0], out[1])
	}
	if err := r.enter(ctx); err != nil {
		return nil, nil, err
	}
	for k := r.layer + 1; k < last; k++ {
		out, err := r.step(ctx, keep, k, r.batch, r.x, r.batch.pick)
		if err != nil {
			return nil, nil, err
		}
		r.inputs, r.values, r.x = append(r.inputs, r.x), append(r.values, out[1:1+bert.KeptValues]), out[0]
	}
	out, err := r.step(ctx, finish, last, r.batch, r.x, r.batch.pick, r.batch.answers)
	if err != nil {
		return nil, nil, err
	}
	p, g := out[0], out[1]
	for k := last - 1; k > r.layer; k-- {
		top := len(r.inputs) - 1
		x, values := r.inputs[top], r.values[top]
		out, err := r.step(ctx, backward, k, r.batch, backwardInputs(x, r.batch, g, values)...)
		if err != nil {
			release(p, g)
			return nil, nil, err
		}
		release(g, x)
		release(values...)
		r.inputs, r.values, g = r.inputs[:top], r.values[:top], out[0]
	}
	out, err = r.local(ctx, leave, r.layer, append(slices.Clone(r.start), r.batch.pick, g)...)
	release(g)
	if err != nil {
		release(p)
		return nil, nil, err
	}
	return both(p, out[0])
}

// both copies two tensors out.
func both(a, b *tensors.Tensor) (x, y []float32, err error) {
	if x, err = floats(a); err != nil {
		return nil, nil, err
	}
	y, err = floats(b)
	return x, y, err
}

// widen converts to float64.
func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
