package kn

import (
	"cmp"
	"fmt"
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
)

// LogitOptions are the options of [Model.LogitParts].
type LogitOptions struct {
	// Against, if given, is another answer: parts are then of the difference of the
	// two logits, which decides between them.
	Against string `json:"against,omitempty"`
}

// Parts is what each part of the model adds to a logit. L is the number of layers,
// A that of the heads in each.
type Parts struct {
	Embeddings float64   `json:"embeddings"` // what the first layer is given
	Attention  []float64 `json:"attention"`  // [L] with the bias of the output matrix
	// Heads and AttentionBias are what Attention is made of: the heads' shares, and
	// the bias of the output matrix.
	Heads         [][]float64 `json:"heads"`          // [L][A]
	AttentionBias []float64   `json:"attention_bias"` // [L]
	FFN           []float64   `json:"ffn"`            // [L] with the bias of the output matrix
	Biases        float64     `json:"biases"`         // of the norms and the head
	Sum           float64     `json:"sum"`            // of Embeddings, Attention, FFN and Biases
	Logit         float64     `json:"logit"`          // as the model computes it, which Sum is but for rounding
}

// LogitParts is direct logit attribution: what [Model.LogitParts] computes.
type LogitParts struct {
	Prompt  string `json:"prompt"`
	Answer  string `json:"answer"`
	Token   string `json:"token"`             // the answer's first token, whose logit it is
	Against string `json:"against,omitempty"` // the token whose logit is subtracted, if any
	Answers Parts  `json:"answers"`
	// Control is what the parts add to the mean logit of the whole vocabulary. That
	// changes no probability: what a part adds to the answer is what it adds
	// beyond this. There is none with Against, whose difference has none.
	Control *Parts `json:"control,omitempty"`

	Provenance Provenance `json:"provenance"`
}

// LogitParts takes the logit of the answer's first token apart, where it is
// predicted: direct logit attribution (Elhage et al., 2021,
// https://transformer-circuits.pub/2021/framework). What attention and FFN of each
// layer add to the residual stream is multiplied by the direction that the logit
// reads; effects on later layers are not counted. What attention adds is the sum of
// what its heads add, each by its columns of the output matrix, and a bias.
//
// In a causal model the stream is the sum of these parts, and the direction is the
// word's row of the head behind the last norm, whose scale is held at what it is
// for this prompt. A masked model normalises the stream behind every attention and
// FFN. Each LayerNorm is then taken as the linear map that it is at the scale 1/σ
// of this prompt,
//
//	x  ->  γ·(x - mean x)/σ + β
//
// and the activation function of the head as multiplication by its observed ratio
// act(z)/z. A part passes all norms above it, and their β are Biases. So the parts
// add up to what the head is given, and to the logit, exactly: Sum is Logit but for
// the rounding of float32. That scales and ratios would change if a part were taken
// away is not part of it; [Model.CausalTrace] and [Suppress] measure that.
func (m *Model) LogitParts(prompt, answer string, options ...LogitOptions) (*LogitParts, error) {
	o, err := optional(options)
	if err != nil {
		return nil, err
	}
	return cached(m, "logit parts by head", []any{Query{prompt, answer}, o}, func() (*LogitParts, error) {
		s, err := m.answerSample(Query{prompt, answer})
		if err != nil {
			return nil, err
		}
		s = s.first()
		space := s.question.Prompt.AfterSpace
		r := &LogitParts{Prompt: prompt, Answer: answer, Token: m.Tokenizer().Shown(int(s.Answers[0]), space)}
		edits, err := m.composed()
		if err != nil {
			return nil, err
		}
		row := engine.Row{Sample: s.Sample, Edits: edits}
		if o.Against != "" {
			ids, err := m.Tokenizer().Answer(s.question.Prompt, o.Against)
			if err != nil {
				return nil, err
			}
			if int32(ids[0]) == s.Answers[0] {
				return nil, sameAnswers(o.Against)
			}
			row.Against = []int32{int32(ids[0])}
			r.Against = m.Tokenizer().Shown(ids[0], space)
		}
		results, err := m.compute(engine.Direct, []engine.Row{row}, "logits taken apart")
		if err != nil {
			return nil, err
		}
		r.Answers = Parts(*results[0].Direct)
		if o.Against == "" {
			control := Parts(*results[0].DirectMean)
			r.Control = &control
		}
		r.Provenance, err = m.provenance(o)
		return r, err
	})
}

// MustLogitParts is [Model.LogitParts] for notebook cells: it panics instead of returning an error.
func (m *Model) MustLogitParts(prompt, answer string, options ...LogitOptions) *LogitParts {
	return Must(m.LogitParts(prompt, answer, options...))
}

// Table lists what each part adds, beside what it adds to the mean word.
func (l LogitParts) Table() Table {
	what := "logit of " + l.Token
	if l.Against != "" {
		what = fmt.Sprintf("logit of %s less that of %s", l.Token, l.Against)
	}
	t := Table{Title: fmt.Sprintf("%s: %s", l.Prompt, what), Columns: []string{"part", "adds"}}
	c := cmp.Or(l.Control, &Parts{Attention: make([]float64, len(l.Answers.FFN)), FFN: make([]float64, len(l.Answers.FFN))})
	if l.Control != nil {
		t.Columns = append(t.Columns, "to the mean word", "difference")
	}
	add := func(part string, own, control float64) {
		row := []string{part, signed(own)}
		if l.Control != nil {
			row = append(row, signed(control), signed(own-control))
		}
		t.Rows = append(t.Rows, row)
	}
	add("embeddings", l.Answers.Embeddings, c.Embeddings)
	for i := range l.Answers.FFN {
		add(fmt.Sprint("attention ", i), l.Answers.Attention[i], c.Attention[i])
		add(fmt.Sprint("FFN ", i), l.Answers.FFN[i], c.FFN[i])
	}
	add("biases", l.Answers.Biases, c.Biases)
	add("sum", l.Answers.Sum, c.Sum)
	t.Notes = []string{fmt.Sprintf("the model's own number is %s; the sum misses it by %s, which is rounding", signed(l.Answers.Logit), significant(math.Abs(l.Answers.Sum-l.Answers.Logit)))}
	return t
}

// String returns [LogitParts.Table] as text.
func (l LogitParts) String() string { return l.Table().String() }

// signed writes a number with its sign.
func signed(x float64) string { return fmt.Sprintf("%+.3f", x) }
