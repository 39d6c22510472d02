package berteffectiveness

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/landscapeplots"
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
	if err := e.summarize(); err != nil {
		return nil, err
	}
	b := &book{Book: reproduce.OpenBook(e.run.Dir(), nil), e: e}
	b.setting = b.File("setting")
	sections := []report.Section{b.trainings(), b.curves(), b.surfaces(), b.layers(), b.long()}
	made := e.run.Made(e.o.Command, reproduce.Backends(slices.Collect(maps.Values(e.tuned))...), report.Pairs{
		{Name: "Model", Text: report.Join(e.m.Label(), ", SHA-256 ", report.Mono(e.digest))},
		{Name: "Seeds", Text: report.Join("1 to ", b.setting.Number("/seeds", report.Count), "; what is drawn besides, by fixed ones")},
	}, e.done)
	sections = append([]report.Section{b.findings()}, append(sections, made)...)
	r := &report.Report{Title: "Loss landscapes of fine-tuning " + e.m.Label(), Subtitle: b.introduction(), Sections: sections}
	return b.Write(e.run, e.run.Dir(), r, e.done)
}

func (b *book) introduction() report.Text {
	s := b.setting
	return report.Join("The experiments of ", report.Link(s.String("/citation"), s.String("/url")), ", on ", s.String("/model"), " with ", s.Number("/layers", report.Count),
		" layers, on "+b.tasks()+" ("+strings.Join(reproduce.TaskNames(b.e.tasks), ", ")+"): examples to learn from ", s.Number("/train", report.Count), ", seeds ", s.Number("/seeds", report.Count),
		"; from pre-trained and from random weights. Brackets are 95 % bootstrap intervals over the pairs of task and seed. ", reproduce.Covered, b.toCome())
}

// toCome says what a run that is not at its end has not measured yet.
func (b *book) toCome() report.Text {
	if len(b.e.runs) == len(b.e.pairs) {
		return nil
	}
	are := " are"
	if len(b.e.runs) == 1 {
		are = " is"
	}
	return report.Join(" Of ", b.setting.Number("/pairs", report.Count), " pairs of task and seed ", b.setting.Number("/runs", report.Count), are+" measured so far.")
}

// tasks says what kind of tasks they are.
func (b *book) tasks() string {
	if reproduce.MadeOfFacts(b.e.tasks) {
		return "tasks made of facts"
	}
	return "the tasks"
}

// findings has the findings that the other sections decided.
func (b *book) findings() report.Section {
	s := report.Section{Title: "The paper's findings"}
	if b.e.own {
		made := ""
		if reproduce.MadeOfFacts(b.e.tasks) {
			made = "; the tasks are made of those facts, not GLUE's"
		}
		s.Say(b.e.m.Label(), " is a specimen of ", b.setting.Number("/layers", report.Count), " layers that this project taught facts and nothing else"+made+". ",
			"From scratch it starts from weights drawn as its pre-training began with.")
	}
	s.Say(reproduce.UnanimityRule + "The table below the findings has the numbers of each pair. What is marked [recall] is a reconstruction of what the paper did, which no text at hand confirms.")
	s.Add(b.Claims, b.byTraining())
	return s
}

// byTraining is the table of the numbers that the rules ask about.
func (b *book) byTraining() *report.Table {
	t := &report.Table{
		ID: "by-training", Caption: report.Join("The numbers that the rules ask about, by task and seed; those of 4 in units of the distance from start to end."),
		Columns: report.Columns("task", "seed", ">1: loss [nats]", ">2: error", ">3: climb [nats]", ">4: valley, common", ">4: basin, common", ">4: valley, own", ">4: basin, own",
			">5: correlation", ">6: moved", ">6: loss [nats]", ">7: error"),
	}
	trainings, curves, surfaces, back := b.File("trainings"), b.File("curves"), b.File("surfaces"), b.File("reset")
	signed := func(digits int) report.Format { return report.Format{Digits: digits, Signed: true} }
	for i := range b.e.runs {
		v := fmt.Sprintf("/values/%d", i)
		t.Row(trainings.String(fmt.Sprintf("/runs/%d/task", i)), trainings.Number(fmt.Sprintf("/runs/%d/seed", i), report.Count),
			trainings.Number("/easier"+v, signed(3)), trainings.Number("/better"+v, report.Points(1)), curves.Number("/smoother"+v, signed(3)),
			curves.Number("/wider"+v, signed(2)), surfaces.Number("/wider"+v, signed(2)), curves.Number("/own_wider"+v, signed(2)), surfaces.Number("/own_wider"+v, signed(2)),
			surfaces.Number("/agreement/pretrained"+v, report.Decimals(2)), back.Number("/top_moved"+v, report.Points(1)), back.Number("/top_costs"+v, signed(3)), trainings.Number("/rise"+v, report.Points(1)))
	}
	return t
}

