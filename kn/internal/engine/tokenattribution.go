package engine

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Line is the straight line in the word embeddings of a sample's tokens from a
// baseline b to their own x, which are at b + a·(x - b) for a from 0 to 1.
// Positions and types stay.
type Line struct {
	From   int32 // the token whose embedding b is; [ZeroVector] for none
	Tokens int   // of the prompt, to which scores belong
	Moves  []int // the places in IDs that move; others stay at their own embedding
	// Rival, if any, is the sample whose value is subtracted, with its own places.
	Rival      *Sample
	RivalMoves []int
}

// ZeroVector is the baseline of a [Line] that starts at 0.
const ZeroVector = -1

// lineInputs makes the inputs of tokens on a line, and x - b [B, n, E], which is 0
// where tokens stay. It takes ids, positions [B, n], a and which tokens move [B, n],
// the baseline's token [B], and 1, or 0 if that is a zero vector [B].
func lineInputs(w *transformer.Weights, in *inputs) (of transformer.Inputs, step *graph.Node) {
	of = transformer.Inputs{IDs: in.next(), Positions: in.next()}
	factor, moves, token, some := graph.InsertAxes(in.next(), -1), graph.InsertAxes(in.next(), -1), in.next(), in.next()
	from := graph.Mul(graph.Gather(w.Embeddings.Word, graph.InsertAxes(token, -1)), graph.InsertAxes(some, -1)) // [B, E]
	own := graph.Gather(w.Embeddings.Word, graph.InsertAxes(of.IDs, -1))                                        // [B, n, E]
	from = graph.Add(graph.Mul(graph.InsertAxes(from, 1), moves), graph.Mul(own, graph.OneMinus(moves)))        // [B, n, E]
	step = graph.Sub(own, from)                                                                                 // [B, n, E]
	of.Words = graph.Add(from, graph.Mul(step, factor))
	return of, step
}

// embedLine: what lineInputs takes -> the first layer's input [B, n, H].
var embedLine = step{"embed line", transformer.EmbeddingsPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	of, _ := lineInputs(w, in)
	return []*graph.Node{w.Embed(of, nil)}
}}

// alongLine: what lineInputs takes, gradient [B, n, H] of embedLine's output ->
// the gradient along each token's line, ∂/∂x·(x - b) [B, n].
var alongLine = step{"along line", transformer.EmbeddingsPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	of, step := lineInputs(w, in)
	g := vjp(w.Embed(of, nil), in.next(), of.Words) // [B, n, E]
	return []*graph.Node{graph.ReduceSum(graph.Mul(g, step), -1)}
}}

// grading is how nodes crowd near the zero vector where a model has nothing but
// word embeddings in its residual stream. An RMSNorm of a·x is the same for all a
// that are large beside √ε/|x|, and so is what follows: there the target changes
// by all that it changes, in each layer on a scale that is smaller yet.
const grading = 4

// answerDifference: x [B, n, H] of the last layer, pick [B, m, n], tokens [R], other
// tokens [R] -> the logarithm of the answers' probabilities less that of the
// others' [S].
var answerDifference = step{"difference", transformer.OneLayer | transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, pick, tokens, others := in.next(), in.next(), in.next(), in.next()
	c := in.context(x)
	row := last(w, x, pick, c, in.hooks(pick))
	return []*graph.Node{in.ofAnswers(graph.Sub(w.LogProbability(row, tokens), w.LogProbability(row, others)))}
}}

// differenceGradient is answerDifference that also returns the gradient of x [B, n, H].
var differenceGradient = step{"difference gradient", transformer.OneLayer | transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, pick, tokens, others := in.next(), in.next(), in.next(), in.next()
	c := in.context(x)
	row := last(w, x, pick, c, in.hooks(pick))
	p, gp := in.valueGradient(w, row, tokens, pick)
	q, gq := in.valueGradient(w, row, others, pick)
	return []*graph.Node{graph.Sub(p, q), vjp(row, graph.Sub(gp, gq), x)}
}}

// onLine is a sample at one place of its line.
type onLine struct {
	others []int32 // the answer that is subtracted in the same run, if any
	moves  []int   // the places that move
	factor float64 // a
	only   int     // -1, or the one prompt token that is at a while the others are at 1
	tokens int     // of the prompt
	from   int32
}

