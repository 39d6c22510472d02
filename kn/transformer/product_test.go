package transformer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// TestProducts compares both products and their gradients with sums over all
// entries, at sizes that take every way: square ones, few rows, few columns,
// long sums, and a matrix that is large.
func TestProducts(t *testing.T) {
	on, err := backend.Open(backend.Default)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 1))
	random := func(dims ...int) (*tensors.Tensor, []float32) {
		x := make([]float32, dims[0]*dims[1]*dims[2])
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return tensors.FromFlatDataAndDimensions(x, dims...), x
	}
	for _, s := range []struct{ batch, m, n, k int }{
		{3, 8, 8, 8}, {2, 5, 7, 7}, {2, 7, 6, 7}, {2, 5, 40, 3}, {3, 1, 9, 4}, {2, 9, 2, 33}, {1, 4, 4, 64}, {1, 162, 161, 163},
	} {
		for _, byRows := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/rows %v", s, byRows), func(t *testing.T) {
				of, dims := product, []int{s.batch, s.k, s.n}
				at := func(b, j, l int) int { return (b*s.k+l)*s.n + j } // where y's entry l of column j is
				if byRows {
					of, dims = productT, []int{s.batch, s.n, s.k}
					at = func(b, j, l int) int { return (b*s.n+j)*s.k + l }
				}
				exec, err := graph.NewExec(on, func(x, y, v *node) []*node {
					z := of(x, y)
					return append(graph.Gradient(graph.ReduceAllSum(graph.Mul(z, v)), x, y), z)
				})
				if err != nil {
					t.Fatal(err)
				}
				tx, x := random(s.batch, s.m, s.k)
				ty, y := random(dims...)
				tv, v := random(s.batch, s.m, s.n)
				out, err := exec.Call(tx, ty, tv)
				if err != nil {
					t.Fatal(err)
				}
				want := [][]float64{make([]float64, len(x)), make([]float64, len(y)), make([]float64, len(v))}
				for b := range s.batch {
					for i := range s.m {
						for j := range s.n {
							to := (b*s.m+i)*s.n + j
							for l := range s.k {
								left, right := (b*s.m+i)*s.k+l, at(b, j, l)
								want[2][to] += float64(x[left]) * float64(y[right])
								want[0][left] += float64(v[to]) * float64(y[right])
								want[1][right] += float64(v[to]) * float64(x[left])
							}
						}
					}
				}
				for k, name := range []string{"gradient of x", "gradient of y", "product"} {
					got := tensors.MustCopyFlatData[float32](out[k])
					if len(got) != len(want[k]) {
						t.Fatalf("%s: %d entries instead of %d", name, len(got), len(want[k]))
					}
					for i := range got {
						if math.Abs(float64(got[i])-want[k][i]) > 1e-4 {
							t.Fatalf("%s, entry %d: %g instead of %g", name, i, got[i], want[k][i])
						}
					}
				}
			})
		}
	}
}
