package trainingplots

import (
	"errors"
	"fmt"
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// TrainingHistory draws a fine-tuning's course: loss above, accuracy below,
// over steps, of the training part and of those it was evaluated on. The
// training part's points are means over the steps since the point before,
// under dropout and while the weights change.
func TrainingHistory(r *finetune.Record, options ...plots.Options) (*plots.Figure, error) {
	if r == nil {
		return nil, chart.Missing("record of a training")
	}
	f, err := newHistory(&r.History, "Fine-tuning to the task "+chart.Quoted(r.Task), options)
	if err != nil {
		return nil, err
	}
	start := "weights of " + r.Config.Model
	if r.Config.FromScratch {
		start = "random weights, shaped like " + r.Config.Model
	}
	f.Subtitle = []string{fmt.Sprintf("From %s; %s of %d examples, seed %d", start, chart.Plural(r.Steps, "step"), r.Config.Batch, r.Config.Seed)}
	f.Provenance = []kn.Provenance{{
		Model: r.Config.Model, Digest: r.ModelSHA256, Version: kn.Version, Seed: r.Config.Seed,
		Options: map[string]any{
			"task": r.Task, "data": r.DataSHA256, "from_scratch": r.Config.FromScratch,
			"steps": float64(r.Steps), "batch": float64(r.Config.Batch), "learning_rate": r.Config.LearningRate,
		},
	}}
	return f.Figure(), nil
}

// MustTrainingHistory is [TrainingHistory] for notebook cells: it panics instead of returning an error.
func MustTrainingHistory(r *finetune.Record, options ...plots.Options) *plots.Figure {
	return kn.Must(TrainingHistory(r, options...))
}

// course is one part's way through a training.
type course struct {
	part           string
	steps          []float64
	loss, accuracy []float64 // accuracy in percent
}

// courses are those of a history's parts, the training part first.
func courses(h *finetune.History) []course {
	all := []course{{part: "train"}}
	for _, p := range h.Training {
		all[0].add(p.Step, p.Loss, p.Accuracy)
	}
	at := map[string]int{}
	for _, e := range h.Evaluations {
		if _, ok := at[e.Part]; !ok {
			at[e.Part] = len(all)
			all = append(all, course{part: e.Part})
		}
		all[at[e.Part]].add(e.Step, e.Loss, e.Accuracy)
	}
	return all
}

func (c *course) add(step int, loss, accuracy float64) {
	c.steps, c.loss, c.accuracy = append(c.steps, float64(step)), append(c.loss, loss), append(c.accuracy, 100*accuracy)
}

// newHistory draws a history, be it at its end or not.
func newHistory(h *finetune.History, title string, options []plots.Options) (*chart.Draft, error) {
	all := courses(h)
	if len(h.Training)+len(h.Evaluations) == 0 {
		return nil, errors.New("plots: the training's history is empty")
	}
	f, err := chart.New("training history", title, options)
	if err != nil {
		return nil, err
	}
	above, below := f.Panel("", "Loss [nats]"), f.Panel("Steps", "Accuracy [%]")
	parts := []string{"Loss and accuracy over the steps of a training"}
	var losses, accuracies []chart.Line
	most := 0.0
	for i := len(all) - 1; i >= 0; i-- { // the training part on top
		c := all[i]
		if len(c.steps) == 0 {
			continue
		}
		if err := chart.CheckFinite(c.part+": loss", c.loss); err != nil {
			return nil, err
		}
		if err := chart.CheckFinite(c.part+": accuracy", c.accuracy); err != nil {
			return nil, err
		}
		l := chart.Line{Label: c.part, X: c.steps, Series: i, Bare: len(c.steps) > 40}
		l.Y = c.loss
		losses = append(losses, l)
		l.Y = c.accuracy
		accuracies = append(accuracies, l)
		last := len(c.steps) - 1
		most = max(most, c.steps[last])
		parts = append(parts, fmt.Sprintf("%s: loss %s and accuracy %.1f %% after %.0f steps", c.part, chart.Short(c.loss[last]), c.accuracy[last], c.steps[last]))
	}
	for i, lines := range [][]chart.Line{losses, accuracies} {
		p := f.Panels[i]
		p.Add(f.Theme.Across())
		if err := f.AddLines(p, lines); err != nil {
			return nil, err
		}
		p.X.Min, p.X.Max = 0, math.Max(1, most)
		p.X.Tick.Marker = chart.NiceTicks{Whole: true}
	}
	f.Legend = f.Legend[:len(losses)]
	above.Y.Min, above.Y.Max = 0, 1.05*above.Y.Max
	below.Y.Min, below.Y.Max = 0, 100
	f.Stack()
	f.Description = chart.Sentences(parts...)
	return f, nil
}
