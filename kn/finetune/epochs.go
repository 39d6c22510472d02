package finetune

import (
	"math/rand/v2"
	"slices"
)

// chunk is the number of batches whose examples are sorted by length together.
const chunk = 32

// epoch is one round through the examples: shuffled, put together with others
// of their length, and the batches shuffled. Each example comes once. It
// depends on the seed and its own number only, so a training that is resumed
// sees what it would have seen.
func epoch(encoded []Encoded, seed uint64, number, size int) [][]int {
	rng := rand.New(rand.NewPCG(seed, 0xe70c<<32|uint64(number)))
	order := rng.Perm(len(encoded))
	var batches [][]int
	for part := range slices.Chunk(order, size*chunk) {
		slices.SortStableFunc(part, func(i, j int) int { return len(encoded[i].IDs) - len(encoded[j].IDs) })
		for some := range slices.Chunk(part, size) {
			batches = append(batches, some)
		}
	}
	rng.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
	return batches
}
