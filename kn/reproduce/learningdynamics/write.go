package learningdynamics

import (
	"fmt"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/trainingplots"
)

// book is the report while it is written.
type book struct {
	*reproduce.Book
	setting *report.Result
	e       *experimenter
}

// report writes what was found.
func (e *experimenter) report() (*reproduce.Outcome, error) {
	b := &book{Book: reproduce.OpenBook(e.run.Dir(), nil), e: e}
	b.setting = b.File("setting")
	sections := []report.Section{b.trainings(), b.moved(), b.apart(), b.resets(), b.frozen(), b.knowledge()}
	made := e.run.Made(e.o.Command, reproduce.Backends(e.tuned, e.frozenBy["lower"], e.frozenBy["upper"]), report.Pairs{
		{Name: "Model", Text: report.Join(e.m.Label(), ", SHA-256 ", report.Mono(e.digest))},
		{Name: "Seeds", Text: report.Join("1 to ", b.setting.Number("/seeds", report.Count))},
	}, e.done)
	sections = append([]report.Section{b.findings()}, append(sections, made)...)
	r := &report.Report{Title: "Learning dynamics of " + e.m.Label(), Subtitle: b.introduction(), Sections: sections}
	return b.Write(e.run, e.run.Dir(), r, e.done)
}

func (b *book) introduction() report.Text {
	s := b.setting
	kind := "tasks"
	if reproduce.MadeOfFacts(b.e.tasks) {
		kind = "tasks made of facts"
	}
	return report.Join("The experiments of ", report.Link(s.String("/citation"), s.String("/url")), ", on ", s.String("/model"), " with ", s.Number("/layers", report.Count),
		" layers: ", s.Entries("/tasks"), " "+kind+" ("+strings.Join(reproduce.TaskNames(b.e.tasks), ", ")+"), ", s.Number("/seeds", report.Count), " seeds each, ", s.Number("/steps", report.Count), " steps of ", s.Number("/batch", report.Count),
		" examples. Brackets are 95 % bootstrap intervals over the ", s.Number("/trainings", report.Count), " trainings. ", reproduce.Covered)
}

// findings has the findings that the other sections decided.
func (b *book) findings() report.Section {
	s := report.Section{Title: "The paper's findings"}
	if b.e.taught {
		s.Say(b.e.m.Label(), " is a specimen of ", b.setting.Number("/layers", report.Count), " layers that this project taught facts and nothing else. Where the paper tells low, intermediate and last layers of twelve apart, "+
			"there is one of each kind here, or none."+map[bool]string{true: " The tasks are made of those facts, not GLUE's."}[reproduce.MadeOfFacts(b.e.tasks)])
	}
	accuracies := []any{"How well the models have learned, by accuracy on held-out examples under each seed: "}
	for i, r := range b.e.runs {
		file := b.File(fmt.Sprintf("training-%s-%d", r.Task, r.Seed))
		switch {
		case r.Seed > 1:
			accuracies = append(accuracies, ", ")
		case i > 0:
			accuracies = append(accuracies, "; ")
		}
		if r.Seed == 1 {
			accuracies = append(accuracies, "“"+r.Task+"” ")
		}
		accuracies = append(accuracies, file.Number("/evaluations/dev/accuracy", report.Percent(1)))
		if int(r.Seed) == b.e.o.Seeds {
			accuracies = append(accuracies, " (always the commonest label: ", file.Number("/evaluations/dev/majority", report.Percent(1)), ")")
		}
	}
	s.Say(append(accuracies, ". Where that is near the commonest label's, findings tell how training moves a model, not what learning does to it.")...)
	s.Say(reproduce.UnanimityRule + "The table below the findings has the number of each training. What is marked [recall] is a reconstruction of what the paper did, which no text at hand confirms.")
	s.Add(b.Claims, b.byTraining())
	return s
}

