package electra

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Both models compute what transformers computes in float64, with a projection
// of the embeddings (the generator) and without one, and with padding.
func TestLogitsEqualTransformers(t *testing.T) {
	var want struct {
		IDs           [][]int32     `json:"ids"`
		Mask          [][]float32   `json:"mask"`
		Generator     [][][]float64 `json:"generator"`
		Discriminator [][]float64   `json:"discriminator"`
	}
	sharedtest.ReadJSON(t, &want, "testdata", "forward.json")
	for _, name := range []string{"generator", "discriminator"} {
		c, err := Open(t.Context(), filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		exec, err := c.NewExec(2, func(lookup transformer.Lookup, in []*graph.Node) []*graph.Node {
			inputs := transformer.Inputs{IDs: in[0], Mask: in[1]}
			if name == "generator" {
				g := NewGenerator(c.Config, lookup)
				return []*graph.Node{g.Logits(g.Encode(inputs, nil))} // [B, n, V]
			}
			d := NewDiscriminator(c.Config, lookup)
			return []*graph.Node{d.Logits(d.Encode(inputs, nil))} // [B, n]
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Call(t.Context(), want.IDs, want.Mask)
		if err != nil {
			t.Fatal(err)
		}
		var got, asked []float64
		flat := tensors.MustCopyFlatData[float32](out[0])
		each := len(flat) / (len(want.IDs) * len(want.IDs[0]))
		for i, row := range want.Mask {
			for j, kept := range row {
				if kept == 0 {
					continue // what padding computes is of no interest
				}
				for _, x := range flat[(i*len(row)+j)*each:][:each] {
					got = append(got, float64(x))
				}
				if name == "generator" {
					asked = append(asked, want.Generator[i][j]...)
				} else {
					asked = append(asked, want.Discriminator[i][j])
				}
			}
		}
		near(t, name, got, asked, 1e-5)
	}
}

// What is saved is read again, tensor by tensor, and asks of transformers what
// the files of its own do.
func TestSaveOpen(t *testing.T) {
	for _, name := range []string{"generator", "discriminator"} {
		c, err := Open(t.Context(), filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "saved")
		if err := c.Save(dir); err != nil {
			t.Fatal(err)
		}
		again, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if again.Config.EmbeddingSize != 12 || again.Config.Class() != c.Config.Class() || len(again.Tensors) != len(c.Tensors) {
			t.Errorf("%s: %+v with %d tensors", name, again.Config, len(again.Tensors))
		}
		for tensor, want := range c.Tensors {
			if got := again.Tensors[tensor]; !slices.Equal(got.Shape, want.Shape) || !slices.Equal(got.Data, want.Data) {
				t.Errorf("%s: tensor %s differs", name, tensor)
			}
		}
	}
}

func TestBadCheckpoints(t *testing.T) {
	read := func(t *testing.T) *Checkpoint {
		t.Helper()
		c, err := Open(t.Context(), filepath.Join("testdata", "discriminator"))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, c := range map[string]struct {
		spoil func(c *Checkpoint)
		want  string
	}{
		"missing":   {func(c *Checkpoint) { delete(c.Tensors, "discriminator_predictions.dense.bias") }, "missing: discriminator_predictions.dense.bias"},
		"left over": {func(c *Checkpoint) { c.Tensors["more"] = checkpoint.Tensor{} }, "left over: more"},
		"misshapen": {func(c *Checkpoint) {
			c.Tensors["electra.embeddings.LayerNorm.bias"] = checkpoint.Tensor{Shape: []int{1}, Data: []float32{0}}
		}, "LayerNorm.bias is [1], not [12]"},
		"NaN": {func(c *Checkpoint) {
			c.Tensors["electra.embeddings.LayerNorm.bias"].Data[3] = float32(math.NaN())
		}, "NaN"},
		"BERT": {func(c *Checkpoint) { c.Config.ModelType = "bert" }, `model_type is "bert"`},
	} {
		t.Run(name, func(t *testing.T) {
			checkpoint := read(t)
			c.spoil(checkpoint)
			if err := checkpoint.Save(t.TempDir()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if _, err := Open(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("an empty folder: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"model_type": "electra", "architectures": ["ElectraModel"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); err == nil || !strings.Contains(err.Error(), GeneratorClass) {
		t.Errorf("another class: %v", err)
	}
}

func TestGeneratorConfig(t *testing.T) {
	c := kn.Must(Open(t.Context(), filepath.Join("testdata", "discriminator"))).Config // 12 wide, 3 heads, 24 neurons
	for size, want := range map[float64][3]int{1: {12, 3, 24}, 0.5: {8, 2, 12}, 0.34: {4, 1, 8}, 0.01: {4, 1, 1}} {
		g := c.Generator(size)
		if got := [3]int{g.HiddenSize, g.Heads, g.IntermediateSize}; got != want || g.EmbeddingSize != 12 || g.Class() != GeneratorClass {
			t.Errorf("size %v: %v wide, heads, neurons; want %v", size, got, want)
		}
		if err := g.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestDetect(t *testing.T) {
	d := MustOpenDetector(filepath.Join("testdata", "discriminator"))
	found := d.MustDetect("a b c")
	if len(found) != 3 || found[1].Token != "b" || !(found[1].Replaced > 0 && found[1].Replaced < 1) {
		t.Errorf("detected %v", found)
	}
	for text, want := range map[string]string{"a § b": "§", strings.Repeat("a ", 20): "22 tokens"} {
		if _, err := d.Detect(t.Context(), text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := OpenDetector(t.Context(), filepath.Join("testdata", "generator")); err == nil || !strings.Contains(err.Error(), "discriminator's folder") {
		t.Errorf("a generator: %v", err)
	}
}