// first calls draw with each task and the index of its first seed.
func (b *book) first(draw func(i int, task string)) {
	for i, r := range b.e.runs {
		if r.Seed == 1 {
			draw(i, r.Task)
		}
	}
}

// names are what the two starts are called.
var names = [][2]string{{"/pretrained", "pre-trained"}, {"/scratch", "from scratch"}}

// trainings is the section on the trainings themselves.
func (b *book) trainings() report.Section {
	s := report.Section{Title: "The trainings"}
	r, z := b.File("trainings"), b.setting
	apart := ""
	if reproduce.MadeOfFacts(b.e.tasks) {
		apart = " Parts share no fact"
		if b.e.own {
			apart += ", though in pre-training the model was taught the facts of all of them"
		}
		apart += "."
	}
	s.Say("From the pre-trained weights: ", z.Number("/steps", report.Count), " steps of ", z.Number("/batch", report.Count), " examples, learning rate ", z.Number("/learning_rate", report.Significant(2)),
		" at its highest; from scratch ", z.Number("/scratch_steps", report.Count), " steps at ", z.Number("/scratch_times", report.Count),
		" times the rate. AdamW, linear warm-up and decay, dropout as in the model's configuration. Examples are the same under every seed; the seed draws new weights, the order of examples and dropout."+apart)
	t := &report.Table{
		ID: "trainings", Caption: report.Join("How the trainings end: training loss over the last tenth of the steps, of batches as they were learned, under dropout; loss and error on the part test."),
		Columns: report.Columns("", ">training loss", ">test loss", ">test error"),
	}
	for _, row := range append(names[:2:2], [2]string{"/long", "pre-trained, long"}) {
		t.Row(row[1], r.Interval(row[0]+"/train_loss", report.Decimals(3)), r.Interval(row[0]+"/loss", report.Decimals(3)), r.Interval(row[0]+"/error", report.Percent(1)))
	}
	t.Row("(always the commonest label)", "–", "–", r.Interval("/guessing", report.Percent(1)))
	each := &report.Table{ID: "each", Caption: report.Join("The same by task and seed: error on the part test."), Columns: report.Columns("task", "seed", ">pre-trained", ">from scratch", ">pre-trained, long", ">commonest label")}
	for i := range b.e.runs {
		v := fmt.Sprintf("/values/%d", i)
		each.Row(r.String(fmt.Sprintf("/runs/%d/task", i)), r.Number(fmt.Sprintf("/runs/%d/seed", i), report.Count), r.Number("/pretrained/error"+v, report.Percent(1)), r.Number("/scratch/error"+v, report.Percent(1)),
			r.Number("/long/error"+v, report.Percent(1)), r.Number("/guessing"+v, report.Percent(1)))
	}
	s.Add(b.TaskTable(b.e.tasks, true), t, each)
	for _, start := range []string{pretrained, scratch} {
		b.first(func(i int, task string) {
			title, from := "Fine-tuning to the task “"+task+"”", "from the pre-trained weights"
			if start == scratch {
				title, from = "Training for the task “"+task+"” from scratch", "from scratch"
			}
			f, err := trainingplots.TrainingHistory(b.e.tuned[start][i].Record, plots.Options{Title: title})
			b.Figure(&s, "training-"+start+"-"+task, report.Join("The course of the training "+from+" on “"+task+"”, seed 1."))(f, err)
		})
	}
	x := b.e.trainings
	b.Claim(report.Claim{
		ID: "easier", Statement: report.Join("Optimization is easier from pre-trained weights than from scratch."),
		Evidence: report.Join("After as many steps the training loss from scratch is ", r.Interval("/easier", report.Format{Digits: 3, Signed: true}), " nats from that of fine-tuning, above 0 in ", reproduce.Above(r, "/easier"), "; the mean over all steps until then is higher from scratch in ", reproduce.Above(r, "/on_the_way"),
			". At the end from scratch, after ", z.Number("/scratch", report.Count), " times as many steps, the difference is ", r.Interval("/later", report.Format{Digits: 3, Signed: true}), " nats."),
		Paper:   report.Join("pre-training gives a start from which the way down is easy; from scratch it is not."),
		Rule:    report.Join("the difference after as many steps is above 0 everywhere, though from scratch the learning rate is higher."),
		Caveat:  report.Join("After as many steps the learning rate of fine-tuning has fallen to 0; from scratch it falls over ", z.Number("/scratch", report.Count), " times as many."),
		Verdict: reproduce.Unanimous(x.Easier, b.e.runs),
	})
	var caveat report.Text
	if b.e.own && reproduce.MadeOfFacts(b.e.tasks) {
		caveat = report.Join("The pre-trained model was taught the facts of the held-out parts, and their words; from scratch nothing teaches words that only held-out parts have. That can make the difference, whatever the optima are like.")
	}
	b.Claim(report.Claim{
		ID: "better", Statement: report.Join("Fine-tuning generalizes better than training from scratch."),
		Evidence: report.Join("The test error from scratch is ", r.Interval("/better", report.Points(1)), " from that of fine-tuning, above 0 in ", reproduce.Above(r, "/better"), "."),
		Paper:    report.Join("fine-tuned BERT generalizes better, which it puts down to flat and wide optima."),
		Rule:     report.Join("the difference is above 0 everywhere."),
		Caveat:   caveat,
		Verdict:  reproduce.Unanimous(x.Better, b.e.runs),
	})
	return s
}

