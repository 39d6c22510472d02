package electra

import (
	"math/rand/v2"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// networks are the configurations of all that is trained: two encoders on the
// same embeddings, three heads.
type networks struct {
	sampler                  Sampler
	generator, discriminator ModelConfig
}

// The names of the variables are the tensors' with the network in front, so
// that each has its own, but for the embeddings, which are shared.
const (
	ofGenerator     = "generator."
	ofDiscriminator = "discriminator."
	embeddings      = "electra.embeddings."
	// hardnessHead and hardnessBias are the tensors of the head that predicts
	// hardness, named as those of the generator's.
	hardnessHead = "hardness_predictions"
	hardnessBias = "hardness_head.bias"
	// hardnessOffset is of the head that predicts losses alone.
	hardnessOffset = "hardness_head.offset"
)

// named is the lookup of a network's tensors among all variables.
func named(network string, lookup transformer.Lookup) transformer.Lookup {
	return func(name string, dims ...int) *node { return lookup(variableOf(network, name), dims...) }
}

// variableOf is the variable of a network's tensor.
func variableOf(network, tensor string) string {
	if strings.HasPrefix(tensor, embeddings) {
		return tensor
	}
	return network + tensor
}

// models are the networks in a graph.
type models struct {
	generator     *Generator
	discriminator *Discriminator
	hardness      *VocabularyHead // nil without
}

// arrange asks for all tensors.
func (n networks) arrange(lookup transformer.Lookup) models {
	m := models{
		generator:     NewGenerator(n.generator, named(ofGenerator, lookup)),
		discriminator: NewDiscriminator(n.discriminator, named(ofDiscriminator, lookup)),
	}
	if n.sampler.HasHead() {
		head := n.newHardnessHead(m.generator.Embeddings.Word, named(ofGenerator, lookup))
		m.hardness = &head
	}
	return m
}

func (n networks) newHardnessHead(word *node, lookup transformer.Lookup) VocabularyHead {
	h := newVocabularyHead(hardnessHead, hardnessBias, n.generator, word, lookup)
	if n.sampler == HPLoss {
		h.Offset = lookup(hardnessOffset, 1)
	}
	return h
}

// hardness lists the tensors of the head that predicts hardness.
func (n networks) hardness() []checkpoint.Expected {
	return recorded(func(lookup transformer.Lookup) { n.newHardnessHead(nil, lookup) })
}

// expected lists all variables, each once.
func (n networks) expected() []checkpoint.Expected {
	seen := map[string]bool{}
	var all []checkpoint.Expected
	for _, e := range recorded(func(lookup transformer.Lookup) { n.arrange(lookup) }) {
		if !seen[e.Name] {
			all = append(all, e)
		}
		seen[e.Name] = true
	}
	return all
}

// initial draws a tensor: normal matrices, norms 1, biases 0. Each follows
// from the seed and its name, so that all samplers start from the same models.
// The head that predicts hardness has a norm of 0, and so says 0 of every
// token: p_S is p_G at first, and what it becomes has been learned.
func (c Config) initial(name string, dims []int) []float32 {
	n := 1
	for _, d := range dims {
		n *= d
	}
	data := make([]float32, n)
	switch {
	case name == ofGenerator+hardnessHead+".LayerNorm.weight":
	case strings.HasSuffix(name, "LayerNorm.weight"):
		for i := range data {
			data[i] = 1
		}
	case len(dims) > 1:
		rng := rand.New(rand.NewPCG(c.Seed, hashed(name)))
		for i := range data {
			data[i] = float32(rng.NormFloat64() * c.Deviation)
		}
	}
	return data
}