// attributeTokens integrates the gradient of each row's target along its line. The
// integrand has an entry for each token, and their sum is the target's derivative.
func (e *Engine) attributeTokens(ctx context.Context, rows []Row, o Options, emit func([]Result) error, progress func(share float64)) error {
	rule, err := o.rule(!transformer.Smooth(e.Model.Config.HiddenAct))
	if err != nil {
		return err
	}
	if rule.start == nil {
		return fmt.Errorf("kn: no rule of integration is given for the tokens")
	}
	w := &work{tell: progress}
	w.expect(len(rows) * 2 * rule.nodes)
	integrals := make([][]quadrature.Integral, len(rows))
	ends := make([]map[float64]float64, len(rows)) // the target at 0 and 1
	for i := range rows {
		ends[i] = map[float64]float64{}
		integral := rule.start(nil)
		if o.Rule == nil && rows[i].Line.From == ZeroVector && e.Model.Config.Architecture().Rotary {
			integral = quadrature.Graded(integral, grading)
		}
		integrals[i] = []quadrature.Integral{integral}
	}
	evaluate := func(points []point) ([]float64, [][]float64, error) {
		w.plan(len(points))
		places := make([]onLine, len(points))
		for k, pt := range points {
			places[k] = onLine{factor: pt.factor, only: -1}
		}
		value, products, err := e.onLines(ctx, rows, points, places, o, true)
		for k, pt := range points {
			if err == nil && (pt.factor == 0 || pt.factor == 1) {
				ends[pt.sample][pt.factor] = value[k]
			}
		}
		w.spend(len(points))
		return value, products, err
	}
	return integrate(integrals, o.Tolerance, evaluate, func(i int) error {
		r := Result{Row: i, Nodes: make([]int, 1)}
		if err := r.finish(integrals[i], o.Tolerance*largest(integrals[i])); err != nil {
			return err
		}
		if r.Occluded, err = e.occluded(ctx, rows, i, o, ends[i]); err != nil {
			return err
		}
		r.Target, r.TargetAtBaseline = ends[i][1], ends[i][0]
		sum := 0.0
		for _, s := range r.Scores[0] {
			sum += s
		}
		missed := sum - (r.Target - r.TargetAtBaseline)
		r.CompletenessError = []float64{missed}
		// What is missed is some token's, whatever the rule believes.
		if least := math.Abs(missed) / float64(len(r.Scores[0])); len(r.EstimatedError) > 0 && least > r.EstimatedError[0] {
			r.EstimatedError[0] = least
			if r.NotConverged == nil && least > o.Tolerance*largest(integrals[i]) {
				r.NotConverged = []int{0}
			}
		}
		return emit([]Result{r})
	})
}

// occluded are a row's targets with each of the prompt's tokens at the baseline,
// the others at their own embeddings. It adds to ends those that a rule without
// nodes at 0 and 1 has left out.
func (e *Engine) occluded(ctx context.Context, rows []Row, i int, o Options, ends map[float64]float64) ([]float64, error) {
	tokens := rows[i].Line.Tokens
	places := make([]onLine, tokens)
	for t := range places {
		places[t] = onLine{only: t}
	}
	for _, a := range []float64{0, 1} {
		if _, known := ends[a]; !known {
			places = append(places, onLine{factor: a, only: -1})
		}
	}
	points := make([]point, len(places))
	for k := range points {
		points[k].sample = i
	}
	value, _, err := e.onLines(ctx, rows, points, places, o, false)
	if err != nil {
		return nil, err
	}
	for k, p := range places[tokens:] {
		ends[p.factor] = value[tokens+k]
	}
	return value[:tokens], nil
}

// onLines evaluates the targets of the points' samples at places on their lines
// and, if asked for, the gradients along them [points][tokens].
func (e *Engine) onLines(ctx context.Context, rows []Row, points []point, places []onLine, o Options, gradients bool) (value []float64, products [][]float64, err error) {
	value, products = make([]float64, len(points)), make([][]float64, len(points))
	// Two answers that are asked for at the same places of one text take one run.
	inOneRun := !slices.ContainsFunc(points, func(pt point) bool {
		r := rows[pt.sample]
		return r.Line.Rival == nil || !slices.Equal(r.IDs, r.Line.Rival.IDs) || !slices.Equal(r.Masks, r.Line.Rival.Masks)
	})
	var runs []Row
	var at []onLine
	var of []int // the point of each run
	for k, pt := range points {
		r, p := rows[pt.sample], places[k]
		p.moves, p.tokens, p.from = r.Line.Moves, r.Line.Tokens, r.Line.From
		if inOneRun {
			p.others = r.Line.Rival.Answers
		}
		runs, at, of = append(runs, Row{Sample: r.Sample, Edits: r.Edits}), append(at, p), append(of, k)
		products[k] = make([]float64, p.tokens)
		if r.Line.Rival != nil && !inOneRun {
			p.moves = r.Line.RivalMoves
			runs, at, of = append(runs, Row{Sample: *r.Line.Rival, Edits: r.Edits}), append(at, p), append(of, k)
		}
	}
	err = e.inBatchesOf(runs, e.sizes.length, e.linesPerBatch, e.linesPadded, func(float64) {}, func(e *Engine, b rowBatch) error {
		values, along, err := e.lineBatch(ctx, b, at, o, gradients)
		if err != nil {
			return err
		}
		for j, i := range b.of {
			k, sign := of[i], 1.0
			if i > 0 && of[i-1] == k {
				sign = -1 // the rival follows its row
			}
			v, scale := float64(values[j]), 1.0
			if v != v {
				return errNaN
			}
			if b.kind.answers > 1 && !o.Logarithm { // ∂P is P·∂log P
				v = math.Exp(v)
				scale = v
			}
			value[k] += sign * v
			if !gradients {
				continue
			}
			length := len(runs[i].IDs) / runs[i].passes()
			for _, place := range at[i].moves {
				g := along[j*b.n+place]
				if g != g {
					return fmt.Errorf("kn: the gradient of token %d is not a number (NaN) at factor %g; are the model's weights damaged, or changed too much?", place%length, at[i].factor)
				}
				products[k][place%length] += sign * scale * float64(g)
			}
		}
		return nil
	})
	return value, products, err
}

