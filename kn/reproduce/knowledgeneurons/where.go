package knowledgeneurons

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// where is the section on which neurons hold the facts (the paper's figure 3
// and table 2).
func (b *book) where(t *experiments.NeuronTable) report.Section {
	s := report.Section{Title: "Which neurons, and where"}
	r := b.File("neurons")
	s.Say("A prompt's coarse set has the neurons whose attribution is at least ", r.Number("/gradients/selection/threshold", report.Decimals(1)),
		" of the largest one in any layer (for the baseline, whose score is the activation itself: ", r.Number("/baseline/selection/threshold", report.Decimals(1)),
		"). A fact's refined set, its knowledge neurons, has those in at least the share p of its prompts, and in at least ",
		r.Number("/gradients/selection/min_prompts", report.Count), " of them. As in the authors' code p starts at ", r.Number("/gradients/selection/start", report.Decimals(2)),
		" for each relation, and moves by 0.05, at most 5 times, until its facts have 2 to 5 neurons on average.")
	s.Add(b.shareTable(r))
	s.Add(b.neuronTable(r))
	b.Figure(&s, "layers", report.Join("Figure 3 of the paper: the share of the refined neurons of all facts in each layer."))(experimentplots.LayerDistribution(t))
	b.Figure(&s, "shared", report.Join("Table 2 of the paper as a chart. Two facts that have the same answer may share neurons because of the answer; the last rows leave such pairs out."))(experimentplots.SharedNeurons(t))
	s.Say("All facts' neurons are in ", report.Mono(NeuronsFile), ", with the mean share of the largest score that each has and those that the integrals' error leaves undecided: for others to compare with, ", report.Mono("kn compare-neurons"), " does.")
	s.Add(b.relationTable(r))
	b.whereClaims(r)
	return s
}

// shareTable lists what became of p.
func (b *book) shareTable(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "shares", Caption: report.Join("The share p of each relation's prompts."),
		Columns: report.Columns("relation", ">p for integrated gradients", ">moves", ">p for the activation baseline", ">moves"),
		Note:    report.Join("After five moves p stays where it is, although the facts may then have fewer than 2 or more than 5 neurons on average: of some relations no p gives so many."),
	}
	for i := range r.Len("/gradients/selection/by_relation") {
		at := fmt.Sprintf("/selection/by_relation/%d/", i)
		t.Row(r.String("/gradients"+at+"relation"), r.Number("/gradients"+at+"share", report.Decimals(2)), r.Number("/gradients"+at+"moves", report.Count),
			r.Number("/baseline"+at+"share", report.Decimals(2)), r.Number("/baseline"+at+"moves", report.Count))
	}
	return t
}

func (b *book) neuronTable(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "neurons", Caption: report.Join("Neurons of facts, and what two facts share (table 2 of the paper). Means with 95 % intervals."),
		Columns: report.Columns("", ">integrated gradients", ">paper", ">activation baseline", ">paper"),
		Note: b.settings(" A pair of facts counts the neurons that both refined sets have. For the first five rows p is tuned anew in each resample, and both facts of a pair are drawn. " +
			"The paper's numbers leave pairs with one answer in."),
	}
	row := func(name, pointer, paper string, f report.Format) {
		cells := []any{name}
		for _, method := range []string{"/gradients", "/baseline"} {
			cells = append(cells, r.Interval(method+pointer, f))
			if paper == "" {
				cells = append(cells, dash)
			} else {
				cells = append(cells, b.paper.Number(method+paper, report.Decimals(2)))
			}
		}
		t.Row(cells...)
	}
	row("neurons a fact", "/per_fact", "/per_fact", report.Decimals(2))
	row("shared by two facts of one relation", "/shared/within", "/within", report.Decimals(2))
	row("shared by two facts of different relations", "/shared/across", "/across", report.Decimals(2))
	row("one relation, different answers", "/shared/within_other_answer", "", report.Decimals(2))
	row("different relations and answers", "/shared/across_other_answer", "", report.Decimals(2))
	row("neurons a prompt, before refining", "/per_prompt", "", report.Decimals(2))
	row("share in the topmost third of the layers", "/top", "", report.Percent(1))
	t.Row("facts with a neuron whose scores are within the tolerance of the threshold", r.Number("/gradients/undecided", report.Count), dash, dash, dash)
	t.Row("facts without any", r.Number("/gradients/without_any", report.Count), dash, r.Number("/baseline/without_any", report.Count), dash)
	return t
}

