package berteffectiveness

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// Reproduce runs all experiments on a model and writes the report into dir.
// What was computed there before is not computed again, down to the single
// point of a surface.
func Reproduce(ctx context.Context, m *kn.Model, dir string, o Options, watch reproduce.Watch) (*reproduce.Outcome, error) {
	e, err := newExperimenter(m.WithContext(ctx), o)
	if err != nil {
		return nil, err
	}
	if e.run, err = reproduce.Open(dir, len(e.kinds())*len(e.runs)+len(e.stages())+1, watch); err != nil { // and writing
		return nil, err
	}
	defer e.run.Close()
	if err := e.run.Keep("setting", e.setting()); err != nil {
		return nil, err
	}
	e.run.Announce(e.config(e.kinds()[0], e.runs[0]), e.plan())
	if err := e.train(ctx); err != nil {
		return nil, err
	}
	for _, s := range e.stages() {
		if err := s(ctx); err != nil {
			return nil, err
		}
	}
	e.run.Begin("write the report")
	return e.report()
}

// experimenter runs the stages.
type experimenter struct {
	run    *reproduce.Run
	m      *kn.Model
	o      Options
	own    bool // this project pre-trained the model
	digest string
	tasks  []*reproduce.Task
	runs   []reproduce.Training

	done      []string                     // names of the stages
	tuned     map[string][]reproduce.Tuned // by the name of their kind
	trainings *Trainings
	curves    *Curves
	surfaces  *Surfaces
	groups    *Groups
	back      *reproduce.Resets
}

func newExperimenter(m *kn.Model, o Options) (*experimenter, error) {
	taught, own, err := reproduce.TaughtFacts(m)
	if err != nil {
		return nil, err
	}
	if o, err = o.filled(own, m.Config().HiddenSize); err != nil {
		return nil, err
	}
	e := &experimenter{m: m, o: o, own: own, tuned: map[string][]reproduce.Tuned{}}
	if e.digest, err = m.Digest(); err != nil {
		return nil, err
	}
	z := o.Sizes
	e.tasks, err = reproduce.OpenTasks(m, facts.Known(taught), reproduce.TaskOptions{
		Names: o.Tasks, Folder: o.Data, Train: z.Train, Dev: z.HeldOut, Test: z.HeldOut, Other: true, MaxLength: z.MaxLength,
	})
	if err != nil {
		return nil, err
	}
	e.runs = reproduce.Trainings(e.tasks, o.Seeds)
	return e, nil
}

func (e *experimenter) setting() Setting {
	z := e.o.Sizes
	return Setting{
		Citation: "Hao, Dong, Wei and Xu, Visualizing and Understanding the Effectiveness of BERT, EMNLP 2019",
		URL:      "https://aclanthology.org/D19-1424",
		Model:    e.m.Label(), Layers: e.m.Config().Layers, Data: reproduce.DataOf(e.tasks), Tasks: reproduce.TaskNames(e.tasks), Seeds: e.o.Seeds, Runs: len(e.runs),
		LearningRate: e.o.LearningRate, ScratchTimes: ScratchRate, Sizes: z, ScratchSteps: z.Scratch * z.Steps, LongSteps: z.Long * z.Steps,
		Factor: Factor, Margin: Margin,
		Curve: z.line(), Surface: z.axis(surfaceLow, surfaceHigh),
	}
}

// The kinds of trainings.
const (
	pretrained      = "pretrained"
	scratch         = "scratch"
	pretrainedOther = "pretrained-other"
	scratchOther    = "scratch-other"
	long            = "long"
)

// kind is how a training is done.
type kind struct {
	name, what string
	other      bool // on other examples
	scratch    bool
	steps      int
	kept       []int // checkpoints
}

func (e *experimenter) kinds() []kind {
	z := e.o.Sizes
	steps, more := z.Steps, z.Steps*z.Scratch
	return []kind{
		{pretrained, "fine-tune", false, false, steps, checkpoints(steps)},
		{scratch, "train from scratch", false, true, more, checkpoints(more)},
		{pretrainedOther, "fine-tune with other examples", true, false, steps, nil},
		{scratchOther, "train from scratch with other examples", true, true, more, nil},
		{long, "fine-tune for long", false, false, steps * z.Long, nil},
	}
}

