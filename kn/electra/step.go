package electra

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

type node = graph.Node

// guess is what the generator makes of the masked tokens, N = B·k.
type guess struct {
	original *node // [N] int32
	logits   *node // [N, V]
	p        *node // [N, V]
	head     *node // [N, V] hardness, or nil
	logP     *node // [N] log-probability of the original token
}

// Inputs of a batch, see [batch].
func (c Config) guess(m models, in []*node) guess {
	ids, positions, masked := in[0], in[1], in[2]
	n, k := ids.Shape().Dimensions[1], positions.Shape().Dimensions[1]
	pick := graph.OneHot(positions, n, dtypes.Float32)                             // [B, k, n]
	hidden := m.generator.Encode(transformer.Inputs{IDs: masked}, nil)             // [B, n, G]
	rows := graph.DotGeneral(pick, []int{2}, []int{0}, hidden, []int{1}, []int{0}) // [B, k, G]
	rows = graph.Reshape(rows, ids.Shape().Dimensions[0]*k, m.generator.Config.HiddenSize)
	g := guess{logits: m.generator.Logits(rows)} // [N, V]
	g.p = graph.Softmax(g.logits, -1)            // [N, V]
	// A float is exact up to 2^24 tokens.
	original := along(pick, graph.ConvertDType(ids, dtypes.Float32)) // [B, k]
	g.original = graph.ConvertDType(graph.Reshape(original, -1), dtypes.Int32)
	g.logP = at(graph.LogSoftmax(g.logits, -1), g.original)
	if m.hardness != nil {
		g.head = m.hardness.Logits(rows, m.generator.Config.LayerNormEps) // [N, V]
	}
	return g
}

// from is the distribution that a sampler draws replacements from: [N, V].
func (c Config) from(s Sampler, g guess) *node {
	p := graph.StopGradient(g.p)
	if !s.HasHead() {
		return p
	}
	return c.Bounding.Mix(s.Propose(p, g.head), p, c.Bound)
}

// draw draws replacements and weighs them: uniform [N] -> [N] int32, [N].
func (c Config) draw(g guess, uniform *node) (drawn, weight *node) {
	from := c.from(c.Sampler, g)
	drawn = Draw(from, uniform)
	if !c.Sampler.HasHead() {
		return drawn, graph.OnesLike(uniform)
	}
	one := graph.OneHot(drawn, from.Shape().Dimensions[1], from.DType()) // [N, V]
	picked := func(x *node) *node { return graph.ReduceSum(graph.Mul(x, one), -1) }
	return drawn, ImportanceWeights(picked(graph.StopGradient(g.p)), picked(from), c.Bound)
}

// detect shows the discriminator the tokens with some replaced: ids and seen
// [B, n] int32 -> its loss of each, and 1 where it tells rightly, [B, n].
func detect(m models, ids, seen *node) (detection, right *node) {
	replaced := graph.ConvertDType(graph.NotEqual(ids, seen), dtypes.Float32)
	scores := m.discriminator.Logits(m.discriminator.Encode(transformer.Inputs{IDs: seen}, nil)) // [B, n]
	told := graph.ConvertDType(graph.GreaterThan(scores, graph.ZerosLike(scores)), dtypes.Float32)
	return DetectionLoss(scores, replaced), graph.ConvertDType(graph.Equal(told, replaced), dtypes.Float32)
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

// losses takes a batch through both models.
func (c Config) losses(m models, in []*node) losses {
	ids, positions, uniform := in[0], in[1], in[3]
	b, n, k := ids.Shape().Dimensions[0], ids.Shape().Dimensions[1], positions.Shape().Dimensions[1]
	g := c.guess(m, in)
	drawn, weight := c.draw(g, graph.Reshape(uniform, b*k)) // [N]

	pick := graph.OneHot(positions, n, dtypes.Float32) // [B, k, n]
	kept := graph.OneMinus(graph.ReduceSum(pick, 1))   // [B, n] 1 where nothing is masked
	float := graph.Mul(graph.ConvertDType(ids, dtypes.Float32), kept)
	seen := graph.Add(float, put(graph.Reshape(graph.ConvertDType(drawn, dtypes.Float32), b, k), pick))
	detection, _ := detect(m, ids, graph.StopGradient(graph.ConvertDType(seen, dtypes.Int32))) // [B, n]
	weights := graph.Add(kept, put(graph.Reshape(weight, b, k), pick))                         // [B, n]

	l := losses{
		generator:     graph.ReduceAllMean(FocalLoss(g.logP, c.Gamma)),
		discriminator: graph.ReduceAllMean(graph.Mul(weights, detection)),
	}
	if g.head != nil {
		of := graph.Reshape(along(pick, detection), b*k) // [N]
		l.hardness = graph.ReduceAllMean(c.Sampler.HardnessLoss(g.p, g.head, drawn, weight, of))
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
