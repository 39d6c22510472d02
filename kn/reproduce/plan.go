package reproduce

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
)

// Plan says how long the stages of a reproduction that trains classifiers take
// on this machine, if nothing of them is kept.
type Plan struct {
	Step    float64 // seconds of a training step
	Example float64 // seconds to measure an example's loss
	Stages  []Planned
}

// Planned is one stage's number of training steps and of examples measured.
type Planned struct {
	What     string
	Steps    int
	Examples int
}

// PlanTrainings plans the trainings that configurations describe as one stage.
// Each is measured on the parts that it names every so many steps, the start and
// the end included, and at its end once more on all parts that are held out.
func PlanTrainings(what string, of []finetune.Config) Planned {
	p := Planned{What: what}
	for _, c := range of {
		c = c.WithDefaults()
		times := 1 // at the end
		if c.EvaluateEvery > 0 {
			times += (c.Steps + c.EvaluateEvery - 1) / c.EvaluateEvery
		}
		p.Steps += c.Steps
		for _, part := range c.Data.Parts {
			if slices.Contains(c.Evaluate, part.Name) {
				p.Examples += times * len(part.Examples)
			}
			if part.Name != "train" {
				p.Examples += len(part.Examples)
			}
		}
	}
	return p
}

// Hours that stages take: all of a plan, or one.
func (p Plan) Hours(stages ...Planned) float64 {
	seconds := 0.0
	for _, s := range stages {
		seconds += p.Step*float64(s.Steps) + p.Example*float64(s.Examples)
	}
	return seconds / 3600
}

// String is the plan in lines.
func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%.2f hours in all on this machine if nothing is kept, at %.3g s a training step and %.3g s an example measured\n", p.Hours(p.Stages...), p.Step, p.Example)
	for _, s := range p.Stages {
		fmt.Fprintf(&b, "%8.2f h  %s\n", p.Hours(s), s.What)
	}
	return b.String()
}

// Announce has the watch told how long all stages will take, right before the
// first one that is computed; if all results are kept, nothing is measured and
// nothing told. The speed is measured by a few steps of the training that c
// describes. Call it before the first [Stage].
func (r *Run) Announce(c finetune.Config, stages []Planned) {
	if r.watch.Plan == nil {
		return
	}
	var once sync.Once
	var err error
	r.announce = func(ctx context.Context) error {
		once.Do(func() { err = r.tellPlan(ctx, c, stages) })
		return err
	}
}

// tellPlan measures the speed and tells the watch. Stages that start side by
// side wait for it, so that they do not slow down what is measured.
func (r *Run) tellPlan(ctx context.Context, c finetune.Config, stages []Planned) error {
	p := Plan{Stages: stages}
	var err error
	if p.Step, p.Example, err = speed(ctx, c); err != nil {
		return fmt.Errorf("reproduce: measuring a training step: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watch.Plan(p)
	return nil
}

// speed takes a few steps with one batch of a training's examples, and measures
// some of them. What is compiled at first does not count.
func speed(ctx context.Context, c finetune.Config) (step, example float64, err error) {
	dir, err := os.MkdirTemp("", "kn-speed-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	train, err := c.Data.Part("train")
	if err != nil {
		return 0, 0, err
	}
	few := train[:min(len(train), c.WithDefaults().Batch)]
	c.Data = &finetune.Data{Name: c.Data.Name, Labels: c.Data.Labels, Parts: []finetune.Part{{Name: "train", Examples: few}, {Name: "dev", Examples: few}}}
	c.Out, c.Steps, c.Evaluate, c.EvaluateEvery, c.Checkpoints = dir, 4, []string{"dev"}, -1, nil
	step, last := math.Inf(1), time.Time{}
	_, err = finetune.Run(ctx, c, func(p finetune.Progress) {
		if now := time.Now(); p.Step > 0 {
			if !last.IsZero() {
				step = min(step, now.Sub(last).Seconds())
			}
			last = now
		}
	})
	if err != nil {
		return 0, 0, err
	}
	classifier, err := finetune.Open(ctx, dir)
	if err != nil {
		return 0, 0, err
	}
	example = math.Inf(1)
	for range 3 {
		start := time.Now()
		if _, err := classifier.Evaluate(ctx, few, nil); err != nil {
			return 0, 0, err
		}
		example = min(example, time.Since(start).Seconds()/float64(len(few)))
	}
	return step, example, nil
}