// regions adds the table of how large regions are.
func (b *book) regions(s *report.Section, r *report.Result, id, size, length string) {
	t := &report.Table{
		ID: id, Caption: report.Join("The region around the lowest training loss: where it is at most ", b.setting.Number("/factor", report.Count), " times its own minimum, and where it is at most ",
			b.setting.Number("/factor", report.Count), " times the higher one of both minima."),
		Columns: report.Columns("start", ">minimum [nats]", ">own: "+size, ">own: "+length, ">common: "+size, ">common: "+length, ">open"),
		Note: report.Join("Open: common regions that go on beyond the grid, and are larger than measured, as are own ones of the same level. Where the smaller one of two regions is open, their difference counts as 0. " +
			"Between the grid's points the loss is taken to be linear: a region of few points is measured roughly."),
	}
	for _, n := range names {
		t.Row(n[1], r.Interval(n[0]+"/minimum", report.Significant(2)), r.Interval(n[0]+"/own", report.Significant(2)), r.Interval(n[0]+"/own_length", report.Significant(2)),
			r.Interval(n[0]+"/common", report.Significant(2)), r.Interval(n[0]+"/common_length", report.Significant(2)), report.Join(r.Number(n[0]+"/open", report.Count), " of ", b.setting.Number("/runs", report.Count)))
	}
	s.Add(t)
}

