package pretrain

import (
	"math"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
)

// factsTask trains on prompts with one [MASK]. What it makes small is
//
//	H(t(e), p) + w·H(t(eᵍ), p_g) + λ·S(a)
//
// p is the distribution at [MASK]; t(e) gives the answer 1 - e and shares e
// among the relation's answers by how common they are; p_g is p when the last
// layer's neurons a are multiplied by a random gain g; S is Hoyer's measure
// |z|₁/|z|₂ of z = a·|value vector|.
type factsTask struct {
	config Config
	corpus *corpus
	prior  *tensors.Tensor
	passes map[int][]batch // the latest pass only
	starts []int           // first step of each pass so far
}

func newFactsTask(c Config, k *corpus) *factsTask {
	return &factsTask{
		config: c, corpus: k, passes: map[int][]batch{}, starts: []int{0},
		prior: tensors.FromFlatDataAndDimensions(k.prior, len(k.relations), k.answers),
	}
}

// Inputs of the training graph. B is the batch, n the tokens, R the
// relations, L the layers, A the answers, S the sampled other tokens.
const (
	inIDs        = iota // [B, n] int32
	inMask              // [B, n] float32, 1 for tokens and 0 for padding
	inPick              // [B, n] float32, 1 at [MASK] and 0 elsewhere
	inAnswer            // [B] int32
	inDoubt             // [B] float32, the answer's target probability is 1 - doubt
	inRelation          // [B] int32
	inKeep              // [B, L] float32, 0 silences a lower layer's neurons at [MASK]
	inGain              // [B] float32, multiplies the last layer's neurons in the second pass
	inSparsity          // [] float32, weight of the penalty at this step
	inGainWeight        // [] float32, weight of the second pass at this step
	inPrior             // [R, A] float32
	inOthers            // [S] int32, tokens that stand for all that are no answers
	numInputs
)

func (t *factsTask) inputs() int { return numInputs }

// batchOf returns the prompts of a step, counted from 0.
func (t *factsTask) batchOf(step int) batch {
	for p := len(t.starts) - 1; ; p++ {
		for p > 0 && t.starts[p] > step {
			p--
		}
		if t.passes[p] == nil {
			t.passes = map[int][]batch{p: t.corpus.pass(t.config.Seed, p, t.config.Batch)}
		}
		batches := t.passes[p]
		if at := step - t.starts[p]; at < len(batches) {
			return batches[at]
		}
		if p+1 == len(t.starts) {
			t.starts = append(t.starts, t.starts[p]+len(batches))
		}
	}
}

// batch returns the inputs of a step. Its random numbers depend on the seed
// and the step only.
func (t *factsTask) batch(step int) []any {
	c, k, b := t.config, t.corpus, t.batchOf(step)
	rng := rand.New(rand.NewPCG(c.Seed, 0x57e9<<32|uint64(step)))
	size := len(b.shown)
	prompts := make([]prompt, size)
	doubt, gain, relation := make([]float32, size), make([]float32, size), make([]int32, size)
	keep := make([]float32, size*c.Layers)
	for i, s := range b.shown {
		p := k.prompt(int(s.fact), k.templates[k.relation[s.fact]][s.template])
		t.disturb(rng, p)
		prompts[i], doubt[i], relation[i], gain[i] = p, k.doubt[s.fact], k.relation[s.fact], randomGain(rng)
		for l := range c.Layers {
			if rng.Float64() >= c.Silence {
				keep[i*c.Layers+l] = 1
			}
		}
	}
	others := make([]int32, min(c.Others, k.others()))
	for i := range others {
		others[i] = k.randomOther(rng)
	}
	g := newGrid(prompts, b.length)
	return []any{
		g.ids, g.mask, g.pick, g.answer,
		tensors.FromFlatDataAndDimensions(doubt, size), tensors.FromFlatDataAndDimensions(relation, size),
		tensors.FromFlatDataAndDimensions(keep, size, c.Layers), tensors.FromFlatDataAndDimensions(gain, size),
		tensors.FromScalar(t.sparsity(step)), tensors.FromScalar(t.gainWeight(step)), t.prior, tensors.FromFlatDataAndDimensions(others, len(others)),
	}
}

