package knowledgeneurons

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// The sets of neurons in results/intervene.json, by their place.
const (
	own = iota
	otherRelation
	random
	matched
	baseline
)

// effect is the section on suppressing and amplifying (figures 4 and 5).
func (b *book) effect(t *experiments.Intervention) report.Section {
	s := report.Section{Title: "Suppressing and amplifying"}
	r := b.File("intervene")
	s.Say("A set of neurons is multiplied by 0 (suppressed) or by 2 (amplified) at [MASK], and the answer's probability compared with that of the unmodified model: "+
		"P(modified)/P − 1 in each prompt, mean over the ", r.Number("/prompts", report.Count), " prompts of ", r.Number("/facts", report.Count),
		" facts. Besides the fact's own knowledge neurons these are: those of a fact of another relation drawn at random (the authors' control is the other way round: the fact's own neurons, another relation's prompts); as many random neurons of the same layers, mean of ",
		r.Number("/provenance/options/draws", report.Count), " draws; the other neurons of the same layers whose activation is nearest; and the neurons that the activation baseline finds. "+
			"A fact without neurons counts, with no change.")
	s.Add(b.effectTable(r))
	b.Figure(&s, "interventions", report.Join("Mean change of the answer's probability by set of neurons."))(experimentplots.Interventions(t))
	b.Figure(&s, "suppressed", report.Join("Suppressing by relation, as in figure 4 of the paper, which has the change of each relation's mean probability where these are means of the prompts' changes. Bars are the facts' own neurons."))(experimentplots.SuppressedByRelation(t))
	b.Figure(&s, "amplified", report.Join("Amplifying by relation, likewise, as in figure 5."))(experimentplots.AmplifiedByRelation(t))
	s.Add(b.effectByRelation(r))
	b.effectClaims(r)
	return s
}

func at(i int, field string) string { return fmt.Sprintf("/sets/%d/%s", i, field) }

func (b *book) effectTable(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "interventions", Caption: report.Join("Change of the answer's probability, mean over prompts, with 95 % intervals over facts."),
		Columns: report.Columns("neurons", ">number", ">suppressed", ">amplified", ">as the authors average: suppressed", ">paper", ">amplified", ">paper"),
		Note: b.settings(" The authors take of each relation the change of the mean probability over all its prompts, as a share of that mean, and then the mean over relations: " +
			"there prompts count by their probability, here alike, so that doubling the neurons of barely known facts weighs more."),
	}
	for i := range r.Len("/sets") {
		suppressed, amplified := any(dash), any(dash)
		if method := map[int]string{own: "/gradients", baseline: "/baseline"}[i]; method != "" {
			suppressed, amplified = b.paper.Number(method+"/suppressed", report.Change(2)), b.paper.Number(method+"/amplified", report.Change(2))
		}
		t.Row(r.String(at(i, "label")), r.Interval(at(i, "neurons"), report.Decimals(1)),
			r.Interval(at(i, "suppressed"), report.Change(1)), r.Interval(at(i, "amplified"), report.Change(1)),
			r.Interval(at(i, "of_relations_suppressed"), report.Change(1)), suppressed, r.Interval(at(i, "of_relations_amplified"), report.Change(1)), amplified)
	}
	return t
}

func (b *book) effectByRelation(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "interventions-by-relation", Caption: report.Join("The same by relation."),
		Columns: report.Columns("", "relation", ">facts", ">suppressed: own", ">other relation's", ">nearest in activation", ">baseline's", ">amplified: own"),
	}
	for i := range r.Len("/by_relation") {
		relation := fmt.Sprintf("/by_relation/%d", i)
		name := ""
		if r.Has(relation + "/name") {
			name = r.String(relation + "/name")
		}
		row := []any{r.String(relation + "/relation"), name, r.Number(relation+"/facts", report.Count)}
		for _, set := range []int{own, otherRelation, matched, baseline} {
			row = append(row, r.Interval(fmt.Sprintf("%s/suppressed/%d", relation, set), report.Change(0)))
		}
		t.Row(append(row, r.Interval(relation+"/amplified/0", report.Change(0)))...)
	}
	return t
}

func (b *book) effectClaims(r *report.Result) {
	facts := int(r.Float("/facts"))
	// Both averages must say so: the prompts', and the authors'.
	loss := func(i int) report.Verdict {
		by := func(what string) report.Verdict {
			return report.Times(report.Negated(r.Estimate(at(own, what))), 2, report.Negated(r.Estimate(at(i, what))))
		}
		return report.All(by("suppressed"), by("of_relations_suppressed"))
	}
	gain := func(i int) report.Verdict {
		return report.All(report.Exceeds(r.Estimate(at(i, "own_less_amplified")), 0),
			report.Greater(r.Estimate(at(own, "of_relations_amplified")), r.Estimate(at(i, "of_relations_amplified"))))
	}
	change := func(i int, what string) report.Text {
		return report.Join("as the authors average ", r.Interval(at(i, "of_relations_"+what), report.Change(1)), ", mean over prompts ", r.Interval(at(i, what), report.Change(1)))
	}
	b.Claim(report.Claim{
		ID: "suppress", Statement: report.Join("Suppressing a fact's knowledge neurons hurts it far more than suppressing other neurons."),
		Evidence: report.Join("Knowledge neurons, ", change(own, "suppressed"), "; against ", change(otherRelation, "suppressed"), " (neurons of a fact of another relation), ",
			change(random, "suppressed"), " (random) and ", change(matched, "suppressed"), " (nearest in activation)."),
		Paper:   report.Join(b.paper.Number("/gradients/suppressed", report.Change(2)), "; the controls are ours."),
		Rule:    report.Join("by the mean over prompts and by the authors' average, the interval of the loss is above twice that of each control's, a gain counting as no loss."),
		Verdict: report.Enough(facts, report.All(loss(otherRelation), loss(random), loss(matched))),
	})
	b.Claim(report.Claim{
		ID: "amplify", Statement: report.Join("Amplifying a fact's knowledge neurons raises the answer's probability, and more than amplifying other neurons."),
		Evidence: report.Join("Knowledge neurons, ", change(own, "amplified"), "; against ", change(otherRelation, "amplified"), " (neurons of a fact of another relation), ",
			change(random, "amplified"), " (random) and ", change(matched, "amplified"), " (nearest in activation)."),
		Paper: report.Join(b.paper.Number("/gradients/amplified", report.Change(2)), "; the controls are ours."),
		Rule:  report.Join("by both averages, the interval of the gain is above 0 and above each control's; over prompts, that of the difference paired by fact is above 0."),
		Verdict: report.Enough(facts, report.All(report.Exceeds(r.Estimate(at(own, "amplified")), 0), report.Exceeds(r.Estimate(at(own, "of_relations_amplified")), 0),
			gain(otherRelation), gain(random), gain(matched))),
	})
	b.Claim(report.Claim{
		ID: "baseline-effect", Statement: report.Join("Suppressing the neurons that the activation baseline finds hurts far less."),
		Evidence: report.Join("Knowledge neurons, ", change(own, "suppressed"), "; against ", change(baseline, "suppressed"), " (baseline's neurons)."),
		Paper:    report.Join(b.paper.Number("/gradients/suppressed", report.Change(2)), " against ", b.paper.Number("/baseline/suppressed", report.Change(2)), "."),
		Rule:     report.Join("by both averages, the interval of the knowledge neurons' loss is above twice that of the baseline's, a gain counting as no loss."),
		Caveat:   report.Join("The mean over prompts is moved much by relations whose answers are improbable: see the table by relation."),
		Verdict:  report.Enough(facts, loss(baseline)),
	})
}
