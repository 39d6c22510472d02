package knowledgeneurons

import (
	"fmt"
	"math"

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
		Note: b.settings(" What still differs from the authors' code: relations weigh alike, as many facts being drawn of each; p is tuned on those drawn (the intervals of numbers of neurons tune it anew, the others hold it); random neurons that are updated are of the same layers instead of any, " +
			"and all of a fact's prompts are asked where they draw one. Perplexities of updates are left out here: the paper does not say from where they rise."),
	}
	if !b.taught {
		t.Columns = append(t.Columns, report.Column{Name: "the paper's number is"})
	}
	within, all := 0, 0
	row := func(r *report.Result, name, paper, here string, f report.Format) {
		cells := []any{name, b.paper.Number(paper, f), r.Interval(here, f)}
		if !b.taught {
			where := place(b.paper.Float(paper), r.Estimate(here))
			if all++; where == inside {
				within++
			}
			cells = append(cells, where)
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
		for k, what := range []string{"subject and answer", "the subject only", "neither"} {
			row(r, "activation of knowledge neurons in texts with "+what, fmt.Sprintf("/gradients/activation/%d", k), fmt.Sprintf("/gradients/of_relations/t%d", k+1), report.Decimals(3))
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
				if r.String(relation+"/relation") == p.Relation {
					name := p.Relation + " (" + p.Name + ")"
					if n := r.Float(relation + "/sets/0/neurons"); n < r.Float("/neurons") {
						name += fmt.Sprintf(", all its %.0f neurons", n)
					}
					row(r, name+" erased: its perplexity", fmt.Sprintf("/erase/%d/change", i), relation+"/sets/0/erased/perplexity/change", report.Change(1))
					row(r, p.Relation+" erased: other relations' perplexity", fmt.Sprintf("/erase/%d/others", i), relation+"/sets/0/others/perplexity/change", report.Change(1))
				}
			}
		}
	}
	s.Add(t)
	if all > 0 {
		s.Say(fmt.Sprintf("Of the paper's %d numbers %d lie in the interval.", all, within))
	}
	return s
}

// inside is what [place] says of most.
const inside = "in the interval"

// place says whether a number is in an interval, and else whether it is nearer to
// 0 than what was measured.
func place(x float64, i stats.Interval) string {
	switch {
	case x >= i.Low && x <= i.High:
		return inside
	case math.Abs(x) < math.Abs(i.Mean):
		return "outside, nearer to 0"
	default:
		return "outside, farther from 0"
	}
}