// byTraining is the table of the numbers that the rules ask about.
func (b *book) byTraining() *report.Table {
	t := &report.Table{
		ID: "by-training", Caption: report.Join("The differences that the rules ask about, by training. Where tasks disagree, a mean over them tells of none."),
		Columns: report.Columns("task", "seed", ">1: attention [nats]", ">2: SVCCA", ">3: attention [nats]", ">3: SVCCA", ">4: loss [nats]", ">5: accuracy"),
	}
	layers, pairs, back, frozen := b.File("layers"), b.File("pairs"), b.File("reset"), b.File("frozen")
	signed := report.Format{Digits: 3, Signed: true}
	for i := range b.e.runs {
		v := fmt.Sprintf("/values/%d", i)
		t.Row(frozen.String(fmt.Sprintf("/runs/%d/task", i)), frozen.Number(fmt.Sprintf("/runs/%d/seed", i), report.Count),
			layers.Number("/attention_top"+v, signed), layers.Number("/features_above"+v, signed),
			pairs.Number("/measures/0/further"+v, signed), pairs.Number("/measures/1/further"+v, signed),
			back.Number("/top_costs"+v, signed), frozen.Number("/upper_costs"+v, report.Points(1)))
	}
	return t
}

// taskFigure adds a chart for each task, of its first seed.
func (b *book) taskFigure(s *report.Section, id, caption string, draw func(i int) (*plots.Figure, error)) {
	for i, r := range b.e.runs {
		if r.Seed == 1 {
			f, err := draw(i)
			b.Figure(s, id+"-"+r.Task, report.Join(fmt.Sprintf(caption, "“"+r.Task+"”")))(f, err)
		}
	}
}

// trainings is the section on the fine-tunings themselves.
func (b *book) trainings() report.Section {
	s := report.Section{Title: "The trainings"}
	first := b.File(fmt.Sprintf("training-%s-%d", b.e.runs[0].Task, b.e.runs[0].Seed))
	made := ""
	if reproduce.MadeOfFacts(b.e.tasks) {
		made = "Each task's examples are made of facts in this project's sentences: is a statement true, which relation does it state, do two statements say the same. Training and held-out parts share no fact"
		if b.e.taught {
			made += ", though the model was taught the facts of both before"
		}
		made += ". "
	}
	s.Say(made+"Each task has ", b.setting.Number("/train", report.Count), " examples to learn from, the same under every seed; the seed draws the classifier's new weights, the order of examples and dropout. Learning rate ",
		b.setting.Number("/learning_rate", report.Significant(2)), " at its highest, AdamW, linear warm-up and decay, dropout as in the model's configuration (", first.Number("/config/hidden_dropout", report.Significant(2)), ").")
	t := &report.Table{
		ID: "trainings", Caption: report.Join("Every training at its end, on held-out examples: the part dev."),
		Columns: report.Columns("task", "seed", ">labels", ">loss", ">accuracy", ">commonest label"),
	}
	for i := range b.e.runs {
		run := b.e.runs[i]
		r := b.File(fmt.Sprintf("training-%s-%d", run.Task, run.Seed))
		t.Row(run.Task, r.Number("/config/seed", report.Count), r.Entries("/labels"), r.Number("/evaluations/dev/loss", report.Decimals(3)),
			r.Number("/evaluations/dev/accuracy", report.Percent(1)), r.Number("/evaluations/dev/majority", report.Percent(1)))
	}
	s.Add(b.TaskTable(b.e.tasks, false), t)
	b.taskFigure(&s, "training", "The course of the training on %s, seed 1.", func(i int) (*plots.Figure, error) { return trainingplots.TrainingHistory(b.e.tuned[i].Record) })
	return s
}

// layerName names the l-th hidden states, or the l-th layer.
func layerName(l int, states bool) string {
	switch {
	case !states:
		return fmt.Sprintf("layer %d", l)
	case l == 0:
		return "embeddings"
	}
	return fmt.Sprintf("layer %d", l-1)
}

