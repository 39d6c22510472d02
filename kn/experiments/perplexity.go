package experiments

import (
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// PerplexityChange is a model's perplexity of answers before and after an edit:
//
//	exp(mean over prompts of -ln P(answer))
//
// 1 is the perplexity of a model that is always sure and right. Intervals are
// the exponentials of those of the mean, over clusters of prompts.
type PerplexityChange struct {
	Before stats.Interval `json:"before"`
	After  stats.Interval `json:"after"`
	// Change is After/Before - 1, paired: 0.1 stands for +10 %.
	Change stats.Interval `json:"change"`
}

// leastProbability bounds what one answer can do to a perplexity: float32,
// which models compute in, knows no smaller normal number.
const leastProbability = 0x1p-126

// surprisal is -ln P.
func surprisal(probability float64) float64 { return -math.Log(max(probability, leastProbability)) }

// perplexity is that of clusters of prompts' surprisals.
func perplexity(before, after map[int][]float64, o stats.Options) PerplexityChange {
	if len(before) == 0 {
		return PerplexityChange{}
	}
	exp := func(i stats.Interval) stats.Interval {
		return stats.Interval{Mean: math.Exp(i.Mean), Low: math.Exp(i.Low), High: math.Exp(i.High)}
	}
	p := PerplexityChange{Before: exp(stats.Bootstrap(before, o)), After: exp(stats.Bootstrap(after, o)), Change: exp(stats.Difference(after, before, o))}
	p.Change.Mean, p.Change.Low, p.Change.High = p.Change.Mean-1, p.Change.Low-1, p.Change.High-1
	return p
}
