package transformer

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// sum adds up the last axis: [..., K] -> [..., 1].
//
// GoMLX's Go backend adds up an axis one number after the other. In float32
// what is small is then rounded away once the sum is large, each time to the
// same side: softmax over BERT's 30,000 words lost up to 2e-4 of its
// denominator, and LayerNorm's sums of 768 numbers cost more digits than the
// products of matrices between them. On it the numbers are added up in float64
// instead, which is exact to the last digit of a float32 and next to a layer's
// products takes no time. XLA adds up parts first, and has the digits.
//
// On the Go backend a product with ones would be quicker than either sum, but
// its kernels leave the upper halves of the processor's vector registers
// filled. In that state math.Exp, written in instructions of an older kind,
// was measured to take 60 times as long.
func sum(x *node) *node {
	own := func() *node { return graph.ReduceAndKeep(x, graph.ReduceSum, -1) }
	if !addsInOrder(x) {
		return own()
	}
	return withGradientOf(func() *node { // own's gradient copies a number K times; this one's would convert K copies
		wide := graph.ReduceAndKeep(graph.ConvertDType(x, dtypes.Float64), graph.ReduceSum, -1)
		return graph.ConvertDType(wide, x.DType())
	}, own)
}

// addsInOrder says whether x's backend adds up numbers one after the other. XLA
// adds up parts first, and so keeps the digits by itself.
func addsInOrder(x *node) bool { return x.Graph().Backend().Name() != "xla" }

// mean is the mean over the last axis: [..., K] -> [..., 1].
func mean(x *node) *node { return graph.MulScalar(sum(x), 1/float64(size(x, -1))) }

// softmax is that over the last axis: [..., K] -> [..., K]. GoMLX's divides by
// such a sum in float32, so that what it returns does not add up to 1. Where K
// is the number of tokens, and so at most 512, that is no matter.
func softmax(x *node) *node {
	p := graph.Softmax(x, -1)
	if addsInOrder(x) {
		p = graph.Div(p, sum(p))
	}
	return p
}
