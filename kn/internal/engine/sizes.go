package engine

import (
	"slices"

	"github.com/gomlx/compute"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// sizes decides how work is cut into batches for a backend.
type sizes struct {
	// static says that the backend compiles a graph for every shape, which
	// takes seconds. Lengths and batches are then rounded up to a few sizes.
	static bool
	// rows is the largest number of sequences in a batch.
	rows int
	// least is the smallest batch of points of a static backend: the sizes are
	// least times a power of two. 0 stands for batches of any size. The
	// adaptive rule first asks for three nodes in each layer.
	least int
	// packing is the layout for sequences of different lengths. The zero value
	// packs none.
	packing layout
	// mostPacks is the largest number of packs in a batch.
	mostPacks int
	// savedBytes bounds the memory for the activations that a layerPass saves for
	// its gradients.
	savedBytes int
	// lanes is how many layerPasses run side by side. It does not depend on the
	// number of cores, since a result's last digit depends on it.
	lanes int
}

// sizesFor returns the sizes for a backend.
func sizesFor(b compute.Backend) sizes {
	if backend.TakesAnyShape(b) {
		return sizes{rows: 128, lanes: 2, savedBytes: memoryPerBatch}
	}
	return sizes{
		static: true, rows: 40, least: 3, lanes: 1, savedBytes: memoryPerBatch,
		// With BERT-base, nine prompts' first nodes in a layer fill seven packs.
		packing: layout{n: 64, perPack: 7, masked: true}, mostPacks: 8,
	}
}

// singly is the layout of samples of a kind padded to n tokens.
func (s sizes) singly(k kind, n int) layout {
	return layout{n: n, perPack: 1, kind: k, masked: s.static || k.passes > 1}
}

// of returns the sizes for a layout. Where sequences are packed, they count
// packs: so few, and so large, that every number of them may be a shape.
func (s sizes) of(y layout) sizes {
	if y.packed() {
		s.rows, s.least, s.savedBytes = s.mostPacks, 0, s.savedBytes+s.savedBytes/4
	}
	return s
}

// single returns the sizes for points of which each path has a single one, if
// that is so: nothing is padded then.
func (s sizes) single(single bool) sizes {
	if single {
		s.least = min(s.least, 1)
	}
	return s
}

// length is the number of tokens to which a sample of n is padded, at most as
// many as the model has positions.
func (s sizes) length(n, most int) int {
	if !s.static {
		return n
	}
	return min((n+1)/2*2, most)
}

// reading is [sizes.length] for texts that are read at all tokens. Their
// lengths and numbers vary more than those of prompts. A graph for each took
// longer to compile than to run, and some 700 graphs of 90 memory maps each
// are more than Linux lets a process have.
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

// batch is the number of rows to which a batch of n is padded.
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

// group is samples to attribute together, by their indices.
type group struct {
	layout
	of []int
}

// mostTogether is the largest number of samples in a group.
const mostTogether = 12

// together groups samples of one kind and one padded length. If packing is
// possible and lengths differ, it groups all samples of a kind of which two fit
// into a pack. most is the number of tokens that the model takes in a pass.
func (s sizes) together(samples []Sample, most int) (all []group) {
	padded := func(i int) int { return s.length(len(samples[i].IDs), most*samples[i].passes()) }
	short := func(i int) bool { return 2*padded(i) <= s.packing.n }
	first, differ := map[kind]int{}, map[kind]bool{}
	for i := range samples {
		if k := kindOf(samples[i]); short(i) {
			if _, known := first[k]; !known {
				first[k] = i
			}
			differ[k] = differ[k] || padded(i) != padded(first[k])
		}
	}
	of, order := map[layout][]int{}, []layout{}
	for i := range samples {
		k := kindOf(samples[i])
		y := s.singly(k, padded(i))
		if differ[k] && short(i) {
			y = s.packing
			y.kind = k
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

// groups calls run with batches of items, all of one layout, in order of the
// layouts' first occurrence.
func groups(items []int, layoutOf func(item int) layout, limit func(y layout) int, run func(y layout, batch []int) error) error {
	var order []layout
	of := map[layout][]int{}
	for _, item := range items {
		y := layoutOf(item)
		if of[y] == nil {
			order = append(order, y)
		}
		of[y] = append(of[y], item)
	}
	for _, y := range order {
		for batch := range slices.Chunk(of[y], limit(y)) {
			if err := run(y, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// memoryPerBatch bounds what a batch computes, or saves for its gradients, in
// bytes.
const memoryPerBatch = 128 << 20

// samplesPerBatch is the number of samples to run at once where nothing is
// saved.
func (e *Engine) samplesPerBatch(y layout) int {
	c := e.Model.Config
	perToken := 4 * (12*c.HiddenSize + 3*c.IntermediateSize)
	rows := max(1, min(e.sizes.rows, memoryPerBatch/(perToken*y.n)))
	for e.sizes.static && e.sizes.batch(rows) > rows {
		rows-- // padding would be computed for nothing
	}
	return rows
}

// cut cuts n packs into batches. Where shapes are compiled, there is one batch
// for each path if all paths have perPath packs and that is a multiple of least
// or large enough for a shape of its own. Otherwise batches have the few sizes
// that there are, the largest first, and the last one may need padding.
func (s sizes) cut(n, perPath int) (packs []int) {
	compiled := s.static && s.least > 0
	if compiled && perPath > 0 && (perPath%s.least == 0 || perPath > 4*s.least) && perPath <= s.rows && n%perPath == 0 {
		return slices.Repeat([]int{perPath}, n/perPath)
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
		packs = append(packs, k)
		n -= k
	}
	return packs
}

// padded is the number of packs to which n of them are padded.
func (s sizes) padded(n int) int {
	if !s.static || s.least == 0 {
		return n
	}
	return (n + s.least - 1) / s.least * s.least
}

// mergeable finds blocks to merge and returns their indices, or nil. Where
// shapes are compiled, two blocks of one size become one of twice the size, so
// that there are few sizes. Elsewhere as many as fit become one.
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
