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
	e.known = facts.Known(drawn)
	trainings := len(variants) * o.Seeds
	if e.run, err = reproduce.Open(dir, 2*trainings+1, watch); err != nil { // and writing
		return nil, err
	}
	defer e.run.Close()
	if e.records, err = each(ctx, e, e.pretrain); err != nil {
		return nil, err
	}
	e.pace()
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
	known   []facts.Fact // that are pre-trained on, whose words the trimmed tokenizer has
	records []trained
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

// pace makes the times of all trainings comparable: a step takes as long as the
// variant's do when the machine does little else, the time that a tenth of what
// the trainings' points tell are below, of all seeds.
func (e *experimenter) pace() {
	for _, v := range variants {
		var seconds []float64 // a step
		for _, t := range e.of(v) {
			for i, p := range t.record.Training[1:] {
				before := t.record.Training[i]
				seconds = append(seconds, (p.Seconds-before.Seconds)/float64(p.Step-before.Step))
			}
		}
		slices.Sort(seconds)
		usual := stat.Quantile(0.1, stat.Empirical, seconds, nil)
		for _, t := range e.of(v) {
			t.record.Seconds = usual * float64(t.record.Steps)
			for i := range t.record.Measurements {
				m := &t.record.Measurements[i]
				m.Seconds = usual * float64(m.Step)
			}
		}
	}
}

// budget is the time that the quickest variant takes for all steps.
func (e *experimenter) budget() float64 {
	least := e.records[0].record.Seconds
	for _, t := range e.records {
		least = min(least, t.record.Seconds)
	}
	return least
}

// within is the last measurement within a time, to a hundredth of it.
func within(r *electra.Record, budget float64) electra.Measurement {
	at := r.Measurements[1]
	for _, m := range r.Measurements {
		if m.Step > 0 && m.Seconds <= 1.01*budget {
			at = m
		}
	}
	return at
}

func (e *experimenter) finetune(ctx context.Context, v variant, seed int) (*Tuned, error) {
	at := 0
	for _, t := range e.records {
		if t.variant == v && t.seed == seed {
			at = within(t.record, e.budget()).Step
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
	for _, task := range finetune.BuiltInTasks {
		data, err := finetune.BuiltIn(task, e.known, finetune.Sizes{Train: e.o.Train, Dev: 10, Test: e.o.Train})
		if err != nil {
			return nil, err
		}
		out := filepath.Join(from, task)
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
