package checkpoint

import (
	"fmt"
	"slices"
)

// Architecture says what a model's forward pass is made of. The zero value has
// none of it.
//
// Encoders are BERT's: they read a text in both directions, and a LayerNorm
// stands behind each sublayer. Causal models read from left to right, and a
// norm stands before each sublayer and one behind the last layer.
type Architecture struct {
	Causal       bool // a token sees those before it and itself; it predicts the next one
	RMSNorm      bool // norms divide by the root mean square, and have no bias; else LayerNorms
	Rotary       bool // queries and keys are turned by their positions; else positions have embeddings
	Gated        bool // a neuron is act(gate) · up; else act(up)
	QueryKeyNorm bool // each head's queries and keys go through an RMSNorm before they are turned
	QueryBias    bool // queries, keys and values have biases
	OutputBias   bool // the attention's output has one
	FFNBias      bool // the feed-forward layers have them
}

// Architecture is that of the configuration's family.
func (c Config) Architecture() Architecture {
	if decoder := c.family().decoder; decoder != nil {
		return decoder(c)
	}
	return Architecture{QueryBias: true, OutputBias: true, FFNBias: true}
}

// Causal says whether the model is a decoder, which predicts the next token
// from those before it; any other is an encoder, which predicts a masked one.
func (c Config) Causal() bool { return c.family().decoder != nil }

// The names of a decoder's tensors, which are those of Llama in transformers.
const (
	decoderWords     = "model.embed_tokens.weight"
	decoderPositions = "model.embed_positions.weight"
	decoderLayer     = "model.layers.%d."
	decoderNorm      = "model.norm"
	decoderHead      = "lm_head.weight"
)

// WordEmbeddings is the name of the tensor [V, E] of the word embeddings.
func (c Config) WordEmbeddings() string {
	if c.Causal() {
		return decoderWords
	}
	return WordEmbeddings
}

// outputWeight is the name of the tensor [V, E] that gives the logits of an
// untied model.
func (c Config) outputWeight() string {
	if c.Causal() {
		return decoderHead
	}
	return decoderWeight
}

// ValueVectors is the name of the tensor [H, F] of layer l whose column i is
// what neuron i adds to the residual stream.
func (c Config) ValueVectors(l int) string {
	if c.Causal() {
		return fmt.Sprintf(decoderLayer+"mlp.down_proj.weight", l)
	}
	return fmt.Sprintf("bert.encoder.layer.%d.output.dense.weight", l)
}

// ValueBias is the name of the tensor [H] that layer l adds to what its
// neurons add, or "" where there is none.
func (c Config) ValueBias(l int) string {
	switch {
	case !c.Architecture().FFNBias:
		return ""
	case c.Causal():
		return fmt.Sprintf(decoderLayer+"mlp.down_proj.bias", l)
	}
	return fmt.Sprintf("bert.encoder.layer.%d.output.dense.bias", l)
}

// expectedDecoder lists the tensors of a causal model.
func (c Config) expectedDecoder() []Expected {
	a, h, f := c.Architecture(), c.HiddenSize, c.IntermediateSize
	out := []Expected{{decoderWords, []int{c.VocabSize, h}}}
	if !a.Rotary {
		out = append(out, Expected{decoderPositions, []int{c.MaxPositions, h}})
	}
	dense := func(name string, bias bool, rows, columns int) {
		out = appendDense(out, name, rows, columns)
		if !bias {
			out = out[:len(out)-1]
		}
	}
	norm := func(name string) {
		out = append(out, Expected{name + ".weight", []int{h}})
		if !a.RMSNorm {
			out = append(out, Expected{name + ".bias", []int{h}})
		}
	}
	queries, keys := c.Heads*c.HeadSize, c.KeyValueHeads*c.HeadSize
	for l := range c.Layers {
		p := fmt.Sprintf(decoderLayer, l)
		norm(p + "input_layernorm")
		dense(p+"self_attn.q_proj", a.QueryBias, queries, h)
		dense(p+"self_attn.k_proj", a.QueryBias, keys, h)
		dense(p+"self_attn.v_proj", a.QueryBias, keys, h)
		if a.QueryKeyNorm {
			out = append(out, Expected{p + "self_attn.q_norm.weight", []int{c.HeadSize}}, Expected{p + "self_attn.k_norm.weight", []int{c.HeadSize}})
		}
		dense(p+"self_attn.o_proj", a.OutputBias, h, queries)
		norm(p + "post_attention_layernorm")
		if a.Gated {
			dense(p+"mlp.gate_proj", a.FFNBias, f, h)
		}
		dense(p+"mlp.up_proj", a.FFNBias, f, h)
		dense(p+"mlp.down_proj", a.FFNBias, h, f)
	}
	norm(decoderNorm)
	if !c.TieWordEmbeddings {
		out = append(out, Expected{decoderHead, []int{c.VocabSize, h}})
	}
	return slices.Clip(out)
}
