package learningdynamics

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// Reproduce runs all experiments on a model and writes the report into dir.
// What was computed there before is not computed again.
func Reproduce(ctx context.Context, m *kn.Model, dir string, o Options, watch reproduce.Watch) (*reproduce.Outcome, error) {
	e, err := newExperimenter(m.WithContext(ctx), o)
	if err != nil {
		return nil, err
	}
	stages := (3+len(parts))*len(e.runs) + 2                           // trainings are of the whole model, and with either half frozen
	if e.run, err = reproduce.Open(dir, stages+1, watch); err != nil { // and writing
		return nil, err
	}
	defer e.run.Close()
	if err := e.run.Keep("setting", e.setting()); err != nil {
		return nil, err
	}
	e.run.Announce(e.config("", e.runs[0]), e.plan())
	if err := e.train(ctx); err != nil {
		return nil, err
	}
	if err := e.measure(ctx); err != nil {
		return nil, err
	}
	e.run.Begin("write the report")
	return e.report()
}

// experimenter runs the stages.
type experimenter struct {
	run     *reproduce.Run
	m       *kn.Model
	o       Options
	taught  bool // this project pre-trained the model
	digest  string
	tasks   []*reproduce.Task
	data    map[string]*finetune.Data
	dev     map[string][]finetune.Example
	bags    []facts.Bag
	control []kn.Query // words that are no fact's answer
	runs    []reproduce.Training

	done      []string          // names of the stages
	tuned     []reproduce.Tuned // the whole trainings
	movement  Movement
	distances *Distances
	back      reproduce.Resets
	frozen    *Frozen
	frozenBy  map[string][]reproduce.Tuned // by what is frozen
	knowledge Knowledge
}

func newExperimenter(m *kn.Model, o Options) (*experimenter, error) {
	taught, own, err := reproduce.TaughtFacts(m)
	if err != nil {
		return nil, err
	}
	if o, err = o.filled(own, m.Config().HiddenSize); err != nil {
		return nil, err
	}
	e := &experimenter{m: m, o: o, taught: own, data: map[string]*finetune.Data{}, dev: map[string][]finetune.Example{}, frozenBy: map[string][]reproduce.Tuned{}}
	if e.digest, err = m.Digest(); err != nil {
		return nil, err
	}
	z := o.Sizes
	e.tasks, err = reproduce.OpenTasks(m, facts.Known(taught), reproduce.TaskOptions{
		Names: o.Tasks, Folder: o.Data, Train: z.Train, Dev: z.Dev, Test: 20, MaxLength: z.MaxLength, // the test part is of no use here
	})
	if err != nil {
		return nil, err
	}
	for _, t := range e.tasks {
		e.data[t.Name] = t.Data
		if e.dev[t.Name], err = t.Data.Part("dev"); err != nil {
			return nil, err
		}
	}
	e.runs = reproduce.Trainings(e.tasks, o.Seeds)
	if err := e.drawFacts(taught); err != nil {
		return nil, err
	}
	return e, e.drawControl()
}

// controlPrompts is how many words of the control are asked for.
const controlPrompts = 100

// drawControl masks words that are no fact's answer: in texts of the tasks, or
// if these are made of facts, in the facts' own sentences.
func (e *experimenter) drawControl() error {
	var sentences []dynamics.Sentence
	for _, t := range e.tasks {
		if !t.BuiltIn {
			for _, x := range e.dev[t.Name] {
				sentences = append(sentences, dynamics.Sentence{Text: x.Sentence1})
			}
		}
	}
	if len(sentences) == 0 {
		for _, b := range e.bags {
			for _, p := range b.Prompts {
				sentences = append(sentences, dynamics.Sentence{Text: strings.Replace(p, facts.Mask, b.Answer, 1), Except: b.Subject + " " + b.Answer})
			}
		}
	}
	e.control = dynamics.MaskedWords(e.m.Tokenizer(), sentences, controlPrompts, e.m.Config().MaxPositions, 1)
	if len(e.control) == 0 {
		return fmt.Errorf("learningdynamics: no held-out text has a word that %s knows as one token, so there is no control for the facts; give more held-out examples", e.m.Name())
	}
	return nil
}

