package engine

import "github.com/gomlx/gomlx/core/tensors"

// block is the batch that a [layerPass] takes through the layers as one. It is
// either injected above a layer, or merged from other blocks there.
type block struct {
	batch
	size  int             // packs, with padding
	x     *tensors.Tensor // [B, n, H]: forwards the next layer's input, backwards its gradient
	value []float32       // [S] of each slot, once it is known

	saved [][]*tensors.Tensor // for each layer it has passed, its input and the saved activations

	// Of a merged block: the blocks, and the layer in whose input they were merged.
	parts  []*block
	merged int

	// Of an injected block: its points, and the layer that they scale.
	which []int // [S] in each slot, -1 for none
	layer int
	start []any // mid, added, which, factor: see scaled
}

func (p *layerPass) release() {
	for _, b := range p.blocks {
		b.release()
	}
}

func (b *block) release() {
	release(b.x)
	for _, values := range b.saved {
		release(values...)
	}
	for _, part := range b.parts {
		part.release()
	}
}

// pack returns the points' samples, and how they lie in packs.
func (p *layerPass) pack(y layout, which []int) (samples []Sample, packs [][]int) {
	lengths := make([]int, len(which))
	for k, i := range which {
		samples = append(samples, p.samples[p.points[i].sample])
		lengths[k] = len(samples[k].IDs)
	}
	return samples, y.fill(lengths)
}

// block prepares packs of points that scale layer l.
func (p *layerPass) block(sizes sizes, y layout, l int, which []int, samples []Sample, packs [][]int) *block {
	size := sizes.padded(len(packs))
	b := &block{batch: y.batch(samples, packs, size), size: size, layer: l}
	rows := p.form.answers
	from, factor := make([]int32, len(b.slots)*rows), make([]float32, len(b.slots)*rows)
	for i, k := range b.slots {
		slot := 0
		if b.which = append(b.which, -1); k >= 0 {
			pt := p.points[which[k]]
			b.which[i], slot = which[k], p.slot[pt.sample]
			for j := range rows {
				from[i*rows+j], factor[i*rows+j] = int32(slot*rows+j), float32(pt.factor)
			}
		}
		if y.tail {
			b.past = append(b.past, int32(slot))
		}
	}
	b.start = []any{p.layers[l].mid, p.layers[l].added, from, factor}
	return b
}

// source says for each token [B, n] of a block which of the unmodified model's
// tokens it is. Padding, which nothing attends to, may be any: it is the first.
func (p *layerPass) source(b *block) *tensors.Tensor {
	source := input[int32]{flat: make([]int32, b.size*b.n), columns: b.n}
	for slot, i := range b.which {
		if i < 0 {
			continue
		}
		sample := p.points[i].sample
		from := p.batch.tokens[p.slot[sample]]
		for j := range p.samples[sample].IDs {
			source.flat[b.tokens[slot]+j] = int32(from + j)
		}
	}
	return source.tensor()
}

// points is the number of an injected block's points.
func (b *block) points() (n int) {
	for _, i := range b.which {
		if i >= 0 {
			n++
		}
	}
	return n
}

// splitValue gives a block's parts their shares of its values.
func (b *block) splitValue() {
	rest := b.value
	for _, part := range b.parts {
		slots := len(part.answers) / b.kind.answers
		part.value, rest = rest[:slots], rest[slots:]
	}
}

// emitGradients passes an injected block's results on, gradient being [R, F].
func (p *layerPass) emitGradients(b *block, gradient *tensors.Tensor) error {
	flat, err := floats(gradient)
	if err != nil {
		return err
	}
	width := p.width()
	for slot, i := range b.which {
		if i < 0 {
			continue
		}
		if err := p.done(i, b.value[slot], flat[slot*width:(slot+1)*width]); err != nil {
			return err
		}
	}
	return nil
}

// emitValues passes the values of a block's points on.
func (p *layerPass) emitValues(b *block) error {
	b.splitValue()
	for _, part := range b.parts {
		if err := p.emitValues(part); err != nil {
			return err
		}
	}
	for slot, i := range b.which {
		if i < 0 {
			continue
		}
		if err := p.done(i, b.value[slot], nil); err != nil {
			return err
		}
	}
	return nil
}
