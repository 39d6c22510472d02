package electrasampling

import (
	"fmt"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/electra"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/plots/electraplots"
)

// report writes what was found.
func (e *experimenter) report() (*reproduce.Outcome, error) {
	summary, err := e.summarize()
	if err != nil {
		return nil, err
	}
	if err := e.run.Keep("summary", summary); err != nil {
		return nil, err
	}
	b := reproduce.OpenBook(e.run.Dir(), nil)
	r := b.Results.File("summary")
	for _, c := range e.claims(r) {
		b.Claim(c)
	}
	found := report.Section{Title: "The paper's claims"}
	found.Say("A claim holds here if all of each interval that its rule names is on the side of 0 that the rule says, does not hold if all of one of them is on the other side, and otherwise it cannot be told. ",
		"Intervals are Student's, of 95 %, over ", r.Number("/seeds", report.Count), " seeds; differences are taken seed by seed, of trainings that start from the same weights and see the same windows. "+
			"Intervals cover seeds only: the held-out windows, their masks, the random numbers that replacements are drawn with in measuring, the facts and the tasks' examples are the same for all seeds. With so few seeds only large effects can be told.")
	found.Add(b.Claims)
	return b.Write(e.run, e.run.Dir(), &report.Report{
		Title: "Sampling replacements for ELECTRA",
		Subtitle: report.Join("The experiments of ", report.Link("Hao, Dong, Bao, Xu and Wei, Learning to Sample Replacements for ELECTRA Pre-Training, Findings of ACL 2021", "https://aclanthology.org/2021.findings-acl.394"),
			", at a small size. The objectives of the heads that predict hardness, the bound of the weights, γ and all sizes are a reconstruction, not the authors' code. Brackets are 95 % intervals over seeds."),
		Sections: []report.Section{
			found, e.setting(r), e.measured(r, "steps", "After equal steps"), e.measured(r, "time", "After equal time"), e.curves(b),
			e.run.Made(e.o.Command, backend.Name(), report.Pairs{{Name: "Tokenizer and facts", Text: report.Join(e.model, ", SHA-256 ", report.Mono(e.digest))}}, e.stages()),
		},
	}, e.stages())
}

func (e *experimenter) setting(r *report.Result) report.Section {
	s := report.Section{Title: "Setting"}
	c := e.o.config(e.model, variants[0], 1).WithDefaults()
	s.Say("Six variants, ", r.Number("/seeds", report.Count), " seeds each, were pre-trained for ", r.Number("/steps", report.Count), " steps on ", r.Number("/facts", report.Count), " facts that ", e.model,
		" was taught, of the relations ", strings.Join(e.o.Relations, ", "), ", said in this project's sentences: ", r.Number("/tokens", report.Count), fmt.Sprintf(" tokens, in windows of %d, %d windows a step, %d of a window's %d tokens masked. ", c.Length, c.Batch, c.MaskedTokens(), c.Length),
		fmt.Sprintf("The discriminator has %s and is %d wide, and so is the generator; the tokenizer has what occurs in the sentences. Learning rate %g at its highest, weight of the discriminator's loss %g, weights of replacements at most %g, by mixing; γ = %g where the generator's loss is focal.", layers(c.Layers), c.Hidden, c.LearningRate, c.Weight, c.Bound, e.o.Gamma))
	s.Say("Equal time is what plain ELECTRA takes for all steps, ", r.Number("/seconds", report.Decimals(1)), " s. Trainings may run side by side, so that the time of a step depends on what else the machine does: "+
		"it is taken to be the one that a tenth of the measured stretches are below, over all seeds and both losses of a sampler. ",
		fmt.Sprintf("Of every variant the last of the checkpoints, one every %d steps, counts that is within equal time at that pace; where it is not the end, the learning rate had not yet fallen to 0.", c.MeasureEvery))
	s.Say(fmt.Sprintf("All is measured on %d windows that were not trained on, though of the same facts, with ", c.HeldOut), r.Number("/masked", report.Count),
		fmt.Sprintf(" masked tokens and %d draws of their replacements. The discriminators were then fine-tuned on tasks made of these facts, with %d examples to learn from and %d to test on, %s.", c.Resamples, e.o.Train, e.o.Train, epochs(e.o.Epochs)))
	s.Say("The objectives of the heads that predict hardness were written down from the method's idea, not from the authors' code, and may differ from it: HP_Loss predicts the detection loss of each token, by squared error at the drawn one, and draws in proportion to the generator's probability times that; HP_Dist says how the proposal differs from the generator's distribution, by cross-entropy against that probability times the loss. "+
		"Both start with the generator's distribution. From ELECTRA all six differ: the generator is as wide as the discriminator, not a quarter to a half as wide; a masked token always becomes [MASK]; there is no dropout; and the gradient is cut at a norm of ", fmt.Sprintf("%g", c.Clip), ", not at 1.")
	return s
}

func layers(n int) string {
	if n == 1 {
		return "one layer"
	}
	return fmt.Sprintf("%d layers", n)
}

func epochs(n int) string {
	if n == 1 {
		return "one epoch"
	}
	return fmt.Sprintf("%d epochs", n)
}

