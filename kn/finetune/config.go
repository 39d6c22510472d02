package finetune

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
)

// Config says what to fine-tune, on what, and how. Every zero field stands for
// its documented default. Where a zero would be of use, a negative value
// stands for it.
type Config struct {
	// Model is the checkpoint to start from, as [kn.Load] takes it; a
	// classifier will do too, whose classifier is then replaced.
	Model string `json:"model"`
	// FromScratch takes only the configuration and the tokenizer of Model, and
	// draws all weights.
	FromScratch bool `json:"from_scratch"`
	// Data are the labelled examples; the part "train" is learned from.
	Data *Data `json:"-"`
	// Out is the folder that the classifier is written to.
	Out string `json:"-"`
	// SaveEvery is the time between two savings of the training's state, which
	// lies in Out as [StateFile]; 0: a minute.
	SaveEvery time.Duration `json:"-"`

	Seed      uint64 `json:"seed"`       // of new weights, the examples' order and dropout; 0: 1
	Epochs    int    `json:"epochs"`     // rounds through the training part; 0: 3
	Steps     int    `json:"steps"`      // of the optimizer; 0: as many as Epochs has
	Batch     int    `json:"batch"`      // examples in a step; 0: 32
	MaxLength int    `json:"max_length"` // tokens, the longer sentence cut first; 0: 128, or the model's positions if fewer

	// The optimizer: AdamW, without decay for biases and LayerNorms, with
	// linear warm-up and linear decay to 0.
	LearningRate float64 `json:"learning_rate"` // at its highest; 0: see [DefaultRate]
	WarmUp       float64 `json:"warm_up"`       // share of the steps; 0: 0.1
	Beta1        float64 `json:"beta1"`         // 0: 0.9
	Beta2        float64 `json:"beta2"`         // 0: 0.999
	Epsilon      float64 `json:"epsilon"`       // 0: 1e-8
	WeightDecay  float64 `json:"weight_decay"`  // 0: 0.01
	Clip         float64 `json:"clip"`          // largest norm of the whole gradient; 0: 1

	HiddenDropout    float64 `json:"hidden_dropout"`    // 0: what config.json says
	AttentionDropout float64 `json:"attention_dropout"` // 0: what config.json says

	// Freeze names tensors that keep their values, or what their names begin
	// with: "bert.embeddings", "bert.encoder.layer.0".
	Freeze []string `json:"freeze,omitempty"`

	// Evaluate names the parts to measure loss and accuracy on, every
	// EvaluateEvery steps and at the end; nil: all but "train" and "test".
	// EvaluateEvery 0: ten times in all; negative: at the end only.
	Evaluate      []string `json:"evaluate,omitempty"`
	EvaluateEvery int      `json:"evaluate_every"`
	// Checkpoints are steps after which the classifier is written to a folder
	// of its own, see [CheckpointDir]; 0 is the start, with the new weights
	// drawn and nothing learned.
	Checkpoints []int `json:"checkpoints,omitempty"`
}

// DefaultRate is the learning rate for a hidden size: 5e-5 for BERT-base, one of
// those that Devlin et al. recommend, and in inverse proportion to the hidden
// size for others; three times as much from scratch.
func DefaultRate(hidden int, fromScratch bool) float64 {
	rate := 5e-5 * 768 / float64(hidden)
	if fromScratch {
		rate *= 3
	}
	return rate
}

// WithDefaults returns the configuration with the defaults filled in that do
// not depend on the model.
func (c Config) WithDefaults() Config {
	c.SaveEvery = cmp.Or(c.SaveEvery, time.Minute)
	c.Seed, c.Batch = cmp.Or(c.Seed, 1), cmp.Or(c.Batch, 32)
	c.Epochs, c.MaxLength = cmp.Or(c.Epochs, 3), cmp.Or(c.MaxLength, 128)
	c.WarmUp, c.WeightDecay = train.OrDefault(c.WarmUp, 0.1), train.OrDefault(c.WeightDecay, 0.01)
	c.Beta1, c.Beta2, c.Epsilon = cmp.Or(c.Beta1, 0.9), cmp.Or(c.Beta2, 0.999), cmp.Or(c.Epsilon, 1e-8)
	c.Clip = cmp.Or(c.Clip, 1)
	c.Checkpoints = slices.Compact(slices.Sorted(slices.Values(c.Checkpoints)))
	if c.Data != nil {
		if c.Evaluate == nil {
			for _, p := range c.Data.Parts {
				if p.Name != "train" && p.Name != "test" {
					c.Evaluate = append(c.Evaluate, p.Name)
				}
			}
		}
		if examples, err := c.Data.Part("train"); err == nil && c.Steps == 0 {
			c.Steps = c.Epochs * stepsOf(len(examples), c.Batch)
		}
	}
	if c.EvaluateEvery == 0 {
		c.EvaluateEvery = max(1, c.Steps/10)
	}
	return c
}

