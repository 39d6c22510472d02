package electra

import (
	"fmt"
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
)

// The classes that transformers loads the two models with.
const (
	GeneratorClass     = "ElectraForMaskedLM"
	DiscriminatorClass = "ElectraForPreTraining"
)

// ModelConfig is config.json of a generator or a discriminator, in Hugging
// Face's names. It is BERT's but for the class, the model type, and the width
// of the embeddings, which both models share whatever their own width.
type ModelConfig struct{ checkpoint.Config }

// Class is the class of transformers that the configuration names.
func (c ModelConfig) Class() string {
	if len(c.Architectures) == 0 {
		return ""
	}
	return c.Architectures[0]
}

// Validate reports the first thing that keeps it from being the configuration of
// either.
func (c ModelConfig) Validate() error {
	if c.ModelType != "electra" {
		return fmt.Errorf("model_type is %q, not \"electra\"", c.ModelType)
	}
	if class := c.Class(); class != GeneratorClass && class != DiscriminatorClass {
		return fmt.Errorf("architectures names %q; only %s and %s are supported", class, GeneratorClass, DiscriminatorClass)
	}
	if !c.TieWordEmbeddings {
		return fmt.Errorf("tie_word_embeddings is false; only generators that predict with their word embeddings are supported")
	}
	if c.EmbeddingSize < 1 || c.EmbeddingSize > 1<<24 {
		return fmt.Errorf("embedding_size is %d", c.EmbeddingSize)
	}
	as := c.Config
	as.ModelType = "bert"
	return as.Validate()
}

// encoder is the configuration of the layers as a BERT's.
func (c ModelConfig) encoder() checkpoint.Config { return c.Config }

// embeddings is the configuration of the embeddings as a BERT's, E wide.
func (c ModelConfig) embeddings() checkpoint.Config {
	as := c.Config
	as.HiddenSize, as.EmbeddingSize = c.EmbeddingSize, 0
	return as
}

// Generator is the configuration of a generator for this discriminator, size
// times as wide (hidden size, heads and neurons), with as many layers and the
// same embeddings.
func (c ModelConfig) Generator(size float64) ModelConfig {
	scaled := func(n int) int { return max(1, int(math.Round(float64(n)*size))) }
	g := c
	g.Architectures = []string{GeneratorClass}
	g.Heads, g.IntermediateSize = scaled(c.Heads), scaled(c.IntermediateSize)
	// A head is as wide as the discriminator's.
	g.HiddenSize = g.Heads * (c.HiddenSize / c.Heads)
	return g
}