// drawFacts chooses the facts to follow.
func (e *experimenter) drawFacts(taught []facts.Taught) error {
	relations := map[string]bool{}
	for _, f := range taught {
		relations[f.Relation] = true
	}
	n := e.o.Sizes.Facts
	each, have := (n+len(relations)-1)/len(relations), map[string]int{}
	drawn := facts.Draw(facts.Bags(taught), 4*each, 1) // more than enough, as some may not be usable
	for b, err := range facts.Usable(drawn, e.m.Reader(), nil) {
		if err != nil {
			return err
		}
		if have[b.Relation]++; have[b.Relation] <= each {
			b.Prompts = b.Prompts[:min(len(b.Prompts), e.o.Sizes.Prompts)]
			e.bags = append(e.bags, b)
		}
	}
	rng := rand.New(rand.NewPCG(1, 0xfac7))
	rng.Shuffle(len(e.bags), func(i, j int) { e.bags[i], e.bags[j] = e.bags[j], e.bags[i] })
	e.bags = e.bags[:min(n, len(e.bags))]
	if len(e.bags) == 0 {
		return fmt.Errorf("learningdynamics: %s can be asked none of the facts", e.m.Name())
	}
	return nil
}

func (e *experimenter) setting() Setting {
	return Setting{
		Citation: "Hao, Dong, Wei and Xu, Investigating Learning Dynamics of BERT Fine-Tuning, AACL 2020",
		URL:      "https://aclanthology.org/2020.aacl-main.11",
		Model:    e.m.Label(), Layers: e.m.Config().Layers, Tasks: reproduce.TaskNames(e.tasks), Data: reproduce.DataOf(e.tasks), Seeds: e.o.Seeds, Trainings: len(e.runs),
		LearningRate: e.o.LearningRate, Sizes: e.o.Sizes,
	}
}

// halves are the parts of a model that are frozen.
func halves(layers int) map[string][]string {
	h := map[string][]string{"lower": {"bert.embeddings"}}
	for l := range layers {
		half := "lower"
		if l >= layers/2 {
			half = "upper"
		}
		h[half] = append(h[half], fmt.Sprintf("bert.encoder.layer.%d", l))
	}
	return h
}

// train fine-tunes on every task under every seed: the whole model, and with
// either half of it frozen.
func (e *experimenter) train(ctx context.Context) error {
	kinds := []string{"", "lower", "upper"}
	of := func(i int) (half, name string, r reproduce.Training) {
		half, r = kinds[i/len(e.runs)], e.runs[i%len(e.runs)]
		if half == "" {
			return half, fmt.Sprintf("training-%s-%d", r.Task, r.Seed), r
		}
		return half, fmt.Sprintf("frozen-%s-%s-%d", half, r.Task, r.Seed), r
	}
	jobs := reproduce.Jobs(e.o.Jobs, e.m.Config().Parameters())
	tuned, err := reproduce.SideBySide(ctx, jobs, len(kinds)*len(e.runs), func(ctx context.Context, i int) (reproduce.Tuned, error) {
		half, name, r := of(i)
		c := e.config(half, r)
		what := fmt.Sprintf("fine-tune on “%s”, seed %d", r.Task, r.Seed)
		if half != "" {
			what = fmt.Sprintf("the same with the %s half frozen: “%s”, seed %d", half, r.Task, r.Seed)
		}
		return reproduce.FineTune(ctx, e.run, name, what, e.digest, c)
	})
	if err != nil {
		return err
	}
	for i, t := range tuned {
		half, name, _ := of(i)
		e.done = append(e.done, name)
		if half == "" {
			e.tuned = append(e.tuned, t)
		} else {
			e.frozenBy[half] = append(e.frozenBy[half], t)
		}
	}
	return nil
}

