package electra

import "github.com/gomlx/gomlx/core/graph"

// PredictedLoss is the detection loss that HPLoss's head predicts, which is
// positive: softplus(h), h [..., V] -> [..., V].
func PredictedLoss(head *graph.Node) *graph.Node { return softplus(head) }

// HardnessLoss is what the head's output h learns from the drawn tokens x and
// their detection losses L_D(x):
//
//	HPLoss  (softplus(h(x)) - L_D(x))²
//	HPDist  -weight·L_D(x)·log softmax(h)(x)
//
//	head [N, V], drawn [N] int32, weight [N], detection [N] -> [N]
//
// The weight is p_G(x)/q(x), with q what x was drawn from: HPDist's loss is
// then in expectation Σ_x p_G(x)·L_D(x)·(-log p_S(x)), which is least when p_S
// is [Optimal]. Only the head gets a gradient: the weight and the detection
// loss are what is to be learned, and are held constant.
func (s Sampler) HardnessLoss(head, drawn, weight, detection *graph.Node) *graph.Node {
	weight, detection = graph.StopGradient(weight), graph.StopGradient(detection)
	if s == HPLoss {
		return graph.Square(graph.Sub(PredictedLoss(at(head, drawn)), detection)) // [N]
	}
	log := at(graph.LogSoftmax(head, -1), drawn) // [N]
	return graph.Neg(graph.Mul(graph.Mul(weight, detection), log))
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
