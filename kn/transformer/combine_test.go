package transformer_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// classifiers are three of the same shapes.
func classifiers(t *testing.T) (models []*transformer.Model) {
	t.Helper()
	for i := range 3 {
		models = append(models, load(t, filepath.Join(sharedtest.Goldens(t)[0], fmt.Sprintf("classifier_%d", i))))
	}
	return models
}

// weightsOf reads a classifier's tensors back, in the order of Config.Expected.
func weightsOf(t *testing.T, m *transformer.Model) (values [][]float32) {
	t.Helper()
	exec, err := m.NewExec(0, func(w *transformer.Weights, _ []*graph.Node) (all []*graph.Node) {
		dense := func(layers ...transformer.Dense) {
			for _, d := range layers {
				all = append(all, d.Weight, d.Bias)
			}
		}
		norm := func(n transformer.Norm) { all = append(all, n.Scale, n.Bias) }
		all = append(all, w.Embeddings.Word, w.Embeddings.Position, w.Embeddings.Type)
		norm(w.Embeddings.Norm)
		for _, l := range w.Layers {
			dense(l.Query, l.Key, l.Value, l.AttentionOutput)
			norm(l.AttentionNorm)
			dense(l.Intermediate, l.Output)
			norm(l.OutputNorm)
		}
		dense(w.Pooler, w.Classifier)
		for i := range all {
			all[i] = graph.Identity(all[i])
		}
		return all
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range out {
		values = append(values, flat(t, x))
	}
	return values
}

// combined makes a model with the same coefficients for all tensors.
func combined(t *testing.T, c *transformer.Combiner, coefficients ...float64) *transformer.Model {
	t.Helper()
	m, err := c.Combine(func(string) []float64 { return coefficients })
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCombine: every tensor takes part, with the sum's values; a model's own
// coefficients give its bits; and what is freed is not others'.
func TestCombine(t *testing.T) {
	models := classifiers(t)
	c, err := transformer.NewCombiner(models...)
	if err != nil {
		t.Fatal(err)
	}
	var values [][][]float32
	for _, m := range models {
		values = append(values, weightsOf(t, m))
	}
	if n := len(models[0].Config.Expected()); len(values[0]) != n {
		t.Fatalf("%d tensors were read back, want %d", len(values[0]), n)
	}
	for i := range models {
		one := make([]float64, 3)
		one[i] = 1
		m := combined(t, c, one...)
		if !slices.EqualFunc(weightsOf(t, m), values[i], slices.Equal) {
			t.Errorf("coefficients %v do not give model %d", one, i)
		}
		m.Free()
	}
	const a, b = 0.3, -1.7
	m := combined(t, c, 1-a-b, a, b)
	for k, got := range weightsOf(t, m) {
		for j, x := range got {
			x0, x1, x2 := float64(values[0][k][j]), float64(values[1][k][j]), float64(values[2][k][j])
			want := x0 + a*(x1-x0) + b*(x2-x0)
			if math.Abs(float64(x)-want) > 1e-6*(math.Abs(x0)+math.Abs(x1)+math.Abs(x2)) {
				t.Fatalf("%s: entry %d is %v, want %v", m.Config.Expected()[k].Name, j, x, want)
			}
		}
	}
	m.Free()
	for _, x := range weightsOf(t, combined(t, c, 0, 0, 0)) {
		if slices.ContainsFunc(x, func(v float32) bool { return v != 0 }) {
			t.Fatal("coefficients of 0 do not give 0")
		}
	}
	for i, m := range models {
		if !slices.EqualFunc(weightsOf(t, m), values[i], slices.Equal) {
			t.Errorf("model %d has changed", i)
		}
	}
}

// TestCombineByTensor takes the first layer from one model and all else from another.
func TestCombineByTensor(t *testing.T) {
	models := classifiers(t)[:2]
	c, err := transformer.NewCombiner(models...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Combine(func(name string) []float64 {
		if strings.HasPrefix(name, "bert.encoder.layer.0.") {
			return []float64{1, 0}
		}
		return []float64{0, 1}
	})
	if err != nil {
		t.Fatal(err)
	}
	from := [][][]float32{weightsOf(t, models[0]), weightsOf(t, models[1])}
	for k, got := range weightsOf(t, m) {
		name, i := m.Config.Expected()[k].Name, 1
		if strings.HasPrefix(name, "bert.encoder.layer.0.") {
			i = 0
		}
		if !slices.Equal(got, from[i][k]) {
			t.Errorf("%s is not that of model %d", name, i)
		}
	}
}

func TestCombineErrors(t *testing.T) {
	if _, err := transformer.NewCombiner(); err == nil || !strings.Contains(err.Error(), "no model") {
		t.Errorf("nothing to combine gives %v", err)
	}
	models := classifiers(t)
	mask := load(t, filepath.Join(sharedtest.Goldens(t)[0], "model"))
	if _, err := transformer.NewCombiner(models[0], mask); err == nil || !strings.Contains(err.Error(), "one is a classifier") {
		t.Errorf("two kinds of model give %v", err)
	}
	c, err := transformer.NewCombiner(models...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Combine(func(string) []float64 { return []float64{1, 0} })
	if err == nil || !strings.Contains(err.Error(), "word_embeddings.weight: there are 2 coefficients for 3 models") {
		t.Errorf("too few coefficients give %v", err)
	}
	two := models[0].Config
	two.Labels = map[int]string{0: "no", 1: "yes"}
	if err := transformer.SameShapes(models[0].Config, two); err == nil || !strings.Contains(err.Error(), "labels: 3 and 2") {
		t.Errorf("other labels give %v", err)
	}
}