// config describes a training, of the whole model or with a half of it frozen.
func (e *experimenter) config(half string, r reproduce.Training) finetune.Config {
	z := e.o.Sizes
	c := finetune.Config{
		Model: e.m.Name(), Data: e.data[r.Task], Seed: r.Seed, Steps: z.Steps, Batch: z.Batch, LearningRate: e.o.LearningRate,
		Evaluate: []string{"dev"}, EvaluateEvery: max(1, z.Steps/4),
	}
	if half == "" {
		c.Checkpoints = z.checkpoints()
	} else {
		c.Freeze = halves(e.m.Config().Layers)[half]
	}
	return c
}

// plan is what all stages do. Reading hidden states and attention takes about as
// long as measuring the loss; attributing a prompt is no training step, but about
// as long as one.
func (e *experimenter) plan() []reproduce.Planned {
	steps, groups := len(e.o.Sizes.checkpoints()), len(landscape.Groups(e.m.Config().Layers))
	texts, prompts := 0, 0 // of all tasks; of all facts
	for _, t := range e.tasks {
		texts += t.Size("dev")
	}
	for _, b := range e.bags {
		prompts += len(b.Prompts)
	}
	held, runs := e.o.Seeds*texts, len(e.runs) // held is the held-out examples of all trainings
	trainings := func(what, half string) reproduce.Planned {
		var of []finetune.Config
		for _, r := range e.runs {
			of = append(of, e.config(half, r))
		}
		return reproduce.PlanTrainings(what, of)
	}
	return []reproduce.Planned{
		trainings(fmt.Sprintf("fine-tune, %d times", runs), ""),
		trainings("the same with the lower half frozen", "lower"),
		trainings("the same with the upper half frozen", "upper"),
		{What: "how far each layer moves from the start", Examples: steps * held},
		{What: "how far seeds and data sets are from each other", Examples: runs * texts},
		{What: "reset layers to their start", Examples: (2 + groups) * held},
		{What: "follow facts and their knowledge neurons", Steps: runs * steps * prompts, Examples: runs * steps * len(e.control)},
	}
}

// later are a training's checkpoints after the start.
func (e *experimenter) later(i int) (later []dynamics.Checkpoint) {
	for _, step := range e.o.Sizes.checkpoints()[1:] {
		later = append(later, dynamics.Checkpoint{Step: step, Model: finetune.CheckpointDir(e.tuned[i].Dir, step)})
	}
	return later
}

// parts are what is measured of each training.
var parts = []string{"layers", "reset", "knowledge"}

// measure measures what the trainings ended in, each by itself and against each
// other, and sums it up for the report.
func (e *experimenter) measure(ctx context.Context) error {
	for i := range e.runs {
		layers, err := stage(ctx, e, i, "layers", "how far each layer moves from the start", nil, e.measureLayers)
		if err != nil {
			return err
		}
		back, err := stage(ctx, e, i, "reset", "reset layers to their start", nil, e.resetGroups)
		if err != nil {
			return err
		}
		knowledge, err := stage(ctx, e, i, "knowledge", "follow facts and their knowledge neurons", []any{e.bags, e.control}, e.followFacts)
		if err != nil {
			return err
		}
		e.movement.Runs, e.back.Runs, e.knowledge.Runs = append(e.movement.Runs, *layers), append(e.back.Runs, *back), append(e.knowledge.Runs, *knowledge)
	}
	var err error
	if e.distances, err = together(ctx, e, "pairs", "how far seeds and data sets are from each other", e.tuned, e.measurePairs); err != nil {
		return err
	}
	all := slices.Concat(e.tuned, e.frozenBy["lower"], e.frozenBy["upper"])
	if e.frozen, err = together(ctx, e, "frozen", "compare trainings with frozen layers", all, e.compareFrozen); err != nil {
		return err
	}
	e.movement.summarize()
	e.back.Summarize()
	e.knowledge.summarize()
	return errors.Join(e.run.Keep("layers", e.movement), e.run.Keep("reset", e.back), e.run.Keep("knowledge", e.knowledge))
}

// of names the result of a training.
func of(what string, r reproduce.Training) string {
	return fmt.Sprintf("%s-%s-%d", what, r.Task, r.Seed)
}

