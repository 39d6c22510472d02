package reproduce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
)

// Training is a fine-tuning on a task under a seed.
type Training struct {
	Task string `json:"task"`
	Seed uint64 `json:"seed"`
}

// Trainings are those on every task under the seeds from 1.
func Trainings(tasks []*Task, seeds int) []Training {
	var all []Training
	for _, task := range tasks {
		for seed := range seeds {
			all = append(all, Training{task.Name, uint64(seed + 1)})
		}
	}
	return all
}

// TaughtFacts are the facts that built-in tasks are made of: those that the
// model was taught, and for models that this project did not pre-train (own is
// false) those that the embedded model was taught.
func TaughtFacts(m *kn.Model) (taught []facts.Taught, own bool, err error) {
	taught, err = m.Facts()
	if errors.Is(err, kn.ErrNoFacts) {
		taught, err = mini.Facts()
		return taught, false, err
	}
	return taught, true, err
}

// LearningRate is the rate given, or if it is 0: 0.001 for models of this
// project's pre-training, which take few and large steps, and else
// [finetune.DefaultRate].
func LearningRate(given float64, own bool, hidden int) float64 {
	if own {
		given = cmp.Or(given, 0.001)
	}
	return cmp.Or(given, finetune.DefaultRate(hidden, false))
}

// Tuned is what a stage of fine-tuning leaves.
type Tuned struct {
	Record *finetune.Record
	Key    string // of the stage
	Dir    string // of the classifier and its checkpoints
}

// Start is the classifier before its first step, of those whose checkpoints
// contain 0.
func (t Tuned) Start() string { return finetune.CheckpointDir(t.Dir, 0) }

// FineTune is the stage called name: the training that c describes, of the
// model with the given digest. Its folder is chosen here.
func FineTune(ctx context.Context, r *Run, name, what, digest string, c finetune.Config) (t Tuned, err error) {
	if t.Key, err = Key("training", digest, c, c.Data); err != nil {
		return t, err
	}
	c.Out = filepath.Join(r.Dir(), "trainings", name+"-"+t.Key[:12])
	t.Dir = c.Out
	t.Record, err = Stage(ctx, r, name, what, t.Key, func(ctx context.Context, progress kn.Progress) (*finetune.Record, error) {
		return finetune.Run(ctx, c, func(p finetune.Progress) {
			if progress != nil {
				progress(p.Step, p.Steps, fmt.Sprintf("fine-tuning, loss %.3f", p.Loss))
			}
		})
	})
	return t, err
}

// Backends names what trainings were computed on: one backend, or several where
// results are kept from another.
func Backends(trainings ...[]Tuned) string {
	var names []string
	for _, t := range slices.Concat(trainings...) {
		names = append(names, t.Record.Backend)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// Part is the progress of the i-th of n things that take about as long.
func Part(progress kn.Progress, i, n int) kn.Progress {
	if progress == nil {
		return nil
	}
	return func(done, total int, what string) { progress(i*total+done, n*total, what) }
}
