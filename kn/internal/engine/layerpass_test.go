package engine

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// deep makes an engine of a reference model whose layers are used twice over,
// so that paths have layers above and below them.
func deep(t *testing.T) *Engine {
	t.Helper()
	folder, err := checkpoint.OpenFolder(filepath.Join(sharedtest.Goldens(t)[0], "model"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := folder.Load(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	layers := c.Config.Layers
	c.Config.Layers *= 3
	for _, x := range c.Config.Expected() {
		var l int
		var rest string
		if n, _ := fmt.Sscanf(x.Name, "bert.encoder.layer.%d.%s", &l, &rest); n == 2 && l >= layers {
			original := c.Tensors[fmt.Sprintf("bert.encoder.layer.%d.%s", l%layers, rest)]
			c.Tensors[x.Name] = checkpoint.Tensor{Shape: original.Shape, Data: slices.Clone(original.Data)}
		}
	}
	b, err := backend.Get()
	if err != nil {
		t.Fatal(err)
	}
	m, err := transformer.NewModelOn(b, c)
	if err != nil {
		t.Fatal(err)
	}
	return New(m)
}

// attributeAll attributes samples under edits.
func attributeAll(t *testing.T, e *Engine, samples []Sample, edits Edits, o Options) []Result {
	t.Helper()
	return do(t, e, Request{Operation: Attribution, Rows: rowsOf(edits, samples...), Options: o})
}

// rowsOf are samples under edits.
func rowsOf(edits Edits, samples ...Sample) []Row {
	rows := make([]Row, len(samples))
	for i, s := range samples {
		rows[i] = Row{Sample: s, Edits: edits}
	}
	return rows
}

// do returns a request's results in order of its rows. Each must come once.
func do(t *testing.T, e *Engine, r Request) []Result {
	t.Helper()
	results, came, told := make([]Result, len(r.Rows)), map[int]bool{}, 0.0
	err := e.Do(t.Context(), r, func(batch []Result) error {
		for _, result := range batch {
			if came[result.Row] {
				t.Errorf("%s: the result of row %d comes twice", r.Operation, result.Row)
			}
			results[result.Row], came[result.Row] = result, true
		}
		return nil
	}, func(share float64) {
		if share < told {
			t.Errorf("%s: progress %v after %v", r.Operation, share, told)
		}
		told = share
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(came) != len(r.Rows) || told != 1 {
		t.Errorf("%s: %d of %d results, progress ended at %v", r.Operation, len(came), len(r.Rows), told)
	}
	return results
}

// fixed are the options of a fixed rule.
func fixed(rule quadrature.Rule, err error) Options {
	if err != nil {
		panic(err)
	}
	return Options{Rule: &rule}
}

// TestBatchingChangesNothing attributes the same samples cut into batches in
// every way: one by one, together, padded as for backends that compile,
// with one row at a time, and in several lanes. Products of other sizes may take
// another kernel and round otherwise, with AVX-512 by 1.5e-5 of the largest score.
func TestBatchingChangesNothing(t *testing.T) {
	e := deep(t)
	samples := []Sample{
		{IDs: []int32{2, 9, 4, 11, 3}, Masks: []int{2}, Answers: []int32{7}},
		{IDs: []int32{2, 4, 3}, Masks: []int{1}, Answers: []int32{8}},
		{IDs: []int32{2, 12, 6, 4, 10, 3}, Masks: []int{3}, Answers: []int32{7}},
		{IDs: []int32{2, 13, 4, 3, 3}, Masks: []int{2}, Answers: []int32{9}},
		{IDs: []int32{2, 13, 4, 4, 3}, Masks: []int{2, 3}, Answers: []int32{9, 7}},
		{IDs: []int32{2, 4, 4, 3}, Masks: []int{1, 2}, Answers: []int32{8, 9}},
		{IDs: []int32{2, 4, 4, 3, 2, 8, 4, 3}, Passes: 2, Masks: []int{1, 6}, Answers: []int32{8, 9}},
	}
	edits := Edits{Index: []int{3}, MaskScale: []float32{2}, MaskOffset: []float32{0.5}, RestScale: []float32{0}, RestOffset: []float32{1}}
	gauss := fixed(quadrature.GaussLegendre(5))
	gauss.LayerNormEps = 1e-5
	for rule, c := range map[string]struct {
		edits   Edits
		options Options
	}{
		"adaptive":  {Edits{}, Options{MaxNodes: 4097, Tolerance: 1e-3}},
		"trapezoid": {edits, fixed(quadrature.Trapezoid(7))},
		"gauss":     {Edits{}, gauss},
	} {
		e.sizes = sizes{rows: 1, lanes: 1, savedBytes: memoryPerBatch}
		var want []Result
		for _, s := range samples {
			want = append(want, attributeAll(t, e, []Sample{s}, c.edits, c.options)...)
		}
		for name, sizes := range map[string]sizes{
			"together":        {rows: 128, lanes: 1, savedBytes: memoryPerBatch},
			"in lanes":        {rows: 16, lanes: 3, savedBytes: memoryPerBatch},
			"padded":          {static: true, rows: 8, least: 4, lanes: 1, savedBytes: memoryPerBatch},
			"padded in lanes": {static: true, rows: 4, least: 1, lanes: 2, savedBytes: memoryPerBatch},
			"packed":          {static: true, rows: 8, least: 4, packing: layout{n: 16, perPack: 3, masked: true}, mostPacks: 4, lanes: 1, savedBytes: memoryPerBatch},
			"packed in lanes": {static: true, rows: 8, least: 4, packing: layout{n: 12, perPack: 2, masked: true}, mostPacks: 2, lanes: 2, savedBytes: 1 << 12},
		} {
			e.sizes = sizes
			for i, got := range attributeAll(t, e, samples, c.edits, c.options) {
				if d := difference(got, want[i]); d > 5e-5 {
					t.Errorf("%s: sample %d %s differs by %g of the largest score", rule, i, name, d)
				}
			}
		}
	}
}

// difference is the largest one of scores and probabilities, relative to the
// largest of them.
func difference(a, b Result) float64 {
	largest, worst := 0.0, math.Abs(a.Probability-b.Probability)/b.Probability
	for l := range b.Scores {
		worst = max(worst, math.Abs(a.ProbabilityAtZero[l]-b.ProbabilityAtZero[l])/max(b.Probability, b.ProbabilityAtZero[l]))
		for _, v := range b.Scores[l] {
			largest = max(largest, math.Abs(v))
		}
	}
	for l := range b.Scores {
		for i, v := range b.Scores[l] {
			worst = max(worst, math.Abs(a.Scores[l][i]-v)/largest)
		}
	}
	return worst
}

// TestCut cuts numbers of points into batches.
func TestCut(t *testing.T) {
	compiled, free := sizes{static: true, rows: 32, least: 4, mostPacks: 8}, sizes{rows: 32}
	for _, c := range []struct {
		sizes   sizes
		n       int
		perPath int
		want    []int
	}{
		{compiled, 0, 0, nil},
		{compiled, 3, 0, []int{3}},
		{compiled, 8, 0, []int{8}},
		{compiled, 20, 0, []int{16, 4}},
		{compiled, 70, 0, []int{32, 32, 4, 2}},
		{compiled, 60, 20, []int{20, 20, 20}},
		{compiled, 57, 19, []int{19, 19, 19}},
		{compiled, 45, 15, []int{32, 8, 4, 1}},
		{compiled, 24, 8, []int{8, 8, 8}},
		{compiled.of(layout{n: 64, perPack: 7}), 7, 7, []int{7}},
		{compiled.of(layout{n: 64, perPack: 7}), 19, 0, []int{8, 8, 3}},
		{free, 20, 10, []int{20}},
		{free, 70, 0, []int{32, 32, 6}},
	} {
		if got := c.sizes.cut(c.n, c.perPath); !slices.Equal(got, c.want) {
			t.Errorf("%d points, %d a path: %v, want %v", c.n, c.perPath, got, c.want)
		}
	}
}
