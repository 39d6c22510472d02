package bert

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
)

// Config is a BERT's configuration, as in a checkpoint's config.json.
type Config = checkpoint.Config

// Dense is the weights of a dense layer: y = x · Weightᵀ + Bias.
type Dense struct {
	Weight *graph.Node // [out, in], as in Hugging Face checkpoints
	Bias   *graph.Node // [out]
}

// Norm is the weights of a LayerNorm.
type Norm struct{ Scale, Bias *graph.Node } // [H] each

// EmbeddingWeights are the weights below the first layer.
type EmbeddingWeights struct {
	Word     *graph.Node // [V, H]
	Position *graph.Node // [positions, H]
	Type     *graph.Node // [types, H]
	Norm     Norm
}

// LayerWeights are the weights of one layer. The neurons' value vectors are
// the columns of Output.Weight.
type LayerWeights struct {
	Query, Key, Value, AttentionOutput Dense // [H, H]
	AttentionNorm                      Norm
	Intermediate                       Dense // [F, H]
	Output                             Dense // [H, F]
	OutputNorm                         Norm
}

// HeadWeights are the weights of the masked-language-model head.
type HeadWeights struct {
	Transform Dense // [H, H]
	Norm      Norm
	Decoder   *graph.Node // [V, H]; the word embeddings themselves when tied
	Bias      *graph.Node // [V]
}

// Weights are a BERT's weights as nodes of one graph.
type Weights struct {
	Config     Config
	Embeddings EmbeddingWeights
	Layers     []LayerWeights
	Head       HeadWeights
}

// Lookup returns the node of the tensor with the given Hugging Face name and
// shape: a parameter, a variable, a constant, or whatever takes its place.
type Lookup func(name string, dims ...int) *graph.Node

// NewWeights asks lookup for every tensor of a BertForMaskedLM, always in
// the same order, and arranges them.
func NewWeights(c Config, lookup Lookup) *Weights {
	h, f := c.HiddenSize, c.IntermediateSize
	dense := func(name string, out, in int) Dense {
		return Dense{Weight: lookup(name+".weight", out, in), Bias: lookup(name+".bias", out)}
	}
	norm := func(name string) Norm {
		return Norm{Scale: lookup(name+".LayerNorm.weight", h), Bias: lookup(name+".LayerNorm.bias", h)}
	}
	w := &Weights{Config: c}
	w.Embeddings = EmbeddingWeights{
		Word:     lookup("bert.embeddings.word_embeddings.weight", c.VocabSize, h),
		Position: lookup("bert.embeddings.position_embeddings.weight", c.MaxPositions, h),
		Type:     lookup("bert.embeddings.token_type_embeddings.weight", c.TypeVocabSize, h),
		Norm:     norm("bert.embeddings"),
	}
	for l := range c.Layers {
		p := fmt.Sprintf("bert.encoder.layer.%d.", l)
		w.Layers = append(w.Layers, LayerWeights{
			Query:           dense(p+"attention.self.query", h, h),
			Key:             dense(p+"attention.self.key", h, h),
			Value:           dense(p+"attention.self.value", h, h),
			AttentionOutput: dense(p+"attention.output.dense", h, h),
			AttentionNorm:   norm(p + "attention.output"),
			Intermediate:    dense(p+"intermediate.dense", f, h),
			Output:          dense(p+"output.dense", h, f),
			OutputNorm:      norm(p + "output"),
		})
	}
	w.Head = HeadWeights{
		Transform: dense("cls.predictions.transform.dense", h, h),
		Norm:      norm("cls.predictions.transform"),
		Decoder:   w.Embeddings.Word,
		Bias:      lookup("cls.predictions.bias", c.VocabSize),
	}
	if !c.TieWordEmbeddings {
		w.Head.Decoder = lookup("cls.predictions.decoder.weight", c.VocabSize, h)
	}
	return w
}
