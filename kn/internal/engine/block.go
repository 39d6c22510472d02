package engine

import "github.com/gomlx/gomlx/core/tensors"

// block is bins that go together.
type block struct {
	batch
	size int             // bins, with padding
	x    *tensors.Tensor // [B, n, H]: going up what enters the next layer, going down its gradient

	passed [][]*tensors.Tensor // for each layer passed its input and the values kept

	// A block is either made of others, in the input of a layer,
	parts  []*block
	merged int
	// or entered there itself.
	which       []int // [R] of the points, -1 for none
	layer       int   // the one that they scale
	start       []any // mid, added, which, factor
	probability []float32
}

func (c *climb) release() {
	for _, b := range c.blocks {
		b.release()
	}
}

func (b *block) release() {
	release(b.x)
	for _, values := range b.passed {
		release(values...)
	}
	for _, part := range b.parts {
		part.release()
	}
}

// sequences are the points' samples, and how they lie in bins.
func (c *climb) sequences(y layout, which []int) (samples []Sample, bins [][]int) {
	lengths := make([]int, len(which))
	for k, i := range which {
		samples = append(samples, c.samples[c.points[i].sample])
		lengths[k] = len(samples[k].IDs)
	}
	return samples, y.fill(lengths)
}

// block prepares bins of points that scale layer l.
func (c *climb) block(s sizes, y layout, l int, which []int, samples []Sample, bins [][]int) *block {
	size := s.padded(len(bins))
	b := &block{batch: y.batch(samples, bins, size), size: size, layer: l}
	from, factor := make([]int32, len(b.rows)), make([]float32, len(b.rows))
	for r, k := range b.rows {
		if b.which = append(b.which, -1); k >= 0 {
			pt := c.points[which[k]]
			b.which[r], from[r], factor[r] = which[k], int32(c.row[pt.sample]), float32(pt.factor)
		}
	}
	b.start = []any{c.layers[l].mid, c.layers[l].added, from, factor}
	return b
}

// source says for each token [B, n] of a block which one of the unmodified
// model's it is. Padding, which nothing attends to, may be any: it is the first.
func (c *climb) source(b *block) *tensors.Tensor {
	source := input[int32]{flat: make([]int32, b.size*b.n), columns: b.n}
	for r, i := range b.which {
		if i < 0 {
			continue
		}
		sample := c.points[i].sample
		from := c.batch.tokens[c.row[sample]]
		for j := range c.samples[sample].IDs {
			source.flat[b.tokens[r]+j] = int32(from + j)
		}
	}
	return source.tensor()
}

// hand passes a block's results on, gradient being [R, F].
func (c *climb) hand(b *block, gradient *tensors.Tensor) error {
	flat, err := floats(gradient)
	if err != nil {
		return err
	}
	f := c.e.Model.Config.IntermediateSize
	for r, i := range b.which {
		if i < 0 {
			continue
		}
		if err := c.done(i, b.probability[r], flat[r*f:(r+1)*f]); err != nil {
			return err
		}
	}
	return nil
}

// points is the number of points that entered with the block itself.
func (b *block) points() (n int) {
	for _, i := range b.which {
		if i >= 0 {
			n++
		}
	}
	return n
}

// each visits the probabilities of a block's points.
func (b *block) each(visit func(i int, p float32) error) error {
	rest := b.probability
	for _, part := range b.parts {
		rows := len(part.answers)
		part.probability, rest = rest[:rows], rest[rows:]
		if err := part.each(visit); err != nil {
			return err
		}
	}
	for r, i := range b.which {
		if i < 0 {
			continue
		}
		if err := visit(i, b.probability[r]); err != nil {
			return err
		}
	}
	return nil
}