// stage is a stage whose result depends on the i-th training and on options.
func stage[T any](ctx context.Context, e *experimenter, i int, part, what string, options any, compute func(ctx context.Context, i int, progress kn.Progress) (*T, error)) (*T, error) {
	key, err := reproduce.Key(part, e.tuned[i].Key, options)
	if err != nil {
		return nil, err
	}
	r := e.runs[i]
	e.done = append(e.done, of(part, r))
	return reproduce.Stage(ctx, e.run, of(part, r), fmt.Sprintf("%s: “%s”, seed %d", what, r.Task, r.Seed), key, func(ctx context.Context, progress kn.Progress) (*T, error) {
		return compute(ctx, i, progress)
	})
}

// together is a stage whose result depends on several trainings.
func together[T any](ctx context.Context, e *experimenter, name, what string, trainings []reproduce.Tuned, compute func(ctx context.Context, progress kn.Progress) (*T, error)) (*T, error) {
	var keys []string
	for _, t := range trainings {
		keys = append(keys, t.Key)
	}
	key, err := reproduce.Key(name, keys)
	if err != nil {
		return nil, err
	}
	e.done = append(e.done, name)
	return reproduce.Stage(ctx, e.run, name, what, key, compute)
}

func (e *experimenter) measureLayers(ctx context.Context, i int, progress kn.Progress) (*RunMovement, error) {
	layers, err := dynamics.Training(ctx, e.tuned[i].Start(), e.later(i), e.dev[e.runs[i].Task], dynamics.Options{NoCache: true, Progress: progress})
	if err != nil {
		return nil, err
	}
	return &RunMovement{e.runs[i], layers}, nil
}

// measurePairs compares all fine-tuned models on texts of all tasks.
func (e *experimenter) measurePairs(ctx context.Context, progress kn.Progress) (*Distances, error) {
	var texts []finetune.Example
	for _, t := range e.tasks {
		texts = append(texts, e.dev[t.Name]...)
	}
	var models []dynamics.Named
	for i, r := range e.runs {
		models = append(models, dynamics.Named{Name: fmt.Sprintf("%s %d", r.Task, r.Seed), Model: e.tuned[i].Dir})
	}
	matrices, err := dynamics.Pairs(ctx, models, texts, dynamics.Options{NoCache: true, Progress: progress})
	if err != nil {
		return nil, err
	}
	d := &Distances{Runs: e.runs, Matrices: matrices}
	d.summarize()
	return d, nil
}

func (e *experimenter) resetGroups(ctx context.Context, i int, progress kn.Progress) (*reproduce.RunReset, error) {
	return reproduce.ResetGroups(ctx, e.runs[i], e.tuned[i], e.dev[e.runs[i].Task], progress)
}

func (e *experimenter) compareFrozen(context.Context, kn.Progress) (*Frozen, error) {
	of := func(tuned []reproduce.Tuned, value func(finetune.Evaluation) float64) reproduce.Spread {
		return reproduce.SpreadOver(len(tuned), func(i int) float64 { return value(tuned[i].Record.Evaluations["dev"]) })
	}
	accuracy := func(v finetune.Evaluation) float64 { return v.Accuracy }
	f := &Frozen{
		Runs: e.runs, Majority: of(e.tuned, func(v finetune.Evaluation) float64 { return v.Majority }),
		All: of(e.tuned, accuracy), Lower: of(e.frozenBy["lower"], accuracy), Upper: of(e.frozenBy["upper"], accuracy),
	}
	f.UpperCosts = reproduce.SpreadOver(len(e.runs), func(i int) float64 { return f.Lower.Values[i] - f.Upper.Values[i] })
	return f, nil
}

func (e *experimenter) followFacts(ctx context.Context, i int, progress kn.Progress) (*RunKnowledge, error) {
	knowledge, err := dynamics.Follow(ctx, e.m.Name(), e.later(i), e.bags, dynamics.FollowOptions{Control: e.control, Options: dynamics.Options{NoCache: true, Progress: progress}})
	if err != nil {
		return nil, err
	}
	return &RunKnowledge{e.runs[i], knowledge}, nil
}
