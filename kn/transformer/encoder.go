package transformer

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Inputs are a batch of token sequences, padded to one length.
type Inputs struct {
	IDs       *graph.Node // [B, n] int32
	Types     *graph.Node // [B, n] int32 token types; nil for all 0, and for models that have none
	Positions *graph.Node // [B, n] int32; nil for 0 to n-1
	Mask      *graph.Node // [B, n] float32, 1 for tokens and 0 for padding; nil when there is no padding
	Added     *graph.Node // [B, n, E] what to add to the word embeddings, such as noise; nil for nothing
	Words     *graph.Node // [B, n, E] what to take for the word embeddings; nil for those of IDs
}

// Embed computes the input of layer 0: [B, n, H].
func (w *Weights) Embed(in Inputs, hooks Hooks) *graph.Node {
	n, first := in.IDs.Shape().Dimensions[1], w.Config.FirstPosition()
	e := w.Embeddings
	x := in.Words // [B, n, E]
	if x == nil {
		x = graph.Gather(e.Word, graph.InsertAxes(in.IDs, -1))
	}
	if in.Added != nil {
		x = graph.Add(x, in.Added)
	}
	switch {
	case e.Position == nil:
	case in.Positions == nil:
		position := graph.Slice(e.Position, graph.AxisRange(first, first+n)) // [n, E]
		x = graph.Add(x, graph.ExpandLeftToRank(position, 3))                // [B, n, E]
	default:
		row := in.Positions // [B, n]
		if first > 0 {
			row = graph.AddScalar(row, first)
		}
		x = graph.Add(x, graph.Gather(e.Position, graph.InsertAxes(row, -1)))
	}
	switch {
	case e.Type == nil:
	case in.Types == nil:
		kind := graph.Slice(e.Type, graph.AxisRange(0, 1)) // [1, E]
		x = graph.Add(x, graph.ExpandLeftToRank(kind, 3))
	default:
		x = graph.Add(x, graph.Gather(e.Type, graph.InsertAxes(in.Types, -1)))
	}
	if e.Norm.Scale != nil {
		x = e.Norm.Apply(x, w.Config.LayerNormEps)
	}
	if e.Project != nil {
		x = e.Project.Apply(x) // [B, n, H]
	}
	return hooks.at(EmbeddingsOut, 0, x)
}

// Encode runs the embeddings and all layers: [B, n, H].
func (w *Weights) Encode(in Inputs, hooks Hooks) *graph.Node {
	x := w.Embed(in, hooks)
	for l := range w.Layers {
		x = w.Layer(l, x, Whole(x, in.Mask), hooks)
	}
	return x
}

// EncodeRow runs the embeddings and all layers, the last one only for the
// row that pick selects: [B, H]. Hooks in the last layer see one query row.
//
//	pick [B, n] float32: 1 at the row wanted, 0 elsewhere
func (w *Weights) EncodeRow(in Inputs, pick *graph.Node, hooks Hooks) *graph.Node {
	one := func(x *graph.Node) *graph.Node { return graph.InsertAxes(Row(x, pick), 1) }
	return w.encodeRow(in, one, PickedPositions(graph.InsertAxes(pick, 1)), hooks)
}

// EncodeFirst is [Weights.EncodeRow] for the first row, [CLS]'s: [B, H].
func (w *Weights) EncodeFirst(in Inputs, hooks Hooks) *graph.Node {
	return w.encodeRow(in, firstRow, graph.Zeros(in.IDs.Graph(), shapes.Make(dtypes.Int32, 1, 1)), hooks)
}

// firstRow is [CLS]'s row: [B, n, H] -> [B, 1, H].
func firstRow(x *graph.Node) *graph.Node {
	return graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, 1))
}

// encodeRow runs the last layer for the row only that one picks: [B, n, H] -> [B, 1, H].
func (w *Weights) encodeRow(in Inputs, one func(x *graph.Node) *graph.Node, position *graph.Node, hooks Hooks) *graph.Node {
	x := w.Embed(in, hooks)
	last := len(w.Layers) - 1
	for l := range last {
		x = w.Layer(l, x, Whole(x, in.Mask), hooks)
	}
	return graph.Squeeze(w.Layer(last, one(x), Context{Keys: x, Mask: in.Mask, Positions: position}, hooks), 1) // [B, H]
}

// Row selects one row of each sequence: x [B, n, K], pick [B, n] one-hot -> [B, K].
func Row(x, pick *graph.Node) *graph.Node {
	return graph.ReduceSum(graph.Mul(x, graph.InsertAxes(pick, -1)), 1)
}

