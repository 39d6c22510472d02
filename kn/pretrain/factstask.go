package pretrain

import (
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// factsTask trains much as BERT or GPT-2 was trained, on sentences of one fact
// each. What it makes small is
//
//	H(t(e), p) + w·H(x, p_x) + λ·Σ_l mean|a_l|
//
// p is the distribution at the answer's [MASK], in a causal model at the token
// before the answer; t(e) gives the answer 1 - e and
// shares e among the relation's answers by how common they are. The second term
// is the cross-entropy of the sentence's other tokens x: those that were chosen as
// BERT's are, see [hide]; in a causal model each from the tokens before it. The
// third is the mean activation of all neurons of all layers at all tokens.
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

// Inputs of the training graph. B is the batch, n the tokens, k the most tokens
// of a sentence that are chosen, R the relations, A the answers.
const (
	inIDs       = iota // [B, n] int32
	inMask             // [B, n] float32, 1 for tokens and 0 for padding
	inPositions        // [B, 1+k] int32, of the answer and the chosen tokens
	inTokens           // [B, 1+k] int32, what stands there
	inChosen           // [B, k] float32, 1 for chosen tokens, 0 where there are fewer than k
	inDoubt            // [B] float32, the answer's target probability is 1 - doubt + doubt·q(answer)
	inRelation         // [B] int32
	inPrior            // [R, A] float32
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
	most := max(1, int(c.MaskedShare*float64(b.length))+1)
	prompts := make([]prompt, size)
	doubt, relation := make([]float32, size), make([]int32, size)
	positions, tokens, chosen := make([]int32, 0, size*(1+most)), make([]int32, 0, size*(1+most)), make([]float32, size*most)
	for i, s := range b.shown {
		p := k.prompt(int(s.fact), k.templates[k.relation[s.fact]][s.template])
		// The fraction of a token is drawn, so that the share holds on average.
		at := choose(rng, p.open, int(c.MaskedShare*float64(len(p.open))+rng.Float64()))
		var was []int32
		if k.causal {
			was = following(p.ids, at)
		} else {
			was = hide(rng, k.tok, p.ids, at)
		}
		for j := range at {
			chosen[i*most+j] = 1
		}
		positions = append(append(append(positions, int32(p.mask)), at...), make([]int32, most-len(at))...)
		tokens = append(append(append(tokens, p.answer), was...), make([]int32, most-len(at))...)
		prompts[i], doubt[i], relation[i] = p, k.doubt[s.fact], k.relation[s.fact]
	}
	g := newGrid(prompts, b.length)
	return []any{
		g.ids, g.mask,
		tensors.FromFlatDataAndDimensions(positions, size, 1+most), tensors.FromFlatDataAndDimensions(tokens, size, 1+most),
		tensors.FromFlatDataAndDimensions(chosen, size, most),
		tensors.FromFlatDataAndDimensions(doubt, size), tensors.FromFlatDataAndDimensions(relation, size), t.prior,
	}
}

// loss builds the objective.
func (t *factsTask) loss(w *transformer.Weights, in []*graph.Node) *graph.Node {
	hooks := transformer.Hooks{}
	var neurons []**graph.Node
	if t.config.Sparsity > 0 {
		for l := range w.Layers {
			neurons = append(neurons, hooks.Capture(transformer.FFNPost, l)) // [B, n, F]
		}
	}
	hidden := w.Encode(transformer.Inputs{IDs: in[inIDs], Mask: in[inMask]}, hooks) // [B, n, H]
	p := chosenLogProbabilities(w, hidden, in[inPositions])                         // [B, 1+k, V]

	// The answer's row. Answers are the vocabulary's last A tokens.
	others, doubt := t.corpus.others(), in[inDoubt]
	first := graph.Squeeze(graph.Slice(p, graph.AxisRange(), graph.AxisElem(0), graph.AxisRange(others)), 1) // [B, A]
	answer := graph.Slice(in[inTokens], graph.AxisRange(), graph.AxisElem(0))                                // [B, 1]
	answer = graph.OneHot(graph.AddScalar(graph.Squeeze(answer, 1), -float64(others)), t.corpus.answers, p.DType())
	prior := graph.Gather(in[inPrior], graph.InsertAxes(in[inRelation], -1)) // [B, A]
	right := graph.ReduceSum(graph.Mul(answer, first), -1)                   // [B]
	common := graph.ReduceSum(graph.Mul(prior, first), -1)                   // [B]
	loss := graph.Neg(graph.ReduceAllMean(graph.Add(graph.Mul(graph.OneMinus(doubt), right), graph.Mul(doubt, common))))

	if t.config.MaskedWeight > 0 {
		rest := graph.Slice(p, graph.AxisRange(), graph.AxisRange(1))                                     // [B, k, V]
		token := graph.Slice(in[inTokens], graph.AxisRange(), graph.AxisRange(1))                         // [B, k]
		right := graph.ReduceSum(graph.Mul(graph.OneHot(token, w.Config.VocabSize, p.DType()), rest), -1) // [B, k]
		sum, n := graph.ReduceAllSum(graph.Mul(in[inChosen], right)), graph.ReduceAllSum(in[inChosen])    // scalars
		loss = graph.Sub(loss, graph.MulScalar(graph.Div(sum, graph.MaxScalar(n, 1)), t.config.MaskedWeight))
	}
	for _, a := range neurons {
		rows := graph.Mul(graph.ReduceMean(graph.Abs(*a), -1), in[inMask]) // [B, n]
		mean := graph.Div(graph.ReduceAllSum(rows), graph.ReduceAllSum(in[inMask]))
		loss = graph.Add(loss, graph.MulScalar(mean, t.config.Sparsity))
	}
	return loss
}

// recallGraph says whether the answer of each of a grid's prompts is ranked
// first, and its probability: both [B]. Its inputs are a [grid]'s.
func recallGraph(w *transformer.Weights, in []*graph.Node) (first, probability *graph.Node) {
	ids, mask, pick, token := in[0], in[1], in[2], in[3]
	hidden := w.EncodeRow(transformer.Inputs{IDs: ids, Mask: mask}, pick, nil) // [B, H]
	p := graph.Softmax(w.Logits(hidden), -1)                                   // [B, V]
	answer := graph.OneHot(token, w.Config.VocabSize, p.DType())               // [B, V]
	probability = graph.ReduceSum(graph.Mul(answer, p), -1)                    // [B]
	best := graph.ReduceMax(p, -1)                                             // [B]
	first = graph.ConvertDType(graph.GreaterOrEqual(probability, best), p.DType())
	return first, probability
}