// plan is what all stages do.
func (e *experimenter) plan() []reproduce.Planned {
	var plan []reproduce.Planned
	for _, k := range e.kinds() {
		var of []finetune.Config
		for _, r := range e.runs {
			of = append(of, e.config(k, r))
		}
		plan = append(plan, reproduce.PlanTrainings(fmt.Sprintf("%s, %d times", k.what, len(of)), of))
	}
	z := e.o.Sizes
	line, axis, groups := len(z.line()), len(z.axis(surfaceLow, surfaceHigh)), len(landscape.Groups(e.m.Config().Layers))
	train, dev, all := 0, 0, 0 // examples of the samples, and of the whole part dev, of all trainings
	for _, t := range e.tasks {
		train += e.o.Seeds * min(z.Sample, t.Size("train"))
		dev += e.o.Seeds * min(z.Sample, t.Size("dev"))
		all += e.o.Seeds * t.Size("dev")
	}
	return append(
		plan,
		reproduce.Planned{What: "loss from starts to ends", Examples: 2 * line * (train + dev)},
		reproduce.Planned{What: "loss and error on planes", Examples: 2 * axis * axis * (train + dev)},
		reproduce.Planned{What: "loss as each group of layers moves alone", Examples: groups * axis * dev},
		reproduce.Planned{What: "reset layers to their start", Examples: (2 + groups) * all},
	)
}

// train does every kind of training on every task under every seed.
func (e *experimenter) train(ctx context.Context) error {
	kinds := e.kinds()
	name := func(i int) string {
		k, r := kinds[i/len(e.runs)], e.runs[i%len(e.runs)]
		return fmt.Sprintf("training-%s-%s-%d", k.name, r.Task, r.Seed)
	}
	tuned, err := reproduce.SideBySide(ctx, e.jobs(), len(kinds)*len(e.runs), func(ctx context.Context, i int) (reproduce.Tuned, error) {
		k, r := kinds[i/len(e.runs)], e.runs[i%len(e.runs)]
		return reproduce.FineTune(ctx, e.run, name(i), fmt.Sprintf("%s: “%s”, seed %d", k.what, r.Task, r.Seed), e.digest, e.config(k, r))
	})
	if err != nil {
		return err
	}
	for i, t := range tuned {
		k := kinds[i/len(e.runs)].name
		e.done, e.tuned[k] = append(e.done, name(i)), append(e.tuned[k], t)
	}
	return nil
}

// jobs is the number of trainings side by side.
func (e *experimenter) jobs() int {
	return reproduce.Jobs(e.o.Jobs, checkpoint.Parameters(e.m.Config().Expected()))
}

// config describes a training.
func (e *experimenter) config(k kind, r reproduce.Training) finetune.Config {
	c := finetune.Config{
		Model: e.m.Name(), Data: e.task(r).Data, Seed: r.Seed, Steps: k.steps, Batch: e.o.Sizes.Batch, LearningRate: e.o.LearningRate,
		FromScratch: k.scratch, Evaluate: []string{"dev"}, EvaluateEvery: max(1, k.steps/5), Checkpoints: k.kept,
	}
	if k.other {
		c.Data = e.task(r).Other
	}
	if k.scratch {
		c.LearningRate *= ScratchRate
	}
	return c
}

// task is a training's.
func (e *experimenter) task(r reproduce.Training) *reproduce.Task {
	return e.tasks[slices.IndexFunc(e.tasks, func(t *reproduce.Task) bool { return t.Name == r.Task })]
}

// stages are those after the trainings.
func (e *experimenter) stages() []func(context.Context) error {
	return []func(context.Context) error{
		stage(e, "trainings", "compare the trainings", &e.trainings, e.compare),
		stage(e, "curves", "loss from starts to ends", &e.curves, e.measureCurves),
		stage(e, "surfaces", "loss and error on planes", &e.surfaces, e.measureSurfaces),
		stage(e, "groups", "loss as each group of layers moves alone", &e.groups, e.measureGroups),
		stage(e, "reset", "reset layers to their start", &e.back, e.resetGroups),
	}
}

// stage is a stage whose result depends on the trainings and on sizes.
func stage[T any](e *experimenter, name, what string, result **T, compute func(ctx context.Context, progress kn.Progress) (*T, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		var keys []string
		for _, k := range e.kinds() {
			for _, t := range e.tuned[k.name] {
				keys = append(keys, t.Key)
			}
		}
		key, err := reproduce.Key(name, keys, e.o.Sizes, Factor, Margin, Agreeing)
		if err != nil {
			return err
		}
		*result, err = reproduce.Stage(ctx, e.run, name, what, key, compute)
		e.done = append(e.done, name)
		return err
	}
}

// sample are the first examples of a part of a task's data, which is in random order.
func (e *experimenter) sample(r reproduce.Training, part string) ([]finetune.Example, error) {
	examples, err := e.task(r).Data.Part(part)
	if err != nil {
		return nil, err
	}
	return examples[:min(e.o.Sizes.Sample, len(examples))], nil
}

