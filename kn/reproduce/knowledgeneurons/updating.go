package knowledgeneurons

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// updating is the section on updating facts (the paper's first case study).
func (b *book) updating(u *experiments.UpdateTable) report.Section {
	s := report.Section{Title: "Updating facts"}
	changes := report.Claim{
		ID: "update", Statement: report.Join("Updating a fact's knowledge neurons changes what the model says more often than updating random neurons."),
		Paper: report.Join(b.paper.Number("/update/neurons/changed", report.Percent(1)), " against ", b.paper.Number("/update/random/changed", report.Percent(1)), "."),
		Rule:  report.Join("the interval of the difference, paired by fact, is above 0."),
	}
	succeeds := report.Claim{
		ID: "update-success", Statement: report.Join("Updating a fact's knowledge neurons brings the new answer, which updating random neurons does not."),
		Paper: report.Join("the new answer first in ", b.paper.Number("/update/neurons/succeeded", report.Percent(1)), " against ", b.paper.Number("/update/random/succeeded", report.Percent(1)), "."),
		Rule:  report.Join("the interval of the difference, paired by fact, is above 0, and that of the new answer's reciprocal rank is above the one before the update."),
	}
	if u == nil {
		return b.notMeasured(s, "update", changes, succeeds)
	}
	r := b.File("update")
	s.Say("A fact is given another fact's answer of the same relation: from the value vector v of each of its neurons λ₁·|v|/|e|·e is taken, e being the old answer's word embedding, and λ₂·|v|/|e′|·e′ added, "+
		"e′ being the new answer's; λ₁ = ", r.Number("/lambda1", report.Count), " and λ₂ = ", r.Number("/lambda2", report.Count),
		" as in the authors' code, and as there neurons are left out that more than ", r.Number("/provenance/options/most_share", report.Percent(0)),
		" of the relation's facts have. ", b.strictShare(r), "Each of ", r.Number("/facts", report.Count), " facts of ", r.Number("/relations", report.Count), " relations, at most ", r.Number("/provenance/options/per_relation", report.Count),
		" of each, was updated alone, and asked in the ", r.Number("/prompts", report.Count), " prompts that the unmodified model answers rightly. Passed over were ",
		r.Number("/without_neurons", report.Count), " facts of which no neuron was left and ", r.Number("/unknown", report.Count), " that the model does not know. "+
			"The control changes as many random neurons of the same layers in the same way.")
	s.Add(b.updateTable(r))
	b.Figure(&s, "update", report.Join("How often the first answer changes, and to the new one."))(experimentplots.UpdateRates(u))
	if r.Len("/lambdas") > 0 {
		s.Add(curve(r, "update-lambdas", "/lambdas", "Other strengths", report.Columns(">λ₁", ">λ₂"), "lambda1", "lambda2"))
		b.Figure(&s, "update-lambdas", report.Join("The same as a chart. That another answer comes first is easily had by a large strength of either kind; that the new one does is what was asked for."))(experimentplots.UpdateLambdas(u))
	}
	if r.Len("/counts") > 0 {
		s.Add(curve(r, "update-counts", "/counts", "Fewer neurons", report.Columns(">at most so many neurons"), "most_neurons"))
		b.Figure(&s, "update-counts", report.Join("The same as a chart. A fact with fewer neurons has all of them changed."))(experimentplots.UpdateCounts(u))
	}
	facts := int(r.Float("/facts"))
	changes.Evidence = report.Join("Another answer in ", r.Interval("/sets/0/changed", report.Percent(1)), " of the prompts against ", r.Interval("/sets/1/changed", report.Percent(1)),
		"; difference ", r.Interval("/sets/1/own_less_changed", report.Percent(1)), ".")
	changes.Verdict = report.Enough(facts, report.Exceeds(r.Estimate("/sets/1/own_less_changed"), 0))
	before, after := "/sets/0/reciprocal_rank_before", "/sets/0/reciprocal_rank"
	succeeds.Evidence = report.Join("The new answer comes first in ", r.Interval("/sets/0/success", report.Percent(1)), " of the prompts against ", r.Interval("/sets/1/success", report.Percent(1)),
		"; difference ", r.Interval("/sets/1/own_less_success", report.Percent(1)), ". Its mean reciprocal rank goes from ", r.Interval(before, report.Decimals(3)), " to ", r.Interval(after, report.Decimals(3)), ".")
	succeeds.Verdict = report.Enough(facts, report.All(report.Exceeds(r.Estimate("/sets/1/own_less_success"), 0), report.Greater(r.Estimate(after), r.Estimate(before))))
	b.Claim(changes)
	b.Claim(succeeds)
	return s
}

