package engine

import (
	"context"
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Parts is what a logit is made of: see kn.LogitParts. The parts add up to Sum.
type Parts struct {
	Embeddings         float64
	Attention          []float64   // [L] the sum of Heads and AttentionBias
	Heads              [][]float64 // [L][A]
	AttentionBias      []float64   // [L] of the output matrix
	FFN                []float64   // [L]
	Biases, Sum, Logit float64     // Logit is the model's own
}

// norms are a layer's norms, scale and bias of each [H], in an encoder.
var norms = step{"norms", transformer.OneLayer, func(w *transformer.Weights, _ *inputs) []*graph.Node {
	l := w.Layers[0]
	return apart(l.AttentionNorm.Scale, l.AttentionNorm.Bias, l.OutputNorm.Scale, l.OutputNorm.Bias)
}}

// headsOf: attention probabilities of one query [A, n], values [n, G·d], directions
// of what attention adds [K, H] -> what each head adds along them [K, A], and the
// bias of the output matrix, if there is one [K].
var headsOf = step{"heads", transformer.OneLayer, func(w *transformer.Weights, in *inputs) []*graph.Node {
	probs, values, directions := in.next(), in.next(), in.next()
	heads, n := probs.Shape().Dimensions[0], probs.Shape().Dimensions[1]
	output := w.Layers[0].AttentionOutput
	width := output.Weight.Shape().Dimensions[1] / heads // d
	groups := values.Shape().Dimensions[1] / width
	values = graph.TransposeAllAxes(graph.Reshape(values, n, groups, width), 1, 0, 2)                                        // [G, n, d]
	mixed := graph.DotGeneral(graph.Reshape(probs, groups, heads/groups, n), []int{2}, []int{0}, values, []int{1}, []int{0}) // [G, A/G, d]
	read := graph.Reshape(graph.Dot(directions, output.Weight).Product(), -1, heads, width)                                  // [K, A, d]
	out := []*graph.Node{graph.ReduceSum(graph.Mul(read, graph.Reshape(mixed, 1, heads, width)), -1)}
	if output.Bias != nil {
		out = append(out, graph.ReduceSum(graph.Mul(directions, graph.ExpandLeftToRank(output.Bias, 2)), -1))
	}
	return out
}}

// splitHeads splits what attention adds to each of parts into its heads.
// directions [L][K][H] are those by which the parts read it.
func (e *Engine) splitHeads(ctx context.Context, at int, states []State, directions [][][]float64, parts []*Parts) error {
	for l, of := range directions {
		probs, values := states[4+sitesPerLayer*l], states[5+sitesPerLayer*l] // [A, n, n], [n, G·d]
		heads, n := probs.Dims[0], probs.Dims[1]
		padded := e.sizes.reading(n, n+64)
		row, known := make([]float32, heads*padded), make([]float32, padded*values.Dims[1])
		for h := range heads {
			copy(row[h*padded:], probs.Values[(h*n+at)*n:(h*n+at+1)*n])
		}
		copy(known, values.Values)
		var u []float32
		for _, d := range of {
			for _, v := range d {
				u = append(u, float32(v))
			}
		}
		out, err := e.run(ctx, headsOf, l, form{}, tensors.FromFlatDataAndDimensions(row, heads, padded),
			tensors.FromFlatDataAndDimensions(known, padded, values.Dims[1]), tensors.FromFlatDataAndDimensions(u, len(of), len(of[0])))
		if err != nil {
			return err
		}
		all, err := widened(out)
		if err != nil {
			return err
		}
		for k, p := range parts {
			bias := 0.0
			if len(all) > 1 {
				bias = all[1][k]
			}
			p.Heads, p.AttentionBias = append(p.Heads, all[0][k*heads:(k+1)*heads]), append(p.AttentionBias, bias)
		}
	}
	return nil
}

// sitesPerLayer is how many sites [Engine.direct] reads in each layer, after two others.
const sitesPerLayer = 4

// apart makes nodes that are not a graph's own parameters.
func apart(nodes ...*graph.Node) (copies []*graph.Node) {
	for _, n := range nodes {
		copies = append(copies, graph.MulScalar(n, 1))
	}
	return copies
}

// headParts: a row of the last layer's output x [1, H], tokens [K] -> logits [K],
// the mean logit [1], the tokens' rows of the decoder [K, E], their mean over the
// vocabulary [E], the norm's scale [E], and what the configuration has of: the
// norm's bias [E], the decoder's biases of the tokens [K] and their mean [1]. In an
// encoder there follow the dense layer's weight [E, H] and bias [E], its output
// [E], and that behind its activation function [E].
var headParts = step{"head parts", transformer.HeadPart, func(w *transformer.Weights, in *inputs) []*graph.Node {
	x, tokens := in.next(), graph.InsertAxes(in.next(), -1)
	logits := graph.Squeeze(w.Logits(x), 0) // [V]
	decoder := w.Head.Decoder
	out := []*graph.Node{
		graph.Gather(logits, tokens), graph.Reshape(graph.ReduceAllMean(logits), 1),
		graph.Gather(decoder.Weight, tokens), graph.ReduceMean(decoder.Weight, 0),
	}
	out = append(out, apart(w.Head.Norm.Scale)...)
	if w.Head.Norm.Bias != nil {
		out = append(out, apart(w.Head.Norm.Bias)...)
	}
	if decoder.Bias != nil {
		out = append(out, graph.Gather(decoder.Bias, tokens), graph.Reshape(graph.ReduceAllMean(decoder.Bias), 1))
	}
	if !w.Config.Causal() {
		z := w.Head.Transform.Apply(x) // [1, E]
		out = append(out, apart(w.Head.Transform.Weight, w.Head.Transform.Bias)...)
		out = append(out, graph.Squeeze(z, 0), graph.Squeeze(transformer.Activate(w.Config.HeadAct(), z), 0))
	}
	return out
}}

// frozen is a norm at the scale that it had at one row y: what it makes of any
// row x is gain·(x - mean x)/scale + bias, or, in an RMSNorm, gain·x/scale.
type frozen struct {
	gain, bias []float64 // no bias in an RMSNorm
	scale      float64
	out        []float64 // of y
}

func freeze(gain, bias, y []float64, eps float64) frozen {
	f := frozen{gain: gain, bias: bias, out: make([]float64, len(y))}
	centre, square := 0.0, 0.0
	if bias != nil {
		centre = average(y)
	}
	for _, v := range y {
		square += (v - centre) * (v - centre) / float64(len(y))
	}
	f.scale = math.Sqrt(square + eps)
	for i, v := range y {
		f.out[i] = gain[i] * (v - centre) / f.scale
		if bias != nil {
			f.out[i] += bias[i]
		}
	}
	return f
}

// back takes a direction of the norm's output to that of its input, and returns
// what the bias adds along it.
func (f frozen) back(u []float64) (direction []float64, bias float64) {
	direction = make([]float64, len(u))
	for i, v := range u {
		direction[i] = v * f.gain[i] / f.scale
	}
	if f.bias == nil {
		return direction, 0
	}
	centre := average(direction)
	for i := range direction {
		direction[i] -= centre
	}
	return direction, along(f.bias, u)
}

func average(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func along(x, y []float64) float64 {
	sum := 0.0
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}

func plus(x, y []float64) []float64 {
	z := make([]float64, len(x))
	for i := range x {
		z[i] = x[i] + y[i]
	}
	return z
}

// direct takes the logit of each row's answer apart.
func (e *Engine) direct(ctx context.Context, rows []Row, emit func([]Result) error, progress func(share float64)) error {
	layers := e.Model.Config.Layers
	read := make([]Row, len(rows))
	for i, r := range rows {
		r.Sites = []transformer.Site{{Point: transformer.EmbeddingsOut}, {Point: transformer.ResidPost, Layer: layers - 1}}
		for l := range layers {
			for _, p := range []transformer.Point{transformer.AttentionOut, transformer.FFNOut, transformer.AttentionProbs, transformer.ValueOut} {
				r.Sites = append(r.Sites, transformer.Site{Point: p, Layer: l})
			}
		}
		read[i] = r
	}
	var between [][][]float64 // the layers' norms
	done := 0
	return e.states(ctx, read, func(results []Result) error {
		for _, r := range results {
			var err error
			if between == nil && !e.Model.Config.Causal() {
				if between, err = e.layerNorms(ctx); err != nil {
					return err
				}
			}
			own, mean, err := e.partsOf(ctx, rows[r.Row], r.States, between)
			if err != nil {
				return err
			}
			done++
			if err := emit([]Result{{Row: r.Row, Direct: own, DirectMean: mean}}); err != nil {
				return err
			}
			progress(float64(done) / float64(len(rows)))
		}
		return nil
	}, func(float64) {})
}

// layerNorms are the norms [L][4][H] of an encoder's layers.
func (e *Engine) layerNorms(ctx context.Context) (all [][][]float64, err error) {
	for l := range e.Model.Config.Layers {
		out, err := e.run(ctx, norms, l, form{})
		if err != nil {
			return nil, err
		}
		layer, err := widened(out)
		if err != nil {
			return nil, err
		}
		all = append(all, layer)
	}
	return all, nil
}

// widened copies tensors out and frees them.
func widened(all []*tensors.Tensor) (values [][]float64, err error) {
	for _, t := range all {
		flat, err := floats(t)
		if err != nil {
			return nil, err
		}
		values = append(values, widen(flat))
	}
	return values, nil
}

// partsOf takes the logit of a row's answer apart, and the mean logit of the vocabulary.
func (e *Engine) partsOf(ctx context.Context, row Row, states []State, between [][][]float64) (own, mean *Parts, err error) {
	c := e.Model.Config
	h, at := c.HiddenSize, row.Masks[0]
	rowOf := func(s State) []float32 { return s.Values[at*h : (at+1)*h] }
	tokens := append([]int32{row.Answers[0]}, row.Against...)
	out, err := e.run(ctx, headParts, 0, form{}, tensors.FromFlatDataAndDimensions(rowOf(states[1]), 1, h), tokens)
	if err != nil {
		return nil, nil, err
	}
	values, err := widened(out)
	if err != nil {
		return nil, nil, err
	}
	next := func() []float64 {
		v := values[0]
		values = values[1:]
		return v
	}
	logits, meanLogit, words, meanWord, gain := next(), next(), next(), next(), next()
	var normBias, wordBias, meanBias []float64
	if !c.Causal() || !c.Architecture().RMSNorm {
		normBias = next()
	}
	wordBias, meanBias = make([]float64, len(tokens)), []float64{0}
	if !c.Causal() {
		wordBias, meanBias = next(), next()
	}
	width := len(gain)
	direction, logit, bias := words[:width], logits[0], wordBias[0]
	if len(tokens) > 1 {
		direction = make([]float64, width)
		for i := range direction {
			direction[i] = words[i] - words[width+i]
		}
		logit, bias = logits[0]-logits[1], wordBias[0]-wordBias[1]
	}
	path := e.path(states, rowOf, between)
	into := func(u []float64) ([]float64, float64) { // from the logit to the last layer's output
		return freeze(gain, normBias, path.out, c.LayerNormEps).back(u)
	}
	if !c.Causal() {
		weight, transform, before, behind := next(), next(), next(), next()
		into = func(u []float64) ([]float64, float64) {
			return throughTransform(u, path.out, weight, transform, before, behind, gain, normBias, c.LayerNormEps)
		}
	}
	directions := make([][][]float64, c.Layers) // of the parts, in each layer
	parts := func(u []float64, bias, logit float64) *Parts {
		v, more := into(u)
		p := path.parts(v, directions)
		p.Biases += bias + more
		p.Logit, p.Sum = logit, p.Embeddings+p.Biases
		for l := range p.FFN {
			p.Sum += p.Attention[l] + p.FFN[l]
		}
		return p
	}
	own, mean = parts(direction, bias, logit), parts(meanWord, meanBias[0], meanLogit[0])
	return own, mean, e.splitHeads(ctx, at, states, directions, []*Parts{own, mean})
}

// throughTransform takes a direction u of an encoder's decoder back through its
// head. The activation function is frozen at the ratio of what is behind it to
// what is before it.
func throughTransform(u, x, weight, bias, before, behind, gain, normBias []float64, eps float64) (direction []float64, biases float64) {
	n := len(x)
	activated, ratio, rest := make([]float64, len(before)), make([]float64, len(before)), make([]float64, len(before))
	for i, z := range before {
		if z != 0 {
			ratio[i] = behind[i] / z
		} else {
			rest[i] = behind[i]
		}
		activated[i] = ratio[i]*(along(weight[i*n:(i+1)*n], x)+bias[i]) + rest[i]
	}
	v, biases := freeze(gain, normBias, activated, eps).back(u)
	biases += along(rest, v)
	direction = make([]float64, n)
	for i, d := range v {
		biases += d * ratio[i] * bias[i]
		for j := range n {
			direction[j] += d * ratio[i] * weight[i*n+j]
		}
	}
	return direction, biases
}

// path is what a row of the residual stream is made of.
type path struct {
	embeddings     []float64
	attention, ffn [][]float64 // [L][H] what is added
	norms          [][2]frozen // behind each of the two, in an encoder
	out            []float64   // of the last layer
}

// path runs a row through the layers again, in float64, given what they add. What
// [Engine.direct] reads of a layer is from states[2+4·l] on.
func (e *Engine) path(states []State, rowOf func(State) []float32, between [][][]float64) path {
	p := path{embeddings: widen(rowOf(states[0]))}
	p.out = p.embeddings
	for l := range e.Model.Config.Layers {
		attention, ffn := widen(rowOf(states[2+sitesPerLayer*l])), widen(rowOf(states[3+sitesPerLayer*l]))
		p.attention, p.ffn = append(p.attention, attention), append(p.ffn, ffn)
		if between == nil {
			p.out = plus(plus(p.out, attention), ffn)
			continue
		}
		mid := freeze(between[l][0], between[l][1], plus(p.out, attention), e.Model.Config.LayerNormEps)
		post := freeze(between[l][2], between[l][3], plus(mid.out, ffn), e.Model.Config.LayerNormEps)
		p.norms, p.out = append(p.norms, [2]frozen{mid, post}), post.out
	}
	return p
}

// parts is what each part adds along a direction of the last layer's output. It
// adds to directions [L] that of what attention adds.
func (p path) parts(u []float64, directions [][][]float64) *Parts {
	layers := len(p.ffn)
	r := &Parts{Attention: make([]float64, layers), FFN: make([]float64, layers)}
	through := func(l, which int) {
		if p.norms != nil {
			var bias float64
			u, bias = p.norms[l][which].back(u)
			r.Biases += bias
		}
	}
	for l := layers - 1; l >= 0; l-- {
		through(l, 1)
		r.FFN[l] = along(p.ffn[l], u)
		through(l, 0)
		r.Attention[l], directions[l] = along(p.attention[l], u), append(directions[l], u)
	}
	r.Embeddings = along(p.embeddings, u)
	return r
}
