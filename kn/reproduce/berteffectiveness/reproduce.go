package berteffectiveness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
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
	if e.run, err = reproduce.Open(dir, (len(e.kinds())+len(parts))*len(e.pairs)+1, watch); err != nil { // and writing
		return nil, err
	}
	defer e.run.Close()
	e.run.Announce(e.config(e.kinds()[0], e.pairs[0]), e.plan())
	// As many pairs are finished together as trainings run side by side, and shown
	// before the next ones begin.
	for pairs := range slices.Chunk(e.pairs, e.jobs()) {
		if len(e.runs) > 0 && e.fresh {
			if _, err := e.report(); err != nil {
				return nil, err
			}
		}
		e.fresh = false
		if err := e.train(ctx, pairs); err != nil {
			return nil, err
		}
		for _, r := range pairs {
			if err := e.measure(ctx, r); err != nil {
				return nil, err
			}
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
	pairs  []reproduce.Training // of task and seed, every task under a seed before the next seed

	fresh     bool                         // something was computed since the report was last written
	done      []string                     // names of the stages
	runs      []reproduce.Training         // the pairs that are measured
	tuned     map[string][]reproduce.Tuned // of these, by the name of their kind
	trainings *Trainings
	curves    Curves
	surfaces  Surfaces
	groups    []RunGroups
	back      reproduce.Resets
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
	e.pairs = reproduce.Trainings(e.tasks, o.Seeds)
	slices.SortStableFunc(e.pairs, func(a, b reproduce.Training) int { return cmp.Compare(a.Seed, b.Seed) })
	return e, nil
}

func (e *experimenter) setting() Setting {
	z := e.o.Sizes
	return Setting{
		Citation: "Hao, Dong, Wei and Xu, Visualizing and Understanding the Effectiveness of BERT, EMNLP 2019",
		URL:      "https://aclanthology.org/D19-1424",
		Model:    e.m.Label(), Layers: e.m.Config().Layers, Data: reproduce.DataOf(e.tasks), Tasks: reproduce.TaskNames(e.tasks), Seeds: e.o.Seeds, Pairs: len(e.pairs), Runs: len(e.runs),
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
		for _, r := range e.pairs {
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

// train does every kind of training on pairs of task and seed.
func (e *experimenter) train(ctx context.Context, pairs []reproduce.Training) error {
	kinds := e.kinds()
	name := func(i int) string { return of("training-"+kinds[i/len(pairs)].name, pairs[i%len(pairs)]) }
	tuned, err := reproduce.SideBySide(ctx, e.jobs(), len(kinds)*len(pairs), func(ctx context.Context, i int) (reproduce.Tuned, error) {
		k, r := kinds[i/len(pairs)], pairs[i%len(pairs)]
		return reproduce.FineTune(ctx, e.run, name(i), fmt.Sprintf("%s: “%s”, seed %d", k.what, r.Task, r.Seed), e.digest, e.config(k, r))
	})
	if err != nil {
		return err
	}
	for i, t := range tuned {
		k := kinds[i/len(pairs)].name
		e.done, e.tuned[k] = append(e.done, name(i)), append(e.tuned[k], t)
	}
	return nil
}

// of names the result of a pair of task and seed.
func of(what string, r reproduce.Training) string {
	return fmt.Sprintf("%s-%s-%d", what, r.Task, r.Seed)
}

// jobs is the number of trainings side by side.
func (e *experimenter) jobs() int {
	return reproduce.Jobs(e.o.Jobs, e.m.Config().Parameters())
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

// parts are what is measured of each pair of task and seed.
var parts = []string{"curves", "surfaces", "groups", "reset"}

// measure measures the next pair, whose trainings are done.
func (e *experimenter) measure(ctx context.Context, r reproduce.Training) error {
	p := &pair{experimenter: e, Training: r, tuned: map[string]reproduce.Tuned{}}
	for _, k := range e.kinds() {
		p.tuned[k.name] = e.tuned[k.name][len(e.runs)]
	}
	curves, err := stage(ctx, p, "curves", "loss from starts to ends", p.measureCurves)
	if err != nil {
		return err
	}
	surfaces, err := stage(ctx, p, "surfaces", "loss and error on planes", p.measureSurfaces)
	if err != nil {
		return err
	}
	groups, err := stage(ctx, p, "groups", "loss as each group of layers moves alone", p.measureGroups)
	if err != nil {
		return err
	}
	back, err := stage(ctx, p, "reset", "reset layers to their start", p.resetGroups)
	if err != nil {
		return err
	}
	e.runs = append(e.runs, r)
	e.curves.Runs, e.surfaces.Runs = append(e.curves.Runs, *curves), append(e.surfaces.Runs, *surfaces)
	e.groups, e.back.Runs = append(e.groups, *groups), append(e.back.Runs, *back)
	return nil
}

// pair is a pair of task and seed that is measured.
type pair struct {
	*experimenter
	reproduce.Training
	tuned map[string]reproduce.Tuned // by the name of their kind
}

// stage is a stage whose result depends on a pair's trainings and on sizes.
func stage[T any](ctx context.Context, p *pair, part, what string, compute func(ctx context.Context, progress kn.Progress) (*T, error)) (*T, error) {
	var keys []string
	for _, k := range p.kinds() {
		keys = append(keys, p.tuned[k.name].Key)
	}
	key, err := reproduce.Key(part, keys, p.o.Sizes)
	if err != nil {
		return nil, err
	}
	name := of(part, p.Training)
	p.done = append(p.done, name)
	return reproduce.Stage(ctx, p.run, name, fmt.Sprintf("%s: “%s”, seed %d", what, p.Task, p.Seed), key, func(ctx context.Context, progress kn.Progress) (*T, error) {
		p.fresh = true
		return compute(ctx, progress)
	})
}

// summarize sums up the pairs measured, and writes it for the report.
func (e *experimenter) summarize() error {
	e.trainings = &Trainings{Runs: e.runs}
	e.trainings.summarize(e.tuned)
	e.back.Summarize()
	if err := errors.Join(e.curves.summarize(), e.surfaces.summarize()); err != nil {
		return err
	}
	return errors.Join(e.run.Keep("setting", e.setting()), e.run.Keep("trainings", e.trainings), e.run.Keep("curves", e.curves),
		e.run.Keep("surfaces", e.surfaces), e.run.Keep("reset", e.back))
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

// measureCurves measures the lines from both starts.
func (p *pair) measureCurves(ctx context.Context, progress kn.Progress) (*RunCurves, error) {
	train, dev, err := p.samples(p.Training)
	if err != nil {
		return nil, err
	}
	c := &RunCurves{Training: p.Training}
	for s, start := range []string{pretrained, scratch} {
		t, curve := p.tuned[start], []*StartCurve{&c.Pretrained, &c.Scratch}[s]
		o := landscape.Options{Alphas: p.o.Sizes.line(), Cells: p.cells(), Progress: reproduce.Part(progress, 2*s, 4)}
		if curve.Train, err = landscape.Curve(ctx, t.Start(), t.Dir, train, o); err != nil {
			return nil, err
		}
		o.Progress = reproduce.Part(progress, 2*s+1, 4)
		if curve.Dev, err = landscape.Curve(ctx, t.Start(), t.Dir, dev, o); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// measureSurfaces measures the planes of both starts.
func (p *pair) measureSurfaces(ctx context.Context, progress kn.Progress) (*RunSurfaces, error) {
	train, dev, err := p.samples(p.Training)
	if err != nil {
		return nil, err
	}
	u, axis := &RunSurfaces{Training: p.Training}, p.o.Sizes.axis(surfaceLow, surfaceHigh)
	for s, start := range []string{pretrained, scratch} {
		t, theta2 := p.tuned[start], p.tuned[start+"-other"].Dir
		x := []*StartSurface{&u.Pretrained, &u.Scratch}[s]
		o := landscape.Options{Alphas: axis, Betas: axis, Cells: p.cells(), Progress: reproduce.Part(progress, 2*s, 4)}
		if x.Train, err = landscape.Surface(ctx, t.Start(), t.Dir, theta2, train, o); err != nil {
			return nil, err
		}
		o.Progress = reproduce.Part(progress, 2*s+1, 4)
		if x.Dev, err = landscape.Surface(ctx, t.Start(), t.Dir, theta2, dev, o); err != nil {
			return nil, err
		}
		way, err := landscape.Checkpoints(t.Dir)
		if err != nil {
			return nil, err
		}
		if x.Path, err = landscape.Trajectory(ctx, t.Start(), t.Dir, theta2, way, landscape.Options{Cells: p.cells()}); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// measureGroups moves one group of the fine-tuned model's parameters at a time.
func (p *pair) measureGroups(ctx context.Context, progress kn.Progress) (*RunGroups, error) {
	dev, err := p.sample(p.Training, "dev")
	if err != nil {
		return nil, err
	}
	g, groups := &RunGroups{Training: p.Training}, landscape.Groups(p.m.Config().Layers)
	for k := range groups {
		line, err := landscape.Curve(ctx, p.tuned[pretrained].Start(), p.tuned[pretrained].Dir, dev, landscape.Options{
			Alphas: p.o.Sizes.axis(surfaceLow, surfaceHigh), Group: &groups[k], Cells: p.cells(), Progress: reproduce.Part(progress, k, len(groups)),
		})
		if err != nil {
			return nil, err
		}
		g.Lines = append(g.Lines, line)
	}
	return g, nil
}

// resetGroups gives one group of the fine-tuned model's parameters the values of before.
func (p *pair) resetGroups(ctx context.Context, progress kn.Progress) (*reproduce.RunReset, error) {
	dev, err := p.task(p.Training).Data.Part("dev")
	if err != nil {
		return nil, err
	}
	return reproduce.ResetGroups(ctx, p.Training, p.tuned[pretrained], dev, progress)
}