// strictShare warns where the share of a relation's facts is less than two of
// them, since few of each were drawn.
func (b *book) strictShare(r *report.Result) report.Text {
	of := b.facts.Float("/facts") / b.facts.Float("/relations")
	if r.Float("/provenance/options/most_share")*of >= 10 {
		return nil
	}
	return report.Join("With so few facts of a relation, ", fmt.Sprintf("%.0f", of), " on average, some two or three that have a neuron in common are enough: the rule is stricter on a sample than on a whole data set. ")
}

// notMeasured is a section on an experiment that had nothing to measure, and
// its claims, which cannot be told.
func (b *book) notMeasured(s report.Section, experiment string, claims ...report.Claim) report.Section {
	why := "Nothing could be measured: " + string(b.nothing[experiment]) + "."
	s.Say(why)
	for _, c := range claims {
		c.Evidence, c.Verdict = report.Join(why), report.Unknown
		b.Claim(c)
	}
	return s
}

func (b *book) updateTable(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "update", Caption: report.Join("What updating does, as in the paper's first case study, with 95 % intervals over facts."),
		Columns: report.Columns("", ">knowledge neurons", ">paper", ">random neurons", ">paper"),
		Note: b.settings(" The authors draw a fact of a relation and one of its prompts until the model answers it rightly, ten times a relation: a fact counts by the share of its prompts that are answered. Perplexity is exp of the mean of −ln P(answer) over prompts of other facts; the paper states by how much it rises, not in percent, and from where is not known here. " +
			"A model that was taught its facts alone is very sure of them, so its perplexities are near 1 and a few spoiled facts show."),
	}
	row := func(name, field, paper string, f report.Format) {
		cells := []any{name}
		for i, kind := range []string{"/update/neurons/", "/update/random/"} {
			cells = append(cells, r.Interval(at(i, field), f))
			if paper == "" {
				cells = append(cells, dash)
			} else {
				cells = append(cells, b.paper.Number(kind+paper, f))
			}
		}
		t.Row(cells...)
	}
	row("neurons changed", "neurons", "", report.Decimals(1))
	row("change rate: another answer comes first", "changed", "", report.Percent(1))
	row("the same as the authors sample", "sampled/changed", "changed", report.Percent(1))
	row("success rate: the new answer comes first", "success", "", report.Percent(1))
	row("the same as the authors sample", "sampled/success", "succeeded", report.Percent(1))
	row("the new answer is among the first five", "top_five", "", report.Percent(1))
	row("rank of the new answer before", "rank_before", "", report.Decimals(1))
	row("and after", "rank", "", report.Decimals(1))
	row("mean reciprocal rank before", "reciprocal_rank_before", "", report.Decimals(3))
	row("and after", "reciprocal_rank", "", report.Decimals(3))
	row("change of the old answer's probability", "old_probability", "", report.Decimals(3))
	row("change of the new answer's probability", "new_probability", "", report.Decimals(3))
	for _, others := range [][2]string{{"within", "other facts of the relation"}, {"across", "facts of other relations"}} {
		cells := []any{"perplexity of " + others[1] + ", before → after"}
		for i, kind := range []string{"/update/neurons/", "/update/random/"} {
			p := at(i, others[0])
			cells = append(cells, report.Join(r.Number(p+"/before/mean", report.Decimals(2)), " → ", r.Number(p+"/after/mean", report.Decimals(2))),
				report.Join(b.paper.Number(kind+"perplexity_"+others[0], report.Format{Digits: 1, Signed: true})))
		}
		t.Row(cells...)
		row("relative change of it", others[0]+"/change", "", report.Change(1))
	}
	return t
}

// curve is the table of a curve over the given fields.
func curve(r *report.Result, id, pointer, what string, columns []report.Column, fields ...string) *report.Table {
	t := &report.Table{
		ID: id, Caption: report.Join(what, ", over ", r.Number("/curve_facts", report.Count), " of the facts."),
		Columns: append(columns, report.Columns(">change rate", ">success rate", ">new answer's reciprocal rank", ">perplexity within", ">across")...),
	}
	for i := range r.Len(pointer) {
		p := fmt.Sprintf("%s/%d", pointer, i)
		var row []any
		for _, f := range fields {
			row = append(row, r.Number(p+"/"+f, report.Count))
		}
		t.Row(append(row, r.Interval(p+"/changed", report.Percent(1)), r.Interval(p+"/success", report.Percent(1)), r.Interval(p+"/reciprocal_rank", report.Decimals(3)),
			r.Interval(p+"/within/change", report.Change(1)), r.Interval(p+"/across/change", report.Change(1)))...)
	}
	return t
}
