package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

func TestCompareEqualsReference(t *testing.T) {
	for _, dir := range goldens(t) {
		var want struct {
			Prompts []string
			JSD     []float64 `json:"attention_jsd_per_layer"`
			SVCCA   []struct{ Distance float64 }
		}
		sharedtest.ReadJSON(t, &want, dir, "dynamics.json")
		texts := written(t, strings.Join(want.Prompts, "\n"))
		a, b := filepath.Join(dir, "model"), filepath.Join(dir, "model_b")
		var got dynamics.Comparison
		object(t, succeeds(t, "compare", "--models", a, b, "--texts", texts, "--json"), &got,
			"model_a", "model_b", "attention_jsd", "svcca_distance", "cka_distance", "kept_a", "kept_b", "texts", "tokens", "provenance")
		for l, w := range want.JSD {
			if !near(got.AttentionJSD[l], w) {
				t.Errorf("%s: attention of layer %d: %v, want %v", dir, l, got.AttentionJSD[l], w)
			}
		}
		for l, w := range want.SVCCA {
			if math.Abs(got.SVCCADistance[l]-w.Distance) > 1e-6+1e-4*w.Distance {
				t.Errorf("%s: hidden states %d: %v, want %v", dir, l, got.SVCCADistance[l], w.Distance)
			}
		}
		table := succeeds(t, "compare", "--texts", texts, "--models", a, b)
		for _, word := range []string{"SVCCA distance", "embeddings", "layer 1", "give more texts"} {
			if !strings.Contains(table, word) {
				t.Errorf("%q is missing in\n%s", word, table)
			}
		}
	}
}
