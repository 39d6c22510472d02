package engine

import (
	"cmp"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
)

// layout says how sequences lie in a batch: in bins of n tokens, perBin of
// them side by side in each. Attention keeps to a sequence. One sequence a
// bin is the ordinary way. Several have nothing padded although their lengths
// differ, and one shape whatever these are, which is what counts where shapes
// are compiled.
type layout struct {
	n, perBin int
	// hides is whether a mask is among the inputs: always where there are
	// several sequences or shapes are compiled, since there may be padding.
	hides bool
}

// packed says whether bins hold several sequences.
func (y layout) packed() bool { return y.perBin > 1 }

// fill distributes sequences of the given lengths and returns the indices
// of those in each bin: the longest first, each into the fullest bin that
// still has room.
func (y layout) fill(lengths []int) (bins [][]int) {
	order := make([]int, len(lengths))
	for i := range order {
		order[i] = i
	}
	if !y.packed() {
		for i := range order {
			bins = append(bins, order[i:i+1])
		}
		return bins
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lengths[b], lengths[a]) })
	var room []int // of each bin
	for _, i := range order {
		best := -1
		for k := range bins {
			if len(bins[k]) < y.perBin && room[k] >= lengths[i] && (best < 0 || room[k] < room[best]) {
				best = k
			}
		}
		if best < 0 {
			best = len(bins)
			bins, room = append(bins, nil), append(room, y.n)
		}
		bins[best] = append(bins[best], i)
		room[best] -= lengths[i]
	}
	return bins
}

// batch is sequences as graph inputs. Row r is sequence r % perBin of bin
// r / perBin. B is the number of bins.
type batch struct {
	layout
	ids, positions input[int32]   // [B, n]
	pick           input[float32] // [B, perBin, n], 1 at [MASK]
	mask           input[float32] // [B, 1 or n, n], 1 for what a token attends to; empty if all do to all
	answers        []int32        // [B·perBin]

	rows   []int // [B·perBin] the sample in each row, -1 for none
	tokens []int // [B·perBin] where a row's first token is in [B·n]
}

// input is a graph's input of [B, rows, columns], or [B, columns] if rows is
// 0. Slices of slices would do as well, but the larger ones take long to convert.
type input[T int32 | float32] struct {
	flat          []T
	rows, columns int
}

// more appends zeros for one bin, and returns them.
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

// batch arranges samples as bins hold them, followed by empty bins up to size.
func (y layout) batch(samples []Sample, bins [][]int, size int) batch {
	b := batch{layout: y}
	b.ids.columns, b.positions.columns = y.n, y.n
	b.pick.rows, b.pick.columns = y.perBin, y.n
	if b.mask.columns = y.n; y.packed() {
		b.mask.rows = y.n
	} else {
		b.mask.rows = 1
	}
	for k := range size {
		var bin []int
		if k < len(bins) {
			bin = bins[k]
		}
		b.add(samples, bin)
	}
	return b
}

// ordered arranges samples in their order, followed by empty places up to
// size bins; for layouts with one sequence a bin.
func (y layout) ordered(samples []Sample, size int) batch {
	return y.batch(samples, y.fill(make([]int, len(samples))), size)
}

// add adds a bin with some of the samples.
func (b *batch) add(samples []Sample, bin []int) {
	start := len(b.ids.flat)
	ids, positions, pick := b.ids.more(), b.positions.more(), b.pick.more()
	var mask []float32
	if b.hides {
		mask = b.mask.more()
	}
	from := 0
	for place := range b.perBin {
		row, s := -1, Sample{Mask: -1} // nothing, and no token
		if place < len(bin) {
			row, s = bin[place], samples[bin[place]]
		}
		to := from + len(s.IDs)
		copy(ids[from:], s.IDs)
		for i := range s.IDs {
			positions[from+i] = int32(i)
		}
		if s.Mask >= 0 {
			pick[place*b.n+from+s.Mask] = 1
		}
		for sees := min(from, b.mask.rows-1); sees < min(to, b.mask.rows) && b.hides; sees++ {
			for i := from; i < to; i++ {
				mask[sees*b.n+i] = 1
			}
		}
		b.rows, b.tokens, b.answers = append(b.rows, row), append(b.tokens, start+from), append(b.answers, s.Answer)
		from = to
	}
}

// join adds another batch's bins as graph inputs.
func (b *batch) join(other batch) {
	pick, mask, answers := b.pick.flat, b.mask.flat, b.answers
	b.layout, b.pick, b.mask = other.layout, other.pick, other.mask
	b.pick.flat, b.mask.flat = append(pick, other.pick.flat...), append(mask, other.mask.flat...)
	b.answers = append(answers, other.answers...)
}

// arguments appends the mask, if any, and the edits to a step's arguments.
func (b batch) arguments(args []any, edits []any) []any {
	if b.hides {
		args = append(args, b.mask.tensor())
	}
	return append(args, edits...)
}
