package reproduce

import (
	"context"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
)

// Resets is what becomes of fine-tuned models if a group of their parameters gets
// its values from before fine-tuning again.
type Resets struct {
	Runs   []RunReset  `json:"-"` // each in a result file of its own
	Groups []ResetCost `json:"groups"`
	// TopCosts is the loss with the topmost group of layers reset less
	// that with the lowest one, and TopMoved how much further fine-tuning has
	// moved it, each as a share of its norm.
	TopCosts Spread `json:"top_costs"`
	TopMoved Spread `json:"top_moved"`
}

// RunReset is results/reset-TASK-SEED.json: one training's.
type RunReset struct {
	Training
	Back *landscape.GroupResets `json:"back"`
}

// ResetCost is what it costs to reset a group.
type ResetCost struct {
	Name     string `json:"name"`
	Loss     Spread `json:"loss"`     // more than the fine-tuned model's, nats
	Accuracy Spread `json:"accuracy"` // less than the fine-tuned model's
	Moved    Spread `json:"moved"`    // how far fine-tuning has moved it, as a share of its norm
}

// ResetGroups resets the groups of a training's classifier, one at a time, and
// measures it on held-out examples of its task.
func ResetGroups(ctx context.Context, of Training, tuned Tuned, dev []finetune.Example, progress kn.Progress) (*RunReset, error) {
	back, err := landscape.Reset(ctx, tuned.Start(), tuned.Dir, nil, dev, landscape.Options{NoCache: true, Progress: progress})
	if err != nil {
		return nil, err
	}
	return &RunReset{of, back}, nil
}

// Summarize fills in the spreads over Runs.
func (t *Resets) Summarize() {
	of := func(value func(b *landscape.GroupResets) float64) Spread {
		return SpreadOver(len(t.Runs), func(i int) float64 { return value(t.Runs[i].Back) })
	}
	t.Groups = nil
	for k, g := range t.Runs[0].Back.Groups {
		t.Groups = append(t.Groups, ResetCost{
			Name:     g.Name,
			Loss:     of(func(b *landscape.GroupResets) float64 { return b.Groups[k].Loss - b.FineTuned.Loss }),
			Accuracy: of(func(b *landscape.GroupResets) float64 { return b.Groups[k].Error - b.FineTuned.Error }),
			Moved:    of(func(b *landscape.GroupResets) float64 { return b.Groups[k].Moved }),
		})
	}
	low, top := 1, len(t.Groups)-2 // the embeddings are below, the classifier above
	t.TopCosts = of(func(b *landscape.GroupResets) float64 { return b.Groups[top].Loss - b.Groups[low].Loss })
	t.TopMoved = of(func(b *landscape.GroupResets) float64 { return b.Groups[top].Moved - b.Groups[low].Moved })
}