// curves is the section on lines.
func (b *book) curves() report.Section {
	s := report.Section{Title: "Lines from start to end"}
	r := b.File("curves")
	s.Say("f(α) = J(θ₀ + α (θ₁ − θ₀)), with θ₀ the start and θ₁ the end of a training, at ", b.setting.Entries("/curve"), " points from −4 to 4, the paper's range, on ", b.setting.Number("/sample", report.Count),
		" examples that were learned from and as many held-out ones. Every parameter moves: embeddings, LayerNorms, biases and classifier too.")
	b.first(func(i int, task string) {
		c := b.e.curves.Runs[i]
		f, err := landscapeplots.LossCurves([]landscapeplots.LossCurve{
			{Name: "pre-trained, train", Line: c.Pretrained.Train},
			{Name: "pre-trained, dev", Line: c.Pretrained.Dev},
			{Name: "from scratch, train", Line: c.Scratch.Train},
			{Name: "from scratch, dev", Line: c.Scratch.Dev},
		}, plots.Options{Title: "Loss on the lines from starts to ends"})
		b.Figure(&s, "curves-"+task, report.Join("From the pre-trained weights and from scratch, “"+task+"”, seed 1."))(f, err)
	})
	b.regions(&s, r, "widths", "width [α]", "width [|θ|]")
	s.Say("The training loss is lowest at α = ", r.Interval("/at/pretrained", report.Decimals(2)), " from the pre-trained weights, and is ", r.Interval("/end/pretrained", report.Significant(2)),
		" nats at the end, α = 1; from scratch at ", r.Interval("/at/scratch", report.Decimals(2)), ", and ", r.Interval("/end/scratch", report.Significant(2)),
		" at the end. Where examples are classified rightly, cross-entropy falls further as all logits grow, which can put the lowest point beyond the end even of a training that has learned every example.")
	s.Say("Between start and end the training loss climbs at most ", r.Interval("/climb/pretrained", report.Decimals(3)), " nats above that of the pre-trained start, and ", r.Interval("/climb/scratch", report.Decimals(3)), " from scratch.")
	b.Claim(report.Claim{
		ID: "smooth", Statement: report.Join("On the straight line from start to end the loss climbs less from the pre-trained weights than from scratch."),
		Evidence: report.Join("Above the start's, the training loss climbs by ", r.Interval("/climb/scratch", report.Decimals(3)), " nats from scratch and by ", r.Interval("/climb/pretrained", report.Decimals(3)),
			" from the pre-trained weights; more from scratch in ", reproduce.Above(r, "/smoother"), "."),
		Paper:   report.Join("the curve from the pre-trained weights goes down smoothly [recall]."),
		Rule:    report.Join("the climb from scratch less that from pre-trained weights is above 0 everywhere; where neither climbs it is 0."),
		Caveat:  report.Join("Points measured between start and end: ", b.e.o.Sizes.between(), ". What the loss does between them is not seen."),
		Verdict: reproduce.Unanimous(b.e.curves.Smoother, b.e.runs),
	})
	return s
}

