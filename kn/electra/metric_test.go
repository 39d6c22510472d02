package electra

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// The curves start at plain sampling, vanish at the optimum without a bound,
// and cost the more there the lower the bound is.
func TestProposals(t *testing.T) {
	c := randomTable(rand.New(rand.NewPCG(3, 3)), 12)
	p := MustProposals(c.generator, c.loss, 20, 4)
	if len(p.Exponents) != 41 || p.Exponents[20] != 1 || len(p.Curves) != 3 || p.Curves[0].Bound != 0 {
		t.Fatalf("%+v", p)
	}
	var mean, square float64
	for x, q := range c.generator {
		mean += q * c.loss[x]
		square += q * c.loss[x] * c.loss[x]
	}
	last := -1.0
	for _, curve := range p.Curves {
		near(t, "plain sampling", curve.Deviation[:1], []float64{math.Sqrt(square - mean*mean)}, 1e-9)
		if at := curve.Deviation[20]; at <= last || curve.Bound == 0 && at > 1e-6 {
			t.Errorf("bound %v: deviation %v at the optimum", curve.Bound, at)
		} else {
			last = at
		}
	}
	near(t, "mean", []float64{p.Mean}, []float64{mean}, 1e-9)
	if _, err := Proposals([]float64{1}, nil); err == nil {
		t.Error("no losses are taken")
	}
	if _, err := MetricByName("beauty"); err == nil || !strings.Contains(err.Error(), "accuracy") {
		t.Errorf("got %v", err)
	}
	if m, err := MetricByName("variance"); err != nil || m.Of(Measurement{Own: Drawn{Variance: 3}}) != 3 {
		t.Errorf("%v, %v", m, err)
	}
	if v := (Config{Sampler: HPLoss, Gamma: 1}).Variant() + (Config{}).Variant(); v != "HP_Loss, focal γ = 1ELECTRA" {
		t.Error(v)
	}
}

// Over the bound a mixture's bias stays 0 and clipping's vanishes, and both
// end at the unbounded estimate.
func TestBounds(t *testing.T) {
	c := randomTable(rand.New(rand.NewPCG(3, 5)), 12)
	p, err := Tempered(c.generator, c.loss, 2)
	if err != nil {
		t.Fatal(err)
	}
	b := MustBounds(c.generator, p, c.loss, 1, 2, 8, 1e9)
	free := Clip.MustEstimate(c.generator, p, c.loss, math.Inf(1))
	if len(b.Mixture) != 4 || len(b.Clip) != 4 {
		t.Fatalf("%+v", b)
	}
	near(t, "mean", []float64{b.Mean}, []float64{free.Mean}, 1e-9)
	for i := range b.Bounds {
		if math.Abs(b.Mixture[i].Bias) > 1e-12 || i > 0 && b.Clip[i].Bias < b.Clip[i-1].Bias-1e-12 {
			t.Errorf("bound %v: biases %v and %v", b.Bounds[i], b.Mixture[i].Bias, b.Clip[i].Bias)
		}
	}
	for _, e := range []Estimate{b.Mixture[3], b.Clip[3]} {
		near(t, "without a bound", []float64{e.Mean, e.Variance, e.EffectiveShare}, []float64{free.Mean, free.Variance, free.EffectiveShare}, 1e-6)
	}
	if b.Clip[0].Bias > -1e-3 {
		t.Errorf("clipping at 1 has bias %v only: the table is too tame for this test", b.Clip[0].Bias)
	}
	if _, err := Bounds(c.generator, p, c.loss, 0.5); err == nil {
		t.Error("a bound below 1 is taken")
	}
}