// moved is the section on how far layers move from their start.
func (b *book) moved() report.Section {
	s := report.Section{Title: "How far each layer moves"}
	r := b.File("layers")
	s.Say("Two indicators compare each checkpoint with the start on the held-out texts of its task: the Jensen-Shannon divergence of attention, mean over texts of the mean over heads and query tokens (nats, at most 0.693), "+
		"and the SVCCA distance of hidden states (one less the mean canonical correlation of the leading singular directions, as few as have singular values that sum to ", fmt.Sprintf("%.0f %%", 100*dynamics.Kept),
		" of all). The distance by linear CKA is a second opinion. Padding is left out.")
	m := b.e.movement
	mean := *m.Mean
	mean.Texts, mean.Tokens = 0, 0 // all seeds of a task are measured on the same ones
	tokens := []any{"Tokens to compare ", fmt.Sprint(b.e.m.Config().HiddenSize), " dimensions on: "}
	for i, run := range b.e.runs {
		if run.Seed > 1 {
			continue
		}
		if i > 0 {
			tokens = append(tokens, ", ")
		}
		tokens = append(tokens, "“"+run.Task+"” ", b.File(of("layers", run)).Number("/layers/tokens", report.Count))
		mean.Texts, mean.Tokens = mean.Texts+m.Runs[i].Layers.Texts, mean.Tokens+m.Runs[i].Layers.Tokens
	}
	s.Say(append(tokens, ". Canonical correlations are sound with ten times as many tokens as dimensions, or more.")...)
	t := &report.Table{
		ID: "layers", Caption: report.Join("Distance of the fine-tuned models from the start, mean over trainings."),
		Columns: report.Columns("", ">JS divergence of attention", ">SVCCA distance", ">CKA distance"),
	}
	for l := range r.Len("/svcca_distance") {
		row := []any{layerName(l, true), "–"}
		if l > 0 {
			row[1] = r.Interval(fmt.Sprintf("/attention_jsd/%d", l-1), report.Significant(3))
		}
		t.Row(append(row, r.Interval(fmt.Sprintf("/svcca_distance/%d", l), report.Significant(3)), r.Interval(fmt.Sprintf("/cka_distance/%d", l), report.Significant(3)))...)
	}
	s.Add(t)
	for _, c := range []struct {
		id      string
		measure dynamics.Measure
	}{{"attention", dynamics.JSD}, {"svcca", dynamics.SVCCA}, {"cka", dynamics.CKA}} {
		heat, err := trainingplots.DynamicsHeatMap(&mean, c.measure)
		b.Figure(&s, c.id+"-steps", report.Join("Over layers and steps, mean over all trainings, each on the texts of its task."))(heat, err)
	}
	for _, c := range []struct {
		id      string
		measure dynamics.Measure
	}{{"attention", dynamics.JSD}, {"svcca", dynamics.SVCCA}} {
		curves, err := trainingplots.DynamicsCurves(&mean, c.measure)
		b.Figure(&s, c.id+"-curves", report.Join("The same as curves."))(curves, err)
	}
	b.Claim(report.Claim{
		ID: "attention-last", Statement: report.Join("Fine-tuning changes attention more in the last layers than in the others."),
		Evidence: report.Join("The divergence in the topmost third of the layers is ", r.Interval("/attention_top", report.Format{Digits: 3, Signed: true}), " nats from that in the others; above 0 in ", reproduce.Above(r, "/attention_top"), " trainings."),
		Paper:    report.Join("attention changes mainly in the last layers."),
		Rule:     report.Join("the difference is above 0 in every training."),
		Caveat: report.Join("Attention is computed from the states below, and shows what these change by as well: |θ − θ₀|/|θ₀| of the topmost group's own parameters is ",
			b.File("reset").Interval("/top_moved", report.Points(1)), " from that of the lowest group's."),
		Verdict: reproduce.Unanimous(m.AttentionTop, b.e.runs),
	})
	lowest := "The lowest third has the embeddings, on which layers build: whatever they change by, the layers above change by as well."
	if len(m.SVCCADistance) < 5 { // whose lowest third is one
		lowest = "The lowest third is the embeddings alone, the sum of three tables and a LayerNorm: that every layer moves more than they says little of first and last layers. Whatever they change by, the layers above change by as well."
	}
	b.Claim(report.Claim{
		ID: "features", Statement: report.Join("Fine-tuning changes the features of the intermediate and last layers, and less those of the first."),
		Evidence: report.Join("The SVCCA distance in the middle third of the hidden states, or in the topmost if that is less, is ", r.Interval("/features_above", report.Format{Digits: 3, Signed: true}),
			" from that in the lowest third; by CKA ", r.Interval("/features_above_cka", report.Format{Digits: 3, Signed: true}), "; above 0 in ", reproduce.Above(r, "/features_above"), " trainings by SVCCA, in ", reproduce.Above(r, "/features_above_cka"), " by CKA."),
		Paper:   report.Join("features change in the intermediate and last layers."),
		Rule:    report.Join("the difference by SVCCA is above 0 in every training."),
		Caveat:  report.Join(lowest),
		Verdict: reproduce.Unanimous(m.FeaturesAbove, b.e.runs),
	})
	return s
}

