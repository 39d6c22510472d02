package knowledgeneurons

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// How errors and tolerances, which are shares of the largest score, are printed.
var (
	errorShare     = report.Format{Scale: 100, Unit: " %", Significant: 2}
	toleranceShare = report.Format{Scale: 100, Unit: " %", Significant: 1}
)

// promise adds to the section on the integrals' error whether the adaptive
// rule keeps its tolerance.
func (b *book) promise(s *report.Section, x *experiments.ExactnessTable) {
	r := b.File("exactness")
	s.Say("The adaptive rule stops where it estimates every score to be within a tolerance of what it would be exactly. This was tested on ",
		r.Number("/prompts", report.Count), " prompts of ", r.Number("/relations", report.Count), " relations, against the same rule to ",
		r.Number("/reference/tolerance", toleranceShare), " of the largest score", unreached(r), ". If that rule were deceived at both tolerances alike, this would not show. So in ",
		r.Number("/check/prompts", report.Count), " of the prompts the reference was compared with ", r.Number("/check/nodes", report.Count),
		" Gauss-Legendre nodes a layer. The largest difference of a score was ", r.Number("/check/difference", errorShare),
		" of the prompt's largest; the median over prompts was ", r.Number("/check/median", errorShare), ".", b.slowCheck())
	b.Figure(s, "exactness", report.Join("The error of each prompt's worst layer against the rule's own estimate. Below the diagonal the estimate is honest, below the dashed line the tolerance is kept."))(experimentplots.Exactness(x))
	s.Add(promiseTable(r), b.worstPrompts(r))
}

// unreached says in how many prompts the reference is worse than it should be.
func unreached(r *report.Result) report.Text {
	if r.Float("/reference/not_converged") == 0 {
		return nil
	}
	return report.Join(", which it did not reach in ", r.Number("/reference/not_converged", report.Count), " of them; by its estimate it is within ",
		r.Number("/reference/estimate", errorShare), " there")
}

// slowCheck says why Gauss-Legendre is a poor check on some models.
func (b *book) slowCheck() string {
	if b.activation != "relu" {
		return ""
	}
	return " Part of that is the check's own error, as the derivative of the ReLU jumps; with the smooth GELU the two agree to the precision of 32-bit numbers."
}

func promiseTable(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "exactness", Caption: report.Join("How the adaptive rule keeps its tolerance."),
		Columns: report.Columns("tolerance", "prompts within it", ">share of the prompts", ">worst error, in tolerances", ">prompts reported as not converged", ">worst error of the others",
			">layers", ">estimated too low", ">as the reference", ">nodes a layer", "tolerance is"),
		Note: report.Join("A tolerance is kept if at least 99.5 % of the prompts are within it, and each of the others is off by less than three times the tolerance or reported as not converged. "+
			"The share's interval is that of Clopper and Pearson, over prompts. Layers are those of all prompts together. Estimated too low are those whose error is above the rule's own estimate, and above ",
			r.Number("/reference/tolerance", toleranceShare), " of the largest score, below which it may be the reference's. In those that are as the reference it took no more nodes; only the comparison with Gauss-Legendre tests them."),
	}
	for i := range r.Len("/tolerances") {
		at := fmt.Sprintf("/tolerances/%d", i)
		t.Row(r.Number(at+"/tolerance", toleranceShare), report.Join(r.Number(at+"/within", report.Count), " of ", r.Number(at+"/prompts", report.Count)),
			r.Interval(at+"/share", report.Percent(1)), r.Number(at+"/worst", report.Decimals(2)), r.Number(at+"/not_converged", report.Count),
			r.Number(at+"/worst_converged", report.Decimals(2)), r.Number(at+"/layers", report.Count), r.Number(at+"/below_seen", report.Count), r.Number(at+"/as_reference", report.Count),
			r.Number(at+"/nodes", report.Decimals(1)), r.String(at+"/verdict"))
	}
	return t
}

// worstPrompts names the prompts that are furthest off.
func (b *book) worstPrompts(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "exactness-worst", Caption: report.Join("The prompts that are furthest off, with the layer that is, and what the rule estimated there."),
		Columns: report.Columns("tolerance", ">error", ">estimate", ">layer", "relation", "answer", "prompt"),
		Note:    report.Join("Errors and estimates are shares of the prompt's largest score. Layers are counted from 0."),
	}
	if b.published {
		t.Columns = t.Columns[:len(t.Columns)-1]
	}
	for i := range r.Len("/tolerances") {
		of := fmt.Sprintf("/tolerances/%d", i)
		var name any = r.Number(of+"/tolerance", toleranceShare)
		for j := range r.Len(of + "/worst_prompts") {
			at := fmt.Sprintf("%s/worst_prompts/%d", of, j)
			row := []any{
				name, r.Number(at+"/error", errorShare), r.Number(at+"/estimate", errorShare), r.Number(at+"/layer", report.Count),
				r.String(at + "/relation"), r.String(at + "/answer"),
			}
			if !b.published {
				row = append(row, r.String(at+"/prompt"))
			}
			t.Row(row...)
			name = nil
		}
	}
	return t
}
