package engine

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
)

var operations = []Operation{Distribution, Probability, Outcome, Activations, TokenActivations, Attribution}

// variedRequest has rows of several lengths under several edits, more than
// are computed together.
func variedRequest(o Operation) Request {
	edits := []Edits{
		{},
		{Index: []int{3}, MaskScale: []float32{2}, MaskOffset: []float32{0.5}, RestScale: []float32{0}, RestOffset: []float32{1}},
		{Values: []ValueEdit{{Index: []int{1, 4}, Keep: 0.5}}},
	}
	r := Request{Operation: o, Options: fixed(quadrature.LeftRiemann(3))}
	for i := range 49 {
		r.Rows = append(r.Rows, Row{Sample: someSamples[i%2], Edits: edits[i%3], Neurons: []int{i % 2, 4}})
	}
	return r
}

// TestDo: every operation has one result for each row, the same as for the row
// alone.
func TestDo(t *testing.T) {
	e := deep(t)
	e.sizes.rows = 8
	for _, o := range operations {
		r := variedRequest(o)
		for i, got := range do(t, e, r) {
			if i > 5 { // those that follow are alike
				break
			}
			alone := do(t, e, Request{Operation: o, Rows: r.Rows[i : i+1], Options: r.Options})[0]
			g, w := flatten(got), flatten(alone)
			if len(g) != len(w) || len(w) == 0 {
				t.Fatalf("%s: row %d has %d numbers, alone %d", o, i, len(g), len(w))
			}
			largest := 0.0
			for _, x := range w {
				largest = max(largest, math.Abs(x))
			}
			for k := range w {
				if !(math.Abs(g[k]-w[k]) <= 5e-5*largest) {
					t.Errorf("%s: row %d has %g, alone %g", o, i, g[k], w[k])
				}
			}
		}
	}
}

// flatten lists a result's numbers.
func flatten(r Result) (all []float64) {
	all = append(widen(r.Distribution), r.ProbabilityAtZero...)
	for _, rows := range [][][]float64{r.Activations, r.Scores} {
		for _, row := range rows {
			all = append(all, row...)
		}
	}
	if r.Probability != 0 {
		all = append(all, r.Probability, r.TopProbability, float64(r.Rank), float64(r.Top))
	}
	return all
}

// TestDoStops where emit fails or the context ends, with that error.
func TestDoStops(t *testing.T) {
	e := deep(t)
	full := errors.New("the disk is full")
	for _, o := range operations {
		emitted := 0
		err := e.Do(t.Context(), variedRequest(o), func([]Result) error {
			emitted++
			return full
		}, func(float64) {})
		if err != full || emitted != 1 {
			t.Errorf("%s: error %v after %d results", o, err, emitted)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err = e.Do(ctx, variedRequest(o), func([]Result) error { return nil }, func(float64) {})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: error %v", o, err)
		}
	}
}