// apart is the section on seeds and data sets.
func (b *book) apart() report.Section {
	s := report.Section{Title: "Between seeds and between data sets"}
	r := b.File("pairs")
	s.Say("All ", r.Entries("/runs"), " fine-tuned models are compared with each other on the same ", r.Number("/matrices/texts", report.Count), " texts of all tasks. "+
		"A model's distances from those of its own task, under other seeds, stand beside those from the models of other tasks. Two models' distance counts for both, so the models' values depend on each other.")
	t := &report.Table{
		ID: "pairs", Caption: report.Join("Distance from models of the same task and from those of others, mean over models."),
		Columns: report.Columns("measure", "", ">other seeds", ">other tasks"),
	}
	names := map[string]string{"attention_jsd": "JS divergence of attention", "svcca_distance": "SVCCA distance", "cka_distance": "CKA distance"}
	for i := range r.Len("/measures") {
		p := fmt.Sprintf("/measures/%d", i)
		measure := r.String(p + "/measure")
		name := names[measure]
		for l := range r.Len(p + "/seeds") {
			t.Row(name, layerName(l, dynamics.Measure(measure).States()), r.Interval(fmt.Sprintf("%s/seeds/%d", p, l), report.Significant(3)), r.Interval(fmt.Sprintf("%s/tasks/%d", p, l), report.Significant(3)))
			name = ""
		}
	}
	s.Add(t)
	for _, c := range []struct {
		id      string
		measure dynamics.Measure
	}{{"attention", dynamics.JSD}, {"svcca", dynamics.SVCCA}} {
		pairs, err := trainingplots.ModelPairs(b.e.distances.Matrices, c.measure)
		b.Figure(&s, c.id+"-pairs", report.Join("Every model against every other: blocks along the diagonal are of one task."))(pairs, err)
	}
	attention, features := b.e.distances.Measures[0].Further, b.e.distances.Measures[1].Further
	b.Claim(report.Claim{
		ID: "seeds", Statement: report.Join("Fine-tunings on one data set under different seeds end nearer to each other than those on different data sets."),
		Evidence: report.Join("Models of other tasks are further by ", r.Interval("/measures/0/further", report.Format{Digits: 3, Signed: true}), " nats in attention and by ", r.Interval("/measures/1/further", report.Format{Digits: 3, Signed: true}),
			" in SVCCA distance, mean over layers; above 0 for ", reproduce.Above(r, "/measures/0/further"), " and ", reproduce.Above(r, "/measures/1/further"), " models."),
		Paper:   report.Join("it compares seeds and data sets [recall]; that seeds are nearer is this report's reading of “consistency”."),
		Rule:    report.Join("both differences are above 0 for every model."),
		Caveat:  report.Join("Each model is compared on texts of other tasks as well, on which nothing taught it what to do."),
		Verdict: report.All(reproduce.Unanimous(attention, b.e.runs), reproduce.Unanimous(features, b.e.runs)),
	})
	return s
}

