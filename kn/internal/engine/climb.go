package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
)

// climb evaluates points, those of all layers together. Rows that scale
// layer l enter the layers above with its output, and from there on go in
// one batch with those that entered below. So matrix products are large, and
// their cost of packing the weights small. Gradients go the same way down,
// each row leaving where it had entered.
//
// which are the indices of the points to evaluate; done is told the results,
// by several goroutines at once, the gradient [F] being that of the scaled
// neurons, or nil if not asked for.
func (p *paths) climb(ctx context.Context, points []point, which []int, gradients bool, done results) error {
	for _, i := range which {
		p.work.plan(p.rows(points[i], gradients))
	}
	each := perPath(points, which)
	which = slices.Clone(which)
	slices.SortStableFunc(which, func(a, b int) int { return cmp.Compare(points[a].layer, points[b].layer) })
	// Lanes go side by side: while one waits for an operation that only uses
	// one core, another one uses the others.
	lanes := min(p.sizes.lanes, max(1, len(which)/leastPerLane))
	group, ctx := errgroup.WithContext(ctx)
	for lane := range lanes {
		var own []int
		for k := lane; k < len(which); k += lanes {
			own = append(own, which[k])
		}
		group.Go(func() error {
			for len(own) > 0 {
				n := p.affordable(points, own, each, p.sizes.kept/lanes)
				c := &climb{paths: p, sizes: p.sizes.single(each == 1), points: points, each: each, gradients: gradients, done: done}
				err := c.run(ctx, own[:n])
				c.release()
				if err != nil {
					return err
				}
				own = own[n:]
			}
			return nil
		})
	}
	return group.Wait()
}

// perPath is the number of points that every path with points has among
// those chosen; 0 if they differ.
func perPath(points []point, which []int) (each int) {
	count := map[[2]int]int{}
	for _, i := range which {
		count[[2]int{points[i].sample, points[i].layer}]++
	}
	for _, n := range count {
		if each != 0 && n != each {
			return 0
		}
		each = n
	}
	return each
}

// leastPerLane is the least number of points that make a lane worth while.
const leastPerLane = 4

// results takes the results of the point with index i.
type results func(i int, probability float32, gradient []float32) error

// affordable is how many of the points, in order of their layers, can be
// evaluated together: those whose kept values fit into the memory for them.
func (p *paths) affordable(points []point, which []int, each, memory int) int {
	c := p.e.Model.Config
	perToken := 4 * (bert.KeptValues*c.HiddenSize + c.IntermediateSize)
	total, layer := 0, 0 // layer is where the points of the last one begin
	for k, i := range which {
		if points[i].layer != points[which[layer]].layer {
			layer = k
		}
		tokens := p.batch.n
		if p.batch.packed() {
			tokens = len(p.samples[points[i].sample].IDs)
		}
		total += perToken * tokens * (c.Layers - points[i].layer)
		if total > memory && k > 0 {
			switch {
			case p.batch.packed() && layer > 0:
				k = layer // what is cut fills bins less well
			case each > 0 && k > each:
				k -= k % each // paths are not cut
			}
			return k
		}
	}
	return len(which)
}

// climb is one run up and down.
type climb struct {
	*paths
	sizes     sizes
	points    []point
	each      int // points of a path, if that is the same for all
	gradients bool
	done      results
	blocks    []*block // those that are not part of others
	passing   int      // points in them
}

