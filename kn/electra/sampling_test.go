package electra

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
)

// Proposals, weights, variances and focal losses are what PyTorch computes in
// float64.
func TestGoldens(t *testing.T) {
	for _, g := range goldens(t) {
		for i := range g.Generator {
			p, loss := g.Generator[i], g.Loss[i]
			optimal, err := Optimal(p, loss)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "optimal proposal", optimal, g.Proportional[i], 1e-12)
			for _, c := range []struct {
				name     string
				proposal []float64
				variance float64
			}{{"plain", p, g.PlainVar[i]}, {"optimal", optimal, g.OptimalVar[i]}} {
				e, err := Clip.Estimate(p, c.proposal, loss, math.Inf(1))
				if err != nil {
					t.Fatal(err)
				}
				near(t, c.name+" mean and variance", []float64{e.Mean, e.Variance}, []float64{g.Expected[i], c.variance}, 1e-12)
			}
			for gamma, want := range map[float64]string{0: "0", 1: "1", 2: "2", 5: "5"} {
				near(t, "focal loss", []float64{Focal(p[g.Original[i]], gamma)}, []float64{g.Focal[want][i]}, 1e-12)
			}
		}
		out := compute(t, func(in []*graph.Node) []*graph.Node {
			// softplus(log(eˣ - 1)) is x.
			head := graph.Log(graph.Expm1(in[1]))
			p := HPLoss.Propose(in[0], head)
			return []*graph.Node{p, HPDist.Propose(in[0], graph.Log(in[1])), Plain.Propose(in[0], nil), ImportanceWeights(in[0], p, 100)}
		}, matrix(g.Generator), matrix(g.Loss), matrix(g.Proportional))
		near(t, "graph's hp-loss", out[0], flatten(g.Proportional), 1e-5)
		near(t, "graph's hp-dist", out[1], flatten(g.Proportional), 1e-5)
		near(t, "graph's plain", out[2], flatten(g.Generator), 1e-6)
		near(t, "graph's weights", out[3], flatten(g.Weight), 1e-5)
		for gamma, want := range map[float64]string{0: "0", 1: "1", 2: "2", 5: "5"} {
			var p []float64
			for i, x := range g.Original {
				p = append(p, g.Generator[i][x])
			}
			out := compute(t, func(in []*graph.Node) []*graph.Node {
				return []*graph.Node{FocalLoss(graph.Log(in[0]), gamma)}
			}, vector(p...))
			near(t, "graph's focal loss", out[0], g.Focal[want], 1e-5)
		}
	}
}

func flatten(rows [][]float64) (flat []float64) {
	for _, row := range rows {
		flat = append(flat, row...)
	}
	return flat
}

// The nearer a proposal p_G·L_D^a is to a = 1, the less variance is left, and
// none there.
func TestVarianceFallsTowardsTheOptimum(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		c := randomTable(rng, 2+rng.IntN(40))
		var last float64
		for i, a := range []float64{-0.5, 0, 0.5, 1} {
			p, err := Tempered(c.generator, c.loss, a)
			if err != nil {
				t.Fatal(err)
			}
			e, err := Mixture.Estimate(c.generator, p, c.loss, math.Inf(1))
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(e.Bias) > 1e-12 {
				t.Fatalf("a = %v: bias %v", a, e.Bias)
			}
			if i > 0 && e.Variance >= last {
				t.Fatalf("a = %v: variance %v, before %v", a, e.Variance, last)
			}
			last = e.Variance
		}
		if last > 1e-13 {
			t.Fatalf("variance %v of the optimal proposal", last)
		}
	}
}

// What the bounds cost: a mixture has variance but no bias and keeps weights
// below the bound; clipping has a bias, never upwards.
func TestBoundsCost(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	biased := 0
	for range 50 {
		c := randomTable(rng, 2+rng.IntN(40))
		p, err := Tempered(c.generator, c.loss, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, bound := range []float64{1, 1.5, 4} {
			mixed, err := Mixture.Estimate(c.generator, p, c.loss, bound)
			if err != nil {
				t.Fatal(err)
			}
			cut, err := Clip.Estimate(c.generator, p, c.loss, bound)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(mixed.Bias) > 1e-12 || mixed.EffectiveShare < 1/bound-1e-12 || mixed.EffectiveShare > 1+1e-12 {
				t.Fatalf("mixture bounded by %v: %+v", bound, mixed)
			}
			if cut.Bias > 1e-12 {
				t.Fatalf("clipping at %v adds %v", bound, cut.Bias)
			}
			if cut.Bias < -1e-3 {
				biased++
			}
		}
	}
	if biased == 0 {
		t.Error("clipping never had a bias: the tables are too tame for this test")
	}
}

// A mixture bounded by 1 is plain sampling.
func TestBoundOfOneIsPlain(t *testing.T) {
	c := randomTable(rand.New(rand.NewPCG(5, 6)), 12)
	p, err := Optimal(c.generator, c.loss)
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := Mixture.Estimate(c.generator, p, c.loss, 1)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Clip.Estimate(c.generator, c.generator, c.loss, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "variance", []float64{mixed.Variance}, []float64{plain.Variance}, 1e-12)
}

func TestBadTables(t *testing.T) {
	half := []float64{0.5, 0.5}
	for name, c := range map[string]struct {
		p, loss []float64
		want    string
	}{
		"nothing":       {nil, nil, "0 probabilities"},
		"lengths":       {half, []float64{1}, "1 losses"},
		"sum":           {[]float64{0.5, 0.4}, half, "sum to 0.9"},
		"negative":      {[]float64{1.5, -0.5}, half, "probability -0.5"},
		"NaN":           {[]float64{math.NaN(), 1}, half, "NaN"},
		"negative loss": {half, []float64{1, -1}, "loss -1"},
		"no loss":       {half, []float64{0, 0}, "sum to 0"},
	} {
		if _, err := Optimal(c.p, c.loss); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := Mixture.Estimate(half, half, half, 0.5); err == nil {
		t.Error("weights of mean 1 bounded by 0.5")
	}
	if Sampler("hard").Validate() == nil || Bounding("").Validate() == nil || HPDist.Validate() != nil {
		t.Error("names are not checked")
	}
}