// surfaces is the section on planes.
func (b *book) surfaces() report.Section {
	s := report.Section{Title: "Planes"}
	r, curves := b.File("surfaces"), b.File("curves")
	s.Say("f(α, β) = J(θ₀ + α (θ₁ − θ₀) + β (θ₂ − θ₀)) at ", b.setting.Entries("/surface"), " × ", b.setting.Entries("/surface"), " points from −1 to 2. "+
		"θ₂ is the end of a training from the same start, under the same seed, on other examples of the same task; the paper takes another data set. Tasks may have different numbers of labels, so that of another one only the encoder could lead somewhere (as in kn landscape), and at (0, 1) would stand no model that was trained. "+
		"Loss and error on examples that were learned from, and on held-out ones: the surface of the generalization error. A training's checkpoints are projected by least squares; of their squared distance from the start the least share that lies in the plane is ",
		r.Interval("/explained/pretrained", report.Percent(0)), " in fine-tuning, and ", r.Interval("/explained/scratch", report.Percent(0)), " from scratch.")
	for _, start := range []string{pretrained, scratch} {
		b.first(func(i int, task string) {
			x, from := b.e.surfaces.Runs[i].Pretrained, "from the pre-trained weights"
			if start == scratch {
				x, from = b.e.surfaces.Runs[i].Scratch, "from scratch"
			}
			cosine := b.File(of("surfaces", b.e.runs[i])).Number("/"+start+"/train/cosine", report.Decimals(2))
			f, err := landscapeplots.LossSurface(x.Train, x.Path, plots.Options{Title: "Training loss and error, " + from})
			b.Figure(&s, "surface-"+start+"-"+task, report.Join("“"+task+"” "+from+", seed 1, on examples that were learned from. The axes are drawn at right angles; the cosine of the angle between both directions is ", cosine, "."))(f, err)
			f, err = landscapeplots.LossSurface(x.Dev, x.Path, plots.Options{Title: "Held-out loss and generalization error, " + from})
			b.Figure(&s, "generalization-"+start+"-"+task, report.Join("The same on held-out examples."))(f, err)
		})
	}
	b.regions(&s, r, "areas", "area [αβ]", "area [|θ|²]")
	onLine, onPlane := b.e.curves, b.e.surfaces
	signed, two := report.Format{Significant: 2, Signed: true}, report.Significant(2)
	b.Claim(report.Claim{
		ID: "wider", Statement: report.Join("Fine-tuning ends in a wider optimum than training from scratch."),
		Evidence: report.Join("In units of the distance from start to end, where the training loss is at most ", b.setting.Number("/factor", report.Count), " times the higher one of both minima, the valley on the line is wider by ", curves.Interval("/wider", signed),
			", above 0 in ", reproduce.Above(curves, "/wider"), ", and the basin on the plane larger by ", r.Interval("/wider", signed), ", in ", reproduce.Above(r, "/wider"), "; at ", b.setting.Number("/factor", report.Count), " times each one's own minimum by ",
			curves.Interval("/own_wider", signed), ", in ", reproduce.Above(curves, "/own_wider"), ", and ", r.Interval("/own_wider", signed), ", in ", reproduce.Above(r, "/own_wider"), "."),
		Paper: report.Join("pre-training leads to wider optima."),
		Rule:  report.Join("all four differences are above 0 everywhere. It does not hold if all four are below; which one is wider must not depend on the level."),
		Caveat: report.Join("The common level is near the higher minimum and can be far above the lower one: on the line they are ", curves.Interval("/pretrained/minimum", two), " nats from the pre-trained weights and ", curves.Interval("/scratch/minimum", two),
			" from scratch. A basin's difference of 0 says that the smaller one goes on beyond the grid. As a length between parameters, the valley is ", curves.Interval("/pretrained/common_length", two), " wide from the pre-trained weights and ",
			curves.Interval("/scratch/common_length", two), " from scratch at the common level, ", curves.Interval("/pretrained/own_length", two), " and ", curves.Interval("/scratch/own_length", two), " at each one's own."),
		Verdict: shared(reproduce.Unanimous(onLine.Wider, b.e.runs), reproduce.Unanimous(onPlane.Wider, b.e.runs), reproduce.Unanimous(onLine.OwnWider, b.e.runs), reproduce.Unanimous(onPlane.OwnWider, b.e.runs)),
	})
	b.Claim(report.Claim{
		ID: "agree", Statement: report.Join("The surface of the training loss and that of the generalization error agree."),
		Evidence: report.Join("The rank correlation of training loss and held-out error over the plane's points is ", r.Interval("/agreement/pretrained", report.Decimals(2)), fmt.Sprintf(" in fine-tuning, above %v in ", Agreeing), reproduce.Above(r, "/agrees"),
			"; and ", r.Interval("/agreement/scratch", report.Decimals(2)), " from scratch, in ", reproduce.Above(r, "/agrees_scratch"), ". ",
			fmt.Sprintf("That of training loss and held-out loss is above %v in ", Agreeing), reproduce.Above(r, "/losses_agree/pretrained"), " in fine-tuning, and in ", reproduce.Above(r, "/losses_agree/scratch"), " from scratch."),
		Paper:   report.Join("the two are consistent, which it takes for a reason why fine-tuning generalizes."),
		Rule:    report.Join(fmt.Sprintf("the correlation in fine-tuning is above %v everywhere.", Agreeing)),
		Caveat:  report.Join("Ranks tell that both fall on the same side of the plane, not how low the error gets: they can agree where little generalizes."),
		Verdict: reproduce.Unanimous(onPlane.Agrees, b.e.runs),
	})
	return s
}

// shared is the verdict that all have in common; where they differ it cannot be told.
func shared(verdicts ...report.Verdict) report.Verdict {
	for _, v := range verdicts {
		if v != verdicts[0] {
			return report.Unknown
		}
	}
	return verdicts[0]
}

