// Package stats has the confidence intervals of the experiments: bootstraps
// over clusters, such as the prompts of one fact, whose values depend on one
// another (Efron and Tibshirani 1993, An Introduction to the Bootstrap,
// chapters 8 and 13).
package stats

import (
	"cmp"
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

// Options of a bootstrap.
type Options struct {
	Resamples int    // 0: 2000
	Seed      uint64 // of the resampling; the same seed gives the same interval
}

// cluster is the sum of n values.
type cluster struct {
	sum float64
	n   int
}

func (c *cluster) add(o cluster) { c.sum, c.n = c.sum+o.sum, c.n+o.n }

func (c cluster) mean() float64 { return c.sum / float64(max(1, c.n)) }

// summed returns the clusters in order of their keys, and all of them in one.
func summed[K cmp.Ordered](clusters map[K][]float64, keys []K) (each []cluster, total cluster) {
	for _, key := range keys {
		c := cluster{n: len(clusters[key])}
		for _, x := range clusters[key] {
			c.sum += x
		}
		each = append(each, c)
		total.add(c)
	}
	return each, total
}

// Bootstrap is the mean of all values with the percentile interval of the
// means of resampled clusters: whole clusters are drawn, since values of one
// depend on one another. Without values it is zero.
func Bootstrap[K cmp.Ordered](clusters map[K][]float64, o Options) Interval {
	each, total := summed(clusters, slices.Sorted(maps.Keys(clusters)))
	if total.n == 0 {
		return Interval{}
	}
	return o.resample(total.mean(), len(each), func(drawn []int) float64 {
		var c cluster
		for _, i := range drawn {
			c.add(each[i])
		}
		return c.mean()
	})
}

// Difference is the mean of a's values less the mean of b's, with the interval
// of the paired bootstrap: each resample draws the same clusters from both.
// Clusters that one of them lacks are left out.
func Difference[K cmp.Ordered](a, b map[K][]float64, o Options) Interval {
	var keys []K
	for _, key := range slices.Sorted(maps.Keys(a)) {
		if len(a[key]) > 0 && len(b[key]) > 0 {
			keys = append(keys, key)
		}
	}
	ofA, totalA := summed(a, keys)
	ofB, totalB := summed(b, keys)
	if len(keys) == 0 {
		return Interval{}
	}
	return o.resample(totalA.mean()-totalB.mean(), len(keys), func(drawn []int) float64 {
		var x, y cluster
		for _, i := range drawn {
			x.add(ofA[i])
			y.add(ofB[i])
		}
		return x.mean() - y.mean()
	})
}

// Ratio is a cluster's part of a ratio of sums.
type Ratio struct{ Of, To float64 }

// MeanOfRatios is the mean over groups of Σ Of/Σ To, the sums over a group's
// clusters, with the percentile interval of resamples that draw clusters within
// each group, the groups staying the same. Of n clusters n - 1 are drawn, which
// makes up for the small groups' variances being n/(n - 1) times as large as they
// look (Rao and Wu, JASA 83, 1988). A group of one cluster tells nothing of its
// variance: all such groups are resampled as if they were one, which can only
// widen the interval. Groups whose Σ To is 0 have no ratio and are left out.
func MeanOfRatios(groups [][]Ratio, o Options) Interval {
	var several [][]Ratio
	var single []float64 // ratios of groups of one cluster
	estimate := 0.0
	for _, g := range groups {
		sum := sumOf(g)
		if sum.To == 0 {
			continue
		}
		estimate += sum.Of / sum.To
		if len(g) > 1 {
			several = append(several, g)
		} else {
			single = append(single, sum.Of/sum.To)
		}
	}
	n := len(several) + len(single)
	if n == 0 {
		return Interval{}
	}
	estimate /= float64(n)
	rng := rand.New(rand.NewPCG(o.Seed, 0xb008))
	values := make([]float64, cmp.Or(o.Resamples, 2000))
	for i := range values {
		total, drawn := 0.0, n
		for _, g := range several {
			var sum Ratio
			for range len(g) - 1 {
				r := g[rng.IntN(len(g))]
				sum.Of, sum.To = sum.Of+r.Of, sum.To+r.To
			}
			if sum.To == 0 { // none but empty clusters
				drawn--
				continue
			}
			total += sum.Of / sum.To
		}
		for range single {
			total += single[rng.IntN(len(single))]
		}
		values[i] = total / float64(max(1, drawn))
	}
	slices.Sort(values)
	return Interval{estimate, Quantile(values, 0.025), Quantile(values, 0.975)}
}

func sumOf(ratios []Ratio) (sum Ratio) {
	for _, r := range ratios {
		sum.Of, sum.To = sum.Of+r.Of, sum.To+r.To
	}
	return sum
}

// resample is the percentile interval of a statistic of n clusters drawn with
// replacement, by their indices.
func (o Options) resample(estimate float64, n int, statistic func(drawn []int) float64) Interval {
	rng := rand.New(rand.NewPCG(o.Seed, 0xb007))
	values, drawn := make([]float64, cmp.Or(o.Resamples, 2000)), make([]int, n)
	for r := range values {
		for i := range drawn {
			drawn[i] = rng.IntN(n)
		}
		values[r] = statistic(drawn)
	}
	slices.Sort(values)
	return Interval{estimate, Quantile(values, 0.025), Quantile(values, 0.975)}
}

// Quantile is the q-quantile of sorted values, between neighbours linearly.
func Quantile(sorted []float64, q float64) float64 {
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
