package electraplots_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/electra"
	"github.com/knowledge-neurons/gonb-kn/plots/electraplots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// trainings are three seeds of each variant.
func trainings() []*electra.Record {
	rng := rand.New(rand.NewPCG(6, 6))
	var all []*electra.Record
	for i, s := range electra.Samplers {
		for _, gamma := range []float64{0, 1} {
			for seed := range uint64(3) {
				r := &electra.Record{Steps: 1000, DataSHA256: charttest.MadeUp.Digest}
				r.Config = electra.Config{Model: "mini", Sampler: s, Gamma: gamma, Seed: 1 + seed}
				for k := range 11 {
					x := float64(k) / 10
					correct := (0.55 - 0.12*float64(i) - 0.06*gamma) * (1 - math.Exp(-4*x)) * (1 + 0.05*rng.NormFloat64())
					r.Measurements = append(r.Measurements, electra.Measurement{
						Step: 100 * k, Seconds: 0.1 * float64(100*k) * (1 + 0.2*float64(i)), Own: electra.Drawn{Correct: correct, Variance: 2 - x},
					})
				}
				all = append(all, r)
			}
		}
	}
	return all
}

func metric(t interface{ Fatal(...any) }, name string) electra.Metric {
	m, err := electra.MetricByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func ExampleSteps() {
	fig := electraplots.MustSteps(trainings(), electra.Metrics[0], small)
	fig.MustSave(filepath.Join(folder, "electra_steps.png"))
	fmt.Println(fig.Title())
	// Output: Replacements drawn that are the original token
}

func ExampleTime() {
	fig := electraplots.MustTime(trainings()[:12], electra.Metrics[0], small)
	fig.MustSave(filepath.Join(folder, "electra_time.png"))
	fmt.Println(fig.Title())
	// Output: Replacements drawn that are the original token
}

// A vocabulary of six tokens, of whose first the generator is sure.
func ExampleProposals() {
	generator := []float64{0.80, 0.10, 0.05, 0.03, 0.015, 0.005}
	loss := []float64{0.05, 1.2, 0.4, 2.5, 0.9, 3.0}
	fig := electraplots.MustProposals(electra.MustProposals(generator, loss, 10, 3), small)
	fig.MustSave(filepath.Join(folder, "electra_proposals.png"))
	fmt.Println(fig.Title())
	// Output: Why p_G × loss is the best proposal, and what a bound costs
}

// The same vocabulary, and a proposal that has forgotten a token.
func ExampleEstimates() {
	generator := []float64{0.80, 0.10, 0.05, 0.03, 0.015, 0.005}
	loss := []float64{0.05, 1.2, 0.4, 2.5, 0.9, 3.0}
	uniform := []float64{1. / 6, 1. / 6, 1. / 6, 1. / 6, 1. / 6, 1. / 6}
	estimate := func(proposal []float64) electra.Estimate {
		return electra.Mixture.MustEstimate(generator, proposal, loss, math.Inf(1))
	}
	fig := electraplots.MustEstimates([]electraplots.Estimate{
		{Name: "p_G: plain ELECTRA", Estimate: estimate(generator)},
		{Name: "p_G × loss", Estimate: estimate(electra.MustOptimal(generator, loss))},
		{Name: "all tokens alike", Estimate: estimate(uniform)},
	}, small)
	fig.MustSave(filepath.Join(folder, "electra_estimates.png"))
	fmt.Println(fig.Title())
	// Output: How far one draw's estimate of the detection loss scatters
}

func ExampleBounds() {
	generator := []float64{0.80, 0.10, 0.05, 0.03, 0.015, 0.005}
	loss := []float64{0.05, 1.2, 0.4, 2.5, 0.9, 3.0}
	proposal := []float64{0.5, 0.02, 0.1, 0.3, 0.04, 0.04}
	fig := electraplots.MustBounds(electra.MustBounds(generator, proposal, loss, 1, 1.5, 2, 3, 4, 6, 10), small)
	fig.MustSave(filepath.Join(folder, "electra_bounds.png"))
	fmt.Println(fig.Title())
	// Output: What a bound of the importance weights costs
}

func TestElectraBadInput(t *testing.T) {
	correct := metric(t, "correct")
	uneven := trainings()[:2]
	uneven[1].Measurements = uneven[1].Measurements[1:]
	nan := trainings()[:1]
	nan[0].Measurements[3].Own.Correct = math.NaN()
	for want, records := range map[string][]*electra.Record{
		"no trainings":          nil,
		"has no measurements":   {{}},
		"11 and 10":             uneven,
		"which cannot be drawn": nan,
	} {
		if _, err := electraplots.Steps(records, correct); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for want, curves := range map[string]*electra.ProposalCurves{
		"curves of proposals to draw": nil,
		"0 curves":                    {Mean: 1},
		"1 values":                    {Mean: 1, Exponents: []float64{0, 1}, Curves: []electra.ProposalCurve{{Deviation: []float64{1}}}},
		"cannot be drawn":             {Mean: 1, Exponents: []float64{0}, Curves: []electra.ProposalCurve{{Deviation: []float64{math.Inf(1)}}}},
	} {
		if _, err := electraplots.Proposals(curves); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for want, estimates := range map[string][]electraplots.Estimate{
		"no proposals to draw":   nil,
		"the expected loss is 0": {{Name: "p_G"}},
		"cannot be drawn":        {{Name: "p_G", Estimate: electra.Estimate{Mean: 1, Variance: math.NaN()}}},
	} {
		if _, err := electraplots.Estimates(estimates); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	one := []electra.Estimate{{}}
	for want, curves := range map[string]*electra.BoundCurves{
		"curves over bounds":   nil,
		"0 bounds":             {Mean: 1},
		"0 values":             {Mean: 1, Bounds: []float64{1}, Mixture: one},
		"needs them in rising": {Mean: 1, Bounds: []float64{2, 1}, Mixture: one, Clip: one},
		"cannot be drawn":      {Mean: 1, Bounds: []float64{1}, Mixture: one, Clip: []electra.Estimate{{Bias: math.NaN()}}},
	} {
		if _, err := electraplots.Bounds(curves); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
