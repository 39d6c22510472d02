package engine

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Place is a site at one token.
type Place struct {
	transformer.Site
	Token int // in IDs
}

// restoring is forward in which the values at some points are replaced at some
// tokens: x [B, n, H], pick [B, m, n], and for each point where [B, n], 1 at those
// tokens and 0 at others, and values [B, n, H], 0 at others.
func restoring(points []transformer.Point) step {
	return step{fmt.Sprint("restore ", points), transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
		x, pick := in.next(), in.next()
		given := in.take(2 * len(points))
		c := in.context(x)
		hooks := in.hooks(pick)
		for k, p := range points {
			where, values := graph.InsertAxes(given[2*k], -1), given[2*k+1] // [B, n, 1], [B, n, H]
			hooks.Add(p, 0, func(x *graph.Node) *graph.Node {
				return graph.Add(graph.Mul(x, graph.OneMinus(where)), values)
			})
		}
		return []*graph.Node{w.Layer(0, x, c, hooks)}
	}}
}

// headAnswer: the last layer's output x [B, n, H], pick [B, m, n], tokens [R] ->
// the answers' values [S].
var headAnswer = step{"head answer", transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, pick := in.next(), in.next()
	return []*graph.Node{in.value(w, picked(x, pick), in.next())}
}}

// traced computes the answers' probabilities under the rows' noise, with the
// states at their Restored places as they are without noise. What the rows have
// in common is computed once: the run without noise, and that of each noise up to
// the first layer in which something is restored.
func (e *Engine) traced(ctx context.Context, rows []Row, emit func([]Result) error, progress func(share float64)) error {
	known, runs, err := e.commonRuns(ctx, rows, func(share float64) { progress(share / 10) })
	if err != nil {
		return err
	}
	layers, done := e.Model.Config.Layers, 0
	byFirst := make([][]int, layers+1)
	for i, r := range rows {
		byFirst[firstRestored(r, layers)] = append(byFirst[firstRestored(r, layers)], i)
	}
	for first, of := range byFirst {
		some := make([]Row, len(of))
		for k, i := range of {
			some[k] = rows[i]
		}
		err := e.inBatches(some, e.sizes.length, func(float64) {}, func(e *Engine, b rowBatch) error {
			p, err := e.tracedBatch(ctx, some, b, first, known)
			if err != nil {
				return err
			}
			results := make([]Result, len(b.of))
			for k, i := range b.of {
				if p[k] != p[k] {
					return errNaN
				}
				results[k] = Result{Row: of[i], Probability: float64(p[k])}
			}
			done += len(b.of)
			progress((float64(runs) + float64(done)) / float64(runs+len(rows)))
			return emit(results)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// firstRestored is the first layer in which a row restores something, or the number of layers.
func firstRestored(r Row, layers int) int {
	for _, p := range r.Restored {
		layers = min(layers, p.Layer)
	}
	return layers
}

// run is what is known of a run of the model: the states at some sites [n, H].
type run map[transformer.Site][]float32

// runKey tells runs apart.
func runKey(r Row, noise Noise) string { return fmt.Sprint(r.IDs, r.Passes, r.Masks, r.Edits, noise) }

// entering is the site whose value enters a layer.
func entering(layer int) transformer.Site {
	if layer == 0 {
		return transformer.Site{Point: transformer.EmbeddingsOut}
	}
	return transformer.Site{Point: transformer.ResidPost, Layer: layer - 1}
}

// commonRuns computes the runs without noise at the places that rows restore, and
// the noisy ones where rows leave them. It returns them by key, and their number.
func (e *Engine) commonRuns(ctx context.Context, rows []Row, progress func(share float64)) (known map[string]run, n int, err error) {
	var wanted []Row
	index := map[string]int{}
	want := func(r Row, noise Noise, site transformer.Site) {
		key := runKey(r, noise)
		i, ok := index[key]
		if !ok {
			i = len(wanted)
			index[key] = i
			wanted = append(wanted, Row{Sample: r.Sample, Edits: r.Edits, Noise: noise})
		}
		if !slices.Contains(wanted[i].Sites, site) {
			wanted[i].Sites = append(wanted[i].Sites, site)
		}
	}
	for _, r := range rows {
		want(r, r.Noise, entering(firstRestored(r, e.Model.Config.Layers)))
		for _, p := range r.Restored {
			want(r, Noise{}, p.Site)
		}
	}
	known = map[string]run{}
	err = e.states(ctx, wanted, func(results []Result) error {
		for _, r := range results {
			w := wanted[r.Row]
			states := run{}
			for k, s := range w.Sites {
				states[s] = r.States[k].Values
			}
			known[runKey(w, w.Noise)] = states
		}
		return nil
	}, progress)
	return known, len(wanted), err
}

// tracedBatch runs a batch from the first layer in which it restores something,
// and returns the answers' probabilities.
func (e *Engine) tracedBatch(ctx context.Context, rows []Row, b rowBatch, first int, known map[string]run) ([]float32, error) {
	c := e.Model.Config
	packs, size := len(b.edits), b.n*c.HiddenSize
	start := make([]float32, packs*size)
	for k, i := range b.of {
		copy(start[k*size:], known[runKey(rows[i], rows[i].Noise)][entering(first)])
	}
	x := tensors.FromFlatDataAndDimensions(start, packs, b.n, c.HiddenSize)
	defer func() { release(x) }()
	for l := first; l < c.Layers; l++ {
		step, args := forward, []any{x, b.pick.tensor()}
		if points, given := restored(rows, b, l, c.HiddenSize, known); len(points) > 0 {
			step, args = restoring(points), append(args, given...)
		}
		out, err := e.layer(ctx, step, b, l, args...)
		if err != nil {
			return nil, err
		}
		release(x)
		x = out[0]
	}
	f := form{answers: b.kind.answers, logarithm: b.kind.answers > 1}
	out, err := e.run(ctx, headAnswer, 0, f, x, b.pick.tensor(), b.answers)
	if err != nil {
		return nil, err
	}
	p, err := floats(out[0])
	if f.logarithm {
		for i, v := range p {
			p[i] = float32(math.Exp(float64(v)))
		}
	}
	return p, err
}

// restored are the points at which rows restore something in a layer, and what
// restoring takes for each.
func restored(rows []Row, b rowBatch, l, hidden int, known map[string]run) (points []transformer.Point, given []any) {
	for _, i := range b.of {
		for _, p := range rows[i].Restored {
			if p.Layer == l && !slices.Contains(points, p.Point) {
				points = append(points, p.Point)
			}
		}
	}
	slices.Sort(points)
	packs := len(b.edits)
	for _, point := range points {
		where, values := make([]float32, packs*b.n), make([]float32, packs*b.n*hidden)
		for k, i := range b.of {
			clean := known[runKey(rows[i], Noise{})]
			for _, p := range rows[i].Restored {
				if p.Layer == l && p.Point == point {
					at := k*b.n + p.Token
					where[at] = 1
					copy(values[at*hidden:(at+1)*hidden], clean[p.Site][p.Token*hidden:])
				}
			}
		}
		given = append(given, tensors.FromFlatDataAndDimensions(where, packs, b.n), tensors.FromFlatDataAndDimensions(values, packs, b.n, hidden))
	}
	return points, given
}
