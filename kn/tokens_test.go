package kn

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// neuronsAlone computes a layer's neurons [n][F] at all tokens of one text, in
// a graph of its own on the whole model.
func neuronsAlone(t *testing.T, m *Model, text string, layer int) [][]float64 {
	t.Helper()
	weights, err := m.Transformer()
	if err != nil {
		t.Fatal(err)
	}
	exec, err := weights.NewExec(1, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
		hooks := transformer.Hooks{}
		neurons := hooks.Capture(transformer.FFNPost, layer)
		w.Encode(transformer.Inputs{IDs: in[0]}, hooks)
		return []*graph.Node{graph.Squeeze(*neurons, 0)} // [n, F]
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []int32
	for _, id := range m.Tokenizer().Encode(text).IDs {
		ids = append(ids, int32(id))
	}
	out, err := exec.Call(t.Context(), [][]int32{ids})
	if err != nil {
		t.Fatal(err)
	}
	flat, ffn := tensors.MustCopyFlatData[float32](out[0]), m.Config().IntermediateSize
	rows := make([][]float64, len(ids))
	for i, v := range flat {
		rows[i/ffn] = append(rows[i/ffn], float64(v))
	}
	return rows
}

// TestTokenActivationsEqualOneByOne: texts of several lengths with neurons of
// their own, with [MASK] and without, against the whole model run on each alone.
func TestTokenActivationsEqualOneByOne(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		m := goldenModel(t, dir)
		layers, ffn := m.Config().Layers, m.Config().IntermediateSize
		readings := []Reading{
			{"Paris is the capital of France .", []Neuron{{layers - 1, ffn - 1}, {0, 3}}},
			{"The capital of France is [MASK] .", []Neuron{{1, 2}, {0, 0}, {1, 0}, {1, ffn - 1}}},
			{"France", []Neuron{{0, 1}}},
			{"London is the capital of France .", nil},
			{"London is a capital of a France .", []Neuron{{0, 5}, {0, 5}}},
		}
		got, err := m.TokenActivations(readings)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range readings {
			if (got[i].Mask >= 0) != strings.Contains(r.Text, "[MASK]") || got[i].Mask >= 0 && got[i].Tokens[got[i].Mask] != "[MASK]" {
				t.Errorf("%q: [MASK] at %d of %q", r.Text, got[i].Mask, got[i].Tokens)
			}
			if len(got[i].Values) != len(r.Neurons) {
				t.Fatalf("%q: %d neurons, want %d", r.Text, len(got[i].Values), len(r.Neurons))
			}
			for k, n := range r.Neurons {
				want := neuronsAlone(t, m, r.Text, n.Layer)
				if len(got[i].Values[k]) != len(want) || len(want) != len(got[i].Tokens) {
					t.Fatalf("%q: %d values, %d tokens, want %d", r.Text, len(got[i].Values[k]), len(got[i].Tokens), len(want))
				}
				for token := range want {
					if w := want[token][n.Index]; math.Abs(got[i].Values[k][token]-w) > 1e-5 {
						t.Errorf("%q, neuron %v, token %d: %v, alone %v", r.Text, n, token, got[i].Values[k][token], w)
					}
				}
			}
		}
		atMask := m.MustActivations(readings[1].Text)
		for k, n := range readings[1].Neurons {
			if v := got[1].Values[k][got[1].Mask]; math.Abs(v-atMask[n.Layer][n.Index]) > 1e-5 {
				t.Errorf("neuron %v at [MASK] is %v, by Activations %v", n, v, atMask[n.Layer][n.Index])
			}
		}
	}
}

// TestTokenActivationsUnderEdits: an edit at [MASK] changes a neuron there
// alone, one at all positions everywhere, also in a text without [MASK].
func TestTokenActivationsUnderEdits(t *testing.T) {
	m := goldenModel(t, sharedtest.Goldens(t)[0])
	n := Neuron{1, 4}
	masked, open := Reading{"The capital of [MASK] is Paris .", []Neuron{n}}, Reading{"The capital of France is Paris .", []Neuron{n}}
	plain := m.MustTokenActivations([]Reading{masked, open})
	at := m.MustWith(Scale([]Neuron{n}, 3)).MustTokenActivations([]Reading{masked, open})
	all := m.MustWith(Scale([]Neuron{n}, 3).AtAllPositions()).MustTokenActivations([]Reading{masked, open})
	for i, text := range plain {
		for token, v := range text.Values[0] {
			want := v
			if token == text.Mask {
				want *= 3
			}
			if math.Abs(at[i].Values[0][token]-want) > 1e-6 || math.Abs(all[i].Values[0][token]-3*v) > 1e-6 {
				t.Errorf("text %d, token %d: %v at [MASK], %v everywhere, plain %v", i, token, at[i].Values[0][token], all[i].Values[0][token], v)
			}
		}
	}
}

func TestTokenActivationsErrors(t *testing.T) {
	m := goldenModel(t, sharedtest.Goldens(t)[0])
	for name, test := range map[string]struct {
		reading Reading
		want    error
	}{
		"too long":          {Reading{strings.Repeat("a ", m.Config().MaxPositions), nil}, tokenizer.ErrTooLong},
		"too long, masked":  {Reading{"[MASK] " + strings.Repeat("a ", m.Config().MaxPositions), nil}, tokenizer.ErrTooLong},
		"more than one gap": {Reading{"[MASK] and [MASK]", nil}, tokenizer.ErrManyMasks},
	} {
		if _, err := m.TokenActivations([]Reading{test.reading}); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if _, err := m.TokenActivations([]Reading{{"a", []Neuron{{9, 0}}}}); err == nil || !strings.Contains(err.Error(), "no neuron 9:0") {
		t.Errorf("a neuron that is not there gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.WithContext(ctx).TokenActivations([]Reading{{"a", []Neuron{{0, 0}}}}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gives %v", err)
	}
}

// TestTransformerIsTheCallersOwn frees what Transformer returned, edited and not:
// the model goes on as before.
func TestTransformerIsTheCallersOwn(t *testing.T) {
	m := goldenModel(t, "internal/sharedtest/testdata/golden")
	const prompt = "The capital of France is [MASK] ."
	before := m.MustProbability(prompt, "Paris")
	erased := m.MustWith(Erase([]Neuron{{Layer: 0, Index: 1}}))
	edited := erased.MustProbability(prompt, "Paris")
	if edited == before {
		t.Fatal("erasing a neuron changes nothing: choose another one")
	}
	for _, handle := range []*Model{m, erased} {
		weights, err := handle.Transformer()
		if err != nil {
			t.Fatal(err)
		}
		weights.Free()
	}
	fresh := []*Model{m.WithCache("off"), erased.WithCache("off")}
	for i, want := range []float64{before, edited} {
		if got := fresh[i].MustProbability(prompt, "Paris"); got != want {
			t.Errorf("%v once the weights were freed, want %v", got, want)
		}
	}
}
