package electra

import "github.com/gomlx/gomlx/core/graph"

// PredictedLoss is the detection loss that HPLoss's head predicts, which is
// positive: softplus(h), h [..., V] -> [..., V].
func PredictedLoss(head *graph.Node) *graph.Node { return softplus(head) }

// HardnessLoss is what the head's output h learns from the drawn tokens x and
// their detection losses L_D(x):
//
//	HPLoss  (softplus(h(x)) - L_D(x))²
//	HPDist  -w(x)·(L_D(x) - c)·log p_S(x) - c·Σ_y p_G(y)·log p_S(y)
//
//	generator [N, V], head [N, V], drawn [N] int32, weight [N], detection [N] -> [N]
//
// with p_S that of [Sampler.Propose], w(x) the weight p_G(x)/q(x), and q what x
// was drawn from. In expectation HPDist's loss is Σ_x p_G(x)·L_D(x)·(-log
// p_S(x)) whatever the constant c is, and least when p_S is [Optimal]. With c
// the mean of w·L_D over the draws, little of it is left to chance where losses
// are much alike: without, a drawn token is taken for a hard one.
//
// Only the head gets a gradient: the generator's probabilities, the weight and
// the detection loss are what is to be learned, and are held constant.
func (s Sampler) HardnessLoss(generator, head, drawn, weight, detection *graph.Node) *graph.Node {
	generator, weight, detection = graph.StopGradient(generator), graph.StopGradient(weight), graph.StopGradient(detection)
	if s == HPLoss {
		return graph.Square(graph.Sub(PredictedLoss(at(head, drawn)), detection)) // [N]
	}
	log := graph.LogSoftmax(tilted(generator, head), -1)       // [N, V]
	usual := graph.ReduceAllMean(graph.Mul(weight, detection)) // c
	over := graph.Mul(weight, graph.Sub(detection, usual))     // [N]
	whole := graph.ReduceSum(graph.Mul(generator, log), -1)    // [N]
	return graph.Neg(graph.Add(graph.Mul(over, at(log, drawn)), graph.Mul(usual, whole)))
}

// tilted are the logits of HPDist's proposal, log p_G + h: [..., V] each ->
// [..., V]. The generator gets no gradient.
func tilted(generator, head *graph.Node) *graph.Node {
	return graph.Add(graph.Log(graph.MaxScalar(graph.StopGradient(generator), 1e-30)), head)
}

// at selects one entry of each row: x [N, V], index [N] int32 -> [N].
func at(x, index *graph.Node) *graph.Node {
	one := graph.OneHot(index, x.Shape().Dimensions[1], x.DType()) // [N, V]
	return graph.ReduceSum(graph.Mul(x, one), -1)
}

// softplus is log(1 + eˣ), without overflow, and with its gradient right at 0 too.
func softplus(x *graph.Node) *graph.Node {
	largest := graph.StopGradient(graph.MaxScalar(x, 0.0))
	sum := graph.Add(graph.Exp(graph.Sub(x, largest)), graph.Exp(graph.Neg(largest)))
	return graph.Add(largest, graph.Log(sum))
}
