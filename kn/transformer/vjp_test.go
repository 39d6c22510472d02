package transformer_test

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// TestLayerVJPEqualsGradient compares the way back from kept values with
// reverse mode over the whole layer, with padding and with an edited neuron.
func TestLayerVJPEqualsGradient(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		m := load(t, filepath.Join(dir, "model"))
		exec, err := m.NewPartExec(transformer.OneLayer, 3, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
			x, mask, gradient := in[0], in[1], in[2]
			hooks := func() transformer.Hooks {
				h := transformer.Hooks{}
				h.Add(transformer.FFNPost, 0, func(v *graph.Node) *graph.Node { return graph.AddScalar(graph.MulScalar(v, 1.5), 0.1) })
				return h
			}
			whole := hooks()
			kept, neurons := whole.KeepValues(m.Config, 0), whole.Capture(transformer.FFNPost, 0)
			out := w.Layer(0, x, transformer.Whole(x, mask), whole)
			want := graph.Gradient(graph.ReduceAllSum(graph.Mul(out, gradient)), x, *neurons)
			var values []*graph.Node
			for _, v := range kept {
				values = append(values, graph.Identity(graph.StopGradient(*v)))
			}
			gx, gn := w.LayerVJP(0, x, transformer.Whole(x, mask), values, gradient, hooks())
			return []*graph.Node{gx, want[0], gn, want[1]}
		})
		if err != nil {
			t.Fatal(err)
		}
		const rows, n = 2, 5
		rng := rand.New(rand.NewPCG(3, 1))
		random := func() [][][]float32 {
			x := make([][][]float32, rows)
			for r := range x {
				x[r] = make([][]float32, n)
				for i := range x[r] {
					for range m.Config.HiddenSize {
						x[r][i] = append(x[r][i], float32(rng.NormFloat64()))
					}
				}
			}
			return x
		}
		for layer := range m.Config.Layers {
			out, err := exec.CallAt(context.Background(), layer, random(), [][]float32{{1, 1, 1, 1, 1}, {1, 1, 1, 0, 0}}, random())
			if err != nil {
				t.Fatal(err)
			}
			for k := 0; k < len(out); k += 2 {
				got, want := flat(t, out[k]), flat(t, out[k+1])
				largest := 0.0
				for i := range want {
					largest = max(largest, math.Abs(float64(want[i])))
				}
				for i := range want {
					if math.Abs(float64(got[i]-want[i])) > 1e-5*largest {
						t.Fatalf("layer %d, output %d, entry %d: %v instead of %v", layer, k, i, got[i], want[i])
					}
				}
			}
		}
	}
}

// TestFewQueriesEqualAll compares a layer run for few rows, which computes no
// keys and no values, with those rows of the whole layer, values and
// gradients: one row of each sequence, and two of sequences side by side that do
// not see each other.
func TestFewQueriesEqualAll(t *testing.T) {
	m := load(t, filepath.Join(sharedtest.Goldens(t)[0], "model"))
	ids := [][]int32{{2, 7, 9, 4}, {2, 5, 3, 0}}
	for name, c := range map[string]struct {
		mask any // [B, n] or [B, n, n]
		pick [][][]float32
	}{
		"one":  {[][]float32{{1, 1, 1, 1}, {1, 1, 1, 0}}, [][][]float32{{oneHot(4, 1)}, {oneHot(4, 2)}}},
		"some": {[][][]float32{sideBySide(2, 2), sideBySide(1, 3)}, [][][]float32{{oneHot(4, 1), oneHot(4, 2)}, {oneHot(4, 0), oneHot(4, 3)}}},
	} {
		exec, err := m.NewPartExec(transformer.EmbeddingsPart|transformer.OneLayer, 3, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
			ids, mask, pick := in[0], in[1], in[2]
			x := w.Embed(transformer.Inputs{IDs: ids}, nil)
			ofRows := mask
			if mask.Rank() == 3 {
				ofRows = transformer.Rows(mask, pick)
			}
			few := w.Layer(0, transformer.Rows(x, pick), transformer.Context{Keys: x, Mask: ofRows, Positions: transformer.PickedPositions(pick)}, nil)
			all := transformer.Rows(w.Layer(0, x, transformer.Whole(x, mask), nil), pick)
			gradient := func(y *graph.Node) *graph.Node { return graph.Gradient(graph.ReduceAllSum(graph.Square(y)), x)[0] }
			return []*graph.Node{few, all, gradient(few), gradient(all), transformer.SetRows(x, pick, transformer.Rows(x, pick)), x}
		})
		if err != nil {
			t.Fatal(err)
		}
		for layer := range m.Config.Layers {
			out, err := exec.CallAt(context.Background(), layer, ids, c.mask, c.pick)
			if err != nil {
				t.Fatal(err)
			}
			for k := 0; k < len(out); k += 2 {
				want := flat(t, out[k+1])
				wide := make([]float64, len(want))
				for i, v := range want {
					wide[i] = float64(v)
				}
				near(t, name, flat(t, out[k]), wide)
			}
		}
	}
}

// sideBySide is the mask [n, n] of sequences of the given lengths in one.
func sideBySide(lengths ...int) [][]float32 {
	of := []int{}
	for i, n := range lengths {
		of = append(of, slices.Repeat([]int{i}, n)...)
	}
	mask := make([][]float32, len(of))
	for i := range mask {
		mask[i] = make([]float32, len(of))
		for j := range mask[i] {
			if of[i] == of[j] {
				mask[i][j] = 1
			}
		}
	}
	return mask
}

// TestSequencesSideBySide compares a layer of two sequences in one row of
// tokens, their positions given, with each of them by itself.
func TestSequencesSideBySide(t *testing.T) {
	m := load(t, filepath.Join(sharedtest.Goldens(t)[0], "model"))
	exec, err := m.NewPartExec(transformer.EmbeddingsPart|transformer.OneLayer, 3, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
		x := w.Embed(transformer.Inputs{IDs: in[0], Positions: in[1]}, nil)
		return []*graph.Node{w.Layer(0, x, transformer.Whole(x, in[2]), nil)}
	})
	if err != nil {
		t.Fatal(err)
	}
	run := func(ids, positions []int32, lengths ...int) []float32 {
		out, err := exec.CallAt(context.Background(), 0, [][]int32{ids}, [][]int32{positions}, [][][]float32{sideBySide(lengths...)})
		if err != nil {
			t.Fatal(err)
		}
		return flat(t, out[0])
	}
	apart := append(run([]int32{2, 7, 9}, []int32{0, 1, 2}, 3), run([]int32{2, 5}, []int32{0, 1}, 2)...)
	want := make([]float64, len(apart))
	for i, v := range apart {
		want[i] = float64(v)
	}
	near(t, "side by side", run([]int32{2, 7, 9, 2, 5}, []int32{0, 1, 2, 0, 1}, 3, 2), want)
}
