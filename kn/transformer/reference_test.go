package transformer_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// reference is BERT in float64 and plain loops, after Devlin et al. (2019), with
// nothing of this package but the names of its points.
type reference struct {
	config  checkpoint.Config
	tensors map[string]checkpoint.Tensor
	values  map[transformer.Site][][]float64 // rows of each site; of attention, a head's and query's
}

// dense is x·Wᵀ + b of each row.
func (r *reference) dense(name string, x [][]float64) [][]float64 {
	w, b := r.tensors[name+".weight"], r.tensors[name+".bias"]
	in := w.Shape[1]
	out := make([][]float64, len(x))
	for i, row := range x {
		out[i] = make([]float64, w.Shape[0])
		for j := range out[i] {
			out[i][j] = float64(b.Data[j])
			for k, v := range row {
				out[i][j] += v * float64(w.Data[j*in+k])
			}
		}
	}
	return out
}

// norm is LayerNorm of each row of the sum of some.
func (r *reference) norm(name string, terms ...[][]float64) [][]float64 {
	w, b := r.tensors[name+".weight"], r.tensors[name+".bias"]
	out := make([][]float64, len(terms[0]))
	for i := range out {
		row := make([]float64, len(terms[0][i]))
		mean, variance := 0.0, 0.0
		for j := range row {
			for _, term := range terms {
				row[j] += term[i][j]
			}
			mean += row[j] / float64(len(row))
		}
		for _, v := range row {
			variance += (v - mean) * (v - mean) / float64(len(row))
		}
		for j, v := range row {
			row[j] = (v-mean)/math.Sqrt(variance+r.config.LayerNormEps)*float64(w.Data[j]) + float64(b.Data[j])
		}
		out[i] = row
	}
	return out
}

func (r *reference) run(ids []int32) {
	h := r.config.HiddenSize
	row := func(table string, i int) []float64 {
		out := make([]float64, h)
		for j := range out {
			out[j] = float64(r.tensors["bert.embeddings."+table+".weight"].Data[i*h+j])
		}
		return out
	}
	var words, positions, types [][]float64
	for i, id := range ids {
		words, positions, types = append(words, row("word_embeddings", int(id))), append(positions, row("position_embeddings", i)), append(types, row("token_type_embeddings", 0))
	}
	x := r.norm("bert.embeddings.LayerNorm", words, positions, types)
	r.values[transformer.Site{Point: transformer.EmbeddingsOut}] = x
	for l := range r.config.Layers {
		x = r.layer(l, x)
	}
}

func (r *reference) layer(l int, x [][]float64) [][]float64 {
	name := fmt.Sprintf("bert.encoder.layer.%d.", l)
	keep := func(p transformer.Point, rows [][]float64) [][]float64 {
		r.values[transformer.Site{Point: p, Layer: l}] = rows
		return rows
	}
	q := keep(transformer.QueryOut, r.dense(name+"attention.self.query", x))
	k := keep(transformer.KeyOut, r.dense(name+"attention.self.key", x))
	v := keep(transformer.ValueOut, r.dense(name+"attention.self.value", x))
	size := r.config.HiddenSize / r.config.Heads
	context, probs := make([][]float64, len(x)), [][]float64{}
	for i := range context {
		context[i] = make([]float64, r.config.HiddenSize)
	}
	for head := range r.config.Heads {
		for i := range x {
			row, sum := make([]float64, len(x)), 0.0
			for j := range x {
				dot := 0.0
				for c := head * size; c < (head+1)*size; c++ {
					dot += q[i][c] * k[j][c]
				}
				row[j] = math.Exp(dot / math.Sqrt(float64(size)))
				sum += row[j]
			}
			for j := range row {
				row[j] /= sum
				for c := head * size; c < (head+1)*size; c++ {
					context[i][c] += row[j] * v[j][c]
				}
			}
			probs = append(probs, row)
		}
	}
	keep(transformer.AttentionProbs, probs)
	out := keep(transformer.AttentionOut, r.dense(name+"attention.output.dense", context))
	mid := keep(transformer.ResidMid, r.norm(name+"attention.output.LayerNorm", x, out))
	pre := keep(transformer.FFNPre, r.dense(name+"intermediate.dense", mid))
	post := make([][]float64, len(pre))
	for i, row := range pre {
		post[i] = make([]float64, len(row))
		for j, u := range row {
			post[i][j] = u * (1 + math.Erf(u/math.Sqrt2)) / 2
		}
	}
	keep(transformer.FFNPost, post)
	ffn := keep(transformer.FFNOut, r.dense(name+"output.dense", post))
	return keep(transformer.ResidPost, r.norm(name+"output.LayerNorm", mid, ffn))
}

// TestEveryHookPoint compares all points of all layers, at all tokens, with the
// reference; the reference is held against PyTorch's values by the hidden states
// and neurons of [forward].
func TestEveryHookPoint(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		var want forward
		sharedtest.ReadJSON(t, &want, dir, "forward.json")
		folder, err := checkpoint.OpenFolder(filepath.Join(dir, "model"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := folder.Load(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Config.HiddenAct != "gelu" {
			t.Fatalf("%s: the reference has gelu, not %s", dir, c.Config.HiddenAct)
		}
		m := load(t, filepath.Join(dir, "model"))
		var sites []transformer.Site
		for p := transformer.EmbeddingsOut; p <= transformer.ResidPost; p++ {
			for l := range m.Config.Layers {
				if (p != transformer.EmbeddingsOut || l == 0) && p != transformer.FFNLinear { // BERT's neurons have no gate
					sites = append(sites, transformer.Site{Point: p, Layer: l})
				}
			}
		}
		exec, err := m.NewExec(1, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
			hooks := transformer.Hooks{}
			var kept []**graph.Node
			for _, s := range sites {
				kept = append(kept, hooks.Capture(s.Point, s.Layer))
			}
			w.Encode(transformer.Inputs{IDs: in[0]}, hooks)
			var out []*graph.Node
			for _, k := range kept {
				out = append(out, *k)
			}
			return out
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, example := range want.Cases {
			r := &reference{config: c.Config, tensors: c.Tensors, values: map[transformer.Site][][]float64{}}
			r.run(example.IDs)
			for l, neurons := range example.Neurons { // PyTorch's, at [MASK]
				for i, w := range neurons {
					if got := r.values[transformer.Site{Point: transformer.FFNPost, Layer: l}][example.MaskPosition][i]; math.Abs(got-w) > 1e-8 { // they have eight decimals
						t.Fatalf("%s: the reference's neuron %d:%d is %v, PyTorch's %v", example.Prompt, l, i, got, w)
					}
				}
			}
			out, err := exec.Call(context.Background(), [][]int32{example.IDs})
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range sites {
				var all []float64
				for _, row := range r.values[s] {
					all = append(all, row...)
				}
				near(t, fmt.Sprintf("%s: %v of layer %d", example.Prompt, s.Point, s.Layer), flat(t, out[i]), all)
			}
		}
	}
}