// PickedPositions are the places of the rows that pick [B, m, n] selects, each
// of its rows one-hot: [B, m] int32. A row that selects none has 0.
func PickedPositions(pick *graph.Node) *graph.Node {
	place := graph.ExpandLeftToRank(graph.ConvertDType(places(pick.Graph(), size(pick, 2)), pick.DType()), 3)
	return graph.ConvertDType(graph.ReduceSum(graph.Mul(pick, place), -1), dtypes.Int32)
}

// Rows selects m rows of each sequence: x [B, n, K], pick [B, m, n], each
// of its rows one-hot -> [B, m, K].
func Rows(x, pick *graph.Node) *graph.Node {
	return graph.DotGeneral(pick, []int{2}, []int{0}, x, []int{1}, []int{0})
}

// SetRows replaces m rows of each sequence: x [B, n, K], pick [B, m, n], each
// of its rows one-hot, rows [B, m, K] -> [B, n, K].
func SetRows(x, pick, rows *graph.Node) *graph.Node {
	rest := graph.OneMinus(graph.ReduceSum(pick, 1))                            // [B, n]
	set := graph.DotGeneral(pick, []int{1}, []int{0}, rows, []int{1}, []int{0}) // [B, n, K]
	return graph.Add(graph.Mul(x, graph.InsertAxes(rest, -1)), set)
}

// Logits is the head that predicts a token: hidden [..., H] -> [..., V].
func (w *Weights) Logits(hidden *graph.Node) *graph.Node {
	return w.Head.Decoder.Apply(w.transform(hidden)) // [..., V]
}

// transform is the head below the vocabulary: [..., H] -> [..., E].
func (w *Weights) transform(hidden *graph.Node) *graph.Node {
	if w.Config.Causal() {
		return w.Head.Norm.Apply(hidden, w.Config.LayerNormEps)
	}
	x := Activate(w.Config.HeadAct(), w.Head.Transform.Apply(hidden))
	return w.Head.Norm.Apply(x, w.Config.LayerNormEps)
}

// Distribution is the softmax of the logits: hidden [..., H] -> [..., V].
func (w *Weights) Distribution(hidden *graph.Node) *graph.Node { return softmax(w.Logits(hidden)) }

// Probability is the softmax of the logits at one token of each row: hidden
// [B, H], tokens [B] int32 -> [B]. Its gradient passes over the vocabulary
// half as often as that of the whole distribution.
func (w *Weights) Probability(hidden, tokens *graph.Node) *graph.Node {
	x := w.transform(hidden)          // [B, E]
	logits := w.Head.Decoder.Apply(x) // [B, V]
	return withGradientOf(
		func() *node {
			own, others, _ := w.shares(x, logits, tokens)
			return graph.Squeeze(graph.Div(own, graph.Add(own, sum(others))), -1)
		},
		func() *node {
			largest := graph.StopGradient(graph.ReduceAndKeep(logits, graph.ReduceMax, -1)) // [B, 1]
			all := sum(graph.Exp(graph.Sub(logits, largest)))                               // [B, 1]
			logit, _ := w.logit(x, tokens)                                                  // [B, 1]
			return graph.Squeeze(graph.Div(graph.Exp(graph.Sub(logit, largest)), all), -1)
		})
}

// ProbabilityGradient is [Weights.Probability] with its gradient with
// respect to hidden: hidden [B, H], tokens [B] -> [B], [B, H].
//
// With p the softmax and x what the head makes of hidden below the
// vocabulary, the gradient of p_t with respect to x is
//
//	p_t · Σ_{j≠t} p_j · (W_t - W_j)
//
// Written like this it passes over the vocabulary twice, reverse mode over
// [B, V] logits six times. That the token itself is left out of the sum keeps
// all digits where p_t is nearly 1: p_t · (W_t - Σ_j p_j W_j) is the same, but the
// difference of two vectors that are then nearly equal. From x down it is
// reverse mode again.
func (w *Weights) ProbabilityGradient(hidden, tokens *graph.Node) (probability, gradient *graph.Node) {
	a := w.answered(hidden, tokens)
	return graph.Squeeze(a.p, -1), a.gradient(graph.Mul(a.apart, graph.Div(a.p, a.total)))
}

// LogProbability is the natural logarithm of [Weights.Probability].
func (w *Weights) LogProbability(hidden, tokens *graph.Node) *graph.Node {
	return w.answered(hidden, tokens).logarithm()
}