// layers is the section on groups of layers.
func (b *book) layers() report.Section {
	s := report.Section{Title: "Groups of layers"}
	r := b.File("reset")
	s.Say("In the fine-tuned models one group of parameters gets the values that it had before, and loss and accuracy on all examples of the part dev are measured again; and it moves along the line through there and its end, from α = −1 to 2, while the others stay at the end, on the first ",
		b.setting.Number("/sample", report.Count), " of these examples.")
	s.Add(reproduce.ResetsTable(r))
	b.first(func(i int, task string) {
		f, err := landscapeplots.GroupResets(b.e.back.Runs[i].Back)
		b.Figure(&s, "reset-"+task, report.Join("Groups reset, “"+task+"”, seed 1."))(f, err)
		var lines []landscapeplots.LossCurve
		for _, l := range b.e.groups[i].Lines {
			lines = append(lines, landscapeplots.LossCurve{Name: l.Group, Line: l})
		}
		f, err = landscapeplots.LossCurves(lines, plots.Options{Title: "One group moves, the others are at the end"})
		b.Figure(&s, "groups-"+task, report.Join("Each group by itself between start and end, “"+task+"”, seed 1, held-out examples."))(f, err)
	})
	b.Claim(report.Claim{
		ID: "lower", Statement: report.Join("Fine-tuning changes lower layers less than upper ones."),
		Evidence: report.Join("|θ − θ₀|/|θ₀| of the topmost group of layers is ", r.Interval("/top_moved", report.Points(1)), " from that of the lowest one, above 0 in ", reproduce.Above(r, "/top_moved"), ", and resetting the topmost costs ",
			r.Interval("/top_costs", report.Format{Digits: 3, Signed: true}), " nats from what resetting the lowest costs, in ", reproduce.Above(r, "/top_costs"), "."),
		Paper:   report.Join("low layers are the more invariant ones in fine-tuning."),
		Rule:    report.Join("both differences are above 0 everywhere."),
		Caveat:  report.Join("Groups are of layers of the encoder; the embeddings below and the classifier above, whose weights are new, are in the table alone."),
		Verdict: report.All(reproduce.Unanimous(b.e.back.TopMoved, b.e.runs), reproduce.Unanimous(b.e.back.TopCosts, b.e.runs)),
	})
	return s
}

// long is the section on training long past convergence.
func (b *book) long() report.Section {
	s := report.Section{Title: "Training for long"}
	r := b.File("trainings")
	s.Say("Fine-tuning once more, with ", b.setting.Number("/long_steps", report.Count), " steps instead of ", b.setting.Number("/steps", report.Count), ", on the same ", b.setting.Number("/train", report.Count), " examples: a training of its own, with warm-up and decay over all of its steps.")
	b.first(func(i int, task string) {
		f, err := trainingplots.TrainingHistory(b.e.tuned[long][i].Record)
		b.Figure(&s, "training-long-"+task, report.Join("The long training on “"+task+"”, seed 1."))(f, err)
	})
	caveat := report.Join("The shorter training need not have converged: the training loss goes from ", r.Interval("/pretrained/train_loss", report.Decimals(3)), " to ", r.Interval("/long/train_loss", report.Decimals(3)), " nats.")
	if b.e.trainings.LossRise.Mean > 0 && b.e.trainings.Rise.Mean <= 0 {
		caveat = append(caveat, report.Join(" A test loss that rises while the error does not tells of overconfidence.")...)
	}
	b.Claim(report.Claim{
		ID: "overfitting", Statement: report.Join("Fine-tuning for long does not overfit."),
		Evidence: report.Join("After ", b.setting.Number("/long", report.Count), " times as many steps the test error differs by ", r.Interval("/rise", report.Points(1)), ", the test loss by ",
			r.Interval("/loss_rise", report.Format{Digits: 3, Signed: true}), " nats; the difference of errors is below the margin in ", reproduce.Above(r, "/spared"), "."),
		Paper:   report.Join("fine-tuning is robust to overfitting, though BERT has far more parameters than the tasks have examples."),
		Rule:    report.Join("the difference of errors is below ", b.setting.Number("/margin", report.Points(0)), ", the margin, everywhere."),
		Caveat:  caveat,
		Verdict: reproduce.Unanimous(b.e.trainings.Spared, b.e.runs),
	})
	return s
}