// measured is what the variants come to.
func (e *experimenter) measured(r *report.Result, at, title string) report.Section {
	s := report.Section{Title: title}
	t := &report.Table{
		ID: "measured-" + at, Caption: report.Join("What was measured of pre-training."), Columns: report.Columns("variant"),
		Note: report.Join("Losses are in nats. Confidence is the largest probability. Effective samples are (Σw)²/(N Σw²) of the weights w of N masked tokens. "+
			"Both accuracies are of each sampler's own draws; the discriminator's loss is weighted so that plain draws are expected, and that of giving every token the share of replaced ones, drawn plainly, is what it is to be compared with. ",
			"By all of the interval of the difference, the accuracy is above that of calling all original for ", beyond(r, at+"/above_all_original", 1), " and below it for ", beyond(r, at+"/above_all_original", -1),
			"; the loss is below the one that it is compared with for ", beyond(r, at+"/above_base_rate", -1), " and above it for ", beyond(r, at+"/above_base_rate", 1), "."),
	}
	if at == "time" {
		t.Columns = append(t.Columns, report.Columns(">taken after step", ">which takes [s]")...)
	}
	for i := range electra.Metrics {
		t.Columns = append(t.Columns, report.Column{Name: r.String(fmt.Sprintf("/metrics/%d", i)), Right: true})
	}
	t.Columns = append(t.Columns, report.Columns(">Accuracy of calling all original", ">Loss of giving every token the share of replaced ones")...)
	tasks := &report.Table{
		ID: "tasks-" + at, Caption: report.Join(fmt.Sprintf("Accuracy after fine-tuning on %d examples for %s, on %d others.", e.o.Train, epochs(e.o.Epochs), e.o.Train)), Columns: report.Columns("variant"),
		Note: report.Join("Of a mean that is not above that of the last row by all of its interval, it cannot be told that the models learned anything of the tasks."),
	}
	for i := range r.Len("/tasks") {
		tasks.Columns = append(tasks.Columns, report.Column{Name: r.String(fmt.Sprintf("/tasks/%d", i)), Right: true})
	}
	tasks.Columns = append(tasks.Columns, report.Columns(">mean", ">above ELECTRA", ">above ELECTRA, focal", ">above the commonest answer")...)
	for v := range r.Len("/variants") {
		in := fmt.Sprintf("/variants/%d/%s", v, at)
		name := r.String(fmt.Sprintf("/variants/%d/name", v))
		row := []any{name}
		if at == "time" {
			row = append(row, r.Number(in+"/step", report.Count), r.Number(in+"/seconds", report.Decimals(1)))
		}
		for i, m := range electra.Metrics {
			row = append(row, r.Interval(fmt.Sprintf("%s/metrics/%d", in, i), format(m)))
		}
		t.Row(append(row, r.Interval(in+"/all_original", report.Percent(1)), r.Interval(in+"/base_rate", report.Format{Significant: 3}))...)
		row = []any{name}
		for i := range r.Len("/tasks") {
			row = append(row, r.Interval(fmt.Sprintf("%s/tasks/%d", in, i), report.Percent(1)))
		}
		tasks.Row(append(row, r.Interval(in+"/mean", report.Percent(1)), r.Interval(in+"/mean_above", points), r.Interval(in+"/mean_above_focal", points), r.Interval(in+"/mean_above_commonest", points))...)
	}
	row := []any{"(always the commonest answer of the examples learned from)"}
	for i := range r.Len("/tasks") {
		row = append(row, r.Number(fmt.Sprintf("/commonest/%d", i), report.Percent(1)))
	}
	tasks.Row(append(row, r.Number("/commonest_mean", report.Percent(1)), "–", "–", "–")...)
	s.Add(t, tasks)
	return s
}

// points are a difference of shares.
var points = report.Points(1)

// beyond names the variants whose interval is all on one side of 0, 1 or -1.
func beyond(r *report.Result, pointer string, side float64) string {
	var names []string
	n := r.Len("/variants")
	for v := range n {
		in := fmt.Sprintf("/variants/%d/", v)
		interval := r.Estimate(in + pointer)
		if side < 0 {
			interval = report.Negated(interval)
		}
		if report.Exceeds(interval, 0) == report.Holds {
			names = append(names, "“"+r.String(in+"name")+"”")
		}
	}
	switch len(names) {
	case 0:
		return "no variant"
	case n:
		return "all variants"
	}
	return strings.Join(names, ", ")
}

func format(m electra.Metric) report.Format {
	if m.Share {
		return report.Percent(1)
	}
	return report.Format{Significant: 3}
}

