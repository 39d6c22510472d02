package electra

import (
	"strings"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Encoder is what generator and discriminator have in common: BERT's
// embeddings and layers, with a projection between them where their widths
// differ. The tensors have the names of transformers, "electra." and so on.
type Encoder struct {
	Config     ModelConfig
	Embeddings transformer.EmbeddingWeights // E wide
	Project    *transformer.Dense           // [H, E]; nil when H = E
	Layers     []transformer.LayerWeights   // H wide
}

// Generator is an ElectraForMaskedLM's weights as nodes of a graph.
type Generator struct {
	Encoder
	Head VocabularyHead
}

// Discriminator is an ElectraForPreTraining's weights as nodes of a graph.
type Discriminator struct {
	Encoder
	Dense      transformer.Dense // [H, H]
	Prediction transformer.Dense // [1, H]
}

// VocabularyHead gives a number for every token: the generator's logits, or
// the hardness of each replacement.
type VocabularyHead struct {
	Dense transformer.Dense // [E, H]
	Norm  transformer.Norm  // [E]
	Word  *graph.Node       // [V, E], the word embeddings
	Bias  *graph.Node       // [V]
	// Offset is added to all numbers. Only the head that predicts losses has
	// one, [1]: tokens that were seldom drawn are predicted the usual loss.
	Offset *graph.Node
}

func newEncoder(c ModelConfig, lookup transformer.Lookup) Encoder {
	renamed := func(name string, dims ...int) *graph.Node {
		return lookup("electra."+strings.TrimPrefix(name, "bert."), dims...)
	}
	e := Encoder{Config: c, Embeddings: transformer.NewEmbeddings(c.embeddings(), renamed)}
	if c.EmbeddingSize != c.HiddenSize {
		project := transformer.NewDense("electra.embeddings_project", c.HiddenSize, c.EmbeddingSize, lookup)
		e.Project = &project
	}
	e.Layers = transformer.NewLayers(c.encoder(), renamed)
	return e
}

// NewGenerator asks lookup for every tensor of a generator, always in the same
// order, and arranges them.
func NewGenerator(c ModelConfig, lookup transformer.Lookup) *Generator {
	g := &Generator{Encoder: newEncoder(c, lookup)}
	g.Head = newVocabularyHead("generator_predictions", "generator_lm_head.bias", c, g.Embeddings.Word, lookup)
	return g
}

func newVocabularyHead(name, bias string, c ModelConfig, word *graph.Node, lookup transformer.Lookup) VocabularyHead {
	return VocabularyHead{
		Norm: transformer.NewNorm(name, c.EmbeddingSize, lookup), Dense: transformer.NewDense(name+".dense", c.EmbeddingSize, c.HiddenSize, lookup),
		Word: word, Bias: lookup(bias, c.VocabSize),
	}
}

// NewDiscriminator asks lookup for every tensor of a discriminator, always in
// the same order, and arranges them.
func NewDiscriminator(c ModelConfig, lookup transformer.Lookup) *Discriminator {
	return &Discriminator{
		Encoder:    newEncoder(c, lookup),
		Dense:      transformer.NewDense("discriminator_predictions.dense", c.HiddenSize, c.HiddenSize, lookup),
		Prediction: transformer.NewDense("discriminator_predictions.dense_prediction", 1, c.HiddenSize, lookup),
	}
}

// Expected lists the tensors that the configuration asks for.
func (c ModelConfig) Expected() []checkpoint.Expected {
	return recorded(func(lookup transformer.Lookup) {
		if c.Class() == DiscriminatorClass {
			NewDiscriminator(c, lookup)
			return
		}
		NewGenerator(c, lookup)
	})
}

// recorded lists the tensors that are asked for.
func recorded(ask func(lookup transformer.Lookup)) (all []checkpoint.Expected) {
	ask(func(name string, dims ...int) *graph.Node {
		all = append(all, checkpoint.Expected{Name: name, Shape: dims})
		return nil
	})
	return all
}

// Encode runs the embeddings and all layers: [B, n, H].
func (e *Encoder) Encode(in transformer.Inputs, hooks transformer.Hooks) *graph.Node {
	below := transformer.Weights{Config: e.Config.embeddings(), Embeddings: e.Embeddings}
	x := below.Embed(in, hooks) // [B, n, E]
	if e.Project != nil {
		x = e.Project.Apply(x) // [B, n, H]
	}
	w := transformer.Weights{Config: e.Config.encoder(), Layers: e.Layers}
	for l := range w.Layers {
		x = w.Layer(l, x, transformer.Whole(x, in.Mask), hooks)
	}
	return x
}

// Logits are the head's numbers for every token: hidden [..., H] -> [..., V].
func (h VocabularyHead) Logits(hidden *graph.Node, layerNormEps float64) *graph.Node {
	// Always gelu, whatever the layers' activation function is.
	x := h.Norm.Apply(transformer.Activate("gelu", h.Dense.Apply(hidden)), layerNormEps) // [..., E]
	x = transformer.Dense{Weight: h.Word, Bias: h.Bias}.Apply(x)
	if h.Offset != nil {
		x = graph.Add(x, graph.Reshape(h.Offset))
	}
	return x
}

// Logits are those of the masked language model: hidden [..., H] -> [..., V].
func (g *Generator) Logits(hidden *graph.Node) *graph.Node {
	return g.Head.Logits(hidden, g.Config.LayerNormEps)
}

// Logits say of each token that it was replaced, above 0, or not: hidden
// [..., H] -> [...].
func (d *Discriminator) Logits(hidden *graph.Node) *graph.Node {
	x := transformer.Activate(d.Config.HiddenAct, d.Dense.Apply(hidden)) // [..., H]
	return graph.Squeeze(d.Prediction.Apply(x), -1)
}