// relationTable lists what each relation's facts have in common.
func (b *book) relationTable(r *report.Result) *report.Table {
	t := &report.Table{
		ID: "relation-neurons", Caption: report.Join("By relation: mean number of neurons a fact, and the relation's neurons, those that at least a tenth of its facts have."),
		Columns: report.Columns("", "relation", ">facts", ">neurons a fact", ">baseline's", ">relation neurons", "commonest", ">facts that have it"),
	}
	for i := range r.Len("/by_relation") {
		at := fmt.Sprintf("/by_relation/%d", i)
		name := ""
		if r.Has(at + "/name") {
			name = r.String(at + "/name")
		}
		row := []any{
			r.String(at + "/relation"), name, r.Number(at+"/facts", report.Count), r.Number(at+"/gradients", report.Decimals(1)),
			r.Number(at+"/baseline", report.Decimals(1)), r.Entries(at + "/common"),
		}
		if r.Len(at+"/common") > 0 {
			first := at + "/common/0"
			row = append(row, report.Join(r.Number(first+"/neuron/0", report.Count), ":", r.Number(first+"/neuron/1", report.Count)), r.Number(first+"/facts", report.Count))
		} else {
			row = append(row, dash, dash)
		}
		t.Row(row...)
	}
	return t
}

func (b *book) whereClaims(r *report.Result) {
	facts := int(r.Float("/facts"))
	top := r.Interval("/gradients/top", report.Percent(1))
	b.Claim(report.Claim{
		ID: "top-layers", Statement: report.Join("Most knowledge neurons are in the topmost layers."),
		Evidence: report.Join("The topmost third of the layers has ", top, " of them."),
		Paper:    report.Join("most are in the top layers (its figure 3)."),
		Rule:     report.Join("the interval of the topmost third's share is above one half."),
		Verdict:  report.Enough(facts, report.Exceeds(r.Estimate("/gradients/top"), 0.5)),
	})
	within, across := "/gradients/shared/within", "/gradients/shared/across"
	b.Claim(report.Claim{
		ID: "within-across", Statement: report.Join("Two facts of one relation share more knowledge neurons than two of different relations."),
		Evidence: report.Join(r.Interval(within, report.Decimals(2)), " against ", r.Interval(across, report.Decimals(2)), "; without pairs that have one answer, ",
			r.Interval(within+"_other_answer", report.Decimals(2)), " against ", r.Interval(across+"_other_answer", report.Decimals(2)), "."),
		Paper:   report.Join(b.paper.Number("/gradients/within", report.Decimals(2)), " against ", b.paper.Number("/gradients/across", report.Decimals(2)), "."),
		Rule:    report.Join("the interval within relations is above that across them."),
		Caveat:  report.Join("Facts of one relation have the same answer more often than others, and neurons can stand for the answer: compare the second pair of numbers."),
		Verdict: report.Enough(facts-int(r.Float("/relations")), report.Greater(r.Estimate(within), r.Estimate(across))),
	})
	baseline := "/baseline/shared/across"
	b.Claim(report.Claim{
		ID: "baseline-common", Statement: report.Join("Two facts of different relations share more of the activation baseline's neurons than knowledge neurons."),
		Evidence: report.Join(r.Interval(baseline, report.Decimals(2)), " of the ", r.Interval("/baseline/per_fact", report.Decimals(2)), " baseline's neurons of a fact against ",
			r.Interval(across, report.Decimals(2)), " of its ", r.Interval("/gradients/per_fact", report.Decimals(2)), " knowledge neurons."),
		Paper: report.Join(b.paper.Number("/baseline/across", report.Decimals(2)), " of ", b.paper.Number("/baseline/per_fact", report.Decimals(2)), " against ",
			b.paper.Number("/gradients/across", report.Decimals(2)), " of ", b.paper.Number("/gradients/per_fact", report.Decimals(2)), "."),
		Rule:    report.Join("the interval of the baseline's is above that of the knowledge neurons."),
		Verdict: report.Enough(facts, report.Greater(r.Estimate(baseline), r.Estimate(across))),
	})
}