// samples are those of the parts train and dev.
func (e *experimenter) samples(r reproduce.Training) (train, dev []finetune.Example, err error) {
	if train, err = e.sample(r, "train"); err != nil {
		return nil, nil, err
	}
	dev, err = e.sample(r, "dev")
	return train, dev, err
}

// cells keep the points of landscapes, so that what is interrupted goes on from there.
func (e *experimenter) cells() string { return filepath.Join(e.run.Dir(), "cells") }

// measured is progress through 2 starts x 2 samples of every run.
func (e *experimenter) measured(progress kn.Progress, run, start, part int) kn.Progress {
	return reproduce.Part(progress, (run*2+start)*2+part, 4*len(e.runs))
}

func (e *experimenter) compare(context.Context, kn.Progress) (*Trainings, error) {
	t := &Trainings{Runs: e.runs}
	t.summarize(e.tuned)
	return t, nil
}

func (e *experimenter) measureCurves(ctx context.Context, progress kn.Progress) (*Curves, error) {
	c := new(Curves)
	for i, r := range e.runs {
		train, dev, err := e.samples(r)
		if err != nil {
			return nil, err
		}
		run := RunCurves{Training: r}
		for s, start := range []string{pretrained, scratch} {
			t, curve := e.tuned[start][i], []*StartCurve{&run.Pretrained, &run.Scratch}[s]
			o := landscape.Options{Alphas: e.o.Sizes.line(), Cells: e.cells(), Progress: e.measured(progress, i, s, 0)}
			if curve.Train, err = landscape.Curve(ctx, t.Start(), t.Dir, train, o); err != nil {
				return nil, err
			}
			o.Progress = e.measured(progress, i, s, 1)
			if curve.Dev, err = landscape.Curve(ctx, t.Start(), t.Dir, dev, o); err != nil {
				return nil, err
			}
		}
		c.Runs = append(c.Runs, run)
	}
	return c, c.summarize()
}

func (e *experimenter) measureSurfaces(ctx context.Context, progress kn.Progress) (*Surfaces, error) {
	u := new(Surfaces)
	axis := e.o.Sizes.axis(surfaceLow, surfaceHigh)
	for i, r := range e.runs {
		train, dev, err := e.samples(r)
		if err != nil {
			return nil, err
		}
		run := RunSurfaces{Training: r}
		for s, start := range []string{pretrained, scratch} {
			t, theta2 := e.tuned[start][i], e.tuned[start+"-other"][i].Dir
			x := []*StartSurface{&run.Pretrained, &run.Scratch}[s]
			o := landscape.Options{Alphas: axis, Betas: axis, Cells: e.cells(), Progress: e.measured(progress, i, s, 0)}
			if x.Train, err = landscape.Surface(ctx, t.Start(), t.Dir, theta2, train, o); err != nil {
				return nil, err
			}
			o.Progress = e.measured(progress, i, s, 1)
			if x.Dev, err = landscape.Surface(ctx, t.Start(), t.Dir, theta2, dev, o); err != nil {
				return nil, err
			}
			way, err := landscape.Checkpoints(t.Dir)
			if err != nil {
				return nil, err
			}
			if x.Path, err = landscape.Trajectory(ctx, t.Start(), t.Dir, theta2, way, landscape.Options{Cells: e.cells()}); err != nil {
				return nil, err
			}
		}
		u.Runs = append(u.Runs, run)
	}
	return u, u.summarize()
}

// measureGroups moves one group of the fine-tuned model's parameters at a time.
func (e *experimenter) measureGroups(ctx context.Context, progress kn.Progress) (*Groups, error) {
	g := new(Groups)
	groups := landscape.Groups(e.m.Config().Layers)
	for i, r := range e.runs {
		dev, err := e.sample(r, "dev")
		if err != nil {
			return nil, err
		}
		run := RunGroups{Training: r}
		for k := range groups {
			line, err := landscape.Curve(ctx, e.tuned[pretrained][i].Start(), e.tuned[pretrained][i].Dir, dev, landscape.Options{
				Alphas: e.o.Sizes.axis(surfaceLow, surfaceHigh), Group: &groups[k], Cells: e.cells(), Progress: reproduce.Part(progress, i*len(groups)+k, len(groups)*len(e.runs)),
			})
			if err != nil {
				return nil, err
			}
			run.Lines = append(run.Lines, line)
		}
		g.Runs = append(g.Runs, run)
	}
	return g, nil
}

func (e *experimenter) resetGroups(ctx context.Context, progress kn.Progress) (*reproduce.Resets, error) {
	dev := map[string][]finetune.Example{}
	for _, t := range e.tasks {
		var err error
		if dev[t.Name], err = t.Data.Part("dev"); err != nil {
			return nil, err
		}
	}
	return reproduce.ResetGroups(ctx, e.runs, e.tuned[pretrained], dev, progress)
}
