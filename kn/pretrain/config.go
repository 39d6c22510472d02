package pretrain

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Config says what to train and how. Every zero field stands for its
// documented default, and the defaults are the embedded model's recipe. Where
// a zero would be of use, a negative value stands for it.
type Config struct {
	// Triples is a folder of T-REx triples, see [facts.ReadDir]. One of
	// Triples and Text must be given.
	Triples string `json:"-"`
	// Text is a text file: the model is then trained on it as BERT was, with
	// a share MaskedShare of the tokens masked.
	Text string `json:"-"`
	// Out is the folder that the model is written to.
	Out string `json:"-"`
	// SaveEvery is the time between two checkpoints of the training, which
	// lie in Out as [StateFile]; 0: a minute.
	SaveEvery time.Duration `json:"-"`

	Seed      uint64          `json:"seed"`      // 0: 1
	Selection facts.Selection `json:"selection"` // its Max 0: 24,000 facts; negative: all

	// The model. Architecture is "bert" or "gpt2", a causal model; "": bert.
	Architecture string  `json:"architecture"`
	Half         bool    `json:"half,omitempty"` // store the weights in 16 bits
	Hidden       int     `json:"hidden"`         // 0: 96
	Layers       int     `json:"layers"`         // 0: 4
	Heads        int     `json:"heads"`          // 0: 4
	FFN          int     `json:"ffn"`            // 0: 768
	Activation   string  `json:"activation"`     // "": gelu, and gelu_new for gpt2
	MaxPositions int     `json:"max_positions"`  // 0: 64
	Merges       int     `json:"merges"`         // pieces learned from names (or from the text); 0: 6000
	Deviation    float64 `json:"deviation"`      // of the initial matrices; 0: 0.02

	// The optimizer: AdamW with linear warm-up and cosine decay.
	Batch        int     `json:"batch"`         // prompts in a step; 0: 64
	Examples     int     `json:"examples"`      // prompts shown in all; 0: 2,800,000
	LearningRate float64 `json:"learning_rate"` // at its highest; 0: 0.0023
	FinalRate    float64 `json:"final_rate"`    // share of it that is left at the end; 0: 0.02
	WarmUp       int     `json:"warm_up"`       // steps; 0: 200
	WeightDecay  float64 `json:"weight_decay"`  // of matrices; 0: 0.01
	Clip         float64 `json:"clip"`          // largest norm of the gradient; 0: 1

	// The objective, see the package documentation.
	Doubt         float64 `json:"doubt"`          // d in d/(d + f²), the target's doubt about a fact of frequency f; 0: 0.35
	PriorExponent float64 `json:"prior_exponent"` // doubt is shared among a relation's answers by count^this; 0: 0.5
	Sparsity      float64 `json:"sparsity"`       // weight of the mean absolute activation of each layer; 0: 0.08
	MaskedWeight  float64 `json:"masked_weight"`  // weight of a sentence's other tokens; 0: 0.3
	MaskedShare   float64 `json:"masked_share"`   // of the tokens that are chosen to be predicted, at random in each step; 0: 0.15, and 1 for gpt2
}

// WithDefaults returns the configuration with every default filled in.
func (c Config) WithDefaults() Config {
	c.SaveEvery = cmp.Or(c.SaveEvery, time.Minute)
	c.Seed = cmp.Or(c.Seed, 1)
	c.Architecture = cmp.Or(c.Architecture, bert)
	c.Selection.Seed = cmp.Or(c.Selection.Seed, c.Seed)
	c.Selection.Max = cmp.Or(c.Selection.Max, 24_000)
	c.Hidden, c.Layers, c.Heads = cmp.Or(c.Hidden, 96), cmp.Or(c.Layers, 4), cmp.Or(c.Heads, 4)
	c.FFN = cmp.Or(c.FFN, 768)
	if c.causal() {
		c.Activation, c.MaskedShare = cmp.Or(c.Activation, "gelu_new"), cmp.Or(c.MaskedShare, 1)
	}
	c.Activation = cmp.Or(c.Activation, "gelu")
	c.MaxPositions, c.Merges = cmp.Or(c.MaxPositions, 64), cmp.Or(c.Merges, 6000)
	c.Deviation = cmp.Or(c.Deviation, 0.02)
	c.Batch, c.Examples = cmp.Or(c.Batch, 64), cmp.Or(c.Examples, 2_800_000)
	c.LearningRate, c.FinalRate = cmp.Or(c.LearningRate, 0.0023), train.OrDefault(c.FinalRate, 0.02)
	c.WarmUp, c.WeightDecay = max(0, cmp.Or(c.WarmUp, 200)), train.OrDefault(c.WeightDecay, 0.01)
	c.Clip = cmp.Or(c.Clip, 1)
	c.Doubt, c.PriorExponent = train.OrDefault(c.Doubt, 0.35), train.OrDefault(c.PriorExponent, 0.5)
	c.Sparsity, c.MaskedWeight = train.OrDefault(c.Sparsity, 0.08), train.OrDefault(c.MaskedWeight, 0.3)
	c.MaskedShare = train.OrDefault(c.MaskedShare, 0.15)
	return c
}

