package electra

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
)

// Config says what to pre-train, on what, and how. Every zero field stands for
// its documented default. Where a zero would be of use, a negative value
// stands for it.
type Config struct {
	// Model gives the tokenizer, and the discriminator's sizes where they are
	// not given; its weights are not used. It is named as [kn.Load] takes it.
	Model string `json:"model"`
	// Text is a text file to learn from. "": the facts that Model was taught,
	// in this project's sentences, as far as training showed them.
	Text string `json:"-"`
	// Relations are the properties, such as P36, whose facts these are; nil: all.
	Relations []string `json:"relations,omitempty"`
	// Facts is how many of them, drawn at random; 0: all.
	Facts int `json:"facts"`
	// Trim leaves out of the tokenizer all that the text has not, which makes
	// the models smaller and their steps faster. What they read later must be
	// of the same words.
	Trim bool `json:"trim"`
	// Out is the folder that both models are written to.
	Out string `json:"-"`
	// SaveEvery is the time between two savings of the training's state, which
	// lies in Out as [StateFile]; 0: a minute.
	SaveEvery time.Duration `json:"-"`

	Seed uint64 `json:"seed"` // of the weights, the masks, the draws and the windows' order; 0: 1

	// The method.
	Sampler        Sampler  `json:"sampler"`         // "": plain
	Gamma          float64  `json:"gamma"`           // of the generator's focal loss; 0: its loss is the cross-entropy
	Bounding       Bounding `json:"bounding"`        // of the importance weights; "": mixture
	Bound          float64  `json:"bound"`           // 0: 10
	Weight         float64  `json:"weight"`          // of the discriminator's loss; 0: 50
	HardnessWeight float64  `json:"hardness_weight"` // of what the head learns; 0: 1
	MaskedShare    float64  `json:"masked_share"`    // of a window's tokens; 0: 0.15

	// The models. The generator has the discriminator's layers, embeddings and
	// activation function.
	Hidden        int     `json:"hidden"`         // 0: Model's
	Layers        int     `json:"layers"`         // 0: Model's
	Heads         int     `json:"heads"`          // 0: Model's
	FFN           int     `json:"ffn"`            // 0: Model's
	Embedding     int     `json:"embedding"`      // width of the embeddings; 0: Hidden
	GeneratorSize float64 `json:"generator_size"` // the generator's width as a share of the discriminator's; 0: 0.25
	Deviation     float64 `json:"deviation"`      // of the initial matrices; 0: what Model's configuration says

	// The optimizer: AdamW with linear warm-up and linear decay to 0.
	Steps        int     `json:"steps"`         // 0: 1000
	Batch        int     `json:"batch"`         // windows in a step; 0: 32
	Length       int     `json:"length"`        // tokens in a window; 0: 128, or Model's positions if fewer
	LearningRate float64 `json:"learning_rate"` // at its highest; 0: 0.001
	WarmUp       float64 `json:"warm_up"`       // share of the steps; 0: 0.1
	Beta1        float64 `json:"beta1"`         // 0: 0.9
	Beta2        float64 `json:"beta2"`         // 0: 0.999
	Epsilon      float64 `json:"epsilon"`       // 0: 1e-6
	WeightDecay  float64 `json:"weight_decay"`  // of matrices; 0: 0.01
	Clip         float64 `json:"clip"`          // largest norm of the whole gradient; 0: 100

	// MeasureEvery is the number of steps between two measurements, see
	// [Measurement]; 0: twenty in all, but ten steps at least; negative: at the
	// end only.
	MeasureEvery int `json:"measure_every"`
	// HeldOut is the number of windows that are measured on instead of trained
	// on, the text's last; 0: Batch.
	HeldOut int `json:"held_out"`
	// Resamples is how often a measurement draws the replacements of its
	// windows; 0: 16.
	Resamples int `json:"resamples"`
	// Checkpoints are steps after which both models are written to a folder of
	// their own, see [CheckpointDir]; 0 is the start.
	Checkpoints []int `json:"checkpoints,omitempty"`
}

// WithDefaults returns the configuration with the defaults filled in that do
// not depend on the model.
func (c Config) WithDefaults() Config {
	c.SaveEvery, c.Seed = cmp.Or(c.SaveEvery, time.Minute), cmp.Or(c.Seed, 1)
	c.Sampler, c.Bounding, c.Bound = cmp.Or(c.Sampler, Plain), cmp.Or(c.Bounding, Mixture), cmp.Or(c.Bound, 10)
	c.Gamma = max(0, c.Gamma)
	c.Weight, c.HardnessWeight = train.OrDefault(c.Weight, 50), train.OrDefault(c.HardnessWeight, 1)
	c.MaskedShare, c.GeneratorSize = cmp.Or(c.MaskedShare, 0.15), cmp.Or(c.GeneratorSize, 0.25)
	c.Steps, c.Batch, c.Length = cmp.Or(c.Steps, 1000), cmp.Or(c.Batch, 32), cmp.Or(c.Length, 128)
	c.LearningRate, c.WarmUp = cmp.Or(c.LearningRate, 0.001), train.OrDefault(c.WarmUp, 0.1)
	c.Beta1, c.Beta2, c.Epsilon = cmp.Or(c.Beta1, 0.9), cmp.Or(c.Beta2, 0.999), cmp.Or(c.Epsilon, 1e-6)
	c.WeightDecay, c.Clip = train.OrDefault(c.WeightDecay, 0.01), cmp.Or(c.Clip, 100)
	c.HeldOut = cmp.Or(c.HeldOut, c.Batch)
	c.MeasureEvery, c.Resamples = cmp.Or(c.MeasureEvery, max(10, c.Steps/20)), cmp.Or(c.Resamples, 16)
	c.Checkpoints = slices.Compact(slices.Sorted(slices.Values(c.Checkpoints)))
	return c
}