// resets is the section on parameters that get their start's values again.
func (b *book) resets() report.Section {
	s := report.Section{Title: "Layers reset"}
	r := b.File("reset")
	s.Say("In the fine-tuned models one group of parameters gets the values that it had before, and loss and accuracy on held-out examples are measured again.")
	s.Add(reproduce.ResetsTable(r))
	b.Claim(report.Claim{
		ID: "reset", Statement: report.Join("Resetting the last layers to their start costs more than resetting the first ones."),
		Evidence: report.Join("The loss with the topmost group of layers reset is ", r.Interval("/top_costs", report.Format{Digits: 3, Signed: true}), " nats from that with the lowest one reset; above 0 in ", reproduce.Above(r, "/top_costs"), " trainings."),
		Paper:    report.Join("an intervention of this kind is part of the paper [recall]."),
		Rule:     report.Join("the difference is above 0 in every training."),
		Caveat:   report.Join("A model that is overconfident can gain in loss by what costs it accuracy; the table of layers reset has both."),
		Verdict:  reproduce.Unanimous(b.e.back.TopCosts, b.e.runs),
	})
	return s
}

// frozen is the section on trainings of a half of the model.
func (b *book) frozen() report.Section {
	s := report.Section{Title: "Layers frozen"}
	r := b.File("frozen")
	s.Say("The same trainings once more, with one half of the model keeping its values: the embeddings and the lower half of the layers, or the upper half.")
	t := &report.Table{
		ID: "frozen", Caption: report.Join("Accuracy on held-out examples at the end, by what is frozen."),
		Columns: report.Columns("task", "seed", ">nothing", ">embeddings and lower half", ">upper half", ">commonest label"),
	}
	for i := range b.e.runs {
		v := fmt.Sprintf("/values/%d", i)
		t.Row(r.String(fmt.Sprintf("/runs/%d/task", i)), r.Number(fmt.Sprintf("/runs/%d/seed", i), report.Count), r.Number("/all"+v, report.Percent(1)), r.Number("/lower"+v, report.Percent(1)),
			r.Number("/upper"+v, report.Percent(1)), r.Number("/majority"+v, report.Percent(1)))
	}
	s.Add(t)
	b.Claim(report.Claim{
		ID: "frozen", Statement: report.Join("Freezing the lower half of the model costs less than freezing the upper half."),
		Evidence: report.Join("Accuracy with the lower half frozen is ", r.Interval("/upper_costs", report.Points(1)), " from that with the upper half frozen; above 0 in ", reproduce.Above(r, "/upper_costs"), " trainings."),
		Paper:    report.Join("training only some layers is part of the paper [recall]."),
		Rule:     report.Join("the difference is above 0 in every training."),
		Caveat:   report.Join("The lower half has most of the parameters, as the embeddings are of it, and pooler and classifier learn in either case."),
		Verdict:  reproduce.Unanimous(b.e.frozen.UpperCosts, b.e.runs),
	})
	return s
}

// whence says where the facts that are followed come from.
func (b *book) whence() string {
	switch {
	case reproduce.MadeOfFacts(b.e.tasks):
		return "The facts are drawn from all that the tasks are made of, whether learned from or held out. "
	case b.e.taught:
		return "The facts are some that the model was taught; the tasks have nothing to do with them. "
	}
	return "The facts are some that the embedded model was taught, in this project's sentences; the tasks have nothing to do with them, and not all of them are known to this model. "
}

// controlTexts says where the control's words are masked.
func (b *book) controlTexts() string {
	if reproduce.MadeOfFacts(b.e.tasks) {
		return "in the facts' own sentences, with the answer filled in"
	}
	return "in held-out texts of the tasks"
}

