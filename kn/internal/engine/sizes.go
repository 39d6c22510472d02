package engine

import (
	"slices"

	"github.com/gomlx/compute"
)

// sizes decides how work is cut into batches for a backend.
type sizes struct {
	// static backends compile a graph for every shape, which takes seconds:
	// lengths and batches are rounded up to few sizes.
	static bool
	// rows is the most sequences in a batch, least the fewest that points
	// are padded to where static.
	rows, least int
	// lanes is how many batches are run side by side. It does not depend on
	// the number of cores, since a result's last digit depends on it.
	lanes int
}

// sizesFor returns the sizes for a backend.
func sizesFor(b compute.Backend) sizes {
	if b.Capabilities().DynamicShapes == compute.DynamicShapesNative {
		return sizes{rows: 128, lanes: 2}
	}
	return sizes{static: true, rows: 40, least: 4, lanes: 1}
}

// length is the number of tokens that a sample of n is padded to, at most the
// model's positions.
func (s sizes) length(n, most int) int {
	if !s.static {
		return n
	}
	return min((n+1)/2*2, most)
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

// groups calls run with the indices of items in batches of one padded
// length, in order of the lengths' first occurrence.
func groups[T any](items []T, length func(T) int, limit func(n int) int, run func(n int, batch []int) error) error {
	var lengths []int
	byLength := map[int][]int{}
	for i, item := range items {
		n := length(item)
		if byLength[n] == nil {
			lengths = append(lengths, n)
		}
		byLength[n] = append(byLength[n], i)
	}
	for _, n := range lengths {
		group := byLength[n]
		for most := limit(n); len(group) > 0; {
			k := min(most, len(group))
			if err := run(n, group[:k]); err != nil {
				return err
			}
			group = group[k:]
		}
	}
	return nil
}

// memoryPerBatch bounds the values that one batch keeps for its gradient, in
// bytes.
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

// leaves cuts n points into batches: where shapes are compiled into equal ones
// if they come in equal numbers, each, for a path; else into the few sizes that there
// are, the largest first, the last one padded if need be.
func (s sizes) leaves(n, each int) (points []int) {
	if s.static && each > 0 && each%s.least == 0 && each <= s.rows && n%each == 0 {
		return slices.Repeat([]int{each}, n/each)
	}
	for n > 0 {
		k := min(n, s.rows)
		if s.static {
			size := s.least
			for 2*size <= k {
				size *= 2
			}
			k = min(size, n)
		}
		points = append(points, k)
		n -= k
	}
	return points
}

// rowsOf is the number of rows that n points are padded to.
func (s sizes) rowsOf(n int) int {
	if !s.static {
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
