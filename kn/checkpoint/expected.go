package checkpoint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Expected is a tensor that a configuration asks for.
type Expected struct {
	Name  string
	Shape []int
}

// Parameters is the number of weights of some tensors.
func Parameters(tensors []Expected) int {
	total := 0
	for _, t := range tensors {
		n := 1
		for _, d := range t.Shape {
			n *= d
		}
		total += n
	}
	return total
}

// Expected lists the tensors of the model in the order of the forward pass,
// under their canonical names: those of a BertForSequenceClassification if it
// classifies, else of a BertForMaskedLM. Weights of dense layers are [out, in].
func (c Config) Expected() []Expected {
	if c.Classifies() {
		return slices.Concat(c.expectedEncoder(), c.expectedPooler(), c.expectedClassifier())
	}
	return append(c.expectedEncoder(), c.expectedHead()...)
}

// expectedEncoder lists the tensors below the heads, which every kind of BERT
// has.
func (c Config) expectedEncoder() []Expected {
	h, f := c.HiddenSize, c.IntermediateSize
	out := []Expected{
		{"bert.embeddings.word_embeddings.weight", []int{c.VocabSize, h}},
		{"bert.embeddings.position_embeddings.weight", []int{c.MaxPositions, h}},
		{"bert.embeddings.token_type_embeddings.weight", []int{c.TypeVocabSize, h}},
	}
	out = appendNorm(out, "bert.embeddings", h)
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
	out := appendDense(nil, "cls.predictions.transform.dense", c.HiddenSize, c.HiddenSize)
	out = appendNorm(out, "cls.predictions.transform", c.HiddenSize)
	if !c.TieWordEmbeddings {
		out = append(out, Expected{decoderWeight, []int{c.VocabSize, c.HiddenSize}})
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
	wordEmbeddings = "bert.embeddings.word_embeddings.weight"
	decoderWeight  = "cls.predictions.decoder.weight"
	decoderBias    = "cls.predictions.decoder.bias"
	headBias       = "cls.predictions.bias"
)

// Extras are the names of tensors that published BERT checkpoints hold besides
// those of the masked language model, and that are passed over: the pooler and
// the next-sentence head of BertForPreTraining, and buffers of counted numbers
// that old versions of transformers stored. A star stands for anything. A
// classifier's pooler is among its own tensors.
var Extras = []string{
	"bert.pooler.dense.*",
	"cls.seq_relationship.*",
	"bert.embeddings.position_ids",
	"bert.embeddings.token_type_ids",
}

var (
	bare     = regexp.MustCompile(`^(embeddings|encoder|pooler)\.`)
	oldNorms = strings.NewReplacer("LayerNorm.gamma", "LayerNorm.weight", "LayerNorm.beta", "LayerNorm.bias")
)

// canonical turns the names of older checkpoints (gamma, beta, no "bert." in
// front) into today's.
func canonical(name string) string {
	if bare.MatchString(name) {
		name = "bert." + name
	}
	return oldNorms.Replace(name)
}

func isExtra(name string, extras []string) bool {
	for _, extra := range extras {
		prefix, star := strings.CutSuffix(extra, "*")
		if name == extra || star && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
