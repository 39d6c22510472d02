package electrasampling

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/electra"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// Reproduce pre-trains and fine-tunes all variants and writes the report into
// dir. What was computed there before is not computed again, and a training
// that was interrupted goes on. The model, one that says what it was taught,
// gives tokenizer and facts; its weights are not used.
func Reproduce(ctx context.Context, model, dir string, o Options, watch reproduce.Watch) (*reproduce.Outcome, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	m, err := kn.Load(model, kn.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	e := &experimenter{model: model, o: o}
	if e.digest, err = m.Digest(); err != nil {
		return nil, err
	}
	taught, err := m.Facts()
	if err != nil {
		return nil, err
	}
	drawn, err := electra.DrawFacts(taught, o.Facts, o.Relations...)
	if err != nil {
		return nil, err
	}
	if e.tasks, err = e.o.tasks(facts.Known(drawn)); err != nil {
		return nil, err
	}
	trainings := len(variants) * o.Seeds
	if e.run, err = reproduce.Open(dir, 2*trainings+1, watch); err != nil { // and writing
		return nil, err
	}
	defer e.run.Close()
	if e.records, err = each(ctx, e, e.pretrain); err != nil {
		return nil, err
	}
	e.paces = pacesOf(e.records)
	for _, t := range e.records {
		e.paces.set(t)
	}
	if e.tuned, err = each(ctx, e, e.finetune); err != nil {
		return nil, err
	}
	e.run.Begin("write the report")
	return e.report()
}

// each runs a stage for every variant and seed.
func each[T any](ctx context.Context, e *experimenter, stage func(context.Context, variant, int) (T, error)) ([]T, error) {
	return reproduce.SideBySide(ctx, reproduce.Jobs(e.o.Jobs, 0), len(variants)*e.o.Seeds, func(ctx context.Context, i int) (T, error) {
		return stage(ctx, variants[i%len(variants)], 1+i/len(variants))
	})
}

// experimenter runs the stages.
type experimenter struct {
	run     *reproduce.Run
	model   string
	digest  string
	o       Options
	tasks   []*finetune.Data // of the facts that are pre-trained on, whose words the trimmed tokenizer has
	records []trained
	paces   paces
	tuned   []*Tuned
}

// trained is a pre-training with what tells it from others.
type trained struct {
	variant variant
	seed    int
	record  *electra.Record
}

// workDir is where a training's models are.
func (e *experimenter) workDir(v variant, seed int) string {
	return filepath.Join(e.run.Dir(), "work", fmt.Sprintf("%s-%d", v.name(), seed))
}

// stageName is a stage's for a variant and a seed.
func stageName(stage string, v variant, seed int) string {
	return fmt.Sprintf("%s-%s-%d", stage, v.name(), seed)
}

// stages are the names of all stages.
func (e *experimenter) stages() []string {
	var names []string
	for _, stage := range []string{"pretrain", "finetune"} {
		for seed := range e.o.Seeds {
			for _, v := range variants {
				names = append(names, stageName(stage, v, seed+1))
			}
		}
	}
	return names
}

func (e *experimenter) pretrain(ctx context.Context, v variant, seed int) (trained, error) {
	c := e.o.config(e.model, v, seed)
	key, err := reproduce.Key("pretrain", e.digest, c)
	if err != nil {
		return trained{}, err
	}
	record, err := reproduce.Stage(ctx, e.run, stageName("pretrain", v, seed), "pre-train "+c.Variant()+fmt.Sprintf(", seed %d", seed), key,
		func(ctx context.Context, progress kn.Progress) (*electra.Record, error) {
			c.Out = e.workDir(v, seed)
			return electra.Run(ctx, c, func(p electra.Progress) {
				if progress != nil {
					progress(p.Step, p.Steps, "steps")
				}
			})
		})
	return trained{v, seed, record}, err
}

// Tuned is what became of one pre-training in fine-tuning.
type Tuned struct {
	Steps []float64 `json:"steps"` // accuracy on each of the tasks, from the models after all steps
	Time  []float64 `json:"time"`  // and from those after a time that all variants were given
	At    int       `json:"at"`    // step of these
}

// paces are the seconds that a step of each sampler takes. γ costs nothing.
type paces map[electra.Sampler]float64

// pacesOf makes the times of trainings comparable that ran side by side: a step
// takes as long as a sampler's do when the machine does little else, the time
// that a tenth of the stretches between its trainings' points are below.
func pacesOf(all []trained) paces {
	seconds := map[electra.Sampler][]float64{} // a step
	for _, t := range all {
		for i, p := range t.record.Training[1:] {
			before := t.record.Training[i]
			seconds[t.variant.sampler] = append(seconds[t.variant.sampler], (p.Seconds-before.Seconds)/float64(p.Step-before.Step))
		}
	}
	p := paces{}
	for s, xs := range seconds {
		slices.Sort(xs)
		p[s] = stat.Quantile(0.1, stat.Empirical, xs, nil)
	}
	return p
}

// set gives a training the times that its steps take at its sampler's pace.
func (p paces) set(t trained) {
	pace := p[t.variant.sampler]
	t.record.Seconds = pace * float64(t.record.Steps)
	for i := range t.record.Measurements {
		m := &t.record.Measurements[i]
		m.Seconds = pace * float64(m.Step)
	}
}

// budget is the time that plain ELECTRA takes for all steps.
func (p paces) budget(steps int) float64 { return p[electra.Plain] * float64(steps) }

// within is the last measurement within a time, or the first after the start if
// there is none.
func within(r *electra.Record, budget float64) electra.Measurement {
	at := r.Measurements[1]
	for _, m := range r.Measurements[1:] {
		if m.Seconds <= budget {
			at = m
		}
	}
	return at
}

func (e *experimenter) finetune(ctx context.Context, v variant, seed int) (*Tuned, error) {
	at := 0
	for _, t := range e.records {
		if t.variant == v && t.seed == seed {
			at = within(t.record, e.paces.budget(e.o.Steps)).Step
		}
	}
	c := e.o.config(e.model, v, seed)
	key, err := reproduce.Key("finetune", e.digest, c, at, e.o.Train, e.o.Epochs)
	if err != nil {
		return nil, err
	}
	return reproduce.Stage(ctx, e.run, stageName("finetune", v, seed), "fine-tune "+c.Variant()+fmt.Sprintf(", seed %d", seed), key,
		func(ctx context.Context, progress kn.Progress) (*Tuned, error) {
			dir := e.workDir(v, seed)
			t := &Tuned{At: at}
			var err error
			if t.Steps, err = e.accuracies(ctx, electra.CheckpointDir(dir, c.Checkpoints[len(c.Checkpoints)-1]), seed); err != nil {
				return nil, err
			}
			if t.Time = t.Steps; at < c.Checkpoints[len(c.Checkpoints)-1] {
				t.Time, err = e.accuracies(ctx, electra.CheckpointDir(dir, at), seed)
			}
			return t, err
		})
}

// tasks are made of facts, the same for all variants and seeds.
func (o Options) tasks(known []facts.Fact) (all []*finetune.Data, err error) {
	for _, task := range finetune.BuiltInTasks {
		data, err := finetune.BuiltIn(task, known, finetune.Sizes{Train: o.Train, Dev: 10, Test: o.Train})
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// commonest is the accuracy on the part test of always giving the commonest
// label of the part train, of several the first.
func commonest(d *finetune.Data) (float64, error) {
	train, err := d.Part("train")
	if err != nil {
		return 0, err
	}
	test, err := d.Part("test")
	if err != nil {
		return 0, err
	}
	counts := make([]int, len(d.Labels))
	for _, x := range train {
		counts[x.Label]++
	}
	label, right := slices.Index(counts, slices.Max(counts)), 0
	for _, x := range test {
		if x.Label == label {
			right++
		}
	}
	return float64(right) / float64(len(test)), nil
}

// accuracies fine-tunes a discriminator on every task.
func (e *experimenter) accuracies(ctx context.Context, from string, seed int) ([]float64, error) {
	d, err := electra.Open(ctx, filepath.Join(from, electra.DiscriminatorDir))
	if err != nil {
		return nil, err
	}
	encoder := filepath.Join(from, "encoder")
	if err := d.SaveEncoder(encoder, uint64(seed)); err != nil {
		return nil, err
	}
	var all []float64
	for _, data := range e.tasks {
		out := filepath.Join(from, data.Name)
		record, err := finetune.Run(ctx, finetune.Config{
			Model: encoder, Data: data, Out: out, Seed: uint64(seed), Epochs: e.o.Epochs, Batch: 16, EvaluateEvery: -1,
		}, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, record.Evaluations["test"].Accuracy)
		if err := os.RemoveAll(out); err != nil {
			return nil, fmt.Errorf("electrasampling: %w", err)
		}
	}
	return all, nil
}
