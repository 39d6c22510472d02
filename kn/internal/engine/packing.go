package engine

import (
	"cmp"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
)

// layout says how sequences lie in a batch. A batch consists of packs of n
// tokens, each of which holds up to perPack sequences side by side. Attention
// stays within a sequence.
//
// With one sequence a pack, sequences are padded to n tokens. With several,
// sequences of different lengths share packs with little padding, and their
// batches have one shape, which saves compiling.
type layout struct {
	n, perPack int
	// masked says that graphs take an attention mask: for packed sequences,
	// and where shapes are compiled, since there may be padding.
	masked bool
}

// packed says whether packs hold several sequences.
func (y layout) packed() bool { return y.perPack > 1 }

// fill distributes sequences of the given lengths, the longest first, each into
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

// batch is sequences as graph inputs. Row r is sequence r % perPack of pack
// r / perPack. B is the number of packs.
type batch struct {
	layout
	ids, positions input[int32]   // [B, n]
	pick           input[float32] // [B, perPack, n], 1 at [MASK]
	mask           input[float32] // [B, 1 or n, n], 1 for what a token attends to; empty if not masked
	answers        []int32        // [B·perPack]

	rows   []int // [B·perPack] the sample in each row, -1 for none
	tokens []int // [B·perPack] where a row's first token is in [B·n]
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
	b.pick.rows, b.pick.columns = y.perPack, y.n
	if b.mask.columns = y.n; y.packed() {
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
		row, s := -1, Sample{Mask: -1} // an empty place
		if place < len(pack) {
			row, s = pack[place], samples[pack[place]]
		}
		to := from + len(s.IDs)
		copy(ids[from:], s.IDs)
		for i := range s.IDs {
			positions[from+i] = int32(i)
		}
		if s.Mask >= 0 {
			pick[place*b.n+from+s.Mask] = 1
		}
		for sees := min(from, b.mask.rows-1); sees < min(to, b.mask.rows) && b.masked; sees++ {
			for i := from; i < to; i++ {
				mask[sees*b.n+i] = 1
			}
		}
		b.rows, b.tokens, b.answers = append(b.rows, row), append(b.tokens, start+from), append(b.answers, s.Answer)
		from = to
	}
}

// join adds another batch's packs as graph inputs.
func (b *batch) join(other batch) {
	pick, mask, answers := b.pick.flat, b.mask.flat, b.answers
	b.layout, b.pick, b.mask = other.layout, other.pick, other.mask
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