// of fills in what the model says.
func (c Config) of(model checkpoint.Config) Config {
	c.Hidden, c.Layers = cmp.Or(c.Hidden, model.HiddenSize), cmp.Or(c.Layers, model.Layers)
	c.Heads, c.FFN = cmp.Or(c.Heads, model.Heads), cmp.Or(c.FFN, model.IntermediateSize)
	c.Embedding, c.Deviation = cmp.Or(c.Embedding, c.Hidden), cmp.Or(c.Deviation, model.InitializerRange)
	c.Length = min(c.Length, model.MaxPositions)
	return c
}

// Validate reports the first field that makes no sense.
func (c Config) Validate() error {
	c = c.WithDefaults()
	switch {
	case c.Model == "":
		return fmt.Errorf("electra: no model to take the tokenizer and the sizes from")
	case c.Out == "":
		return fmt.Errorf("electra: no folder to write the models to")
	}
	if err := c.Sampler.Validate(); err != nil {
		return err
	}
	if err := c.Bounding.Validate(); err != nil {
		return err
	}
	switch {
	case !(c.Bound >= 1) || math.IsInf(c.Bound, 0):
		return fmt.Errorf("electra: weights of mean 1 cannot be bounded by %v; give at least 1", c.Bound)
	case !(c.Gamma >= 0) || c.Gamma > 20:
		return fmt.Errorf("electra: gamma is %v; give 0 for cross-entropy, or a number up to 20, such as 1", c.Gamma)
	case !(c.MaskedShare > 0 && c.MaskedShare < 1) || !(c.GeneratorSize > 0 && c.GeneratorSize <= 1):
		return fmt.Errorf("electra: masked share and generator size are shares above 0, not %g and %g", c.MaskedShare, c.GeneratorSize)
	case min(c.Hidden, c.Layers, c.Heads, c.FFN, c.Embedding) < 0 || c.Deviation < 0:
		return fmt.Errorf("electra: a size of the model is negative; 0 stands for that of %s", c.Model)
	case c.Heads > 0 && c.Hidden%c.Heads != 0:
		return fmt.Errorf("electra: hidden size %d is not a multiple of the %d heads", c.Hidden, c.Heads)
	case c.Steps < 1 || c.Batch < 1 || c.HeldOut < 1 || c.Resamples < 2:
		return fmt.Errorf("electra: steps, batch and windows held out must be positive, and resamples at least 2, not %d, %d, %d, %d", c.Steps, c.Batch, c.HeldOut, c.Resamples)
	case c.Facts < 0:
		return fmt.Errorf("electra: %d facts; 0 stands for all", c.Facts)
	case c.Length < 8:
		return fmt.Errorf("electra: windows of %d tokens; give at least 8", c.Length)
	case c.LearningRate < 0 || c.Clip <= 0 || c.Epsilon <= 0:
		return fmt.Errorf("electra: learning rate, clip and epsilon must be positive")
	case !(c.Beta1 > 0 && c.Beta1 < 1 && c.Beta2 > 0 && c.Beta2 < 1) || c.WarmUp > 1:
		return fmt.Errorf("electra: beta1, beta2 and warm-up are shares and cannot be %g, %g and %g", c.Beta1, c.Beta2, c.WarmUp)
	}
	for _, step := range c.Checkpoints {
		if step < 0 || step > c.Steps {
			return fmt.Errorf("electra: a checkpoint after step %d is asked for; there are %d steps", step, c.Steps)
		}
	}
	return nil
}

// MaskedTokens is the number of tokens masked in each window, whose first is
// [CLS].
func (c Config) MaskedTokens() int { return max(1, int(math.Round(c.MaskedShare*float64(c.Length-1)))) }

// rate is the learning rate of a step, the first being 0: linear warm-up, then
// linear decay to 0 after the last step.
func (c Config) rate(step int) float64 {
	warm := c.WarmUp * float64(c.Steps)
	if done := float64(step + 1); done < warm {
		return c.LearningRate * done / warm
	}
	return c.LearningRate * min(1, float64(c.Steps-step)/max(1, float64(c.Steps)-warm))
}

// discriminator is the discriminator's configuration, with the model's
// vocabulary and positions.
func (c Config) discriminator(model checkpoint.Config) ModelConfig {
	d := ModelConfig{model}
	d.EmbeddingSize = c.Embedding
	d.Architectures, d.ModelType, d.ClassifierConfig = []string{DiscriminatorClass}, "electra", checkpoint.ClassifierConfig{}
	d.HiddenSize, d.Layers, d.Heads, d.IntermediateSize = c.Hidden, c.Layers, c.Heads, c.FFN
	d.InitializerRange, d.TieWordEmbeddings = c.Deviation, true
	return d
}

// digestOf tells values apart by what they marshal to.
func digestOf(values ...any) (string, error) {
	data, err := json.Marshal(values)
	if err != nil {
		return "", fmt.Errorf("electra: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// What a training leaves in its folder, besides the [Record].
const (
	StateFile        = "training.state" // while it trains
	GeneratorDir     = "generator"
	DiscriminatorDir = "discriminator"
)

// tokensPath is where the corpus lies when the cache is off.
func (c Config) tokensPath() string { return filepath.Join(c.Out, "tokens") }

func (c Config) statePath() string { return filepath.Join(c.Out, StateFile) }

// CheckpointDir is the folder of both models after a step, in the folder that
// a training writes to.
func CheckpointDir(out string, step int) string {
	return filepath.Join(out, "checkpoints", fmt.Sprintf("step-%06d", step))
}
