package transformer

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
	Bias   *graph.Node // [out]; nil in a layer without one
	// Transposed is the weight once more [in, out], see [Transposed]; nil without it.
	Transposed *graph.Node
}

// Norm is the weights of a LayerNorm, or of an RMSNorm, which has no bias.
type Norm struct{ Scale, Bias *graph.Node } // [H] each; [E] in an encoder's embeddings and head

// EmbeddingWeights are the weights below the first layer. E is H unless the
// configuration gives the embeddings a width of their own.
type EmbeddingWeights struct {
	Word     *graph.Node // [V, E]
	Position *graph.Node // [positions, E], those before Config.FirstPosition included; nil where positions are rotary
	Type     *graph.Node // [types, E]; nil in a model without token types
	Norm     Norm        // none in a decoder
	Project  *Dense      // [H, E], what the first layer is given; nil where E is H
}

// LayerWeights are the weights of one layer. The neurons' value vectors are
// the columns of Output.Weight. With A heads of d numbers and G heads of keys and
// values, which encoders have as many of:
type LayerWeights struct {
	Query, Key, Value  Dense       // [A·d, H], [G·d, H], [G·d, H]
	QueryNorm, KeyNorm *graph.Node // [d] the scales of each head's RMSNorm; nil where there is none
	AttentionOutput    Dense       // [H, A·d]
	AttentionNorm      Norm        // after attention in an encoder, before it in a decoder
	Gate               *Dense      // [F, H], whose activation multiplies what Intermediate gives; nil in a plain FFN
	Intermediate       Dense       // [F, H]
	Output             Dense       // [H, F]
	OutputNorm         Norm        // after the FFN in an encoder, before it in a decoder
}

// HeadWeights are the weights of the head that predicts a token. A decoder's is
// a norm and the Decoder.
type HeadWeights struct {
	Transform Dense // [E, H]; none in a decoder
	Norm      Norm
	Decoder   Dense // [V, E]; the word embeddings themselves when tied; no bias in a decoder
}

// Weights are a model's weights as nodes of one graph. A language model has a
// Head, a classifier Pooler and Classifier.
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
	if c.Causal() {
		w := EmbeddingWeights{Word: lookup(c.WordEmbeddings(), c.VocabSize, e)}
		if !c.Architecture().Rotary {
			w.Position = lookup("model.embed_positions.weight", c.PositionRows(), e)
		}
		return w
	}
	w := EmbeddingWeights{
		Word:     lookup(c.WordEmbeddings(), c.VocabSize, e),
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
	if c.Causal() {
		return newDecoderLayer(c, l, lookup)
	}
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
	if c.Causal() {
		return newDecoderHead(c, word, lookup)
	}
	h, e := c.HiddenSize, c.EmbeddingWidth()
	head := HeadWeights{
		Transform: NewDense("cls.predictions.transform.dense", e, h, lookup),
		Norm:      NewNorm("cls.predictions.transform", e, lookup),
		Decoder:   Dense{Weight: word, Bias: lookup("cls.predictions.bias", c.VocabSize)},
	}
	if !c.TieWordEmbeddings {
		head.Decoder.Weight = lookup("cls.predictions.decoder.weight", c.VocabSize, e)
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
