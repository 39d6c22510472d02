package engine

import (
	"cmp"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
)

// layout says how samples lie in a batch. A batch consists of packs of n
// tokens, each of which holds up to perPack samples side by side. Attention
// stays within a pass of a sample.
//
// With one sample a pack, samples are padded to n tokens. With several, samples
// of different lengths share packs with little padding, and their batches have
// one shape, which saves compiling.
type layout struct {
	n, perPack int
	kind
	// masked says that graphs take an attention mask: for packed samples and
	// those of several passes, and where shapes are compiled, since there may be
	// padding.
	masked bool
	// tail says that packs hold nothing of a sample but the n places where a
	// causal model predicts its answer. What is before them is their past.
	tail bool
}

// kind is what samples of one batch have in common.
type kind struct{ answers, passes int } // rows and passes of each

// kindOf is a sample's kind.
func kindOf(s Sample) kind { return kind{s.rows(), s.passes()} }

// packed says whether packs hold several samples.
func (y layout) packed() bool { return y.perPack > 1 }

// apart says whether some tokens of a pack do not attend to each other.
func (y layout) apart() bool { return y.packed() || y.passes > 1 }

// tailOf is the layout of the places alone where a causal model predicts answers.
func tailOf(k kind) layout { return layout{n: k.answers, perPack: 1, kind: k, tail: true} }

// fill distributes samples of the given lengths, the longest first, each into
// the fullest pack that still has room. It returns the indices of those in each
// pack.
func (y layout) fill(lengths []int) (packs [][]int) {
	order := make([]int, len(lengths))
	for i := range order {
		order[i] = i
	}
	if !y.packed() {
		for i := range order {
			packs = append(packs, order[i:i+1])
		}
		return packs
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lengths[b], lengths[a]) })
	var room []int // of each pack
	for _, i := range order {
		best := -1
		for k := range packs {
			if len(packs[k]) < y.perPack && room[k] >= lengths[i] && (best < 0 || room[k] < room[best]) {
				best = k
			}
		}
		if best < 0 {
			best = len(packs)
			packs, room = append(packs, nil), append(room, y.n)
		}
		packs[best] = append(packs[best], i)
		room[best] -= lengths[i]
	}
	return packs
}

// batch is samples as graph inputs. Slot i is sample i % perPack of pack
// i / perPack. B is the number of packs, m that of a pack's rows, perPack times
// those of a sample.
type batch struct {
	layout
	ids, positions input[int32]   // [B, n]
	pick           input[float32] // [B, m, n], 1 where an answer's token is predicted
	mask           input[float32] // [B, 1 or n, n], 1 for what a token attends to; empty if not masked
	answers        []int32        // [B·m] the answers' tokens

	past   []int32 // [B] of a tail: the place of its sample among those of which the past is known
	slots  []int   // [B·perPack] the sample in each slot, -1 for none
	tokens []int   // [B·perPack] where a slot's first token is in [B·n]
}

// input is a graph's input [B, rows, columns], or [B, columns] if rows is 0. It
// is flat, since large slices of slices take long to convert.
type input[T int32 | float32] struct {
	flat          []T
	rows, columns int
}

// more appends zeros for one pack, and returns them.
func (in *input[T]) more() []T {
	n := len(in.flat)
	in.flat = append(in.flat, make([]T, max(1, in.rows)*in.columns)...)
	return in.flat[n:]
}

// tensor is the input as graphs take it.
func (in *input[T]) tensor() *tensors.Tensor {
	if in.rows == 0 {
		return tensors.FromFlatDataAndDimensions(in.flat, len(in.flat)/in.columns, in.columns)
	}
	return tensors.FromFlatDataAndDimensions(in.flat, len(in.flat)/(in.rows*in.columns), in.rows, in.columns)
}

// batch arranges samples in packs, followed by empty packs up to size.
func (y layout) batch(samples []Sample, packs [][]int, size int) batch {
	b := batch{layout: y}
	b.ids.columns, b.positions.columns = y.n, y.n
	b.pick.rows, b.pick.columns = y.perPack*y.kind.answers, y.n
	if b.mask.columns = y.n; y.apart() {
		b.mask.rows = y.n
	} else {
		b.mask.rows = 1
	}
	for k := range size {
		var pack []int
		if k < len(packs) {
			pack = packs[k]
		}
		b.add(samples, pack)
	}
	return b
}

// ordered arranges samples in their order, one a pack, followed by empty packs
// up to size.
func (y layout) ordered(samples []Sample, size int) batch {
	return y.batch(samples, y.fill(make([]int, len(samples))), size)
}

// add adds a pack with some of the samples.
func (b *batch) add(samples []Sample, pack []int) {
	start := len(b.ids.flat)
	ids, positions, pick := b.ids.more(), b.positions.more(), b.pick.more()
	var mask []float32
	if b.masked {
		mask = b.mask.more()
	}
	from := 0
	for place := range b.perPack {
		slot, s := -1, Sample{} // an empty place
		if place < len(pack) {
			slot, s = pack[place], samples[pack[place]]
		}
		b.slots, b.tokens = append(b.slots, slot), append(b.tokens, start+from)
		answers := make([]int32, b.kind.answers)
		copy(answers, s.Answers)
		b.answers = append(b.answers, answers...)
		if b.tail {
			for j, at := range s.Masks {
				positions[j], pick[j*b.n+j] = int32(at), 1
			}
			continue
		}
		copy(ids[from:], s.IDs)
		for j, at := range s.Masks {
			pick[(place*b.kind.answers+j)*b.n+from+at] = 1
		}
		length := len(s.IDs) / s.passes()
		for range s.passes() {
			to := from + length
			for i := from; i < to; i++ {
				positions[i] = int32(i - from)
			}
			for sees := min(from, b.mask.rows-1); sees < min(to, b.mask.rows) && b.masked; sees++ {
				for i := from; i < to; i++ {
					mask[sees*b.n+i] = 1
				}
			}
			from = to
		}
	}
}

// join adds another batch's packs as graph inputs.
func (b *batch) join(other batch) {
	pick, mask, positions, answers := b.pick.flat, b.mask.flat, b.positions.flat, b.answers
	b.layout, b.pick, b.mask, b.positions = other.layout, other.pick, other.mask, other.positions
	b.past = append(b.past, other.past...)
	b.positions.flat = append(positions, other.positions.flat...)
	b.pick.flat, b.mask.flat = append(pick, other.pick.flat...), append(mask, other.mask.flat...)
	b.answers = append(answers, other.answers...)
}

// arguments appends the mask, if any, and the edits to a step's arguments.
func (b batch) arguments(args []any, edits []any) []any {
	if b.masked {
		args = append(args, b.mask.tensor())
	}
	return append(args, edits...)
}
