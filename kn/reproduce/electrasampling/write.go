package electrasampling

import (
	"fmt"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/electra"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

// report writes what was found.
func (e *experimenter) report() (*reproduce.Outcome, error) {
	if err := e.run.Keep("summary", e.summarize()); err != nil {
		return nil, err
	}
	b := reproduce.OpenBook(e.run.Dir())
	r := b.Results.File("summary")
	for _, c := range e.claims(r) {
		b.Claim(c)
	}
	found := report.Section{Title: "The paper's claims"}
	found.Say("A claim holds here if all of the interval that its rule names is on one side of 0, does not if all of it is on the other, and otherwise it cannot be told. ",
		"Intervals are Student's, of 95 %, over ", r.Number("/seeds", report.Count), " seeds; differences are taken seed by seed, of trainings that start from the same weights and see the same windows. With so few seeds only large effects can be told.")
	found.Add(b.Claims)
	return b.Write(e.run, &report.Report{
		Title: "Sampling replacements for ELECTRA",
		Subtitle: report.Join("The experiments of ", report.Link("Hao, Dong, Bao, Xu and Wei, Learning to Sample Replacements for ELECTRA Pre-Training, Findings of ACL 2021", "https://aclanthology.org/2021.findings-acl.394"),
			", at a small size. The objectives of the heads that predict hardness, the bound of the weights, γ and all sizes are a reconstruction, not the authors' code. Brackets are 95 % intervals over seeds."),
		Sections: []report.Section{
			found, e.setting(r), e.measured(r, "steps", "After equal steps"), e.measured(r, "time", "After equal time"), e.curves(b),
			e.run.Made(e.o.Command, report.Pairs{{Name: "Tokenizer and facts", Text: report.Join(e.model, ", SHA-256 ", report.Mono(e.digest))}}, e.stages()),
		},
	}, e.stages())
}

func (e *experimenter) setting(r *report.Result) report.Section {
	s := report.Section{Title: "Setting"}
	c := e.o.config(e.model, variants[0], 1).WithDefaults()
	s.Say("Six variants, ", r.Number("/seeds", report.Count), " seeds each, were pre-trained for ", r.Number("/steps", report.Count), " steps on ", r.Number("/facts", report.Count), " facts that ", e.model,
		" was taught, of the relations ", strings.Join(e.o.Relations, ", "), ", said in this project's sentences: ", r.Number("/tokens", report.Count), fmt.Sprintf(" tokens, in windows of %d, %d windows a step, %.0f %% masked. ", c.Length, c.Batch, 100*c.MaskedShare),
		fmt.Sprintf("The discriminator has %s and is %d wide, and so is the generator, for half as wide it learns little more than frequencies in so few steps; the tokenizer has what occurs in the sentences. Learning rate %g at its highest, weight of the discriminator's loss %g, weights of replacements at most %g, by mixing; γ = %g where the generator's loss is focal.", layers(c.Layers), c.Hidden, c.LearningRate, c.Weight, c.Bound, e.o.Gamma))
	s.Say("Equal time is what the quickest variant takes for all steps, ", r.Number("/seconds", report.Decimals(0)), " s at the pace that a tenth of the steps are quicker than; of the others the last checkpoint within it counts, whose learning rate had not yet fallen to 0. "+
		fmt.Sprintf("All is measured on %d windows that were not trained on, though of the same facts, with %d draws of their replacements. The discriminators were then fine-tuned on tasks made of these facts.", c.HeldOut, c.Resamples))
	s.Say("No text of the authors says how their heads are built and trained, so these are a reconstruction: HP_Loss predicts the detection loss of each token, by squared error at the drawn one, and draws in proportion to the generator's probability times that; HP_Dist says how the proposal differs from the generator's distribution, by cross-entropy against that probability times the loss. "+
		"Both start with the generator's distribution. The gradient is cut at a norm of ", fmt.Sprintf("%g", c.Clip), ", not at 1 as ELECTRA's, at which generators so small learn little.")
	return s
}

func layers(n int) string {
	if n == 1 {
		return "one layer"
	}
	return fmt.Sprintf("%d layers", n)
}

// measured is what the variants come to.
func (e *experimenter) measured(r *report.Result, at, title string) report.Section {
	s := report.Section{Title: title}
	t := &report.Table{ID: "measured-" + at, Caption: report.Join("What was measured of pre-training."), Columns: report.Columns("variant")}
	for i := range electra.Metrics {
		t.Columns = append(t.Columns, report.Column{Name: r.String(fmt.Sprintf("/metrics/%d", i)), Right: true})
	}
	t.Columns = append(t.Columns, report.Columns(">Accuracy of calling all original", ">Loss of knowing their share alone")...)
	tasks := &report.Table{ID: "tasks-" + at, Caption: report.Join("Accuracy after fine-tuning. Guessing gets half of “true” and of “paraphrase” right."), Columns: report.Columns("variant")}
	for i := range r.Len("/tasks") {
		tasks.Columns = append(tasks.Columns, report.Column{Name: r.String(fmt.Sprintf("/tasks/%d", i)), Right: true})
	}
	tasks.Columns = append(tasks.Columns, report.Columns(">mean", ">above ELECTRA")...)
	for v := range r.Len("/variants") {
		in := fmt.Sprintf("/variants/%d/%s", v, at)
		name := r.String(fmt.Sprintf("/variants/%d/name", v))
		row := []any{name}
		for i, m := range electra.Metrics {
			row = append(row, r.Interval(fmt.Sprintf("%s/metrics/%d", in, i), format(m)))
		}
		t.Row(append(row, r.Interval(in+"/all_original", report.Percent(1)), r.Interval(in+"/base_rate", report.Format{Significant: 3}))...)
		row = []any{name}
		for i := range r.Len("/tasks") {
			row = append(row, r.Interval(fmt.Sprintf("%s/tasks/%d", in, i), report.Percent(1)))
		}
		tasks.Row(append(row, r.Interval(in+"/mean", report.Percent(1)), r.Interval(in+"/mean_above", report.Change(1)))...)
	}
	s.Add(t, tasks)
	return s
}

func format(m electra.Metric) report.Format {
	if m.Share {
		return report.Percent(1)
	}
	return report.Format{Significant: 3}
}

func (e *experimenter) curves(b *reproduce.Book) report.Section {
	s := report.Section{Title: "On the way"}
	var records []*electra.Record
	for _, v := range variants {
		for _, t := range e.of(v) {
			records = append(records, t.record)
		}
	}
	for _, m := range electra.Metrics {
		b.Figure(&s, m.Name+"-steps", report.Join(m.Title, ", over steps."))(plots.ElectraSteps(records, m))
		b.Figure(&s, m.Name+"-time", report.Join(m.Title, ", over time."))(plots.ElectraTime(records, m))
	}
	return s
}

// correct is the place of that metric in results/summary.json.
const correct = 0

func (e *experimenter) claims(r *report.Result) report.Claims {
	below := func(pointer string) report.Verdict {
		return report.Exceeds(report.Negated(r.Estimate(pointer)), 0)
	}
	of := func(v int, pointer string) string { return fmt.Sprintf("/variants/%d%s", v, pointer) }
	const hpLoss, hpDist = 2, 4 // with cross-entropy
	both := func(pointer string, f report.Format) report.Text {
		return report.Join("HP_Loss ", r.Interval(of(hpLoss, pointer), f), ", HP_Dist ", r.Interval(of(hpDist, pointer), f), ".")
	}
	fewer := fmt.Sprintf("/steps/difference/%d", correct)
	claims := report.Claims{
		{
			ID: "fewer-correct", Statement: report.Join("Predicting hardness draws fewer correct tokens than ELECTRA does."),
			Evidence: report.Join("Share of correct ones above ELECTRA's: ", both(fewer, report.Change(1)), " Above that of plain sampling from the same generators: ", both("/correct_less_plain", report.Change(1))),
			Rule:     report.Join("all four intervals, after equal steps, are below 0. The second pair tells what the proposal does from what a generator does that has learned less."),
			Verdict:  report.All(below(of(hpLoss, fewer)), below(of(hpDist, fewer)), below(of(hpLoss, "/correct_less_plain")), below(of(hpDist, "/correct_less_plain"))),
		},
		{
			ID: "variance", Statement: report.Join("The weighted losses vary less than those of plain sampling."),
			Evidence: report.Join("Variance of a replaced token's loss, less that of plain sampling from the same models: ", both("/own_less_plain", report.Format{Significant: 3, Signed: true})),
			Paper:    report.Join("proved for the exact proposal."),
			Rule:     report.Join("both intervals of the difference are below 0."),
			Caveat:   report.Join("The proof is of the exact proposal and without a bound. Here the proposal is learned, by a head on a generator that does not know the original token, which the loss depends on, and all of a window's replacements are drawn at once."),
			Verdict:  report.All(below(of(hpLoss, "/own_less_plain")), below(of(hpDist, "/own_less_plain"))),
		},
		{
			ID: "focal", Statement: report.Join("Focal loss makes the generator less sure."),
			Evidence: report.Join("Confidence above that with cross-entropy: ELECTRA ", r.Interval(of(1, "/steps/confidence_above"), report.Change(1)),
				", HP_Loss ", r.Interval(of(3, "/steps/confidence_above"), report.Change(1)), ", HP_Dist ", r.Interval(of(5, "/steps/confidence_above"), report.Change(1)), "."),
			Rule:    report.Join("all three intervals are below 0."),
			Verdict: report.All(below(of(1, "/steps/confidence_above")), below(of(3, "/steps/confidence_above")), below(of(5, "/steps/confidence_above"))),
		},
	}
	for _, at := range []string{"steps", "time"} {
		pointer := "/" + at + "/mean_above"
		best := func(v int) report.Text { return r.Interval(of(v, pointer), report.Change(1)) }
		claims = append(claims, report.Claim{
			ID: "downstream-" + at, Statement: report.Join("After equal ", at, ", predicting hardness with focal loss makes better models for other tasks than ELECTRA does."),
			Evidence: report.Join("Mean accuracy above ELECTRA's: HP_Loss ", best(3), ", HP_Dist ", best(5), "."),
			Paper:    report.Join("better on GLUE and SQuAD at equal steps."),
			Rule:     report.Join("both intervals of the difference are above 0."),
			Verdict:  report.All(report.Exceeds(r.Estimate(of(3, pointer)), 0), report.Exceeds(r.Estimate(of(5, pointer)), 0)),
		})
	}
	return claims
}
