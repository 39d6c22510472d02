package experiments_test

import (
	"context"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// swept are three facts each of three relations, as [experiments.Gather] makes
// them of the records of "kn sweep".
func swept(m *kn.Model) *experiments.Gathered {
	g, err := gather(m, 3)
	if err != nil {
		panic(err)
	}
	return g
}

func ExampleNeurons() {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	table, err := experiments.Neurons(m, swept(m), stats.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(table.Facts, "facts of", table.Relations, "relations")
	fmt.Println("most of their neurons are in the topmost third of the layers:", table.Gradients.Top.Mean > 0.5)
	// Output:
	// 9 facts of 3 relations
	// most of their neurons are in the topmost third of the layers: true
}

func ExampleIntervene() {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	r, err := experiments.Intervene(context.Background(), m, swept(m).Facts, experiments.InterveneOptions{Seed: 1}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range r.Sets[:3] {
		fmt.Printf("%s: suppressing them takes a fifth or more: %v\n", s.Label, s.Suppressed.Mean < -0.2)
	}
	// Output:
	// knowledge neurons: suppressing them takes a fifth or more: true
	// neurons of a fact of another relation: suppressing them takes a fifth or more: false
	// random neurons of the same layers: suppressing them takes a fifth or more: false
}

func ExampleUpdate() {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	o := experiments.UpdateOptions{PerRelation: 1, MostShare: 1, Probes: 1, CurveFacts: -1, Seed: 1}
	t, err := experiments.Update(context.Background(), m, swept(m).Facts, o, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range t.Each {
		fmt.Println(f.Relation, f.Old, "to", f.New)
	}
	fmt.Println(t.Sets[0].Changed.Mean > t.Sets[1].Changed.Mean)
	// Output:
	// P19 Seattle to Lebanon
	// P36 Aberdeen to Athens
	// P106 journalist to actor
	// true
}

func ExampleErase() {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	o := experiments.EraseOptions{Relations: []string{"P36"}, Neurons: 5, Counts: []int{1}, Draws: 1, Seed: 1}
	t, err := experiments.Erase(context.Background(), m, swept(m).Facts, o, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	own, random := t.Relations[0].Sets[0], t.Relations[0].Sets[2]
	fmt.Println(t.Relations[0].Name, own.Neurons, own.Erased.Perplexity.Change.Mean > random.Erased.Perplexity.Change.Mean)
	// Output:
	// capital 5 true
}

func ExampleDiffRecipes() {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	d, err := experiments.DiffRecipes(context.Background(), m, swept(m).Facts, experiments.DiffOptions{Facts: 1, Seed: 1}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range d.Steps {
		fmt.Println(s.What)
	}
	// Output:
	// LayerNorm ε: 1e-5 → the checkpoint's
	// rule: left Riemann → inclusive linspace
	// threshold t: 0.2 → 0.3
	// share p: 0.7 → 0.5
	// at least 3 prompts → no minimum
	// comparison: ≥ → >
	// rule: inclusive linspace → adaptive
	// threshold t: 0.3 → 0.2
	// share p: 0.5 → 0.7
	// comparison: > → ≥
}

func ExampleConvergence() {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	o := experiments.ConvergenceOptions{Prompts: 1, Nodes: []int{4, 32}, Tolerances: []float64{0.01}, Reference: 1e-3, Seed: 1}
	c, err := experiments.Convergence(context.Background(), m, swept(m).Facts, o, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range c.Rules {
		last := r.Points[len(r.Points)-1]
		fmt.Println(r.Rule, last.Median < 0.05)
	}
	// Output:
	// left_riemann true
	// linspace_inclusive true
	// trapezoid true
	// gauss_legendre true
	// adaptive true
}

func ExampleExpress() {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	texts, err := facts.HeldOutText(m.MustFacts(), 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := experiments.Express(context.Background(), m, swept(m).Facts, texts, experiments.ExpressOptions{Seed: 1}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Facts, "facts; more in texts that say them than in random ones:", r.Gradients.T1.Mean > r.Gradients.T3.Mean)
	// Output: 9 facts; more in texts that say them than in random ones: true
}

func ExampleExactness() {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	o := experiments.ExactnessOptions{Prompts: 3, Tolerances: []float64{0.05}, Reference: 1e-3, Seed: 1}
	t, err := experiments.Exactness(context.Background(), m, swept(m).Facts, o, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range t.Tolerances {
		fmt.Printf("to %g: %d of %d prompts within it, %s\n", r.Tolerance, r.Within, r.Prompts, r.Verdict)
	}
	// Output: to 0.05: 3 of 3 prompts within it, kept
}
