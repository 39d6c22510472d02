package berteffectiveness

import (
	"embed"
	"maps"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/landscapeplots"
	"github.com/knowledge-neurons/gonb-kn/plots/trainingplots"
)

//go:embed *.tmpl
var files embed.FS

var texts = reproduce.Templates(files)

// book is the report while it is written.
type book struct {
	*reproduce.Book
	e     *experimenter
	drawn []drawn
}

// drawn is a task of which charts are drawn: its first seed's.
type drawn struct {
	Name     string
	Surfaces report.Object // its result file
	at       int           // of the pair, among those measured
}

// report writes what was found.
func (e *experimenter) report() (*reproduce.Outcome, error) {
	if err := e.summarize(); err != nil {
		return nil, err
	}
	b := &book{Book: reproduce.OpenBook(e.run.Dir(), texts, "setting", "trainings", "curves", "surfaces", "reset"), e: e}
	for i, r := range e.runs {
		if r.Seed == 1 {
			b.drawn = append(b.drawn, drawn{r.Task, b.Object(of("surfaces", r)), i})
		}
	}
	b.Data["tasks"], b.Data["others"] = b.drawn, true
	b.Data["own"], b.Data["made_of_facts"] = e.own, reproduce.MadeOfFacts(e.tasks)
	made := e.run.HowMade(e.o.Command, reproduce.Backends(slices.Collect(maps.Values(e.tuned))...), e.done)
	made["digest"] = e.digest
	sections := []report.Section{b.trainings(), b.curves(), b.surfaces(), b.layers(), b.long()}
	sections = append([]report.Section{b.Section("claims", report.Content{})}, append(sections, b.Section("made", report.Content{Data: made}))...)
	return b.Write(e.run, e.run.Dir(), b.Report(sections...), e.done)
}

// unanimous is the verdict of a difference within each pair.
func (b *book) unanimous(s reproduce.Spread) report.Verdict {
	return reproduce.Unanimous(s, b.e.runs)
}

// history draws how a kind of training went on a task.
func (b *book) history(kind string, t drawn, title string) report.Drawing {
	return b.Draw(trainingplots.TrainingHistory(b.e.tuned[kind][t.at].Record, plots.Options{Title: title}))
}

// trainings is the section on the trainings themselves.
func (b *book) trainings() report.Section {
	figures := report.Drawings{}
	for _, t := range b.drawn {
		figures["training-pretrained-"+t.Name] = b.history(pretrained, t, "Fine-tuning to the task “"+t.Name+"”")
		figures["training-scratch-"+t.Name] = b.history(scratch, t, "Training for the task “"+t.Name+"” from scratch")
	}
	return b.Section("trainings", report.Content{Figures: figures, Verdicts: report.Verdicts{
		"easier": b.unanimous(b.e.trainings.Easier),
		"better": b.unanimous(b.e.trainings.Better),
	}})
}

// regions are what the table of how large regions are is made of.
type regions struct {
	Table        string        // its ID
	By           report.Object // start
	Size, Length string        // what they are measured by
}

// curves is the section on lines.
func (b *book) curves() report.Section {
	figures := report.Drawings{}
	for _, t := range b.drawn {
		c := b.e.curves.Runs[t.at]
		figures["curves-"+t.Name] = b.Draw(landscapeplots.LossCurves([]landscapeplots.LossCurve{
			{Name: "pre-trained, train", Line: c.Pretrained.Train},
			{Name: "pre-trained, dev", Line: c.Pretrained.Dev},
			{Name: "from scratch, train", Line: c.Scratch.Train},
			{Name: "from scratch, dev", Line: c.Scratch.Dev},
		}, plots.Options{Title: "Loss on the lines from starts to ends"}))
	}
	return b.Section("curves", report.Content{
		Data: map[string]any{
			"region":  regions{"widths", b.Data["curves"].(report.Object), "width [α]", "width [|θ|]"},
			"between": b.e.o.Sizes.between(),
		},
		Figures: figures, Verdicts: report.Verdicts{"smooth": b.unanimous(b.e.curves.Smoother)},
	})
}

// surfaces is the section on planes.
func (b *book) surfaces() report.Section {
	figures := report.Drawings{}
	for _, t := range b.drawn {
		draw := func(start string, x StartSurface, from string) {
			figures["surface-"+start+"-"+t.Name] = b.Draw(landscapeplots.LossSurface(x.Train, x.Path, plots.Options{Title: "Training loss and error, " + from}))
			figures["generalization-"+start+"-"+t.Name] = b.Draw(landscapeplots.LossSurface(x.Dev, x.Path, plots.Options{Title: "Held-out loss and generalization error, " + from}))
		}
		draw(pretrained, b.e.surfaces.Runs[t.at].Pretrained, "from the pre-trained weights")
		draw(scratch, b.e.surfaces.Runs[t.at].Scratch, "from scratch")
	}
	line, plane := b.e.curves, b.e.surfaces
	return b.Section("surfaces", report.Content{
		Data: map[string]any{
			"region":   regions{"areas", b.Data["surfaces"].(report.Object), "area [αβ]", "area [|θ|²]"},
			"agreeing": Agreeing,
		},
		Figures: figures, Verdicts: report.Verdicts{
			"wider": shared(b.unanimous(line.Wider), b.unanimous(plane.Wider), b.unanimous(line.OwnWider), b.unanimous(plane.OwnWider)),
			"agree": b.unanimous(plane.Agrees),
		},
	})
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
	figures := report.Drawings{}
	for _, t := range b.drawn {
		figures["reset-"+t.Name] = b.Draw(landscapeplots.GroupResets(b.e.back.Runs[t.at].Back))
		var lines []landscapeplots.LossCurve
		for _, l := range b.e.groups[t.at].Lines {
			lines = append(lines, landscapeplots.LossCurve{Name: l.Group, Line: l})
		}
		figures["groups-"+t.Name] = b.Draw(landscapeplots.LossCurves(lines, plots.Options{Title: "One group moves, the others are at the end"}))
	}
	return b.Section("layers", report.Content{Figures: figures, Verdicts: report.Verdicts{
		"lower": report.All(b.unanimous(b.e.back.TopMoved), b.unanimous(b.e.back.TopCosts)),
	}})
}

// long is the section on training long past convergence.
func (b *book) long() report.Section {
	figures := report.Drawings{}
	for _, t := range b.drawn {
		figures["training-long-"+t.Name] = b.history(long, t, "")
	}
	return b.Section("long", report.Content{Figures: figures, Verdicts: report.Verdicts{"overfitting": b.unanimous(b.e.trainings.Spared)}})
}
