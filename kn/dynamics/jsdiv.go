package dynamics

import (
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// JSDivergence is the Jensen-Shannon divergence of two distributions over the
// same outcomes, in nats:
//
//	JSD(p, q) = ½ Σ p log(p/m) + ½ Σ q log(q/m)    with m = (p + q)/2
//
// It is 0 for equal distributions and log 2, its largest value, for those that
// share no outcome.
func JSDivergence[F float32 | float64](p, q []F) float64 {
	sum := 0.0
	for i, a := range p {
		a, b := float64(a), float64(q[i])
		if a == b {
			continue
		}
		m := (a + b) / 2
		sum += term(a, m) + term(b, m)
	}
	return max(0, sum/2) // rounding can leave less than nothing
}

// term is p log(p/m), which is 0 at p = 0.
func term(p, m float64) float64 {
	if p <= 0 {
		return 0
	}
	return p * math.Log(p/m)
}

// attentionMaps are a layer's attention probabilities for a batch of texts,
// [texts, heads, n, n], row by row the distribution of a query over the keys.
type attentionMaps struct {
	probabilities []float32
	heads, n      int
}

// divergence sums over a batch's texts the mean over heads and query tokens of
// the JS divergence of two models' attention. A text of k tokens has k queries
// and k keys; what lies beyond is padding.
func (a attentionMaps) divergence(b attentionMaps, lengths []int) float64 {
	means := make([]float64, len(lengths))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for text, k := range lengths {
		group.Go(func() error {
			sum := 0.0
			for head := range a.heads {
				for query := range k {
					at := ((text*a.heads+head)*a.n + query) * a.n
					sum += JSDivergence(a.probabilities[at:at+k], b.probabilities[at:at+k])
				}
			}
			means[text] = sum / float64(a.heads*k)
			return nil
		})
	}
	_ = group.Wait() // nothing fails
	total := 0.0
	for _, m := range means { // in order, so that the sum is the same on any number of cores
		total += m
	}
	return total
}
