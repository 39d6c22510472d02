package electra

import (
	"fmt"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
)

// SaveEncoder writes embeddings and layers as a BertForSequenceClassification,
// from which package finetune starts: it draws a classifier of its own, and
// takes the pooler, which is drawn here from the seed. An ELECTRA encoder
// computes what BERT's does where its embeddings are as wide as its layers.
//
// The classifier is then BERT's, a tanh above [CLS]; that of transformers'
// ElectraForSequenceClassification has a gelu instead.
func (c *Checkpoint) SaveEncoder(dir string, seed uint64) error {
	if c.Config.EmbeddingSize != c.Config.HiddenSize {
		return fmt.Errorf("electra: the embeddings are %d wide and the layers %d; BERT has no projection between them: pre-train with embeddings as wide as the layers", c.Config.EmbeddingSize, c.Config.HiddenSize)
	}
	config := c.Config.Config
	config.ModelType, config.Architectures, config.EmbeddingSize = "bert", []string{checkpoint.SequenceClassification}, 0
	out, err := checkpoint.NewClassifier(config, []string{"0", "1"}, c.Tokenizer, seed)
	if err != nil {
		return fmt.Errorf("electra: %w", err)
	}
	for name := range out.Tensors {
		of := strings.Replace(name, "bert.", "electra.", 1)
		if t, ok := c.Tensors[of]; ok {
			out.Tensors[name] = checkpoint.Tensor{Shape: t.Shape, Data: slices.Clone(t.Data)}
		}
	}
	return out.Save(dir)
}