// LogProbabilityGradient is [Weights.ProbabilityGradient] of the logarithm:
// the gradient lacks the factor p_t.
func (w *Weights) LogProbabilityGradient(hidden, tokens *graph.Node) (logarithm, gradient *graph.Node) {
	a := w.answered(hidden, tokens)
	return a.logarithm(), a.gradient(graph.Div(a.apart, a.total))
}

// answered is what the head makes of rows and of one token of each.
type answered struct {
	hidden, x *graph.Node // [B, H], and below the vocabulary [B, E]
	p         *graph.Node // [B, 1] the token's probability
	total     *graph.Node // [B, 1] what the shares add up to, see [Weights.shares]
	apart     *graph.Node // [B, E] Σ_{j≠t} share_j · (W_t - W_j)
	over      *graph.Node // [B, 1] the token's logit less the largest
	largest   *graph.Node // [B, 1] the largest share of the softmax
}

func (w *Weights) answered(hidden, tokens *graph.Node) answered {
	x := w.transform(hidden)                                                                     // [B, E]
	logits := w.Head.Decoder.Apply(x)                                                            // [B, V]
	own, others, row := w.shares(x, logits, tokens)                                              // [B, 1], [B, V], [B, E]
	rest := sum(others)                                                                          // [B, 1]
	total := graph.Add(own, rest)                                                                // [B, 1]
	apart := graph.Sub(graph.Mul(rest, row), graph.Dot(others, w.Head.Decoder.Weight).Product()) // [B, E]
	logit, _ := w.logit(x, tokens)
	most := func(x *graph.Node) *graph.Node { return graph.ReduceAndKeep(x, graph.ReduceMax, -1) }
	return answered{hidden, x, graph.Div(own, total), total, apart, graph.Sub(logit, most(logits)), most(graph.Softmax(logits, -1))}
}

// gradient takes a gradient of x [B, E] back to hidden [B, H].
func (a answered) gradient(gx *graph.Node) *graph.Node {
	objective := graph.ReduceAllSum(graph.Mul(a.x, graph.StopGradient(gx)))
	return graph.Gradient(objective, a.hidden)[0]
}

// logarithm is log p [B]. It is made of logits, since p itself may be too small
// for a float32: the largest logit's share is exp(0)/Z.
func (a answered) logarithm() *graph.Node {
	log := graph.Sub(graph.Add(a.over, graph.Log(a.largest)), graph.Log(a.total))
	return graph.Squeeze(log, -1)
}

// shares are numbers that have the same ratios in a row as the words'
// probabilities: that of one token [B, 1], and those of the vocabulary [B, V]
// with 0 in the token's place. x [B, E] is what transform returns, logits
// [B, V] are its logits, tokens is [B]; the third result is the tokens' rows of
// the decoder [B, E]. The token's own share is that of [Weights.logit].
func (w *Weights) shares(x, logits, tokens *graph.Node) (own, others, row *graph.Node) {
	// GoMLX's softmax is the quickest way there on the Go backend. What it
	// divided by is not quite their sum, but the same for a whole row.
	all := graph.Softmax(logits, -1)
	column := graph.InsertAxes(tokens, -1)                                                       // [B, 1]
	at := graph.Concatenate([]*graph.Node{graph.Iota(x.Graph(), column.Shape(), 0), column}, -1) // [B, 2]
	logit, row := w.logit(x, tokens)
	off := graph.Sub(logit, graph.InsertAxes(graph.Gather(logits, at), -1)) // [B, 1]
	own = graph.Mul(graph.InsertAxes(graph.Gather(all, at), -1), graph.Exp(off))
	zeros := graph.Zeros(x.Graph(), shapes.Make(x.DType(), size(x, 0)))
	return own, graph.ScatterMin(all, at, zeros, true, true), row
}

// logit is the logit of one token of each row, with more digits than those of
// the whole vocabulary have, and the token's row of the decoder: x [B, E],
// tokens [B] -> [B, 1], [B, E].
func (w *Weights) logit(x, tokens *graph.Node) (logit, row *graph.Node) {
	at := graph.InsertAxes(tokens, -1)
	row = graph.Gather(w.Head.Decoder.Weight, at)
	logit = sum(graph.Mul(x, row))
	if bias := w.Head.Decoder.Bias; bias != nil {
		logit = graph.Add(logit, graph.InsertAxes(graph.Gather(bias, at), -1))
	}
	return logit, row
}
