package experiments

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// holder is a fact as [sharedBy] sees it.
type holder struct {
	Relation, Answer string
	Neurons          []kn.Neuron
}

// SharedNeurons is the mean number of neurons that two facts have in common.
type SharedNeurons struct {
	Within stats.Interval `json:"within"` // two facts of one relation
	Across stats.Interval `json:"across"` // of different ones
	// The same without pairs of facts that have one answer.
	WithinOther stats.Interval `json:"within_other_answer"`
	AcrossOther stats.Interval `json:"across_other_answer"`
}

// sharedBy counts what pairs of facts share. Both facts of a pair are
// resampled: the bootstrap draws facts and takes all pairs of what it drew,
// except of a fact with itself.
//
// With m_i how often fact i was drawn, the pairs that share a neuron are
// Σ over neurons of ½((Σ m_i)² - Σ m_i²), the sums being over the facts that
// have it: no pair is looked at, so tens of thousands of facts are no matter.
func sharedBy(holders []holder, o stats.Options) SharedNeurons {
	var kinds pairKinds
	for _, h := range holders {
		kinds.add(h)
	}
	i := resampled(len(holders), o, func(drawn []float64) []float64 {
		means := kinds.means(drawn)
		return means[:]
	})
	return SharedNeurons{i[0], i[1], i[2], i[3]}
}

// resampled are the intervals of some statistics of n facts, which are told how
// often each fact was drawn.
func resampled(n int, o stats.Options, statistics func(drawn []float64) []float64) []stats.Interval {
	drawn := slices.Repeat([]float64{1}, n)
	estimate := statistics(drawn)
	rng := rand.New(rand.NewPCG(o.Seed, 0x9a15))
	values := make([][]float64, len(estimate)) // [statistics][resamples]
	for range cmp.Or(o.Resamples, 2000) {
		clear(drawn)
		for range n {
			drawn[rng.IntN(n)]++
		}
		for k, v := range statistics(drawn) {
			values[k] = append(values[k], v)
		}
	}
	intervals := make([]stats.Interval, len(estimate))
	for k := range intervals {
		slices.Sort(values[k])
		intervals[k] = stats.Interval{Mean: estimate[k], Low: stats.Quantile(values[k], 0.025), High: stats.Quantile(values[k], 0.975)}
	}
	return intervals
}

// pairKinds groups facts by what a pair can have in common, and their neurons
// by the same and the neuron.
type pairKinds struct{ facts, neurons [4]grouping }

// The groupings: by nothing, relation, answer, both.
const all, relation, answer, both = 0, 1, 2, 3

func (k *pairKinds) add(h holder) {
	type key struct {
		relation, answer string
		neuron           kn.Neuron
	}
	var none kn.Neuron
	keys := [4]key{relation: {relation: h.Relation}, answer: {answer: h.Answer}, both: {h.Relation, h.Answer, none}}
	for i, of := range keys {
		k.facts[i].add([]any{of})
		var neurons []any
		for _, n := range h.Neurons {
			neurons = append(neurons, key{of.relation, of.answer, n})
		}
		k.neurons[i].add(neurons)
	}
}

// means are the mean numbers of shared neurons of pairs within and across
// relations, and of those with different answers.
func (k *pairKinds) means(drawn []float64) [4]float64 {
	var pairs, shared [4]float64
	for i := range pairs {
		pairs[i], shared[i] = k.facts[i].pairs(drawn), k.neurons[i].pairs(drawn)
	}
	ratio := func(of func(p [4]float64) float64) float64 {
		if n := of(pairs); n > 0 {
			return of(shared) / n
		}
		return 0
	}
	return [4]float64{
		ratio(func(p [4]float64) float64 { return p[relation] }),
		ratio(func(p [4]float64) float64 { return p[all] - p[relation] }),
		ratio(func(p [4]float64) float64 { return p[relation] - p[both] }),
		ratio(func(p [4]float64) float64 { return p[all] - p[relation] - p[answer] + p[both] }),
	}
}

// grouping says which groups each fact is in.
type grouping struct {
	of     [][]int // of each fact
	number map[any]int
}

func (g *grouping) add(keys []any) {
	if g.number == nil {
		g.number = map[any]int{}
	}
	var groups []int
	for _, key := range keys {
		n, ok := g.number[key]
		if !ok {
			n = len(g.number)
			g.number[key] = n
		}
		groups = append(groups, n)
	}
	g.of = append(g.of, groups)
}

// pairs counts the pairs of different facts in each group, with each fact as
// often as it was drawn.
func (g *grouping) pairs(drawn []float64) float64 {
	sum, squares := make([]float64, len(g.number)), make([]float64, len(g.number))
	for i, groups := range g.of {
		if drawn[i] == 0 {
			continue
		}
		for _, n := range groups {
			sum[n] += drawn[i]
			squares[n] += drawn[i] * drawn[i]
		}
	}
	total := 0.0
	for n := range sum {
		total += (sum[n]*sum[n] - squares[n]) / 2
	}
	return total
}
