package dynamics_test

import (
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
)

func TestMeasures(t *testing.T) {
	r := &dynamics.LayersBySteps{AttentionJSD: [][]float64{{1}}, SVCCADistance: [][]float64{{2}}, CKADistance: [][]float64{{3}}}
	p := &dynamics.PairMatrices{AttentionJSD: [][][]float64{{{1}}}, SVCCADistance: [][][]float64{{{2}}}, CKADistance: [][][]float64{{{3}}}}
	for i, m := range dynamics.AllMeasures {
		if want := float64(i + 1); r.Of(m)[0][0] != want || p.Of(m)[0][0][0] != want || m.States() != (i > 0) {
			t.Errorf("%s: %v and %v, of hidden states: %v", m, r.Of(m), p.Of(m), m.States())
		}
	}
	if r.Of("other") != nil || p.Of("") != nil {
		t.Error("values of no measure")
	}
}
