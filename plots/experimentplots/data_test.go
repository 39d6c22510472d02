package experimentplots_test

import (
	"math"
	"math/rand/v2"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// Made-up results of the experiments, of the shape and size of real ones.

func neuronTable() *experiments.NeuronTable {
	return &experiments.NeuronTable{
		Facts: 238, Prompts: 3318, Relations: 34, Provenance: charttest.MadeUp,
		Gradients: experiments.MethodNeurons{
			PerFact:  charttest.Interval(4.1, 0.3),
			PerLayer: []float64{0, 0.01, 0.01, 0.02, 0.03, 0.03, 0.04, 0.06, 0.08, 0.14, 0.27, 0.31},
			Shared:   experiments.SharedNeurons{Within: charttest.Interval(1.2, 0.2), Across: charttest.Interval(0.1, 0.02), WithinOther: charttest.Interval(0.9, 0.15), AcrossOther: charttest.Interval(0.08, 0.02)},
		},
		Baseline: experiments.MethodNeurons{
			PerFact:  charttest.Interval(3.9, 0.2),
			PerLayer: []float64{0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.12, 0.13, 0.13, 0.12},
			Shared:   experiments.SharedNeurons{Within: charttest.Interval(2.9, 0.3), Across: charttest.Interval(1.9, 0.2), WithinOther: charttest.Interval(2.8, 0.3), AcrossOther: charttest.Interval(1.9, 0.2)},
		},
	}
}

var relationNames = [][2]string{
	{"P19", "place of birth"},
	{"P36", "capital"},
	{"P106", "occupation"},
	{"P131", "located in the administrative territorial entity"},
	{"P103", "native language"},
	{"P413", "position played on team"},
	{"P740", "location of formation"},
	{"P1376", "capital of"},
}

// intervention has n relations.
func intervention(n int) *experiments.Intervention {
	rng := rand.New(rand.NewPCG(5, 5))
	r := &experiments.Intervention{Facts: 7 * n, Prompts: 60 * n, Provenance: charttest.MadeUp}
	suppressed, amplified := []float64{-0.45, -0.03, -0.002, 0.01, -0.08}, []float64{0.5, 0.004, -0.003, -0.02, -0.04}
	labels := [][2]string{
		{"own", "knowledge neurons"},
		{"other relation", "neurons of a fact of another relation"},
		{"random", "random neurons of the same layers"},
		{"matched", "neurons of the same layers nearest in activation"},
		{"baseline", "the activation baseline's neurons"},
	}
	for k, l := range labels {
		r.Sets = append(r.Sets, experiments.InterventionSet{Set: l[0], Label: l[1], Suppressed: charttest.Interval(suppressed[k], 0.02), Amplified: charttest.Interval(amplified[k], 0.03)})
	}
	for i := range n {
		name := relationNames[i%len(relationNames)]
		of := experiments.RelationIntervention{Relation: name[0], Name: name[1], Facts: 7}
		for k := range labels {
			of.Suppressed = append(of.Suppressed, charttest.Interval(suppressed[k]+0.15*rng.NormFloat64(), 0.1*rng.Float64()))
			of.Amplified = append(of.Amplified, charttest.Interval(amplified[k]+0.2*rng.NormFloat64(), 0.2*rng.Float64()))
		}
		r.ByRelation = append(r.ByRelation, of)
	}
	return r
}

func recipeDiff() *experiments.RecipeDiff {
	d := &experiments.RecipeDiff{Facts: 60, Provenance: charttest.MadeUp}
	overlap := [][]float64{{1, 0.52, 0.83}, {0.52, 1, 0.49}, {0.83, 0.49, 1}}
	for i, name := range []string{"Dai2022", "EleutherAI2021", "default"} {
		d.Recipes = append(d.Recipes, experiments.RecipeResult{Name: name, PerFact: charttest.Interval(5-float64(i), 0.4)})
		var row []stats.Interval
		for _, v := range overlap[i] {
			row = append(row, charttest.Interval(v, 0.06*(1-v)/0.5))
		}
		d.Overlap = append(d.Overlap, row)
	}
	for i, what := range []string{"LayerNorm ε: 1e-5 → the checkpoint's", "rule: left Riemann → inclusive linspace", "threshold t: 0.2 → 0.3", "share p: 0.7 → 0.5", "at least 3 prompts → no minimum", "comparison: ≥ → >"} {
		s := experiments.RecipeStep{What: what, Overlap: charttest.Interval(1-0.07*float64(i), 0.01*float64(i)), PerFact: charttest.Interval(5-0.3*float64(i), 0.3)}
		d.Steps = append(d.Steps, s)
		if i < 4 {
			d.Alone = append(d.Alone, s)
		}
	}
	return d
}

func convergence() *experiments.ConvergenceTable {
	t := &experiments.ConvergenceTable{Prompts: 30, Reference: "adaptive to 1e-05 of the largest score", Provenance: charttest.MadeUp}
	for k, rule := range []kn.Rule{kn.LeftRiemann, kn.LinspaceInclusive, kn.Trapezoid, kn.GaussLegendre, kn.Adaptive} {
		r := experiments.RuleConvergence{Rule: rule}
		for e := 1; e <= 7; e++ {
			nodes := float64(int(1) << e)
			err := []float64{0.8, 0.5, 0.2, 0.1, 0.01}[k] / nodes
			if k >= 2 {
				err /= nodes * nodes
			}
			r.Points = append(r.Points, experiments.ConvergencePoint{Nodes: nodes, Median: err, Low: err / 2, High: 3 * err, Same: charttest.Interval(1-err/3, err/8)})
		}
		t.Rules = append(t.Rules, r)
	}
	t.Rules[3].Points[6].Low = 0 // below what float32 scores can say
	return t
}

// exactness has a prompt that is estimated too low, and one that is reported.
func exactness() *experiments.ExactnessTable {
	rng := rand.New(rand.NewPCG(6, 6))
	t := &experiments.ExactnessTable{Prompts: 80, Relations: 34, Layers: 12, Activation: "gelu", Provenance: charttest.MadeUp}
	t.Reference.Tolerance = 1e-5
	t.Each = make([]experiments.PromptExactness, t.Prompts)
	for _, tolerance := range []float64{1e-2, 1e-3} {
		t.Tolerances = append(t.Tolerances, experiments.ToleranceExactness{Tolerance: tolerance, Prompts: t.Prompts, Within: t.Prompts - 1, Worst: 1.4})
		for i := range t.Each {
			a := experiments.AttributionExactness{Layer: i % 12, Estimate: tolerance * math.Pow(10, -rng.Float64())}
			a.Error = a.Estimate * math.Pow(10, -0.2-1.5*rng.Float64())
			switch i {
			case 3: // exact
				a.Error = 0
			case 4:
				a.Error, a.Estimate = 1.4*tolerance, tolerance/2
			case 5:
				a.Error, a.Estimate, a.NotConverged = tolerance/4, 2*tolerance, true
			}
			t.Each[i].By = append(t.Each[i].By, a)
		}
	}
	return t
}

// expression has n relations; the paper's means.
func expression(n int) *experiments.ActivationExpression {
	means := func(t1, t2, t3 float64) experiments.TypeMeans {
		return experiments.TypeMeans{T1: charttest.Interval(t1, 0.03), T2: charttest.Interval(t2, 0.012), T3: charttest.Interval(t3, 0.01)}
	}
	r := &experiments.ActivationExpression{
		Pooling: experiments.AtMask, Facts: 210, Texts: experiments.TextCounts{T1: 1800, T2: 2050, T3: 1800}, Provenance: charttest.MadeUp,
		Gradients: experiments.MethodExpression{Facts: 205, TypeMeans: means(0.485, 0.019, -0.018)},
		Baseline:  experiments.MethodExpression{Facts: 210, TypeMeans: means(-0.018, -0.02, -0.018)},
	}
	for i := range n {
		name := relationNames[i%len(relationNames)]
		r.ByRelation = append(r.ByRelation, experiments.RelationExpression{
			Relation: name[0], Name: name[1], Facts: 6, Gradients: means(0.2+0.1*float64(i), 0.1-0.02*float64(i), -0.02),
		})
	}
	return r
}

// update has own and random neurons.
func update() *experiments.UpdateTable {
	t := &experiments.UpdateTable{Facts: 210, Prompts: 1500, Provenance: charttest.MadeUp}
	for _, set := range []struct {
		name, label           string
		changed, success, top float64
	}{{"own", "the facts' own neurons", 0.485, 0.344, 0.5}, {"random", "random neurons of the same layers", 0.047, 0.002, 0.1}} {
		s := experiments.UpdateSet{Set: set.name, Label: set.label}
		s.Changed, s.Success, s.TopFive = charttest.Interval(set.changed, 0.03), charttest.Interval(set.success, 0.002), charttest.Interval(set.top, 0.04)
		t.Sets = append(t.Sets, s)
	}
	t.CurveFacts = 40
	effect := func(strength float64) (e experiments.UpdateEffect) {
		e.Changed, e.Success, e.TopFive = charttest.Interval(strength/(1+strength), 0.05), charttest.Interval(0.4*strength/(2+strength), 0.03), charttest.Interval(0.6*strength/(1+strength), 0.04)
		return e
	}
	for _, l1 := range []float64{0, 1, 2, 4} {
		for _, l2 := range []float64{1, 2, 4, 8, 16} {
			t.Lambdas = append(t.Lambdas, experiments.UpdatePoint{Lambda1: l1, Lambda2: l2, UpdateEffect: effect((l2 + l1) / 3)})
		}
	}
	for n := 1; n <= 5; n++ {
		t.Counts = append(t.Counts, experiments.UpdatePoint{MostNeurons: n, UpdateEffect: effect(float64(n))})
	}
	return t
}

// erasure has n relations.
func erasure(n int) *experiments.EraseTable {
	t := &experiments.EraseTable{Neurons: 20, Provenance: charttest.MadeUp}
	for i := range n {
		name := relationNames[i%len(relationNames)]
		r := experiments.ErasedRelation{Relation: name[0], Name: name[1], Sets: make([]experiments.EraseSet, 3)}
		r.Sets[0].Erased.Perplexity.Change, r.Sets[0].Others.Perplexity.Change = charttest.Interval(1.07-0.2*float64(i), 0.2), charttest.Interval(0.01, 0.008)
		r.Sets[1].Erased.Perplexity.Change, r.Sets[2].Erased.Perplexity.Change = charttest.Interval(0.1, 0.04), charttest.Interval(0.02, 0.01)
		for _, n := range []int{1, 2, 5, 10, 20, 50 - 7*i} {
			grown := float64(n) / float64(i+2)
			q := experiments.ErasePoint{Neurons: n}
			q.Erased.Perplexity.Change, q.Others.Perplexity.Change = charttest.Interval(grown, grown/3), charttest.Interval(grown/20, grown/60)
			q.Erased.Accuracy, q.Others.Accuracy = charttest.Interval(1/(1+grown/4), 0.06/(1+grown)), charttest.Interval(1-0.002*grown, 0.0001)
			r.Curve = append(r.Curve, q)
		}
		t.Relations = append(t.Relations, r)
	}
	return t
}
