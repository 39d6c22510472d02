package knowledgeneurons

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// codes is the section on what the published codes do differently.
func (b *book) codes(d *experiments.RecipeDiff) report.Section {
	s := report.Section{Title: "What the published codes do differently"}
	r := b.File("recipes")
	s.Say("The authors' code and EleutherAI's library differ in more than one thing, and both differ from the exact integral. The same ",
		r.Number("/facts", report.Count), " facts by each recipe, p not tuned; the overlap of two recipes' sets is the Jaccard index |A ∩ B| / |A ∪ B|, mean over facts.")
	t := &report.Table{
		ID: "recipes", Caption: report.Join("Three recipes: how many neurons they find, and how far they agree."),
		Columns: report.Columns("recipe", "rule", ">t", ">p", ">neurons a fact"), Note: b.ours(),
	}
	n := r.Len("/recipes")
	for j := range n {
		t.Columns = append(t.Columns, report.Column{Name: "overlap with " + r.String(fmt.Sprintf("/recipes/%d/name", j)), Right: true})
	}
	for i := range n {
		recipe := fmt.Sprintf("/recipes/%d", i)
		row := []any{r.String(recipe + "/name"), r.String(recipe + "/recipe/attribute/rule"), orDefault(r, recipe+"/recipe/threshold", "0.2"), orDefault(r, recipe+"/recipe/share", "0.7"), r.Interval(recipe+"/per_fact", report.Decimals(2))}
		for j := range n {
			row = append(row, r.Interval(fmt.Sprintf("/overlap/%d/%d", i, j), report.Decimals(2)))
		}
		t.Row(row...)
	}
	s.Add(t)
	b.Figure(&s, "recipe-overlap", report.Join("How far the recipes' sets agree."))(experimentplots.RecipeOverlap(d))
	s.Add(steps(r, "recipe-steps", "/steps", "overlap with the step before", "From the authors' code over EleutherAI's to the exact default, one difference after another."))
	b.Figure(&s, "recipe-steps", report.Join("Which difference moves how much on this way."))(experimentplots.RecipeSteps(d))
	s.Add(steps(r, "recipe-differences", "/alone", "overlap with the authors' sets", "Each difference alone, starting from the authors' code."))
	return s
}

// orDefault prints a recipe's number, which is absent where it is the default.
func orDefault(r *report.Result, pointer, value string) any {
	if r.Has(pointer) {
		return r.Number(pointer, report.Decimals(1))
	}
	return value
}

func steps(r *report.Result, id, pointer, overlap, caption string) *report.Table {
	t := &report.Table{ID: id, Caption: report.Join(caption), Columns: report.Columns("difference", ">"+overlap, ">neurons a fact after it")}
	for i := range r.Len(pointer) {
		step := fmt.Sprintf("%s/%d", pointer, i)
		t.Row(r.String(step+"/what"), r.Interval(step+"/overlap", report.Decimals(2)), r.Interval(step+"/per_fact", report.Decimals(2)))
	}
	return t
}

// kinks says why the better rules are no better on some models.
func (b *book) kinks() string {
	if b.activation != "relu" {
		return ""
	}
	return " " + b.model + "'s activation function is the ReLU, whose derivative jumps: rules that are far quicker on smooth integrands, such as Gauss-Legendre, gain little here, " +
		"and the adaptive rule looks for the jumps. BERT has the smooth GELU."
}

// exactness is the section on the integral's error.
func (b *book) exactness(c *experiments.ConvergenceTable, x *experiments.ExactnessTable) report.Section {
	s := report.Section{Title: "How exact the integrals are"}
	r := b.File("convergence")
	s.Say("Attributions are integrals, and the published codes take sums of 20 nodes for them. ", r.Number("/prompts", report.Count),
		" prompts of different facts were attributed by each rule and number of nodes, and compared with a reference: ", r.String("/reference"),
		". The error is the largest of any neuron's score, as a share of the prompt's largest score; coarse sets are compared by their Jaccard index.", b.kinks())
	t := &report.Table{
		ID: "convergence", Caption: report.Join("Error of the attributions by rule and number of nodes a layer, over prompts."),
		Columns: report.Columns("rule", ">nodes", ">median error", ">10th percentile", ">90th percentile", ">coarse set's overlap with the exact one"),
		Note:    report.Join("The authors take 20 nodes of left_riemann, EleutherAI's library 20 of linspace_inclusive. The adaptive rule chooses its nodes, until it estimates the error to be below the share of the largest score that is named; their mean is shown."),
	}
	for i := range r.Len("/rules") {
		rule := fmt.Sprintf("/rules/%d", i)
		for j := range r.Len(rule + "/points") {
			p := fmt.Sprintf("%s/points/%d", rule, j)
			nodes := report.Count
			if r.String(rule+"/rule") == "adaptive" {
				nodes = report.Decimals(1)
			}
			e := report.Format{Scale: 100, Unit: " %", Significant: 2}
			name := report.Join(r.String(rule + "/rule"))
			if tolerance := p + "/tolerance"; r.Has(tolerance) {
				name = report.Join(name, " to ", r.Number(tolerance, report.Format{Scale: 100, Unit: " %", Significant: 1}))
			}
			t.Row(name, r.Number(p+"/nodes", nodes), r.Number(p+"/median", e), r.Number(p+"/low", e), r.Number(p+"/high", e), r.Interval(p+"/same", report.Decimals(3)))
		}
	}
	b.Figure(&s, "convergence", report.Join("Median error over prompts, bands from the 10th to the 90th percentile."))(experimentplots.ConvergenceError(c))
	b.Figure(&s, "convergence-sets", report.Join("How far the coarse sets agree with the exact ones."))(experimentplots.ConvergenceAgreement(c))
	s.Add(t)
	b.promise(&s, x)
	return s
}