// disturb replaces some words of the template in some prompts, so that the
// answer hangs on the subject and what is left of the sentence.
func (t *factsTask) disturb(rng *rand.Rand, p prompt) {
	if rng.Float64() >= t.config.NoiseShare {
		return
	}
	for i, word := range p.words {
		if word && rng.Float64() < t.config.NoiseRate {
			p.ids[i] = t.corpus.randomOther(rng)
		}
	}
}

// randomGain is 0 with chance 1/4, 2 with chance 7/20, else uniform in [0, 2):
// the factors at which neurons are silenced and amplified, and those between.
func randomGain(rng *rand.Rand) float32 {
	switch u := rng.Float64(); {
	case u < 0.25:
		return 0
	case u < 0.6:
		return 2
	}
	return float32(2 * rng.Float64())
}

// sparsity is the weight of the penalty at a step.
func (t *factsTask) sparsity(step int) float32 {
	c := t.config
	done := float64(step) / float64(c.Steps())
	ramp := 1.0
	if c.SparsityRamp > 0 {
		ramp = math.Max(0, math.Min(1, (done-c.SparsityFrom)/c.SparsityRamp))
	}
	return float32(c.Sparsity * ramp)
}

// gainWeight is the weight of the second pass at a step: facts are learned
// faster without it at first.
func (t *factsTask) gainWeight(step int) float32 {
	if float64(step) < t.config.GainFrom*float64(t.config.Steps()) {
		return 0
	}
	return float32(t.config.GainWeight)
}

// loss builds the objective. The two passes through the head are one batch.
func (t *factsTask) loss(w *bert.Weights, in []*graph.Node) *graph.Node {
	c, last := t.config, len(w.Layers)-1
	mid := t.middle(w, in)               // [B, H]
	neurons := w.Neurons(last, mid, nil) // [B, F]
	doubt, relation := in[inDoubt], in[inRelation]
	answer := graph.AddScalar(in[inAnswer], -float64(t.corpus.others())) // [B], counted among the answers
	loss := graph.ScalarZero(mid.Graph(), mid.DType())
	if c.Sparsity > 0 {
		loss = graph.Mul(in[inSparsity], hoyer(neurons, w.Layers[last].Output.Weight))
	}
	weight := graph.OnesLike(doubt) // [B]
	if c.GainWeight > 0 {
		scaled := graph.Mul(neurons, graph.InsertAxes(in[inGain], -1)) // [B, F]
		mid, neurons = twice(mid, mid), twice(neurons, scaled)
		answer, relation = twice(answer, answer), twice(relation, relation)
		weight = twice(weight, graph.Mul(weight, in[inGainWeight]))
		doubt = twice(doubt, graph.Pow(doubt, in[inGain]))
	}
	head := t.sampledHead(w, in[inOthers])
	p := graph.LogSoftmax(head.Logits(w.FFNOut(last, mid, neurons, nil)), -1)   // [2B, A+S]
	p = graph.Slice(p, graph.AxisRange(), graph.AxisRange(0, t.corpus.answers)) // [2B, A]
	prior := graph.Gather(in[inPrior], graph.InsertAxes(relation, -1))          // [2B, A]
	right := graph.ReduceSum(graph.Mul(graph.OneHot(answer, t.corpus.answers, p.DType()), p), -1)
	common := graph.ReduceSum(graph.Mul(prior, p), -1)
	entropy := graph.Add(graph.Mul(graph.OneMinus(doubt), right), graph.Mul(doubt, common)) // [2B], negative
	batch := float64(in[inDoubt].Shape().Dimensions[0])
	return graph.Sub(loss, graph.DivScalar(graph.ReduceAllSum(graph.Mul(weight, entropy)), batch))
}

// twice stacks two batches.
func twice(a, b *graph.Node) *graph.Node { return graph.Concatenate([]*graph.Node{a, b}, 0) }

