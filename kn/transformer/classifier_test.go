package transformer_test

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// TestLossAndErrors compares both with their definitions.
func TestLossAndErrors(t *testing.T) {
	m := load(t, filepath.Join("..", "internal", "sharedtest", "testdata", "golden", "classifier_0"))
	exec, err := m.NewExec(2, func(_ *transformer.Weights, in []*graph.Node) []*graph.Node {
		return []*graph.Node{transformer.CrossEntropy(in[0], in[1]), transformer.Errors(in[0], in[1])}
	})
	if err != nil {
		t.Fatal(err)
	}
	logits, labels := [][]float32{{1, 2, 3}, {0, 0, -1}, {90, -90, 0}}, []int32{2, 2, 1}
	out, err := exec.Call(context.Background(), logits, labels)
	if err != nil {
		t.Fatal(err)
	}
	var losses []float64
	for i, row := range logits {
		sum := 0.0
		for _, x := range row {
			sum += math.Exp(float64(x))
		}
		losses = append(losses, math.Log(sum)-float64(row[labels[i]]))
	}
	near(t, "cross-entropy", flat(t, out[0]), losses)
	near(t, "errors", flat(t, out[1]), []float64{0, 1, 1})
}

// TestFirstRowEqualsWhole computes the last layer for [CLS] only and for all tokens.
func TestFirstRowEqualsWhole(t *testing.T) {
	m := load(t, filepath.Join("..", "internal", "sharedtest", "testdata", "golden", "classifier_1"))
	exec, err := m.NewExec(3, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
		inputs := transformer.Inputs{IDs: in[0], Types: in[1], Mask: in[2]}
		first := graph.Squeeze(graph.Slice(w.Encode(inputs, nil), graph.AxisRange(), graph.AxisRange(0, 1)), 1)
		return []*graph.Node{w.Classify(inputs, nil), w.ClassLogits(w.Pool(first))}
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call(context.Background(),
		[][]int32{{3, 143, 4, 188, 4, 0}, {3, 20, 30, 40, 50, 4}}, [][]int32{{0, 0, 0, 1, 1, 0}, {0, 0, 0, 0, 0, 0}},
		[][]float32{{1, 1, 1, 1, 1, 0}, {1, 1, 1, 1, 1, 1}})
	if err != nil {
		t.Fatal(err)
	}
	var whole []float64
	for _, x := range flat(t, out[1]) {
		whole = append(whole, float64(x))
	}
	near(t, "logits", flat(t, out[0]), whole)
}
