package checkpoint

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Expected is a tensor that a configuration asks for.
type Expected struct {
	Name  string
	Shape []int
}

// Parameters is the number of the model's weights.
func (c Config) Parameters() int {
	total := 0
	for _, t := range c.Expected() {
		n := 1
		for _, d := range t.Shape {
			n *= d
		}
		total += n
	}
	return total
}

// Expected lists the tensors of the model in the order of the forward pass,
// under their canonical names: of an encoder those that a
// BertForSequenceClassification has if it classifies, else a BertForMaskedLM;
// of a causal model those of a LlamaForCausalLM, with norms' and dense layers'
// biases and "model.embed_positions.weight" where it has them. Whatever the
// family's own names and layouts are, weights of dense layers are [out, in].
func (c Config) Expected() []Expected {
	if c.Causal() {
		return c.expectedDecoder()
	}
	if c.Classifies() {
		return slices.Concat(c.expectedEncoder(), c.expectedPooler(), c.expectedClassifier())
	}
	return append(c.expectedEncoder(), c.expectedHead()...)
}

// expectedEncoder lists the tensors below the heads, which every class of
// transformers has.
func (c Config) expectedEncoder() []Expected {
	h, e, f := c.HiddenSize, c.EmbeddingWidth(), c.IntermediateSize
	out := []Expected{
		{WordEmbeddings, []int{c.VocabSize, e}},
		{"bert.embeddings.position_embeddings.weight", []int{c.PositionRows(), e}},
	}
	if c.TypeVocabSize > 0 {
		out = append(out, Expected{"bert.embeddings.token_type_embeddings.weight", []int{c.TypeVocabSize, e}})
	}
	out = appendNorm(out, "bert.embeddings", e)
	if e != h {
		out = appendDense(out, "bert.embeddings_project", h, e)
	}
	for l := range c.Layers {
		p := fmt.Sprintf("bert.encoder.layer.%d.", l)
		out = appendDense(out, p+"attention.self.query", h, h)
		out = appendDense(out, p+"attention.self.key", h, h)
		out = appendDense(out, p+"attention.self.value", h, h)
		out = appendDense(out, p+"attention.output.dense", h, h)
		out = appendNorm(out, p+"attention.output", h)
		out = appendDense(out, p+"intermediate.dense", f, h)
		out = appendDense(out, p+"output.dense", h, f)
		out = appendNorm(out, p+"output", h)
	}
	return out
}

// expectedHead lists the tensors of the masked-language-model head.
func (c Config) expectedHead() []Expected {
	out := appendDense(nil, "cls.predictions.transform.dense", c.EmbeddingWidth(), c.HiddenSize)
	out = appendNorm(out, "cls.predictions.transform", c.EmbeddingWidth())
	if !c.TieWordEmbeddings {
		out = append(out, Expected{decoderWeight, []int{c.VocabSize, c.EmbeddingWidth()}})
	}
	return append(out, Expected{headBias, []int{c.VocabSize}})
}

func appendDense(e []Expected, name string, out, in int) []Expected {
	return append(e, Expected{name + ".weight", []int{out, in}}, Expected{name + ".bias", []int{out}})
}

func appendNorm(e []Expected, name string, size int) []Expected {
	return append(e, Expected{name + ".LayerNorm.weight", []int{size}}, Expected{name + ".LayerNorm.bias", []int{size}})
}

// Names with a rule of their own.
const (
	head          = "cls.predictions." // of all tensors of the masked-language-model head
	decoderWeight = "cls.predictions.decoder.weight"
	decoderBias   = "cls.predictions.decoder.bias"
	headBias      = "cls.predictions.bias"
)

// isHead says whether a tensor is part of what predicts tokens.
func isHead(name string) bool { return strings.HasPrefix(name, head) || name == decoderHead }

// isExtra says whether one of the extras, in which a star stands for anything,
// is the name of a stored tensor.
func isExtra(name string, extras []string) bool {
	return slices.ContainsFunc(extras, func(extra string) bool {
		ok, err := path.Match(extra, name)
		return ok && err == nil
	})
}

// WordEmbeddings is the name of the tensor [V, E] of the word embeddings.
const WordEmbeddings = "bert.embeddings.word_embeddings.weight"