// run evaluates points, which are in order of their layers.
func (c *climb) run(ctx context.Context, which []int) error {
	last := len(c.layers) - 1
	for l := range last {
		if l > 0 {
			if err := c.up(ctx, l); err != nil {
				return err
			}
		}
		n := 0
		for n < len(which) && c.points[which[n]].layer == l {
			n++
		}
		samples, bins := c.sequences(c.batch.layout, which[:n])
		for _, k := range c.sizes.leaves(len(bins), c.each) {
			if err := c.enter(ctx, l, which[:n], samples, bins[:k]); err != nil {
				return err
			}
			bins = bins[k:]
		}
		which = which[n:]
		c.passing += n
		if err := c.merge(ctx, l+1); err != nil {
			return err
		}
	}
	if err := c.through(ctx, which); err != nil {
		return err
	}
	if err := c.turn(ctx); err != nil {
		return err
	}
	if !c.gradients {
		for _, b := range c.blocks {
			if err := b.each(func(i int, p float32) error { return c.done(i, p, nil) }); err != nil {
				return err
			}
		}
		return nil
	}
	for l := last - 1; l >= 0; l-- {
		if err := c.part(ctx, l+1); err != nil {
			return err
		}
		if l > 0 {
			if err := c.down(ctx, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// enter adds a block of points that scale layer l.
func (c *climb) enter(ctx context.Context, l int, which []int, samples []Sample, bins [][]int) error {
	b := c.block(c.sizes, c.batch.layout, l, which, samples, bins)
	out, err := c.local(ctx, enter, l, append(slices.Clone(b.start), c.layers[l].out, c.source(b), b.pick.tensor())...)
	if err != nil {
		return err
	}
	b.x = out[0]
	c.blocks = append(c.blocks, b)
	return nil
}

// through evaluates the points that scale the last layer, which have no
// layer above. Only their rows are needed, so there is nothing to pack.
func (c *climb) through(ctx context.Context, which []int) error {
	last := len(c.layers) - 1
	step := through
	if !c.gradients {
		step = top
	}
	y := layout{n: c.batch.n, perBin: 1}
	samples, bins := c.sequences(y, which)
	sizes := c.e.sizes.single(c.each == 1)
	for _, k := range sizes.leaves(len(bins), c.each) {
		b := c.block(sizes, y, last, which, samples, bins[:k])
		bins = bins[k:]
		out, err := c.local(ctx, step, last, append(slices.Clone(b.start), b.answers)...)
		if err != nil {
			return err
		}
		if b.probability, err = floats(out[0]); err != nil {
			return err
		}
		if !c.gradients {
			err = b.each(func(i int, p float32) error { return c.done(i, p, nil) })
		} else {
			err = c.hand(b, out[1])
		}
		if err != nil {
			return err
		}
		c.work.spend(b.points() * c.rows(point{layer: last}, c.gradients))
	}
	return nil
}

// up takes all blocks through layer l.
func (c *climb) up(ctx context.Context, l int) error {
	for _, b := range c.blocks {
		if !c.gradients {
			out, err := c.step(ctx, forward, l, b.batch, b.x, b.pick.tensor())
			if err != nil {
				return err
			}
			release(b.x)
			b.x = out[0]
			continue
		}
		out, err := c.step(ctx, keep, l, b.batch, b.x, b.pick.tensor())
		if err != nil {
			return err
		}
		b.passed = append(b.passed, append([]*tensors.Tensor{b.x}, out[1:]...))
		b.x = out[0]
	}
	c.work.spend(c.passing)
	return nil
}

// turn takes all blocks through the last layer and the head: probabilities,
// and x becomes its own gradient.
func (c *climb) turn(ctx context.Context) error {
	step := finish
	if !c.gradients {
		step = answer
	}
	for _, b := range c.blocks {
		out, err := c.step(ctx, step, len(c.layers)-1, b.batch, b.x, b.pick.tensor(), b.answers)
		if err != nil {
			return err
		}
		release(b.x)
		if b.x = nil; c.gradients {
			b.x = out[1]
		}
		if b.probability, err = floats(out[0]); err != nil {
			return err
		}
	}
	c.work.spend(c.passing)
	if c.gradients {
		c.work.spend(c.passing)
	}
	return nil
}

// down takes the gradients of all blocks back through layer l.
func (c *climb) down(ctx context.Context, l int) error {
	for _, b := range c.blocks {
		top := len(b.passed) - 1
		passed := b.passed[top]
		out, err := c.step(ctx, backward, l, b.batch, backwardInputs(passed[0], b.batch, b.x, passed[1:])...)
		if err != nil {
			return err
		}
		release(b.x)
		release(passed...)
		b.passed, b.x = b.passed[:top], out[0]
	}
	c.work.spend(c.passing)
	return nil
}

// merge makes one block of several in the input of layer l, as the sizes allow.
func (c *climb) merge(ctx context.Context, l int) error {
	for {
		which := c.sizes.mergeable(c.blocks)
		if which == nil {
			return nil
		}
		whole := &block{merged: l}
		var rest []*block
		for i, b := range c.blocks {
			if slices.Contains(which, i) {
				whole.parts = append(whole.parts, b)
			} else {
				rest = append(rest, b)
			}
		}
		var args []any
		for _, b := range whole.parts {
			whole.size += b.size
			whole.join(b.batch)
			args = append(args, b.x)
		}
		out, err := c.e.run(ctx, join, 0, form{}, args...)
		if err != nil {
			return err
		}
		whole.x = out[0]
		for _, b := range whole.parts {
			release(b.x)
			b.x = nil
		}
		c.blocks = append(rest, whole)
	}
}

// part takes blocks apart again that were merged in the input of layer l,
// and lets those leave that entered there.
func (c *climb) part(ctx context.Context, l int) error {
	for i := 0; i < len(c.blocks); {
		switch b := c.blocks[i]; {
		case b.parts != nil && b.merged == l:
			if err := c.split(ctx, b); err != nil {
				return err
			}
			c.blocks = slices.Replace(c.blocks, i, i+1, b.parts...)
		case b.parts == nil && b.layer == l-1:
			out, err := c.local(ctx, leave, b.layer, append(slices.Clone(b.start), b.pick.tensor(), b.x)...)
			if err != nil {
				return err
			}
			if err := c.hand(b, out[0]); err != nil {
				return err
			}
			c.passing -= b.points()
			b.release()
			c.blocks = slices.Delete(c.blocks, i, i+1)
		default:
			i++
		}
	}
	return nil
}

// split gives a block's parts their shares of its gradient and probabilities.
func (c *climb) split(ctx context.Context, b *block) error {
	var sizes []int
	for _, part := range b.parts {
		sizes = append(sizes, part.size)
	}
	out, err := c.e.run(ctx, cut(sizes), 0, form{}, b.x)
	if err != nil {
		return err
	}
	release(b.x)
	b.x = nil
	for i, part := range b.parts {
		part.x = out[i]
		rows := len(part.answers)
		part.probability, b.probability = b.probability[:rows], b.probability[rows:]
	}
	return nil
}
