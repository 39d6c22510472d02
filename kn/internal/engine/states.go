package engine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// State is the value at one site of one row, for all tokens of the row: Dims are
// [tokens, width], or [heads, tokens, tokens] at [transformer.AttentionProbs].
type State struct {
	Dims   []int
	Values []float32
}

// Noise is added to the word embeddings of some tokens: normal numbers with Scale
// times the standard deviation of all entries of the model's word embeddings.
// Those of a token depend on Seed, Draw and its place among Tokens. The zero
// value adds none.
type Noise struct {
	Tokens     []int // places in the first pass; the others have the same numbers there
	Scale      float64
	Seed, Draw uint64
}

// normal are the numbers of a sample's n tokens [n, E], in standard deviations.
func (n Noise) normal(s Sample, width int) []float32 {
	values := make([]float32, len(s.IDs)*width)
	rng, pass := rand.New(rand.NewPCG(n.Seed, n.Draw)), len(values)/s.passes()
	for _, t := range n.Tokens {
		for j := range width {
			z := float32(n.Scale * rng.NormFloat64())
			for at := t*width + j; at < len(values); at += pass {
				values[at] = z
			}
		}
	}
	return values
}

// embedNoisy is embed with what to add to the word embeddings [B, n, E].
var embedNoisy = step{"embed with noise", transformer.EmbeddingsPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	return []*graph.Node{w.Embed(transformer.Inputs{IDs: in.next(), Positions: in.next(), Added: in.next()}, nil)}
}}

// embedRows is [Engine.embed] under the rows' noise.
func (e *Engine) embedRows(ctx context.Context, rows []Row, b rowBatch) (*tensors.Tensor, error) {
	noisy := func(i int) bool { return len(rows[i].Noise.Tokens) > 0 }
	if !slices.ContainsFunc(b.of, noisy) {
		return e.embed(ctx, b)
	}
	sigma, err := e.Model.WordDeviation()
	if err != nil {
		return nil, err
	}
	width := e.Model.Config.EmbeddingWidth()
	added := make([]float32, len(b.edits)*b.n*width)
	for k, i := range b.of {
		for j, z := range rows[i].Noise.normal(rows[i].Sample, width) {
			added[k*b.n*width+j] = float32(sigma) * z
		}
	}
	out, err := e.run(ctx, embedNoisy, 0, form{}, b.ids.tensor(), b.positions.tensor(), tensors.FromFlatDataAndDimensions(added, len(b.edits), b.n, width))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// reading is forward that also returns the values at some points, each [B, ...].
func reading(points []transformer.Point) step {
	return step{fmt.Sprint("read ", points), transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
		x, pick := in.next(), in.next()
		c := in.context(x)
		hooks := in.hooks(pick)
		var values []**graph.Node
		for _, p := range points {
			values = append(values, hooks.Capture(p, 0))
		}
		out := []*graph.Node{w.Layer(0, x, c, hooks)}
		for _, v := range values {
			out = append(out, *v)
		}
		return out
	}}
}

// states reads the values at the rows' sites.
func (e *Engine) states(ctx context.Context, rows []Row, emit func([]Result) error, progress func(share float64)) error {
	return e.inBatches(rows, e.sizes.reading, progress, func(e *Engine, b rowBatch) error {
		results := make([]Result, len(b.of))
		for k, i := range b.of {
			results[k] = Result{Row: i, States: make([]State, len(rows[i].Sites))}
		}
		if err := e.statesOf(ctx, rows, b, results); err != nil {
			return err
		}
		return emit(results)
	})
}

// statesOf runs a batch up to the last layer that any of its rows reads.
func (e *Engine) statesOf(ctx context.Context, rows []Row, b rowBatch, results []Result) error {
	last, points := -1, map[int][]transformer.Point{} // what each layer is asked for besides its output
	for _, i := range b.of {
		for _, s := range rows[i].Sites {
			if s.Point == transformer.EmbeddingsOut {
				continue
			}
			last = max(last, s.Layer)
			if s.Point != transformer.ResidPost && !slices.Contains(points[s.Layer], s.Point) {
				points[s.Layer] = append(points[s.Layer], s.Point)
			}
		}
	}
	x, err := e.embedRows(ctx, rows, b)
	if err != nil {
		return err
	}
	defer func() { release(x) }()
	if err := keepState(rows, b, results, transformer.Site{Point: transformer.EmbeddingsOut}, x); err != nil {
		return err
	}
	for l := range last + 1 {
		step := forward
		if slices.Sort(points[l]); len(points[l]) > 0 {
			step = reading(points[l])
		}
		out, err := e.layer(ctx, step, b, l, x, b.pick.tensor())
		if err != nil {
			return err
		}
		release(x)
		x = out[0]
		err = keepState(rows, b, results, transformer.Site{Point: transformer.ResidPost, Layer: l}, x)
		for k, p := range points[l] {
			if err == nil {
				err = keepState(rows, b, results, transformer.Site{Point: p, Layer: l}, out[1+k])
			}
			release(out[1+k])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keepState copies what the rows of a batch asked for at a site, without padding.
func keepState(rows []Row, b rowBatch, results []Result, site transformer.Site, t *tensors.Tensor) error {
	var flat []float32
	dims := t.Shape().Dimensions // [B, n, K] or [B, A, n, n]
	for k, i := range b.of {
		for j, s := range rows[i].Sites {
			if s != site {
				continue
			}
			if flat == nil {
				var err error
				if flat, err = tensors.CopyFlatData[float32](t); err != nil {
					return err
				}
			}
			size := len(flat) / dims[0]
			state := unpadded(flat[k*size:(k+1)*size], dims[1:], len(rows[i].IDs))
			if slices.ContainsFunc(state.Values, func(v float32) bool { return math.IsNaN(float64(v)) }) {
				return errNaN
			}
			results[k].States[j] = state
		}
	}
	return nil
}

// unpadded is a state of n tokens out of a padded one, [m, K] or [A, m, m].
func unpadded(values []float32, dims []int, n int) State {
	if len(dims) == 2 {
		return State{[]int{n, dims[1]}, slices.Clone(values[:n*dims[1]])}
	}
	s := State{Dims: []int{dims[0], n, n}}
	for h := range dims[0] {
		for i := range n {
			from := (h*dims[1] + i) * dims[2]
			s.Values = append(s.Values, values[from:from+n]...)
		}
	}
	return s
}