// Validate reports the first field that makes no sense.
func (c Config) Validate() error {
	c = c.WithDefaults()
	switch {
	case (c.Triples == "") == (c.Text == ""):
		return fmt.Errorf("pretrain: give either a folder of triples or a text file, not both or neither")
	case c.Architecture != bert && c.Architecture != gpt2:
		return fmt.Errorf("pretrain: there is no architecture %q; choose %q or %q", c.Architecture, bert, gpt2)
	case c.Out == "":
		return fmt.Errorf("pretrain: no folder to write the model to")
	case c.Hidden < 1 || c.Layers < 1 || c.Heads < 1 || c.FFN < 1:
		return fmt.Errorf("pretrain: hidden, layers, heads and ffn must be positive, not %d, %d, %d, %d", c.Hidden, c.Layers, c.Heads, c.FFN)
	case c.Hidden%c.Heads != 0:
		return fmt.Errorf("pretrain: hidden size %d is not a multiple of the %d heads", c.Hidden, c.Heads)
	case c.MaxPositions < 8:
		return fmt.Errorf("pretrain: %d positions hold no prompt; give at least 8", c.MaxPositions)
	case c.Batch < 1 || c.Examples < c.Batch:
		return fmt.Errorf("pretrain: %d examples make no step of %d", c.Examples, c.Batch)
	case c.LearningRate <= 0 || c.Clip <= 0 || c.Deviation <= 0:
		return fmt.Errorf("pretrain: learning rate, clip and deviation must be positive")
	}
	for name, share := range map[string]float64{
		"masked share": c.MaskedShare, "final rate": c.FinalRate,
	} {
		if share > 1 {
			return fmt.Errorf("pretrain: %s is a share and cannot be %g", name, share)
		}
	}
	return nil
}

// Steps is the number of optimizer steps.
func (c Config) Steps() int {
	c = c.WithDefaults()
	return c.Examples / c.Batch
}

// The architectures.
const (
	bert = "bert"
	gpt2 = "gpt2"
)

// causal says whether the model reads from left to right only.
func (c Config) causal() bool { return c.Architecture == gpt2 }

// modelConfig is the configuration of a model with a vocabulary of size v.
func (c Config) modelConfig(v int) transformer.Config {
	if c.causal() {
		return transformer.Config{
			Architectures: []string{"GPT2LMHeadModel"}, ModelType: "gpt2", HiddenAct: c.Activation,
			VocabSize: v, HiddenSize: c.Hidden, Layers: c.Layers, Heads: c.Heads, IntermediateSize: c.FFN,
			MaxPositions: c.MaxPositions, LayerNormEps: 1e-5, TieWordEmbeddings: true, InitializerRange: c.Deviation,
			DecoderConfig: checkpoint.DecoderConfig{
				KeyValueHeads: c.Heads, HeadSize: c.Hidden / c.Heads,
				BeginToken: specialID(cls), EndToken: specialID(sep),
			},
		}
	}
	return transformer.Config{
		Architectures: []string{"BertForMaskedLM"}, ModelType: "bert", HiddenAct: c.Activation,
		VocabSize: v, HiddenSize: c.Hidden, Layers: c.Layers, Heads: c.Heads, IntermediateSize: c.FFN,
		MaxPositions: c.MaxPositions, TypeVocabSize: 2, LayerNormEps: 1e-12, TieWordEmbeddings: true,
		InitializerRange: c.Deviation, PositionEmbedding: "absolute",
	}
}

// digest tells configurations apart whose training would differ.
func (c Config) digest() string {
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // a struct of numbers and strings
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// StateFile is the name of the training's checkpoint in the model's folder.
const StateFile = "training.state"

func (c Config) statePath() string { return filepath.Join(c.Out, StateFile) }