func (e *experimenter) curves(b *reproduce.Book) report.Section {
	s := report.Section{Title: "On the way"}
	var records, predicting []*electra.Record
	for _, v := range variants {
		for _, t := range e.of(v) {
			records = append(records, t.record)
			if v.sampler.HasHead() {
				predicting = append(predicting, t.record)
			}
		}
	}
	s.Say("Lines begin at the first measurement after the start; those of the start are in the results.")
	for _, m := range electra.Metrics {
		b.Figure(&s, m.Name+"-steps", report.Join("Over steps."))(electraplots.Steps(records, m))
		switch m.Name {
		case "correct", "detection":
			b.Figure(&s, m.Name+"-time", report.Join("Over time, at the pace that equal time is measured by."))(electraplots.Time(records, m))
		case "variance":
			b.Figure(&s, lessPlain.Name+"-steps", report.Join("Over steps, both from the same models. Below 0 the losses vary less than plainly drawn ones."))(electraplots.Steps(predicting, lessPlain))
		}
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
	focal := func(pointer string) report.Text {
		return report.Join("ELECTRA ", r.Interval(of(1, pointer), points), ", HP_Loss ", r.Interval(of(3, pointer), points), ", HP_Dist ", r.Interval(of(5, pointer), points), ".")
	}
	fewer := fmt.Sprintf("/steps/difference/%d", correct)
	variance := report.Format{Significant: 3, Signed: true}
	claims := report.Claims{
		{
			ID: "fewer-correct", Statement: report.Join("Predicting hardness draws fewer correct tokens than ELECTRA does."),
			Evidence: report.Join("Share of correct ones above ELECTRA's: ", both(fewer, points), " Above that of plain sampling from the same generators: ", both("/correct_less_plain", points)),
			Paper:    report.Join("that replacements are biased to correct tokens is named as a fault of ELECTRA; drawing by hardness is to have the discriminator learn what it has not acquired."),
			Rule:     report.Join("all four intervals, after equal steps, are below 0. The second pair tells what the proposal does from what a generator does that has learned less."),
			Verdict:  report.All(below(of(hpLoss, fewer)), below(of(hpDist, fewer)), below(of(hpLoss, "/correct_less_plain")), below(of(hpDist, "/correct_less_plain"))),
		},
		{
			ID: "variance", Statement: report.Join("At the end of training the weighted losses vary less than those of plain sampling."),
			Evidence: report.Join("Variance of a masked token's weighted loss, less that of plain sampling from the same models, at the end: ", both("/own_less_plain", variance),
				" Mean over all measurements after the start: ", both("/own_less_plain_on_the_way", variance)),
			Paper:   report.Join("proved for the exact proposal."),
			Rule:    report.Join("both intervals of the difference at the end of training are below 0. The means over all measurements tell of the way there, and do not count."),
			Caveat:  report.Join("The proof is of the exact proposal and without a bound. Here the proposal is learned, by a head on a generator that does not know the original token, which the loss depends on, and all of a window's replacements are drawn at once."),
			Verdict: report.All(below(of(hpLoss, "/own_less_plain")), below(of(hpDist, "/own_less_plain"))),
		},
		{
			ID: "focal", Statement: report.Join("Focal loss makes the generator less sure."),
			Evidence: report.Join("Confidence above that with cross-entropy: ", focal("/steps/confidence_above"), " Share of correct tokens drawn, likewise: ", focal("/steps/correct_above")),
			Paper:    report.Join("the generator is said to grow over-confident, and focal loss to relieve the oversampling of correct tokens that comes of it."),
			Rule:     report.Join("all three intervals of the confidence, after equal steps, are below 0."),
			Verdict:  report.All(below(of(1, "/steps/confidence_above")), below(of(3, "/steps/confidence_above")), below(of(5, "/steps/confidence_above"))),
		},
	}
	for _, at := range []string{"steps", "time"} {
		in := "/" + at + "/mean_above"
		above := func(control string) report.Text {
			return report.Join("HP_Loss ", r.Interval(of(3, in+control), points), ", HP_Dist ", r.Interval(of(5, in+control), points))
		}
		exceeds := func(control string) report.Verdict {
			return report.All(report.Exceeds(r.Estimate(of(3, in+control)), 0), report.Exceeds(r.Estimate(of(5, in+control)), 0))
		}
		claims = append(claims, report.Claim{
			ID: "downstream-" + at, Statement: report.Join("After equal ", at, ", predicting hardness with focal loss makes better models for other tasks than ELECTRA does."),
			Evidence: report.Join("Mean accuracy above ELECTRA's: ", above(""), ". Above that of ELECTRA with focal loss: ", above("_focal"), ". Above that of always the commonest answer: ", above("_commonest"), "."),
			Paper:    report.Join(map[string]string{"steps": "better on GLUE and SQuAD at equal steps.", "time": "better on GLUE and SQuAD; compared at equal steps, not at equal time."}[at]),
			Rule:     report.Join("both intervals of the difference to ELECTRA are above 0, and so are both of the difference to always the commonest answer; where only the latter are not, it cannot be told."),
			Caveat:   report.Join("The difference to ELECTRA is of two changes at once; the one to ELECTRA with focal loss tells what predicting hardness does from what the focal loss does."),
			Verdict:  gated(exceeds(""), exceeds("_commonest")),
		})
	}
	return claims
}

// gated is a verdict on which models are better, which can only hold if they
// are better than guessing as well.
func gated(better, learned report.Verdict) report.Verdict {
	if better == report.Holds && learned != report.Holds {
		return report.Unknown
	}
	return better
}
