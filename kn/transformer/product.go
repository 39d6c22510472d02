package transformer

import "github.com/gomlx/gomlx/core/graph"

type node = graph.Node

// The products of matrices here say the same as DotGeneral, written so that
// GoMLX's Go backend finds a layout that it is quick at, in the gradients too.
// Its kernel for small matrices is up to ten times as fast when it adds up
// rows of the right matrix, [..., m, k]·[..., k, n], as when it multiplies rows
// with rows, [..., m, k]·[..., n, k]ᵀ, and whatever fits neither is copied into
// the second layout. GoMLX's own gradient of a product fits neither for one of
// the two matrices. On XLA they take as long as any.

// rowsTimesRows says whether a product of rows with rows is to stay one, being
// large enough for the kernel that is quick at both, or so long in what it sums
// over that a transposed copy does not pay. That is from sixteen numbers for each
// row of the smaller matrix on: with four kn-mini took a quarter longer.
func rowsTimesRows(m, n, k int) bool {
	return m*n*k >= largeProduct || k > 16*min(m, n)
}

// largeProduct is the number of multiplications from which on the backend has a
// kernel for large matrices, which is as quick at either layout.
const largeProduct = 4 << 20

// product is x·y: x [..., m, k], y [..., k, n] -> [..., m, n], the same axes
// in front. Its gradients are v·yᵀ and xᵀ·v.
func product(x, y *node) *node {
	m, k, n := size(x, -2), size(x, -1), size(y, -1)
	constX, constY := graph.StopGradient(x), graph.StopGradient(y)
	return withGradientOf(
		func() *node { return contract(x, -1, y, -2) },
		func() *node {
			byX := contract(x, -1, constY, -2) // whose gradient multiplies rows with rows
			if !rowsTimesRows(m, k, n) {
				byX = contract(x, -1, transposed(constY), -1)
			}
			if m == k { // y is as large as the product
				return graph.Add(byX, graph.IdentityWithCustomGradient(y, func(_, v *node) *node {
					return product(transposed(x), v)
				}))
			}
			return graph.Add(byX, transposed(contract(y, -2, constX, -1)))
		})
}

// productT is x·yᵀ: x [..., m, k], y [..., n, k] -> [..., m, n], the same axes
// in front. Its gradients are v·y and vᵀ·x.
func productT(x, y *node) *node {
	return withGradientOf(
		func() *node {
			if rowsTimesRows(size(x, -2), size(y, -2), size(x, -1)) {
				return contract(x, -1, y, -1)
			}
			return contract(x, -1, transposed(y), -2)
		},
		func() *node {
			byX := contract(x, -1, graph.StopGradient(y), -1)
			byY := contract(y, -1, graph.StopGradient(x), -1) // [..., n, m]
			return graph.Add(byX, transposed(byY))
		})
}

// productTwin is productT where y is there in both layouts, [n, k] and twin
// [k, n], and has no gradient: neither the product nor its gradient by x needs the
// slow kernel.
func productTwin(x, y, twin *node) *node {
	if size(x, 0)*size(y, 0)*size(y, 1) >= largeProduct {
		return productT(x, y)
	}
	return withGradientOf(
		func() *node { return contract(x, -1, twin, -2) },
		func() *node { return contract(x, -1, graph.StopGradient(y), -1) })
}

// withGradientOf is what value computes, with the gradient of another way to
// compute the same, of which nothing else is run.
// GoMLX has this for its fused operations; nothing else that it exports gives a
// value of two nodes a gradient of our own.
func withGradientOf(value, same func() *node) *node {
	y, _ := graph.InternalFusedOpCaller(value, same, true)
	return y
}

// contract sums over an axis of each, with all axes in front but the last two
// of each aligned.
func contract(x *node, ofX int, y *node, ofY int) *node {
	front := make([]int, x.Rank()-2)
	for i := range front {
		front[i] = i
	}
	return graph.DotGeneral(x, []int{x.Rank() + ofX}, front, y, []int{y.Rank() + ofY}, front)
}

// transposed exchanges the last two axes.
func transposed(x *node) *node { return graph.Transpose(x, -2, -1) }

// size is an axis' dimension.
func size(x *node, axis int) int { return x.Shape().Dim(axis) }