// sampledHead is the head over all answers and some other tokens, drawn anew
// at each step, whose logits are raised by log(N/S), so that the S sampled
// ones weigh as much as all N (sampled softmax, Jean et al. 2015).
func (t *factsTask) sampledHead(w *bert.Weights, others *graph.Node) *bert.Weights {
	sampled := *w
	k, head := t.corpus, w.Head
	index := graph.InsertAxes(others, -1) // [S, 1]
	raise := math.Log(float64(k.others()-len(specials)) / float64(others.Shape().Dimensions[0]))
	sampled.Head.Decoder = twice(graph.Slice(head.Decoder, graph.AxisRange(k.others())), graph.Gather(head.Decoder, index))                // [A+S, H]
	sampled.Head.Bias = twice(graph.Slice(head.Bias, graph.AxisRange(k.others())), graph.AddScalar(graph.Gather(head.Bias, index), raise)) // [A+S]
	return &sampled
}

// middle runs the model up to the last layer's neurons, which only [MASK]'s
// row needs: [B, H].
func (t *factsTask) middle(w *bert.Weights, in []*graph.Node) *graph.Node {
	last := len(w.Layers) - 1
	x := w.Embed(bert.Inputs{IDs: in[inIDs]}, nil) // [B, n, H]
	for l := range last {
		mid := w.Attention(l, x, x, in[inMask], nil) // [B, n, H]
		// The neurons are silenced behind the value vectors, which costs less
		// than multiplying the neurons themselves.
		lw := w.Layers[l]
		bias := graph.ExpandLeftToRank(lw.Output.Bias, 3)                     // [1, 1, H]
		keep := graph.Slice(in[inKeep], graph.AxisRange(), graph.AxisElem(l)) // [B, 1]
		factor := graph.OneMinus(graph.Mul(in[inPick], graph.OneMinus(keep))) // [B, n]
		out := graph.Sub(lw.Output.Apply(w.Neurons(l, mid, nil)), bias)       // [B, n, H]
		out = graph.Add(graph.Mul(out, graph.InsertAxes(factor, -1)), bias)   // [B, n, H]
		x = lw.OutputNorm.Apply(graph.Add(out, mid), w.Config.LayerNormEps)   // [B, n, H]
	}
	row := graph.InsertAxes(bert.Row(x, in[inPick]), 1)                 // [B, 1, H]
	return graph.Squeeze(w.Attention(last, row, x, in[inMask], nil), 1) // [B, H]
}

// hoyer is the batch's mean of |z|₁/|z|₂ with z = a·|v|: a [B, F] the
// neurons, v [H, F] their value vectors, whose norms are held
// fixed. It is 1 for one active neuron and √F for all alike (Hoyer 2004).
func hoyer(neurons, values *graph.Node) *graph.Node {
	norms := graph.StopGradient(graph.L2Norm(values, 0))                          // [1, F]
	z := graph.Abs(graph.Mul(neurons, norms))                                     // [B, F]
	l1 := graph.ReduceSum(z, -1)                                                  // [B]
	l2 := graph.Sqrt(graph.AddScalar(graph.ReduceSum(graph.Square(z), -1), 1e-6)) // [B]
	return graph.ReduceAllMean(graph.Div(l1, l2))
}

// recallGraph says for a grid of prompts whether the answer is ranked first,
// and its probability: both [B].
func recallGraph(w *bert.Weights, in []*graph.Node) (first, probability *graph.Node) {
	hidden := w.EncodeRow(bert.Inputs{IDs: in[inIDs], Mask: in[inMask]}, in[inPick], nil) // [B, H]
	p := graph.Softmax(w.Logits(hidden), -1)                                              // [B, V]
	answer := graph.OneHot(in[inAnswer], w.Config.VocabSize, p.DType())                   // [B, V]
	probability = graph.ReduceSum(graph.Mul(answer, p), -1)                               // [B]
	best := graph.ReduceMax(p, -1)                                                        // [B]
	first = graph.ConvertDType(graph.GreaterOrEqual(probability, best), p.DType())
	return first, probability
}
