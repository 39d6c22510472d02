package electra

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Draw draws one token of each row by the inverse of the row's distribution
// function: p [N, V], not negative and not all 0, u [N] uniform in [0, 1) ->
// [N] int32. A token of probability 0 is never drawn. The random numbers
// come from outside, so that they follow from a seed alone.
//
// The function is summed in two stages, over blocks of about √V tokens and
// inside one of them, which costs √V as much as over all.
func Draw(p, u *graph.Node) *graph.Node {
	p = graph.StopGradient(p)
	n, v := p.Shape().Dimensions[0], p.Shape().Dimensions[1]
	size := int(math.Ceil(math.Sqrt(float64(v))))
	count := (v + size - 1) / size
	if padding := count*size - v; padding > 0 {
		p = graph.Concatenate([]*graph.Node{p, graph.Zeros(p.Graph(), shapes.Make(p.DType(), n, padding))}, 1)
	}
	blocks := graph.Reshape(p, n, count, size)                                    // [N, C, S]
	block, rest := invert(graph.ReduceSum(blocks, -1), u, true)                   // [N], [N]
	pick := graph.InsertAxes(graph.OneHot(block, count, p.DType()), -1)           // [N, C, 1]
	inside, _ := invert(graph.ReduceSum(graph.Mul(blocks, pick), 1), rest, false) // [N]
	return graph.Add(graph.MulScalar(block, float64(size)), inside)               // [N]
}

// invert finds the first index at which the running sum of p [N, K] is above
// u [N], and how far u is above the sum of those before. A share is first
// turned into an amount.
func invert(p, u *graph.Node, share bool) (index, rest *graph.Node) {
	k := p.Shape().Dimensions[1]
	upper := graph.ConvertDType(graph.UpperTriangular(p.Graph(), k), p.DType())
	sums := graph.Dot(p, upper).Product()                                                // [N, K], running
	total := graph.Squeeze(graph.Slice(sums, graph.AxisRange(), graph.AxisElem(k-1)), 1) // [N]
	if share {
		u = graph.Mul(u, total)
	}
	// Below the total whatever was rounded, so that there is such an index.
	u = graph.Min(u, graph.MulScalar(total, 1-1e-6))
	passed := graph.ConvertDType(graph.LessOrEqual(sums, graph.InsertAxes(u, -1)), p.DType()) // [N, K]
	index = graph.ConvertDType(graph.ReduceSum(passed, -1), dtypes.Int32)
	// Not below 0, where a first token without probability would be found.
	return index, graph.MaxScalar(graph.Sub(u, graph.ReduceSum(graph.Mul(p, passed), -1)), 0.0)
}
