package bert

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
)

// Config is the model's configuration, as in a checkpoint's config.json.
type Config = checkpoint.Config

// Dense is the weights of a dense layer: y = x · Weightᵀ + Bias.
type Dense struct {
	Weight *graph.Node // [out, in], as in Hugging Face checkpoints
	Bias   *graph.Node // [out]
}

// Norm is the weights of a LayerNorm.
type Norm struct{ Scale, Bias *graph.Node } // [H] each; [E] in the embeddings and the head

// EmbeddingWeights are the weights below the first layer. E is H unless the
// configuration gives the embeddings a width of their own.
type EmbeddingWeights struct {
	Word     *graph.Node // [V, E]
	Position *graph.Node // [positions, E], those before Config.FirstPosition included
	Type     *graph.Node // [types, E]; nil in a model without token types
	Norm     Norm
	Project  *Dense // [H, E], what the first layer is given; nil where E is H
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
	Transform Dense // [E, H]
	Norm      Norm
	Decoder   *graph.Node // [V, E]; the word embeddings themselves when tied
	Bias      *graph.Node // [V]
}

// Weights are a model's weights as nodes of one graph. A masked language model
// has a Head, a classifier Pooler and Classifier.
type Weights struct {
	Config     Config
	Embeddings EmbeddingWeights
	Layers     []LayerWeights
	Head       HeadWeights
	Pooler     Dense // [H, H]
	Classifier Dense // [K, H], K labels
}

// Lookup returns the node of the tensor with the given name, that of
// [checkpoint.Config.Expected], and shape: a parameter, a variable, a
// constant, or whatever takes its place.
type Lookup func(name string, dims ...int) *graph.Node

// NewWeights asks lookup for every tensor of the model, always in the same
// order, and arranges them.
func NewWeights(c Config, lookup Lookup) *Weights { return wholeModel(c).weights(c, 0, lookup) }

// NewEmbeddings asks lookup for the tensors of the embeddings alone, for
// models that share them.
func NewEmbeddings(c Config, lookup Lookup) EmbeddingWeights {
	h, e := c.HiddenSize, c.EmbeddingWidth()
	w := EmbeddingWeights{
		Word:     lookup(checkpoint.WordEmbeddings, c.VocabSize, e),
		Position: lookup("bert.embeddings.position_embeddings.weight", c.PositionRows(), e),
	}
	if c.TypeVocabSize > 0 {
		w.Type = lookup("bert.embeddings.token_type_embeddings.weight", c.TypeVocabSize, e)
	}
	w.Norm = NewNorm("bert.embeddings", e, lookup)
	if e != h {
		project := NewDense(projection, h, e, lookup)
		w.Project = &project
	}
	return w
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

const projection = "bert.embeddings_project"

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
	h, e := c.HiddenSize, c.EmbeddingWidth()
	head := HeadWeights{
		Transform: NewDense("cls.predictions.transform.dense", e, h, lookup),
		Norm:      NewNorm("cls.predictions.transform", e, lookup),
		Decoder:   word,
		Bias:      lookup("cls.predictions.bias", c.VocabSize),
	}
	if !c.TieWordEmbeddings {
		head.Decoder = lookup("cls.predictions.decoder.weight", c.VocabSize, e)
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