// linesPerBatch is the number of samples to run at once where what backward needs
// is saved. Where every shape is compiled they are few, and of one number: rules
// ask for any number of nodes, round by round, and compiling takes longer than
// running what is padded.
func (e *Engine) linesPerBatch(y layout) int {
	c := e.Model.Config
	perToken := 4 * c.Layers * (transformer.KeptValues(c)*c.HiddenSize + 2*c.IntermediateSize)
	rows := min(e.sizes.rows, memoryPerBatch/(perToken*y.n))
	if e.sizes.static {
		rows = min(8, rows)
	}
	return max(1, rows)
}

// linesPadded is the number to which n samples are padded.
func (e *Engine) linesPadded(y layout, n int) int {
	if !e.sizes.static {
		return n
	}
	return e.linesPerBatch(y)
}

// lineBatch runs a batch at its places forwards and, for gradients, backwards. It
// returns the answers' values [R] and the gradients along the lines [R·n].
func (e *Engine) lineBatch(ctx context.Context, b rowBatch, at []onLine, o Options, gradients bool) (values, along []float32, err error) {
	last, logarithm := e.Model.Config.Layers-1, o.Logarithm || b.kind.answers > 1
	args := lineArguments(b, at)
	out, err := e.run(ctx, embedLine, 0, form{}, args...)
	if err != nil {
		return nil, nil, err
	}
	x := out[0]
	var saved [][]*tensors.Tensor // of each layer, its input and the saved activations
	defer func() {
		release(x)
		for _, s := range saved {
			release(s...)
		}
	}()
	through := forward
	if gradients {
		through = forwardSaving
	}
	for l := range last {
		if out, err = e.layer(ctx, through, b, l, x, b.pick.tensor()); err != nil {
			return nil, nil, err
		}
		if gradients {
			saved = append(saved, append([]*tensors.Tensor{x}, out[1:]...))
		} else {
			release(x)
		}
		x = out[0]
	}
	end, given := answer, []any{x, b.pick.tensor(), b.answers}
	if gradients {
		end = answerGradient
	}
	if at[b.of[0]].others != nil {
		others := make([]int32, len(b.answers))
		for k, i := range b.of {
			copy(others[k*b.kind.answers:], at[i].others)
		}
		end, given = answerDifference, append(given, others)
		if gradients {
			end = differenceGradient
		}
	}
	if out, err = e.layerAs(ctx, end, b, logarithm, last, given...); err != nil {
		return nil, nil, err
	}
	if values, err = floats(out[0]); err != nil || !gradients {
		return values, nil, err
	}
	release(x)
	x = out[1]
	for l := last - 1; l >= 0; l-- {
		if out, err = e.layer(ctx, backward, b, l, backwardInputs(saved[l][0], b.batch, x, saved[l][1:])...); err != nil {
			return nil, nil, err
		}
		release(x)
		release(saved[l]...)
		saved, x = saved[:l], out[0]
	}
	if out, err = e.run(ctx, alongLine, 0, form{}, append(args, x)...); err != nil {
		return nil, nil, err
	}
	along, err = floats(out[0])
	return values, along, err
}

// lineArguments are the arguments of lineInputs. Padding does not move.
func lineArguments(b rowBatch, at []onLine) []any {
	factor, moves := make([]float32, len(b.ids.flat)), make([]float32, len(b.ids.flat))
	token, some := make([]int32, len(b.edits)), make([]float32, len(b.edits))
	for k, i := range b.of {
		p := at[i]
		if p.from != ZeroVector {
			token[k], some[k] = p.from, 1
		}
		length := len(b.samples[k].IDs) / b.samples[k].passes()
		for _, place := range p.moves {
			j := k*b.n + place
			moves[j], factor[j] = 1, 1
			if p.only < 0 || place%length == p.only {
				factor[j] = float32(p.factor)
			}
		}
	}
	shaped := func(flat []float32) *tensors.Tensor {
		return tensors.FromFlatDataAndDimensions(flat, len(b.edits), b.n)
	}
	return []any{b.ids.tensor(), b.positions.tensor(), shaped(factor), shaped(moves), token, some}
}