// stepsOf is the number of batches of n examples.
func stepsOf(n, batch int) int { return (n + batch - 1) / max(1, batch) }

// Validate reports the first field that makes no sense.
func (c Config) Validate() error {
	c = c.WithDefaults()
	switch {
	case c.Model == "":
		return fmt.Errorf("finetune: no model to start from")
	case c.Out == "":
		return fmt.Errorf("finetune: no folder to write the classifier to")
	case c.Data == nil:
		return fmt.Errorf("finetune: no data to learn from")
	}
	if err := c.validateData(); err != nil {
		return err
	}
	switch {
	case c.Batch < 1 || c.Epochs < 1 || c.Steps < 1:
		return fmt.Errorf("finetune: batch, epochs and steps must be positive, not %d, %d, %d", c.Batch, c.Epochs, c.Steps)
	case c.MaxLength < 8:
		return fmt.Errorf("finetune: %d tokens hold no example; give at least 8", c.MaxLength)
	case c.LearningRate < 0 || c.Clip <= 0 || c.Epsilon <= 0:
		return fmt.Errorf("finetune: learning rate, clip and epsilon must be positive")
	case !(c.Beta1 > 0 && c.Beta1 < 1 && c.Beta2 > 0 && c.Beta2 < 1):
		return fmt.Errorf("finetune: beta1 and beta2 must be between 0 and 1, not %g and %g", c.Beta1, c.Beta2)
	case c.WarmUp > 1 || c.HiddenDropout >= 1 || c.AttentionDropout >= 1:
		return fmt.Errorf("finetune: warm-up and dropout are shares and cannot be %g, %g and %g", c.WarmUp, c.HiddenDropout, c.AttentionDropout)
	}
	for _, step := range c.Checkpoints {
		if step < 0 || step > c.Steps {
			return fmt.Errorf("finetune: a checkpoint after step %d is asked for; there are %d steps", step, c.Steps)
		}
	}
	return nil
}

// validateData checks that the parts asked for are there and their labels known.
func (c Config) validateData() error {
	for _, name := range append([]string{"train"}, c.Evaluate...) {
		if part, err := c.Data.Part(name); err != nil {
			return err
		} else if len(part) == 0 {
			return fmt.Errorf("finetune: the part %q of %s is empty", name, c.Data.Name)
		}
	}
	for _, p := range c.Data.Parts {
		for i, x := range p.Examples {
			if x.Label < 0 || x.Label >= len(c.Data.Labels) {
				return fmt.Errorf("finetune: example %d of part %q of %s has label %d; there are %d labels, numbered from 0", i, p.Name, c.Data.Name, x.Label, len(c.Data.Labels))
			}
		}
	}
	return nil
}

// rate is the learning rate of a step, the first being 0: linear warm-up, then
// linear decay to 0 after the last step.
func (c Config) rate(step int) float64 {
	warm := c.WarmUp * float64(c.Steps)
	if done := float64(step + 1); done < warm {
		return c.LearningRate * done / warm
	}
	return c.LearningRate * min(1, float64(c.Steps-step)/max(1, float64(c.Steps)-warm))
}

// digestOf tells values apart by what they marshal to.
func digestOf(values ...any) (string, error) {
	data, err := json.Marshal(values)
	if err != nil {
		return "", fmt.Errorf("finetune: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// StateFile is the name of the training's state in the classifier's folder.
const StateFile = "training.state"

func (c Config) statePath() string { return filepath.Join(c.Out, StateFile) }

// CheckpointDir is the folder of the classifier after a step, in the folder
// that a training writes to.
func CheckpointDir(out string, step int) string {
	return filepath.Join(out, "checkpoints", fmt.Sprintf("step-%06d", step))
}
