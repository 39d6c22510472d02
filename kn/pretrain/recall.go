package pretrain

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// recallBatch is the number of prompts that are scored together.
const recallBatch = 256

// scoring computes for a grid of prompts whether the answer is ranked first
// and its probability, both [B]. See recallGraph.
type scoring func(ctx context.Context, g grid) ([]*tensors.Tensor, error)

// score says of each prompt whether its answer is ranked first, and how
// probable it is. done is told after each batch how many have been scored.
func score(ctx context.Context, compute scoring, prompts []prompt, done func(int)) (first []bool, probability []float64, err error) {
	first, probability = make([]bool, len(prompts)), make([]float64, len(prompts))
	order := make([]int, len(prompts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(prompts[a].ids) - len(prompts[b].ids) })
	scored := 0
	for some := range slices.Chunk(order, recallBatch) {
		rows := make([]prompt, recallBatch)
		for i := range rows {
			rows[i] = prompts[some[min(i, len(some)-1)]] // the last one fills the batch up
		}
		out, err := compute(ctx, newGrid(rows, padded(len(rows[len(rows)-1].ids))))
		if err != nil {
			return nil, nil, err
		}
		is, p := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])
		for i, at := range some {
			first[at], probability[at] = is[i] > 0, float64(p[i])
		}
		scored += len(some)
		done(scored)
	}
	return first, probability, nil
}

// score computes with the weights as they are in training.
func (l *learner) score(ctx context.Context, g grid) (out []*tensors.Tensor, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = backend.Try(func() error {
		out, err = l.recall.Exec(g.ids, g.mask, g.pick, g.answer)
		return err
	})
	return out, err
}

// sampler looks at some held-out prompts.
func (k *corpus) sampler(seed uint64) sampler {
	const n = 1024
	rng := rand.New(rand.NewPCG(seed, 0x5a3))
	var prompts []prompt
	for range n {
		i := rng.IntN(len(k.facts))
		held := k.readable(i, k.facts[i].HeldOut)
		prompts = append(prompts, k.prompt(i, k.templates[k.relation[i]][held[rng.IntN(len(held))]]))
	}
	return func(ctx context.Context, l *learner) (float64, error) {
		first, _, err := score(ctx, l.score, prompts, func(int) {})
		return share(first), err
	}
}

// readable are those of fact i's templates that the model can be asked in.
func (k *corpus) readable(i int, templates []int) []int {
	return slices.DeleteFunc(slices.Clone(templates), func(t int) bool {
		return k.causal && !k.templates[k.relation[i]][t].answerLast
	})
}

// share of true values.
func share(of []bool) float64 {
	n := 0
	for _, x := range of {
		if x {
			n++
		}
	}
	return float64(n) / float64(max(1, len(of)))
}

// shown counts how often the first steps show each fact, and their tokens.
func (t *factsTask) shown(steps int) (taught []facts.Taught, tokens int) {
	taught = slices.Clone(t.corpus.facts)
	for step := range steps {
		for _, s := range t.batchOf(step).shown {
			taught[s.fact].Shown++
			tokens += t.corpus.lengthOf(s)
		}
	}
	return taught, tokens
}

func parameters(tensors map[string]checkpoint.Tensor) int {
	n := 0
	for _, t := range tensors {
		n += len(t.Data)
	}
	return n
}