// knowledge is the section beyond the paper.
func (b *book) knowledge() report.Section {
	s := report.Section{Title: "Beyond the paper: what becomes of facts"}
	r, one := b.File("knowledge"), b.File(of("knowledge", b.e.runs[0]))
	last := r.Len("/steps") - 1
	s.Say(one.Number("/knowledge/facts", report.Count), " facts with ", one.Number("/knowledge/prompts", report.Count), " prompts are asked of each checkpoint: its encoder gets the masked-language-model head of the start. "+
		"Asked is with which probability it gives the answer, and which neurons integrated gradients attribute it to; their overlap with the fact's knowledge neurons at the start is a Jaccard index. "+
		b.whence(),
		"The answer's probability goes from ", r.Number("/probability/0/mean", report.Percent(1)), " to ", r.Interval(fmt.Sprintf("/probability/%d", last), report.Percent(1)), ", and at the end neurons overlap by ",
		r.Interval(fmt.Sprintf("/overlap/%d", last), report.Percent(1)), ".")
	s.Say("Of the answers' probability ", r.Interval("/left", report.Percent(1)), " is left at the end. The control are ", one.Number("/knowledge/control_prompts", report.Count), " words that are no fact's answer, masked "+b.controlTexts()+": of their probability ",
		r.Interval("/control_left", report.Percent(1)), " is left, which is ", r.Interval("/facts_lose", report.Points(1)), " from the answers' share, above 0 in ", reproduce.Above(r, "/facts_lose"), " trainings. "+
			"What is lost is what the head of the start no longer reads from an encoder that has moved; whether the encoder still holds the fact for a head that moves along is not measured.")
	t := &report.Table{
		ID: "knowledge", Caption: report.Join("Facts through fine-tuning, mean over trainings."),
		Columns: report.Columns(">step", ">probability of the answer", ">answer ranked first", ">neurons shared with the start", ">control: probability of the word"),
	}
	for i := range r.Len("/steps") {
		t.Row(r.Number(fmt.Sprintf("/steps/%d", i), report.Count), r.Interval(fmt.Sprintf("/probability/%d", i), report.Percent(1)),
			r.Interval(fmt.Sprintf("/first/%d", i), report.Percent(1)), r.Interval(fmt.Sprintf("/overlap/%d", i), report.Percent(1)), r.Interval(fmt.Sprintf("/control/%d", i), report.Percent(1)))
	}
	s.Add(t)
	b.taskFigure(&s, "knowledge", "Facts beside the other two indicators, while the model learns %s, seed 1; bands are over facts.", func(i int) (*plots.Figure, error) {
		return trainingplots.FollowedKnowledge(b.e.knowledge.Runs[i].Knowledge, b.e.movement.Runs[i].Layers)
	})
	where := &report.Table{
		ID: "kept", Caption: report.Join("Where: the start's knowledge neurons, of all facts, and how many of them are their facts' at the end."), Columns: report.Columns("layer", ">neurons", ">kept"),
		Note: report.Join("A neuron counts once for each fact that it is of. Layers that have none at the start are left out."),
	}
	for i := range r.Len("/kept") {
		k := fmt.Sprintf("/kept/%d", i)
		where.Row(r.Number(k+"/layer", report.Count), r.Number(k+"/neurons", report.Count), r.Interval(k+"/kept", report.Percent(1)))
	}
	what := &report.Table{
		ID: "lost", Caption: report.Join("What: the answer's probability by relation, most lost first."), Columns: report.Columns("", "relation", ">facts", ">at the start", ">at the end"),
		Note: report.Join("Brackets are over trainings, of the same facts: from one fact or a few, a row tells of these and not of its relation."),
	}
	for i := range r.Len("/by_relation") {
		x := fmt.Sprintf("/by_relation/%d", i)
		what.Row(r.String(x+"/relation"), strings.TrimSpace(r.String(x+"/name")), r.Number(x+"/facts", report.Count), r.Number(x+"/start", report.Percent(1)), r.Interval(x+"/end", report.Percent(1)))
	}
	s.Add(where, what)
	return s
}
