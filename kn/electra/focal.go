package electra

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// FocalLoss is -(1-p)^γ·log p of a token of log-probability log p (Lin et al.,
// ICCV 2017, https://arxiv.org/abs/1708.02002): [...] -> [...]. The surer the
// generator is of the original token, the less the token counts. With γ = 0 it
// is the cross-entropy.
func FocalLoss(logP *graph.Node, gamma float64) *graph.Node {
	loss := graph.Neg(logP)
	if gamma == 0 {
		return loss
	}
	// 1 - p may be rounded to 0 or below, where a power has no gradient.
	rest := graph.MaxScalar(graph.OneMinus(graph.Exp(logP)), 1e-12)
	return graph.Mul(graph.Exp(graph.MulScalar(graph.Log(rest), gamma)), loss)
}

// Focal is [FocalLoss] of one probability p in (0, 1].
func Focal(p, gamma float64) float64 {
	if gamma == 0 {
		return -math.Log(p)
	}
	return -math.Pow(1-p, gamma) * math.Log(p)
}
