package electra

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
)

type node = graph.Node

// pass is one way of a batch through both models: N = B·k masked tokens, whose
// replacements are drawn, and B·n tokens to tell replaced from original.
type pass struct {
	logP       *node // [N] the generator's log-probability of the original token
	confidence *node // [N] its largest probability
	head       *node // [N, V] hardness, or nil
	drawn      *node // [N] int32
	correct    *node // [N] 1 where the original token was drawn
	weight     *node // [N]
	detection  *node // [N] the discriminator's loss of the tokens drawn
	weighted   *node // [B, n] its loss of all tokens, times their weights
	right      *node // [B, n] 1 where it tells rightly
}

// run takes the inputs of a batch through the models, with replacements drawn
// by a sampler, which may be simpler than the one that the models have a head
// for.
func (c Config) run(m models, s Sampler, in []*node) pass {
	ids, positions, masked, uniform := in[0], in[1], in[2], in[3]
	b, n, k := ids.Shape().Dimensions[0], ids.Shape().Dimensions[1], positions.Shape().Dimensions[1]
	v := m.generator.Config.VocabSize
	pick := graph.OneHot(positions, n, dtypes.Float32) // [B, k, n]

	hidden := m.generator.Encode(bert.Inputs{IDs: masked}, nil)                    // [B, n, G]
	rows := graph.DotGeneral(pick, []int{2}, []int{0}, hidden, []int{1}, []int{0}) // [B, k, G]
	rows = graph.Reshape(rows, b*k, m.generator.Config.HiddenSize)                 // [N, G]
	logits := m.generator.Logits(rows)                                             // [N, V]
	p := graph.Softmax(logits, -1)                                                 // [N, V]
	float := graph.ConvertDType(ids, dtypes.Float32)                               // [B, n], exact below 2^24
	original := graph.ConvertDType(along(pick, float), dtypes.Int32)               // [B, k]
	original = graph.Reshape(original, b*k)

	var r pass
	r.logP = at(graph.LogSoftmax(logits, -1), original)
	r.confidence = graph.ReduceMax(p, -1)
	if m.hardness != nil {
		r.head = m.hardness.Logits(rows, m.generator.Config.LayerNormEps) // [N, V]
	}
	r.draw(c, s, p, graph.Reshape(uniform, b*k), v)
	r.correct = graph.ConvertDType(graph.Equal(r.drawn, original), dtypes.Float32)

	drawn := graph.Reshape(graph.ConvertDType(r.drawn, dtypes.Float32), b, k)
	kept := graph.OneMinus(graph.ReduceSum(pick, 1))                 // [B, n] 1 where nothing is masked
	corrupted := graph.Add(graph.Mul(float, kept), put(drawn, pick)) // [B, n]
	replaced := graph.ConvertDType(graph.NotEqual(corrupted, float), dtypes.Float32)
	seen := bert.Inputs{IDs: graph.StopGradient(graph.ConvertDType(corrupted, dtypes.Int32))}
	scores := m.discriminator.Logits(m.discriminator.Encode(seen, nil)) // [B, n]
	detection := DetectionLoss(scores, replaced)                        // [B, n]
	r.detection = graph.Reshape(along(pick, detection), b*k)
	weights := graph.Add(kept, put(graph.Reshape(r.weight, b, k), pick)) // [B, n]
	r.weighted = graph.Mul(weights, detection)
	told := graph.ConvertDType(graph.GreaterThan(scores, graph.ZerosLike(scores)), dtypes.Float32)
	r.right = graph.ConvertDType(graph.Equal(told, replaced), dtypes.Float32)
	return r
}

// draw draws the replacements and weighs them.
func (r *pass) draw(c Config, s Sampler, p, uniform *node, v int) {
	p = graph.StopGradient(p)
	if !s.HasHead() { // drawn from p itself: no weight to compute
		r.drawn, r.weight = Draw(p, uniform), graph.OnesLike(uniform)
		return
	}
	from := c.Bounding.Mix(s.Propose(p, r.head), p, c.Bound) // [N, V]
	r.drawn = Draw(from, uniform)
	one := graph.OneHot(r.drawn, v, p.DType()) // [N, V]
	picked := func(x *node) *node { return graph.ReduceSum(graph.Mul(x, one), -1) }
	r.weight = ImportanceWeights(picked(p), picked(from), c.Bound)
}

// along selects what stands at the masked positions: pick [B, k, n], x [B, n]
// -> [B, k].
func along(pick, x *node) *node {
	return graph.DotGeneral(pick, []int{2}, []int{0}, x, []int{1}, []int{0})
}

// put puts values at the masked positions, and 0 elsewhere: values [B, k], pick
// [B, k, n] -> [B, n].
func put(values, pick *node) *node {
	return graph.DotGeneral(values, []int{1}, []int{0}, pick, []int{1}, []int{0})
}

// losses are the parts of the objective, each a mean.
type losses struct {
	generator     *node // over the masked tokens, focal
	discriminator *node // over all tokens, weighted
	hardness      *node // over the masked tokens; nil without a head
}

func (c Config) losses(r pass) losses {
	l := losses{
		generator:     graph.ReduceAllMean(FocalLoss(r.logP, c.Gamma)),
		discriminator: graph.ReduceAllMean(r.weighted),
	}
	if r.head != nil {
		l.hardness = graph.ReduceAllMean(c.Sampler.HardnessLoss(r.head, r.drawn, r.weight, r.detection))
	}
	return l
}

// objective is L_G + Weight·L_D + HardnessWeight·L_H.
func (c Config) objective(l losses) *node {
	sum := graph.Add(l.generator, graph.MulScalar(l.discriminator, c.Weight))
	if l.hardness != nil {
		sum = graph.Add(sum, graph.MulScalar(l.hardness, c.HardnessWeight))
	}
	return sum
}
