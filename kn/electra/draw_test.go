package electra

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/stat/distuv"
)

// falseAlarm is how often each statistical test here fails though all is
// right, should its seed be changed.
const falseAlarm = 1e-6

// draws returns tokens drawn from p, u being random, and what else fn makes of
// them: one value for each draw.
func draws(t *testing.T, seed uint64, n int, p []float64, fn func(p, token *graph.Node) *graph.Node) []float64 {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0xd4a3))
	u := make([]float64, n)
	for i := range u {
		u[i] = float64(rng.Float32())
	}
	return compute(t, func(in []*graph.Node) []*graph.Node {
		rows := graph.BroadcastToDims(in[0], n, len(p)) // [N, V]
		return []*graph.Node{fn(in[0], Draw(rows, in[1]))}
	}, matrix([][]float64{p}), vector(u...))[0]
}

// Tokens are drawn as often as their probabilities say (chi-squared test).
func TestDrawFrequencies(t *testing.T) {
	const n = 40_000
	for _, v := range []int{2, 9, 37} {
		p := randomTable(rand.New(rand.NewPCG(7, uint64(v))), v).generator
		counts := make([]float64, v)
		for _, token := range draws(t, uint64(v), n, p, func(_, token *graph.Node) *graph.Node { return token }) {
			counts[int(token)]++
		}
		// Cells that expect fewer than five are counted together.
		var statistic, rare, expectRare float64
		cells := 0
		add := func(count, expected float64) {
			statistic += (count - expected) * (count - expected) / expected
			cells++
		}
		for x, count := range counts {
			if n*p[x] < 5 {
				rare, expectRare = rare+count, expectRare+n*p[x]
				continue
			}
			add(count, n*p[x])
		}
		if expectRare >= 5 {
			add(rare, expectRare)
		}
		if limit := (distuv.ChiSquared{K: float64(cells - 1)}).Quantile(1 - falseAlarm); statistic > limit {
			t.Errorf("V = %d: chi-squared %v, limit %v", v, statistic, limit)
		}
	}
}

// Whatever u is, even at its ends, a token that cannot be is not drawn.
func TestDrawNeverDrawsTheImpossible(t *testing.T) {
	rows := [][]float64{
		{0, 0, 0, 0, 0.3, 0, 0.7, 0, 0, 0, 0},
		{0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0.5, 0},
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
		{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	}
	for _, u := range []float64{0, 0x1p-24, 0.3, 0.5, 0.7, 1 - 0x1p-24, 1} {
		tokens := compute(t, func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{Draw(in[0], in[1])}
		}, matrix(rows), vector(u, u, u, u))[0]
		for i, token := range tokens {
			if token < 0 || int(token) >= len(rows[i]) || rows[i][int(token)] == 0 {
				t.Errorf("u = %v draws token %v from %v", u, token, rows[i])
			}
		}
	}
}

// The mean of weighted losses over draws from a proposal is the expectation
// under plain sampling, unless weights are clipped (z-test at falseAlarm).
func TestWeightedLossKeepsItsExpectation(t *testing.T) {
	const n = 60_000
	limit := distuv.UnitNormal.Quantile(1 - falseAlarm/2)
	c := randomTable(rand.New(rand.NewPCG(11, 12)), 30)
	tempered, err := Tempered(c.generator, c.loss, 2.5) // far from the optimum, with weights above 2
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range []struct {
		Bounding
		bound float64
	}{{Mixture, 2}, {Mixture, 10}, {Clip, 1e9}, {Clip, 1.2}} {
		want, err := b.Estimate(c.generator, tempered, c.loss, b.bound)
		if err != nil {
			t.Fatal(err)
		}
		proposal := compute(t, func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{b.Mix(in[1], in[0], b.bound)}
		}, vector(c.generator...), vector(tempered...))[0]
		drawn := draws(t, uint64(20+i), n, proposal, func(_, token *graph.Node) *graph.Node { return token })
		var sum, squares float64
		for _, token := range drawn {
			x := int(token)
			w := min(c.generator[x]/proposal[x], b.bound)
			if w > b.bound*(1+1e-6) {
				t.Fatalf("weight %v above %v", w, b.bound)
			}
			sum += w * c.loss[x]
			squares += w * c.loss[x] * w * c.loss[x]
		}
		mean := sum / n
		deviation := math.Sqrt((squares/n - mean*mean) / n)
		plain := want.Mean - want.Bias
		if z := math.Abs(mean-want.Mean) / deviation; z > limit {
			t.Errorf("%s at %v: mean %v, enumerated %v: z = %.1f", b.Bounding, b.bound, mean, want.Mean, z)
		}
		z := math.Abs(mean-plain) / deviation
		if clipped := want.Bias < -1e-9; clipped != (z > limit) {
			t.Errorf("%s at %v: mean %v, plain sampling's %v: z = %.1f, bias %v", b.Bounding, b.bound, mean, plain, z, want.Bias)
		}
	}
}
