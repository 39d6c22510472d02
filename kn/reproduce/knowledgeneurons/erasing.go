package knowledgeneurons

import (
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// farMore is by how many times a relation's perplexity must rise more than that of
// others for these to be little harmed.
const farMore = 4

// erasing is the section on erasing relations (the paper's second case study).
func (b *book) erasing(e *experiments.EraseTable) report.Section {
	s := report.Section{Title: "Erasing relations"}
	claim := report.Claim{
		ID: "erase", Statement: report.Join("Erasing a relation's neurons raises the perplexity of its facts much, and that of other facts little."),
		Paper: report.Join(b.paperErasures()...),
		Rule:  report.Join("for each relation erased, the interval of its perplexity's rise is above four times that of the other relations'."),
	}
	if e == nil {
		return b.notMeasured(s, "erase", claim)
	}
	r := b.File("erase")
	s.Say("The value vectors of a relation's ", r.Number("/neurons", report.Count), " commonest neurons, those that the most of its facts have, are set to 0, as in the authors' code. "+
		"Measured are the perplexity of the relation's facts and of up to ", r.Number("/provenance/options/others", report.Count), " others, drawn of all other relations, exp of the mean of −ln P(answer) over prompts, and the share of prompts with the answer ranked first. "+
		"The controls erase as many of the commonest neurons of another relation, and random neurons of the same layers.")
	s.Add(b.erasedTable(r))
	b.Figure(&s, "erase", report.Join("By how much perplexities rise."))(experimentplots.ErasedPerplexity(e))
	s.Add(b.erasedSets(r), b.erasedCurve(r))
	b.Figure(&s, "erase-curve-perplexity", report.Join("Perplexities over the number of neurons erased, as multiples of those before. A relation's line ends where it has no more neurons."))(experimentplots.ErasedPerplexityCurve(e))
	b.Figure(&s, "erase-curve-accuracy", report.Join("The share of prompts with the answer ranked first, over the number of neurons erased."))(experimentplots.ErasedAccuracyCurve(e))
	var local []report.Verdict
	fewest := 0
	for i := range r.Len("/relations") {
		own := fmt.Sprintf("/relations/%d/sets/0", i)
		others := r.Estimate(own + "/others/perplexity/change")
		local = append(local, report.Times(r.Estimate(own+"/erased/perplexity/change"), farMore, others))
		if n := int(r.Float(fmt.Sprintf("/relations/%d/facts", i))); i == 0 || n < fewest {
			fewest = n
		}
	}
	claim.Evidence, claim.Verdict = report.Join(b.erasedEvidence(r)...), report.Enough(fewest, report.All(local...))
	b.Claim(claim)
	return s
}

// paperErasures has the changes that the paper gives.
func (b *book) paperErasures() (parts []any) {
	for i, e := range reported.Erase {
		if i > 0 {
			parts = append(parts, "; ")
		}
		erased := fmt.Sprintf("/erase/%d", i)
		parts = append(parts, e.Relation, " ", b.paper.Number(erased+"/change", report.Change(1)), " against ", b.paper.Number(erased+"/others", report.Change(1)))
	}
	return append(parts, ".")
}

// erasedEvidence has each relation's change beside the others'.
func (b *book) erasedEvidence(r *report.Result) (parts []any) {
	for i := range r.Len("/relations") {
		relation := fmt.Sprintf("/relations/%d", i)
		if i > 0 {
			parts = append(parts, "; ")
		}
		parts = append(parts, r.String(relation+"/relation"), " ", r.Interval(relation+"/sets/0/erased/perplexity/change", report.Change(1)),
			" against ", r.Interval(relation+"/sets/0/others/perplexity/change", report.Change(1)))
	}
	return append(parts, ".")
}

func relationName(r *report.Result, relation string) string {
	name := r.String(relation + "/relation")
	if r.Has(relation + "/name") {
		name += " " + r.String(relation+"/name")
	}
	return name
}

func (b *book) erasedTable(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "erase", Caption: report.Join("Perplexity before and after a relation's commonest neurons are erased, as in the paper's second case study, with 95 % intervals over facts."),
		Columns: report.Columns("relation", ">facts", ">neurons", ">its perplexity", ">change", ">paper", ">perplexity of other facts", ">change", ">paper"),
		Note:    b.settings(),
	}
	arrow := func(p string) report.Text {
		return report.Join(r.Number(p+"/before/mean", report.Decimals(2)), " → ", r.Number(p+"/after/mean", report.Decimals(2)))
	}
	for i := range r.Len("/relations") {
		relation := fmt.Sprintf("/relations/%d", i)
		its, others := any(dash), any(dash)
		if k := slices.IndexFunc(reported.Erase, func(p PaperErasure) bool { return p.Relation == r.String(relation+"/relation") }); k >= 0 {
			its, others = b.paper.Number(fmt.Sprintf("/erase/%d/change", k), report.Change(1)), b.paper.Number(fmt.Sprintf("/erase/%d/others", k), report.Change(1))
		}
		own := relation + "/sets/0"
		t.Row(relationName(r, relation), r.Number(relation+"/facts", report.Count), r.Number(own+"/neurons", report.Count),
			arrow(own+"/erased/perplexity"), r.Interval(own+"/erased/perplexity/change", report.Change(1)), its,
			arrow(own+"/others/perplexity"), r.Interval(own+"/others/perplexity/change", report.Change(1)), others)
	}
	return t
}

// erasedSets compares the relation's own neurons with the controls.
func (b *book) erasedSets(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "erase-controls", Caption: report.Join("The same beside the controls, with accuracy."),
		Columns: report.Columns("relation", "neurons erased", ">perplexity of the relation", ">of other facts", ">accuracy of the relation: before", ">after", ">of other facts: before", ">after"),
		Note:    b.ours(),
	}
	for i := range r.Len("/relations") {
		relation := fmt.Sprintf("/relations/%d", i)
		var name any = relationName(r, relation)
		for j := range r.Len(relation + "/sets") {
			set := fmt.Sprintf("%s/sets/%d", relation, j)
			t.Row(name, r.String(set+"/label"),
				r.Interval(set+"/erased/perplexity/change", report.Change(1)), r.Interval(set+"/others/perplexity/change", report.Change(1)),
				r.Number(set+"/erased/accuracy_before/mean", report.Percent(1)), r.Interval(set+"/erased/accuracy", report.Percent(1)),
				r.Number(set+"/others/accuracy_before/mean", report.Percent(1)), r.Interval(set+"/others/accuracy", report.Percent(1)))
			name = nil
		}
	}
	return t
}

func (b *book) erasedCurve(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "erase-curve", Caption: report.Join("More and fewer of the relation's commonest neurons."),
		Columns: report.Columns("relation", ">neurons", ">perplexity of the relation", ">of other facts", ">accuracy of the relation", ">of other facts"),
		Note:    b.ours(),
	}
	for i := range r.Len("/relations") {
		relation := fmt.Sprintf("/relations/%d", i)
		var name any = relationName(r, relation)
		for j := range r.Len(relation + "/curve") {
			point := fmt.Sprintf("%s/curve/%d", relation, j)
			t.Row(name, r.Number(point+"/neurons", report.Count),
				r.Interval(point+"/erased/perplexity/change", report.Change(1)), r.Interval(point+"/others/perplexity/change", report.Change(1)),
				r.Interval(point+"/erased/accuracy", report.Percent(1)), r.Interval(point+"/others/accuracy", report.Percent(1)))
			name = nil
		}
	}
	return t
}
