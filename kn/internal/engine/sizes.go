package engine

// sizes decides how work is cut into batches for a backend.
type sizes struct {
	// static backends compile a graph for every shape, which takes seconds:
	// lengths and batches are rounded up to few sizes.
	static bool
	// rows is the most sequences in a batch.
	rows int
}

// compilers are backends that compile for each shape.
func sizesFor(backend string) sizes {
	if backend == "go" {
		return sizes{rows: 64}
	}
	return sizes{static: true, rows: 8}
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
const memoryPerBatch = 256 << 20

// rowsPerBatch is the number of sequences of n tokens to run at once.
func (e *Engine) rowsPerBatch(n int) int {
	c := e.Model.Config
	perToken := 4 * c.Layers * (8*c.HiddenSize + c.IntermediateSize)
	return max(1, min(e.sizes.rows, memoryPerBatch/(perToken*n)))
}
