package transformer_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// tolerance is relative to the largest entry of what is compared.
const tolerance = 1e-4

type forward struct {
	Cases []struct {
		Prompt       string
		IDs          []int32     `json:"input_ids"`
		MaskPosition int         `json:"mask_position"`
		Logits       []float64   `json:"logits_at_mask"`
		Hidden       [][]float64 `json:"hidden_at_mask"`
		Neurons      [][]float64 `json:"ffn_activation_at_mask"`
		Attention    [][]float64 `json:"attention_layer0_head0"`
	}
	Padded struct {
		IDs    [][]int32   `json:"input_ids"`
		Mask   [][]float32 `json:"attention_mask"`
		Logits [][]float64 `json:"logits_at_mask"`
	} `json:"padded_batch"`
}

func load(t testing.TB, dir string) *transformer.Model {
	t.Helper()
	folder, err := checkpoint.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := folder.Load(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := transformer.NewModel(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// near fails unless got equals want within the tolerance of want's largest entry.
func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	largest := 0.0
	for _, w := range want {
		largest = max(largest, math.Abs(w))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= tolerance*largest) {
			t.Fatalf("%s: entry %d is %v, want %v", what, i, got[i], w)
		}
	}
}

func flat(t *testing.T, x *tensors.Tensor) []float32 {
	t.Helper()
	data, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func oneHot(n, i int) []float32 {
	row := make([]float32, n)
	row[i] = 1
	return row
}

// TestForwardEqualsReference compares with PyTorch's values; see also TestEveryHookPoint.
func TestForwardEqualsReference(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		var want forward
		sharedtest.ReadJSON(t, &want, dir, "forward.json")
		m := load(t, filepath.Join(dir, "model"))
		layers := m.Config.Layers
		exec, err := m.NewExec(2, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
			hooks := transformer.Hooks{}
			kept := []**graph.Node{hooks.Capture(transformer.EmbeddingsOut, 0)}
			for l := range layers {
				kept = append(kept, hooks.Capture(transformer.ResidPost, l))
			}
			for l := range layers {
				kept = append(kept, hooks.Capture(transformer.FFNPost, l))
			}
			attention := hooks.Capture(transformer.AttentionProbs, 0)
			h := w.Encode(transformer.Inputs{IDs: in[0]}, hooks)
			out := []*graph.Node{w.Logits(transformer.Row(h, in[1])), *attention}
			for _, k := range kept {
				out = append(out, transformer.Row(*k, in[1]))
			}
			return out
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range want.Cases {
			n := len(c.IDs)
			out, err := exec.Call(context.Background(), [][]int32{c.IDs}, [][]float32{oneHot(n, c.MaskPosition)})
			if err != nil {
				t.Fatal(err)
			}
			near(t, c.Prompt+": logits", flat(t, out[0]), c.Logits)
			head0 := flat(t, out[1])[:n*n]
			for q := range n {
				near(t, c.Prompt+": attention", head0[q*n:(q+1)*n], c.Attention[q])
			}
			for l, h := range c.Hidden {
				near(t, fmt.Sprintf("%s: hidden state %d", c.Prompt, l), flat(t, out[2+l]), h)
			}
			for l, w := range c.Neurons {
				near(t, fmt.Sprintf("%s: neurons of layer %d", c.Prompt, l), flat(t, out[3+layers+l]), w)
			}
		}
	}
}

// TestPaddingChangesNothing runs prompts of several lengths as one padded batch.
func TestPaddingChangesNothing(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		var want forward
		sharedtest.ReadJSON(t, &want, dir, "forward.json")
		m := load(t, filepath.Join(dir, "model"))
		exec, err := m.NewExec(3, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
			return []*graph.Node{w.Logits(w.EncodeRow(transformer.Inputs{IDs: in[0], Mask: in[1]}, in[2], nil))}
		})
		if err != nil {
			t.Fatal(err)
		}
		var pick [][]float32
		for i, c := range want.Cases {
			pick = append(pick, oneHot(len(want.Padded.IDs[i]), c.MaskPosition))
		}
		out, err := exec.Call(context.Background(), want.Padded.IDs, want.Padded.Mask, pick)
		if err != nil {
			t.Fatal(err)
		}
		logits, v := flat(t, out[0]), m.Config.VocabSize
		for i := range want.Cases {
			near(t, "padded batch", logits[i*v:(i+1)*v], want.Padded.Logits[i])
		}
	}
}
