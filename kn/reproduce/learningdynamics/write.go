package learningdynamics

import (
	"embed"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/plots/trainingplots"
)

//go:embed *.tmpl
var files embed.FS

var texts = reproduce.Templates(files)

// book is the report while it is written.
type book struct {
	*reproduce.Book
	e *experimenter
}

// taskResults are a task's result files, as templates have them.
type taskResults struct {
	Name      string
	Trainings []report.Object // one a seed
	Moved     report.Object   // layers, under the first seed
}

// report writes what was found.
func (e *experimenter) report() (*reproduce.Outcome, error) {
	b := &book{reproduce.OpenBook(e.run.Dir(), texts, "setting", "layers", "pairs", "reset", "frozen", "knowledge"), e}
	var tasks []*taskResults
	for _, r := range e.runs {
		if r.Seed == 1 {
			tasks = append(tasks, &taskResults{Name: r.Task, Moved: b.Object(of("layers", r))})
		}
		t := tasks[len(tasks)-1]
		t.Trainings = append(t.Trainings, b.Object(of("training", r)))
	}
	b.Data["tasks"], b.Data["others"] = tasks, false
	b.Data["taught"], b.Data["made_of_facts"] = e.taught, reproduce.MadeOfFacts(e.tasks)
	made := e.run.HowMade(e.o.Command, reproduce.Backends(e.tuned, e.frozenBy["lower"], e.frozenBy["upper"]), e.done)
	made["digest"] = e.digest
	sections := []report.Section{b.trainings(), b.layers(), b.pairs(), b.decided("reset", e.back.TopCosts), b.decided("frozen", e.frozen.UpperCosts), b.knowledge()}
	sections = append([]report.Section{b.Section("claims", report.Content{})}, append(sections, b.Section("made", report.Content{Data: made}))...)
	return b.Write(e.run, e.run.Dir(), b.Report(sections...), e.done)
}

// decided is a section with a claim of its name that one difference decides.
func (b *book) decided(name string, by reproduce.Spread) report.Section {
	return b.Section(name, report.Content{Verdicts: report.Verdicts{name: reproduce.Unanimous(by, b.e.runs)}})
}

// ofTasks draws a chart for each task, of its first seed.
func (b *book) ofTasks(name string, draw func(i int) (report.Drawing, error)) report.Drawings {
	figures := report.Drawings{}
	for i, r := range b.e.runs {
		if r.Seed == 1 {
			figures[name+"-"+r.Task] = b.Draw(draw(i))
		}
	}
	return figures
}

// trainings is the section on the fine-tunings themselves.
func (b *book) trainings() report.Section {
	return b.Section("trainings", report.Content{Figures: b.ofTasks("training", func(i int) (report.Drawing, error) {
		return trainingplots.TrainingHistory(b.e.tuned[i].Record)
	})})
}

// layers is the section on how far layers move from their start.
func (b *book) layers() report.Section {
	m := b.e.movement
	mean := *m.Mean
	mean.Texts, mean.Tokens = 0, 0 // all seeds of a task are measured on the same ones
	for i, r := range b.e.runs {
		if r.Seed == 1 {
			mean.Texts, mean.Tokens = mean.Texts+m.Runs[i].Layers.Texts, mean.Tokens+m.Runs[i].Layers.Tokens
		}
	}
	return b.Section("layers", report.Content{
		Data: map[string]any{"hidden": b.e.m.Config().HiddenSize, "kept": 100 * dynamics.SVCCAThreshold},
		Figures: report.Drawings{
			"attention-steps":  b.Draw(trainingplots.DynamicsHeatMap(&mean, dynamics.JSD)),
			"svcca-steps":      b.Draw(trainingplots.DynamicsHeatMap(&mean, dynamics.SVCCA)),
			"cka-steps":        b.Draw(trainingplots.DynamicsHeatMap(&mean, dynamics.CKA)),
			"attention-curves": b.Draw(trainingplots.DynamicsCurves(&mean, dynamics.JSD)),
			"svcca-curves":     b.Draw(trainingplots.DynamicsCurves(&mean, dynamics.SVCCA)),
		},
		Verdicts: report.Verdicts{
			"attention-last": reproduce.Unanimous(m.AttentionTop, b.e.runs),
			"features":       reproduce.Unanimous(m.FeaturesAbove, b.e.runs),
		},
	})
}

// pairs is the section on seeds and data sets.
func (b *book) pairs() report.Section {
	states := []string{"embeddings"} // names of the hidden states
	for l := range b.e.m.Config().Layers {
		states = append(states, fmt.Sprintf("layer %d", l))
	}
	d := b.e.distances
	return b.Section("pairs", report.Content{
		Data: map[string]any{"states": states},
		Figures: report.Drawings{
			"attention-pairs": b.Draw(trainingplots.ModelPairs(d.Matrices, dynamics.JSD)),
			"svcca-pairs":     b.Draw(trainingplots.ModelPairs(d.Matrices, dynamics.SVCCA)),
		},
		Verdicts: report.Verdicts{
			"seeds": report.All(reproduce.Unanimous(d.Measures[0].Further, b.e.runs), reproduce.Unanimous(d.Measures[1].Further, b.e.runs)),
		},
	})
}

// knowledge is the section beyond the paper.
func (b *book) knowledge() report.Section {
	return b.Section("knowledge", report.Content{
		Data: map[string]any{"asked": b.Object(of("knowledge", b.e.runs[0]))["knowledge"], "last": len(b.e.knowledge.Steps) - 1},
		Figures: b.ofTasks("knowledge", func(i int) (report.Drawing, error) {
			return trainingplots.FollowedKnowledge(b.e.knowledge.Runs[i].Knowledge, b.e.movement.Runs[i].Layers)
		}),
	})
}
