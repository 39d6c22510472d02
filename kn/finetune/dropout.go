package finetune

import (
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// dropout sets random entries to 0 and divides the others by the share that is
// kept (Srivastava et al. 2014), at the places where BERT does: the
// embeddings, the attention probabilities, what attention and feed-forward
// networks add to the residual stream, and the classifier's input.
type dropout struct {
	hidden, attention, classifier float64 // shares that are dropped
	state                         *graph.Node
}

// dropoutOf has the configuration's shares, unless c has others.
func dropoutOf(c Config, b transformer.Config) dropout {
	d := dropout{hidden: train.OrDefault(c.HiddenDropout, b.HiddenDropout), attention: train.OrDefault(c.AttentionDropout, b.AttentionDropout)}
	d.classifier = d.hidden
	if b.ClassifierDropout != nil && c.HiddenDropout == 0 {
		d.classifier = *b.ClassifierDropout
	}
	return d
}

// hooks drop entries on the way through the encoder.
func (d *dropout) hooks(layers int) transformer.Hooks {
	hooks := transformer.Hooks{}
	add := func(point transformer.Point, layer int, share float64) {
		if share > 0 {
			hooks.Add(point, layer, func(x *graph.Node) *graph.Node { return d.apply(x, share) })
		}
	}
	add(transformer.EmbeddingsOut, 0, d.hidden)
	for l := range layers {
		add(transformer.AttentionProbs, l, d.attention)
		add(transformer.AttentionOut, l, d.hidden)
		add(transformer.FFNOut, l, d.hidden)
	}
	return hooks
}

// apply drops a share of x's entries.
func (d *dropout) apply(x *graph.Node, share float64) *graph.Node {
	if share <= 0 {
		return x
	}
	var uniform *graph.Node
	d.state, uniform = graph.RandomUniform(d.state, x.Shape())
	kept := graph.GreaterOrEqual(uniform, graph.Scalar(x.Graph(), x.DType(), share))
	return graph.Where(kept, graph.MulScalar(x, 1/(1-share)), graph.ZerosLike(x))
}

// randomState is the state of the random numbers of a step.
func randomState(seed uint64, step int) *tensors.Tensor {
	rng := rand.New(rand.NewPCG(seed, 0xd709<<32|uint64(step)))
	return tensors.FromFlatDataAndDimensions([]uint64{rng.Uint64(), rng.Uint64(), rng.Uint64()}, 3)
}
