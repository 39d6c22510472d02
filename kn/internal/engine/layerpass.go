package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// layerPass evaluates points that scale any of the layers, in one pass forwards
// and one backwards over all layers. On the way forwards a point that scales
// layer l is injected above it, as that layer's output, and from there on
// shares batches with the points injected below. So matrix products are large.
// The gradients take the same way back, and each point's is extracted where the
// point was injected.
type layerPass struct {
	*integrationBatch
	sizes     sizes
	points    []point
	perPath   int // see [pointsPerPath]
	gradients bool
	done      results
	blocks    []*block // those that are not part of others
	swept     int      // points in them
}

// results takes the results of the point with index i: its value, and the
// gradient of the scaled neurons [k·F] if gradients are asked for.
type results func(i int, value float32, gradient []float32) error

// minPerLane is the number of points from which on a lane is worth while.
const minPerLane = 4

// layerPasses evaluates the points with the indices which, in as many passes as
// memory demands. It calls done from several goroutines at once.
func (ib *integrationBatch) layerPasses(ctx context.Context, points []point, which []int, gradients bool, done results) error {
	for _, i := range which {
		ib.work.plan(ib.rows(points[i], gradients))
	}
	perPath := pointsPerPath(points, which)
	which = slices.Clone(which)
	slices.SortStableFunc(which, func(a, b int) int { return cmp.Compare(points[a].layer, points[b].layer) })
	// Lanes run side by side. While one waits for an operation that uses a
	// single core, another uses the others.
	lanes := min(ib.sizes.lanes, max(1, len(which)/minPerLane))
	group, ctx := errgroup.WithContext(ctx)
	for lane := range lanes {
		var own []int
		for k := lane; k < len(which); k += lanes {
			own = append(own, which[k])
		}
		group.Go(func() error {
			for len(own) > 0 {
				n := ib.affordable(points, own, perPath, ib.sizes.savedBytes/lanes)
				p := &layerPass{integrationBatch: ib, sizes: ib.sizes.single(perPath == 1), points: points, perPath: perPath, gradients: gradients, done: done}
				err := p.run(ctx, own[:n])
				p.release()
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

// pointsPerPath counts the chosen points on each path. It returns the count if
// all paths that have points have the same, and 0 otherwise.
func pointsPerPath(points []point, which []int) (perPath int) {
	count := map[[2]int]int{}
	for _, i := range which {
		count[[2]int{points[i].sample, points[i].layer}]++
	}
	for _, n := range count {
		if perPath != 0 && n != perPath {
			return 0
		}
		perPath = n
	}
	return perPath
}

// affordable returns how many of the points, which are in order of their
// layers, one pass can evaluate: those whose saved activations fit into memory.
func (ib *integrationBatch) affordable(points []point, which []int, perPath, memory int) int {
	c := ib.e.Model.Config
	perToken := 4 * ((transformer.KeptValues(c)-1)*c.HiddenSize + 2*c.IntermediateSize)
	total, first := 0, 0 // first is the first point that scales the same layer
	for k, i := range which {
		if points[i].layer != points[which[first]].layer {
			first = k
		}
		tokens := ib.tail.n
		if ib.batch.packed() {
			tokens = len(ib.samples[points[i].sample].IDs)
		}
		total += perToken * tokens * (c.Layers - points[i].layer)
		if total > memory && k > 0 {
			switch {
			case ib.batch.packed() && first > 0:
				k = first // a part of a layer's points would pack less well
			case perPath > 0 && k > perPath:
				k -= k % perPath // do not cut a path
			}
			return k
		}
	}
	return len(which)
}

// run evaluates points, which are in order of their layers.
func (p *layerPass) run(ctx context.Context, which []int) error {
	last := len(p.layers) - 1
	for l := range last {
		if l > 0 {
			if err := p.forward(ctx, l); err != nil {
				return err
			}
		}
		n := 0
		for n < len(which) && p.points[which[n]].layer == l {
			n++
		}
		if err := p.inject(ctx, l, which[:n]); err != nil {
			return err
		}
		which = which[n:]
		if err := p.merge(ctx, l+1); err != nil {
			return err
		}
	}
	if err := p.scaleLast(ctx, which); err != nil {
		return err
	}
	if err := p.answer(ctx); err != nil {
		return err
	}
	if !p.gradients {
		for _, b := range p.blocks {
			if err := p.emitValues(b); err != nil {
				return err
			}
		}
		return nil
	}
	for l := last - 1; l >= 0; l-- {
		if err := p.extract(ctx, l); err != nil {
			return err
		}
		if l > 0 {
			if err := p.backward(ctx, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// inject adds blocks of points that scale layer l, and are its outputs.
func (p *layerPass) inject(ctx context.Context, l int, which []int) error {
	y := p.tail.layout
	samples, packs := p.pack(y, which)
	for _, k := range p.sizes.cut(len(packs), p.perPath) {
		b := p.block(p.sizes, y, l, which, samples, packs[:k])
		packs = packs[k:]
		step, args := injectTail, slices.Clone(b.start)
		if !y.tail {
			step, args = inject, append(args, p.layers[l].out, p.source(b), b.pick.tensor())
		}
		out, err := p.local(ctx, step, l, args...)
		if err != nil {
			return err
		}
		b.x = out[0]
		p.blocks = append(p.blocks, b)
	}
	p.swept += len(which)
	return nil
}

// scaleLast evaluates the points that scale the last layer. No layer is above
// it, so only the rows where the answer is predicted are needed and there is
// nothing to pack.
func (p *layerPass) scaleLast(ctx context.Context, which []int) error {
	last := len(p.layers) - 1
	step := scaledAnswerGradient
	if !p.gradients {
		step = scaledAnswer
	}
	y := layout{n: p.batch.n, perPack: 1, kind: p.batch.kind}
	samples, packs := p.pack(y, which)
	sizes := p.e.sizes.single(p.perPath == 1)
	for _, k := range sizes.cut(len(packs), p.perPath) {
		b := p.block(sizes, y, last, which, samples, packs[:k])
		packs = packs[k:]
		out, err := p.local(ctx, step, last, append(slices.Clone(b.start), b.answers)...)
		if err != nil {
			return err
		}
		if b.value, err = floats(out[0]); err != nil {
			return err
		}
		if p.gradients {
			err = p.emitGradients(b, out[1])
		} else {
			err = p.emitValues(b)
		}
		if err != nil {
			return err
		}
		p.work.spend(b.points() * p.rows(point{layer: last}, p.gradients))
	}
	return nil
}

// forward takes all blocks through layer l, and saves what backward needs.
func (p *layerPass) forward(ctx context.Context, l int) error {
	step := forward
	if p.gradients {
		step = forwardSaving
	}
	for _, b := range p.blocks {
		out, err := p.step(ctx, step, l, b.batch, b.x, b.pick.tensor())
		if err != nil {
			return err
		}
		if p.gradients {
			b.saved = append(b.saved, append([]*tensors.Tensor{b.x}, out[1:]...))
		} else {
			release(b.x)
		}
		b.x = out[0]
	}
	p.work.spend(p.swept)
	return nil
}

// answer takes all blocks through the last layer and the head. It computes
// values, and puts the gradient of the last layer's input into x.
func (p *layerPass) answer(ctx context.Context) error {
	step := answer
	if p.gradients {
		step = answerGradient
	}
	for _, b := range p.blocks {
		out, err := p.step(ctx, step, len(p.layers)-1, b.batch, b.x, b.pick.tensor(), b.answers)
		if err != nil {
			return err
		}
		release(b.x)
		if b.x = nil; p.gradients {
			b.x = out[1]
		}
		if b.value, err = floats(out[0]); err != nil {
			return err
		}
	}
	p.work.spend(p.swept)
	if p.gradients {
		p.work.spend(p.swept)
	}
	return nil
}

// backward takes the gradients of all blocks back through layer l.
func (p *layerPass) backward(ctx context.Context, l int) error {
	for _, b := range p.blocks {
		top := len(b.saved) - 1
		saved := b.saved[top]
		out, err := p.step(ctx, backward, l, b.batch, backwardInputs(saved[0], b.batch, b.x, saved[1:])...)
		if err != nil {
			return err
		}
		release(b.x)
		release(saved...)
		b.saved, b.x = b.saved[:top], out[0]
	}
	p.work.spend(p.swept)
	return nil
}

// merge joins blocks in the input of layer l, as the sizes allow.
func (p *layerPass) merge(ctx context.Context, l int) error {
	for {
		which := p.sizes.mergeable(p.blocks)
		if which == nil {
			return nil
		}
		whole := &block{merged: l}
		var rest []*block
		var args []any
		for i, b := range p.blocks {
			if !slices.Contains(which, i) {
				rest = append(rest, b)
				continue
			}
			whole.parts = append(whole.parts, b)
			whole.size += b.size
			whole.join(b.batch)
			args = append(args, b.x)
		}
		out, err := p.e.run(ctx, concatenate, 0, form{}, args...)
		if err != nil {
			return err
		}
		whole.x = out[0]
		for _, b := range whole.parts {
			release(b.x)
			b.x = nil
		}
		p.blocks = append(rest, whole)
	}
}

// extract undoes merge and inject in the output of layer l: it splits blocks
// that were merged there, and emits the results of those injected there.
func (p *layerPass) extract(ctx context.Context, l int) error {
	for i := 0; i < len(p.blocks); {
		switch b := p.blocks[i]; {
		case b.parts != nil && b.merged == l+1:
			if err := p.split(ctx, b); err != nil {
				return err
			}
			p.blocks = slices.Replace(p.blocks, i, i+1, b.parts...)
		case b.parts == nil && b.layer == l:
			out, err := p.local(ctx, extract, l, append(slices.Clone(b.start), b.pick.tensor(), b.x)...)
			if err != nil {
				return err
			}
			if err := p.emitGradients(b, out[0]); err != nil {
				return err
			}
			p.swept -= b.points()
			b.release()
			p.blocks = slices.Delete(p.blocks, i, i+1)
		default:
			i++
		}
	}
	return nil
}

// split gives a block's parts their shares of its gradient and values.
func (p *layerPass) split(ctx context.Context, b *block) error {
	var sizes []int
	for _, part := range b.parts {
		sizes = append(sizes, part.size)
	}
	out, err := p.e.run(ctx, splitInto(sizes), 0, form{}, b.x)
	if err != nil {
		return err
	}
	release(b.x)
	b.x = nil
	for i, part := range b.parts {
		part.x = out[i]
	}
	b.splitValue()
	return nil
}
