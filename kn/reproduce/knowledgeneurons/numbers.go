package knowledgeneurons

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// numbers is the section that has each number of the paper beside the one
// measured here under the same definition.
func (b *book) numbers() report.Section {
	s := report.Section{Title: "The paper's numbers"}
	t := &report.Table{
		ID: "numbers", Caption: report.Join("Each number of the paper beside the one measured here, averaged as the authors' code does, with 95 % intervals over facts."),
		Columns: report.Columns("", ">paper", ">here"),
		Note: b.settings(" What still differs from the authors' code: facts are drawn evenly from the relations, p is tuned on those drawn (in the intervals too), random neurons that are updated are of the same layers instead of any, " +
			"and all of a fact's prompts are asked where they draw one. Perplexities of updates are left out here: the paper does not say from where they rise. " +
			"Its activation of the baseline's neurons is not what the authors' code computes for neurons that are chosen for being large: see the section on activation."),
	}
	if !b.taught {
		t.Columns = append(t.Columns, report.Column{Name: "the paper's number is"})
	}
	row := func(r *report.Result, name, paper, here string, f report.Format) {
		cells := []any{name, b.paper.Number(paper, f), r.Interval(here, f)}
		if !b.taught {
			cells = append(cells, place(b.paper.Float(paper), r.Estimate(here)))
		}
		t.Row(cells...)
	}
	if b.stages["neurons"] {
		r := b.File("neurons")
		for _, method := range []struct{ name, at string }{{"knowledge neurons", "/gradients"}, {"the baseline's neurons", "/baseline"}} {
			row(r, method.name+" of a fact", method.at+"/per_fact", method.at+"/per_fact", report.Decimals(2))
			row(r, method.name+" shared by two facts of one relation", method.at+"/within", method.at+"/shared/within", report.Decimals(2))
			row(r, method.name+" shared by two of different relations", method.at+"/across", method.at+"/shared/across", report.Decimals(2))
		}
	}
	if b.stages["intervene"] {
		r := b.File("intervene")
		for _, set := range []struct {
			name, paper string
			at          int
		}{{"the answer's probability, knowledge neurons ", "/gradients", own}, {"the same, the baseline's neurons ", "/baseline", baseline}} {
			row(r, set.name+"suppressed", set.paper+"/suppressed", at(set.at, "of_relations_suppressed"), report.Change(2))
			row(r, set.name+"amplified", set.paper+"/amplified", at(set.at, "of_relations_amplified"), report.Change(2))
		}
	}
	if b.stages["express"] {
		r := b.File("express")
		for _, method := range []struct{ name, at string }{{"activation of knowledge neurons in texts with ", "/gradients"}, {"the same, the baseline's neurons, ", "/baseline"}} {
			for k, what := range []string{"subject and answer", "the subject only", "neither"} {
				row(r, method.name+what, fmt.Sprintf("%s/activation/%d", method.at, k), fmt.Sprintf("%s/of_relations/t%d", method.at, k+1), report.Decimals(3))
			}
		}
	}
	if b.stages["update"] {
		r := b.File("update")
		for i, set := range []struct{ name, paper string }{{"updated by knowledge neurons: ", "/update/neurons"}, {"by random neurons: ", "/update/random"}} {
			row(r, set.name+"another answer first", set.paper+"/changed", at(i, "sampled/changed"), report.Percent(1))
			row(r, set.name+"the new answer first", set.paper+"/succeeded", at(i, "sampled/success"), report.Percent(1))
		}
	}
	if b.stages["erase"] {
		r := b.File("erase")
		for i, p := range reported.Erase {
			for j := range r.Len("/relations") {
				relation := fmt.Sprintf("/relations/%d", j)
				if r.String(relation+"/relation") == p.Relation && r.Float(relation+"/sets/0/neurons") == r.Float("/neurons") {
					row(r, p.Relation+" ("+p.Name+") erased: its perplexity", fmt.Sprintf("/erase/%d/change", i), relation+"/sets/0/erased/perplexity/change", report.Change(1))
					row(r, "that of other relations", fmt.Sprintf("/erase/%d/others", i), relation+"/sets/0/others/perplexity/change", report.Change(1))
				}
			}
		}
	}
	s.Add(t)
	return s
}

// place says where a number is with regard to an interval.
func place(x float64, i stats.Interval) string {
	switch {
	case x < i.Low:
		return "below the interval"
	case x > i.High:
		return "above the interval"
	default:
		return "in the interval"
	}
}
