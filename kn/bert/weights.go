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

// Weights are a BERT's weights as nodes of one graph. A masked language model
// has a Head, a classifier Pooler and Classifier.
type Weights struct {
	Config     Config
	Embeddings EmbeddingWeights
	Layers     []LayerWeights
	Head       HeadWeights
	Pooler     Dense // [H, H]
	Classifier Dense // [K, H], K labels
}

// Lookup returns the node of the tensor with the given Hugging Face name and
// shape: a parameter, a variable, a constant, or whatever takes its place.
type Lookup func(name string, dims ...int) *graph.Node

// NewWeights asks lookup for every tensor of the model, always in the same
// order, and arranges them.
func NewWeights(c Config, lookup Lookup) *Weights { return wholeModel(c).weights(c, 0, lookup) }

// NewEmbeddings asks lookup for the tensors of the embeddings alone, for
// models that share them.
func NewEmbeddings(c Config, lookup Lookup) EmbeddingWeights {
	h := c.HiddenSize
	return EmbeddingWeights{
		Word:     lookup(wordEmbeddings, c.VocabSize, h),
		Position: lookup("bert.embeddings.position_embeddings.weight", c.MaxPositions, h),
		Type:     lookup("bert.embeddings.token_type_embeddings.weight", c.TypeVocabSize, h),
		Norm:     NewNorm("bert.embeddings", h, lookup),
	}
}

// NewLayers asks lookup for the tensors of all layers, for models that share
// BERT's encoder but not its embeddings and heads.
func NewLayers(c Config, lookup Lookup) []LayerWeights {
	layers := make([]LayerWeights, c.Layers)
	for l := range layers {
		layers[l] = newLayer(c, l, lookup)
	}
	return layers
}

const wordEmbeddings = "bert.embeddings.word_embeddings.weight"

func newLayer(c Config, l int, lookup Lookup) LayerWeights {
	h, f := c.HiddenSize, c.IntermediateSize
	p := fmt.Sprintf("bert.encoder.layer.%d.", l)
	return LayerWeights{
		Query:           NewDense(p+"attention.self.query", h, h, lookup),
		Key:             NewDense(p+"attention.self.key", h, h, lookup),
		Value:           NewDense(p+"attention.self.value", h, h, lookup),
		AttentionOutput: NewDense(p+"attention.output.dense", h, h, lookup),
		AttentionNorm:   NewNorm(p+"attention.output", h, lookup),
		Intermediate:    NewDense(p+"intermediate.dense", f, h, lookup),
		Output:          NewDense(p+"output.dense", h, f, lookup),
		OutputNorm:      NewNorm(p+"output", h, lookup),
	}
}

// newHead is given the word embeddings' node, which a tied head shares.
func newHead(c Config, word *graph.Node, lookup Lookup) HeadWeights {
	h := c.HiddenSize
	head := HeadWeights{
		Transform: NewDense("cls.predictions.transform.dense", h, h, lookup),
		Norm:      NewNorm("cls.predictions.transform", h, lookup),
		Decoder:   word,
		Bias:      lookup("cls.predictions.bias", c.VocabSize),
	}
	if !c.TieWordEmbeddings {
		head.Decoder = lookup("cls.predictions.decoder.weight", c.VocabSize, h)
	}
	return head
}

// NewDense asks lookup for the tensors of a dense layer.
func NewDense(name string, out, in int, lookup Lookup) Dense {
	return Dense{Weight: lookup(name+".weight", out, in), Bias: lookup(name+".bias", out)}
}

// NewNorm asks lookup for the tensors of the LayerNorm below name.
func NewNorm(name string, size int, lookup Lookup) Norm {
	return Norm{Scale: lookup(name+".LayerNorm.weight", size), Bias: lookup(name+".LayerNorm.bias", size)}
}
