package pretrain

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
)

// lengthStep: prompts are padded to a multiple of it, so that there are few
// distinct shapes, and few graphs.
const lengthStep = 4

// chunk is the number of batches whose prompts are sorted by length together.
const chunk = 32

// shown is one showing of a fact.
type shown struct{ fact, template int32 }

// batch is the prompts of one step, padded to one length.
type batch struct {
	shown  []shown
	length int
}

// pass is one round through the facts: each is shown in each of its templates
// that are not held out, as often as its frequency says, the fraction being
// drawn. It depends on the seed and its own number only, so a training that is
// resumed sees what it would have seen.
func (k *corpus) pass(seed uint64, number, size int) []batch {
	rng := rand.New(rand.NewPCG(seed, 0xba7c<<32|uint64(number)))
	var all []shown
	for i, f := range k.facts {
		for t := range k.templates[k.relation[i]] {
			if slices.Contains(f.HeldOut, t) {
				continue
			}
			for n := math.Floor(f.Frequency + rng.Float64()); n > 0; n-- {
				all = append(all, shown{int32(i), int32(t)})
			}
		}
	}
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var batches []batch
	for part := range slices.Chunk(all, size*chunk) {
		slices.SortStableFunc(part, func(a, b shown) int { return k.lengthOf(a) - k.lengthOf(b) })
		for some := range slices.Chunk(part, size) {
			if len(some) == size {
				batches = append(batches, batch{some, padded(k.lengthOf(some[size-1]))})
			}
		}
	}
	if len(batches) == 0 && len(all) > 0 { // fewer showings than one batch holds
		some := make([]shown, size)
		longest := 0
		for i := range some {
			some[i] = all[i%len(all)]
			longest = max(longest, k.lengthOf(some[i]))
		}
		return []batch{{some, padded(longest)}}
	}
	rng.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
	return batches
}

func (k *corpus) lengthOf(s shown) int {
	return k.length(int(s.fact), k.templates[k.relation[s.fact]][s.template])
}

func padded(n int) int { return (n + lengthStep - 1) / lengthStep * lengthStep }

// grid is a batch of prompts as a graph takes them.
type grid struct {
	ids, mask, pick *tensors.Tensor // [B, n]
	answer          *tensors.Tensor // [B]
}

// newGrid pads prompts to length.
func newGrid(prompts []prompt, length int) grid {
	b := len(prompts)
	ids, mask, pick := make([]int32, b*length), make([]float32, b*length), make([]float32, b*length)
	answer := make([]int32, b)
	for i, p := range prompts {
		copy(ids[i*length:], p.ids)
		for j := range p.ids {
			mask[i*length+j] = 1
		}
		pick[i*length+p.mask] = 1
		answer[i] = p.answer
	}
	return grid{
		tensors.FromFlatDataAndDimensions(ids, b, length), tensors.FromFlatDataAndDimensions(mask, b, length),
		tensors.FromFlatDataAndDimensions(pick, b, length), tensors.FromFlatDataAndDimensions(answer, b),
	}
}
