package knowledgeneurons

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// texts is the section on activation and expression (the paper's table 3, and
// its table of texts).
func (b *book) texts(t *experiments.ActivationExpression) report.Section {
	s := report.Section{Title: "Activation and expression"}
	claim := report.Claim{
		ID: "expression", Statement: report.Join("A fact's knowledge neurons act more in texts that express the fact (T1) than in texts about its subject (T2), and more there than in random ones (T3)."),
		Paper: report.Join(b.paper.Number("/gradients/activation/0", report.Decimals(3)), ", ", b.paper.Number("/gradients/activation/1", report.Decimals(3)), " and ", b.paper.Number("/gradients/activation/2", report.Decimals(3)),
			"."),
		Rule:   report.Join("the intervals of both differences are above 0."),
		Caveat: report.Join("In T1 the answer is masked, in T2 and T3 some word, so that only T1 asks for the fact. Compare the baseline's neurons: what they show too is not special to knowledge neurons."),
	}
	if b.nothing["express"] != "" {
		return b.notMeasured(s, "express", claim)
	}
	if t == nil {
		s.Say("No open texts were given: ", report.Mono("--texts"), " names a file or a folder of them.")
		return s
	}
	r := b.File("express")
	s.Say("How strongly do a fact's neurons act in open texts? T1 hold the fact's subject and answer, T2 the subject only, T3 are random ones. As in the authors' code a word of each text is masked and the neurons are read there: "+
		"in T1 the answer, in T2 and T3 a random one of the first 50 words outside the subject; T3 are drawn from all texts of the facts. So T1 asks for the fact and the others ask for something else. ", r.Number("/facts", report.Count), " facts have such texts (and ", r.Number("/gradients/facts", report.Count), " of them knowledge neurons): ",
		r.Number("/texts/t1", report.Count), ", ", r.Number("/texts/t2", report.Count), " and ", r.Number("/texts/t3", report.Count), " of T1, T2 and T3. Texts: ", b.facts.String("/texts"), ".")
	s.Add(b.textTable(r))
	b.Figure(&s, "expression", report.Join("Mean activation by type of text."))(experimentplots.ActivationExpression(t))
	b.Figure(&s, "expression-by-relation", report.Join("The same by relation."))(experimentplots.ExpressionByRelation(t))
	if !b.published { // without the texts it says nothing
		s.Add(b.extremeTexts(r))
	}
	claim.Evidence = report.Join("Mean activations ", r.Interval("/gradients/t1", report.Decimals(3)), ", ", r.Interval("/gradients/t2", report.Decimals(3)), " and ", r.Interval("/gradients/t3", report.Decimals(3)),
		"; differences paired by fact, T1 − T2 ", r.Interval("/gradients/t1_less_t2", report.Decimals(3)), ", T2 − T3 ", r.Interval("/gradients/t2_less_t3", report.Decimals(3)),
		". The baseline's neurons: ", r.Interval("/baseline/t1", report.Decimals(3)), ", ", r.Interval("/baseline/t2", report.Decimals(3)), " and ", r.Interval("/baseline/t3", report.Decimals(3)),
		"; T1 − T2 ", r.Interval("/baseline/t1_less_t2", report.Decimals(3)), ", T2 − T3 ", r.Interval("/baseline/t2_less_t3", report.Decimals(3)), ".")
	claim.Verdict = report.Enough(int(r.Float("/facts")), report.All(report.Exceeds(r.Estimate("/gradients/t1_less_t2"), 0), report.Exceeds(r.Estimate("/gradients/t2_less_t3"), 0)))
	b.Claim(claim)
	return s
}

func (b *book) textTable(r *report.Result) *report.Table {
	note := " The paper's numbers are means over relations of the means over all neurons of a relation's facts. Activations of different models have different scales: compare the rows, not the columns."
	t := &report.Table{
		ID: "expression", Caption: report.Join("Mean activation of the facts' neurons in open texts (table 3 of the paper), with 95 % intervals over facts."),
		Columns: report.Columns("texts", ">knowledge neurons", ">mean over relations", ">paper", ">baseline's neurons", ">mean over relations", ">random neurons of the first layer"),
		Note:    b.settings(note),
	}
	for k, name := range []string{"T1: subject and answer", "T2: subject only", "T3: random"} {
		row := []any{name}
		for _, method := range []string{"/gradients", "/baseline"} {
			row = append(row, r.Interval(fmt.Sprintf("%s/t%d", method, k+1), report.Decimals(3)), r.Interval(fmt.Sprintf("%s/of_relations/t%d", method, k+1), report.Decimals(3)))
			if method == "/gradients" {
				row = append(row, b.paper.Number(fmt.Sprintf("%s/activation/%d", method, k), report.Decimals(3)))
			}
		}
		t.Row(append(row, r.Interval(fmt.Sprintf("/random/t%d", k+1), report.Decimals(3)))...)
	}
	return t
}

// extremeTexts lists the texts that activate some neurons most and least.
func (b *book) extremeTexts(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "extreme-texts", Caption: report.Join("The texts that activate the commonest neurons most and least , as they were read. Texts alike activate a neuron as little as the first that is shown; a ReLU is 0 in many."),
		Columns: report.Columns("neuron", ">facts that have it", "", ">texts alike", ">activation", "type", "text"),
	}
	for i := range r.Len("/extremes") {
		n := fmt.Sprintf("/extremes/%d", i)
		var name any = report.Join(r.Number(n+"/neuron/0", report.Count), ":", r.Number(n+"/neuron/1", report.Count))
		var facts any = r.Number(n+"/facts", report.Count)
		for _, end := range []string{"most", "least"} {
			for j := range min(shownTexts, r.Len(n+"/"+end)) {
				text := fmt.Sprintf("%s/%s/%d", n, end, j)
				what, alike := any(nil), any(nil)
				if j == 0 {
					what, alike = end, dash
					if as := n + "/as_low"; end == "least" && r.Has(as) {
						alike = r.Number(as, report.Count)
					}
				}
				t.Row(name, facts, what, alike, r.Number(text+"/activation", report.Decimals(3)), r.String(text+"/type"), r.String(text+"/text"))
				name, facts = nil, nil
			}
		}
	}
	return t
}

// shownTexts of either end stand in the report; the result file has more.
const shownTexts = 3
