package pretrain

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Interval is an estimate with its 95 % confidence interval.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// bootstrap is the mean of all values with the percentile interval of the
// means of resampled clusters (Efron 1979): values of one cluster depend on
// one another, so whole clusters are drawn.
func bootstrap[K int | string](clusters map[K][]float64, o EvaluateOptions) Interval {
	type cluster struct {
		sum float64
		n   int
	}
	var all []cluster
	var total cluster
	for _, key := range slices.Sorted(maps.Keys(clusters)) {
		c := cluster{n: len(clusters[key])}
		for _, x := range clusters[key] {
			c.sum += x
		}
		all = append(all, c)
		total.sum, total.n = total.sum+c.sum, total.n+c.n
	}
	if total.n == 0 {
		return Interval{}
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0xb007))
	means := make([]float64, o.Resamples)
	for r := range means {
		var drawn cluster
		for range all {
			c := all[rng.IntN(len(all))]
			drawn.sum, drawn.n = drawn.sum+c.sum, drawn.n+c.n
		}
		means[r] = drawn.sum / float64(max(1, drawn.n))
	}
	slices.Sort(means)
	return Interval{total.sum / float64(total.n), quantile(means, 0.025), quantile(means, 0.975)}
}

// quantile is the q-quantile of sorted values, between neighbours linearly.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
