package engine

import (
	"slices"

	"github.com/gomlx/compute"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// sizes decides how work is cut into batches for a backend.
type sizes struct {
	// static backends compile a graph for every shape, which takes seconds:
	// lengths and batches are rounded up to few sizes.
	static bool
	// rows is the most sequences in a batch. Where static, points are padded
	// to least times a power of two; or not at all if least is 0. The adaptive
	// rule asks for three nodes in each layer to begin with.
	rows, least int
	// bins is how sequences of different lengths lie together; none do if it
	// is the zero value. mostBins is the most in a batch.
	bins     layout
	mostBins int
	// kept bounds the values that a batch keeps for its gradient, in bytes.
	kept int
	// lanes is how many batches are run side by side. It does not depend on
	// the number of cores, since a result's last digit depends on it.
	lanes int
}

// sizesFor returns the sizes for a backend.
func sizesFor(b compute.Backend) sizes {
	if backend.TakesAnyShape(b) {
		return sizes{rows: 128, lanes: 2, kept: memoryPerBatch}
	}
	return sizes{
		static: true, rows: 40, least: 3, lanes: 1, kept: memoryPerBatch,
		// Seven bins of BERT-base's layers are a round of nine prompts.
		bins: layout{n: 64, perBin: 7, hides: true}, mostBins: 8,
	}
}

// singly is the layout of sequences padded to n tokens.
func (s sizes) singly(n int) layout { return layout{n: n, perBin: 1, hides: s.static} }

// of returns the sizes for a layout: the same, or for one of several sequences
// a bin those that count bins. These are few and large enough for every number
// of them to be a shape.
func (s sizes) of(y layout) sizes {
	if y.packed() {
		s.rows, s.least, s.kept = s.mostBins, 0, s.kept+s.kept/4
	}
	return s
}

// single returns the sizes where a path has a single point, or more: nothing
// is padded if so.
func (s sizes) single(single bool) sizes {
	if single {
		s.least = min(s.least, 1)
	}
	return s
}

// length is the number of tokens that a sample of n is padded to, at most the
// model's positions.
func (s sizes) length(n, most int) int {
	if !s.static {
		return n
	}
	return min((n+1)/2*2, most)
}

// reading is [sizes.length] for texts that are read at all tokens, as open texts
// are: these have lengths of all kinds, in batches of all sizes. A graph for
// each took longer to compile than to run, and some 700 of them, of 90 memory
// maps each, are more than Linux lets a process have.
func (s sizes) reading(n, most int) int {
	if !s.static {
		return n
	}
	step := 8
	if n > 64 {
		step = 32
	}
	return min((n+step-1)/step*step, most)
}

// batch is the number of rows that a batch of n is padded to.
func (s sizes) batch(n int) int {
	if !s.static {
		return n
	}
	size := 1
	for size < n {
		size *= 2
	}
	return size
}

// group is samples to compute together, by their indices.
type group struct {
	layout
	of []int
}

// mostTogether is the most samples whose nodes share batches.
const mostTogether = 12

// together groups samples of the given lengths: those of one padded length,
// or, where there are bins and lengths differ, all that fit twice into one.
func (s sizes) together(lengths []int, most int) (all []group) {
	padded := func(i int) int { return s.length(lengths[i], most) }
	short := func(i int) bool { return 2*padded(i) <= s.bins.n }
	first, differ := -1, false
	for i := range lengths {
		if short(i) {
			if first < 0 {
				first = i
			}
			differ = differ || padded(i) != padded(first)
		}
	}
	of, order := map[layout][]int{}, []layout{}
	for i := range lengths {
		y := s.singly(padded(i))
		if differ && short(i) {
			y = s.bins
		}
		if of[y] == nil {
			order = append(order, y)
		}
		of[y] = append(of[y], i)
	}
	for _, y := range order {
		parts := (len(of[y]) + mostTogether - 1) / mostTogether
		for part := range slices.Chunk(of[y], (len(of[y])+parts-1)/parts) {
			all = append(all, group{y, part})
		}
	}
	return all
}

// groups calls run with batches of items, all of one padded length, in order
// of the lengths' first occurrence.
func groups(items []int, length func(item int) int, limit func(n int) int, run func(n int, batch []int) error) error {
	var lengths []int
	byLength := map[int][]int{}
	for _, item := range items {
		n := length(item)
		if byLength[n] == nil {
			lengths = append(lengths, n)
		}
		byLength[n] = append(byLength[n], item)
	}
	for _, n := range lengths {
		for batch := range slices.Chunk(byLength[n], limit(n)) {
			if err := run(n, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// memoryPerBatch bounds the values that a batch has, or keeps for its
// gradient, in bytes.
const memoryPerBatch = 128 << 20

// rowsPerBatch is the number of sequences of n tokens to run at once where
// nothing is kept.
func (e *Engine) rowsPerBatch(n int) int {
	c := e.Model.Config
	perToken := 4 * (12*c.HiddenSize + 3*c.IntermediateSize)
	rows := max(1, min(e.sizes.rows, memoryPerBatch/(perToken*n)))
	for e.sizes.static && e.sizes.batch(rows) > rows {
		rows-- // what is padded is computed for nothing
	}
	return rows
}

// leaves cuts n bins into batches: where shapes are compiled into equal ones
// if they come in equal numbers, each, for a path, and these are sizes anyway or
// worth it; else into the few sizes that there are, the largest first, the
// last one padded if need be.
func (s sizes) leaves(n, each int) (bins []int) {
	compiled := s.static && s.least > 0
	if compiled && each > 0 && (each%s.least == 0 || each > 4*s.least) && each <= s.rows && n%each == 0 {
		return slices.Repeat([]int{each}, n/each)
	}
	for n > 0 {
		k := min(n, s.rows)
		if compiled {
			size := s.least
			for 2*size <= k {
				size *= 2
			}
			k = min(size, n)
		}
		bins = append(bins, k)
		n -= k
	}
	return bins
}

// padded is the number of bins that n of them are padded to.
func (s sizes) padded(n int) int {
	if !s.static || s.least == 0 {
		return n
	}
	return (n + s.least - 1) / s.least * s.least
}

// mergeable finds blocks to merge, by their indices. Where shapes are
// compiled two of one size become one of twice the size, so that there are
// few sizes; elsewhere as many as fit become one.
func (s sizes) mergeable(blocks []*block) []int {
	for i, b := range blocks {
		total, some := b.size, []int{i}
		for j := i + 1; j < len(blocks); j++ {
			if size := blocks[j].size; total+size <= s.rows && (!s.static || size == b.size && len(some) == 1) {
				total += size
				some = append(some, j)
			}
		}
		if len(some) > 1 {
			return some
		}
	}
	return nil
}
