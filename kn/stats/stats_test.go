package stats_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

func ExampleBootstrap() {
	// The changes of a probability in the prompts of three facts.
	changes := map[string][]float64{
		"Paris":    {-0.8, -0.9},
		"Salzburg": {-0.7},
		"Rome":     {-0.9, -0.8, -0.85},
	}
	i := stats.Bootstrap(changes, stats.Options{Seed: 1})
	fmt.Printf("%.3f [%.3f, %.3f]\n", i.Mean, i.Low, i.High)
	// Output: -0.825 [-0.850, -0.700]
}

func TestBootstrap(t *testing.T) {
	clusters := map[int][]float64{0: {1, 1}, 1: {0, 0}, 2: {1, 0}, 3: {1, 1}}
	got := stats.Bootstrap(clusters, stats.Options{Seed: 1})
	if got.Mean != 5.0/8 || got.Low >= got.Mean || got.High <= got.Mean || got.Low < 0 || got.High > 1 {
		t.Errorf("interval %+v", got)
	}
	if again := stats.Bootstrap(clusters, stats.Options{Seed: 1}); again != got {
		t.Error("the same seed gives another interval")
	}
	if empty := stats.Bootstrap(map[int][]float64{1: nil}, stats.Options{}); empty != (stats.Interval{}) {
		t.Errorf("no values give %+v", empty)
	}
}

// draw makes n clusters of one to four values that share a level of their
// own, around mean.
func draw(rng *rand.Rand, n int, mean float64) map[int][]float64 {
	clusters := map[int][]float64{}
	for i := range n {
		level := rng.NormFloat64()
		for range 1 + rng.IntN(4) {
			clusters[i] = append(clusters[i], mean+level+0.5*rng.NormFloat64())
		}
	}
	return clusters
}

// TestBootstrapCovers: over many samples of a known mean the interval holds
// it about as often as it says, though values of one cluster go together.
func TestBootstrapCovers(t *testing.T) {
	const samples = 400
	covered := 0
	for s := range samples {
		clusters := draw(rand.New(rand.NewPCG(uint64(s), 5)), 60, 3)
		if i := stats.Bootstrap(clusters, stats.Options{Resamples: 400, Seed: 1}); i.Low <= 3 && 3 <= i.High {
			covered++
		}
	}
	// 95 % of 400 are 380, with a deviation of 4.4; the percentile interval
	// of 60 clusters is known to cover one or two points less.
	if covered < 360 || covered > 397 {
		t.Errorf("%d of %d intervals hold the mean, want about 376", covered, samples)
	}
}

// TestDifferenceIsPaired: what two samples share does not widen the interval.
func TestDifferenceIsPaired(t *testing.T) {
	const samples = 300
	covered, wide := 0, 0
	for s := range samples {
		rng := rand.New(rand.NewPCG(uint64(s), 6))
		a := draw(rng, 60, 1)
		b := map[int][]float64{}
		for i, values := range a {
			for range values {
				b[i] = append(b[i], mean(values)-0.2+0.1*rng.NormFloat64())
			}
		}
		i := stats.Difference(a, b, stats.Options{Resamples: 300, Seed: 1})
		if i.Low <= 0.2 && 0.2 <= i.High {
			covered++
		}
		if i.High-i.Low > 0.1 {
			wide++
		}
	}
	if covered < 270 || wide > 0 {
		t.Errorf("%d of %d intervals hold the difference, %d are wide", covered, samples, wide)
	}
}

// TestMeanOfRatios by hand, and by how often its interval holds the truth.
func TestMeanOfRatios(t *testing.T) {
	groups := [][]stats.Ratio{{{Of: 1, To: 2}, {Of: 2, To: 4}}, {{Of: 3, To: 3}}, {{Of: 5, To: 0}}, nil}
	if got := stats.MeanOfRatios(groups, stats.Options{Seed: 1}); got != (stats.Interval{Mean: 0.75, Low: 0.75, High: 0.75}) {
		t.Errorf("two groups of constant ratios, 1/2 and 1: %+v", got)
	}
	if got := stats.MeanOfRatios(nil, stats.Options{}); got != (stats.Interval{}) {
		t.Errorf("nothing gives %+v", got)
	}
	// Groups with ratios of -0.5 and 0.3 by turns, whose clusters differ in size.
	const samples = 300
	for _, c := range []struct{ groups, clusters, least int }{
		// 285 is 95 %, with a deviation of 3.8. Ratios of few clusters cover a
		// little less; groups of one cluster are taken for one, and cover more.
		{2, 40, 266}, {34, 10, 266}, {34, 2, 266}, {34, 1, 290},
	} {
		covered := 0
		for s := range samples {
			rng := rand.New(rand.NewPCG(uint64(s), 8))
			groups := make([][]stats.Ratio, c.groups)
			for g := range groups {
				for range c.clusters {
					size := 0.5 + rng.ExpFloat64()
					groups[g] = append(groups[g], stats.Ratio{Of: size * (-0.5 + 0.8*float64(g%2) + 0.5*rng.NormFloat64()), To: size})
				}
			}
			if i := stats.MeanOfRatios(groups, stats.Options{Resamples: 300, Seed: 1}); i.Low <= -0.1 && -0.1 <= i.High {
				covered++
			}
		}
		if covered < c.least {
			t.Errorf("%d of %d intervals of %d groups of %d clusters hold the truth", covered, samples, c.groups, c.clusters)
		}
	}
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func TestQuantile(t *testing.T) {
	if q := stats.Quantile([]float64{1, 2, 3, 4}, 0.5); q != 2.5 {
		t.Errorf("median %v, want 2.5", q)
	}
	if q := stats.Quantile([]float64{1, 2}, 1); q != 2 {
		t.Errorf("the largest is %v, want 2", q)
	}
}
