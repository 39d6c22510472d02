package kn

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
)

// Baseline is where the path of [Model.AttributeTokens] starts.
type Baseline string

// The baselines. The embedding of a token takes the place of the word embedding
// of each token of the prompt but those around the text, such as [CLS] and [SEP],
// and the [MASK] that is asked for, which stay; the zero vector that of every token.
const (
	BaselineZero Baseline = "zero" // the zero vector: captum's default, and ecco's
	BaselineMask Baseline = "mask" // [MASK], for masked models
	BaselinePad  Baseline = "pad"  // [PAD], as in captum's tutorial on BERT; causal models mostly have none
)

// DefaultTokenTolerance is the adaptive rule's tolerance for tokens unless told
// otherwise. Token scores are for charts, where an error of 1 % is invisible.
const DefaultTokenTolerance = 1e-2

// TokenOptions are the options of [Model.AttributeTokens].
type TokenOptions struct {
	// Baseline is where the path starts. "" stands for [BaselineZero].
	Baseline Baseline `json:"baseline"`
	// Target is what is attributed. "" stands for the answer's probability, or with
	// Against for [TargetLogitDifference].
	Target Target `json:"target,omitempty"`
	// Against is the other answer of a [TargetLogitDifference].
	Against string `json:"against,omitempty"`
	// Rule, Nodes and Tolerance are as in [AttributeOptions], but a Tolerance of 0
	// stands for [DefaultTokenTolerance].
	Rule      Rule    `json:"rule"`
	Nodes     int     `json:"nodes,omitempty"`
	Tolerance float64 `json:"tolerance,omitempty"`
}

// filled returns the options with the defaults in the place of zero values, and
// in the engine's form.
func (o TokenOptions) filled() (TokenOptions, engine.Options, error) {
	rule := AttributeOptions{Rule: o.Rule, Nodes: o.Nodes, Tolerance: cmp.Or(o.Tolerance, DefaultTokenTolerance)}.filled()
	o.Rule, o.Nodes, o.Tolerance = rule.Rule, rule.Nodes, rule.Tolerance
	o.Baseline = cmp.Or(o.Baseline, BaselineZero)
	if o.Against != "" {
		o.Target = cmp.Or(o.Target, TargetLogitDifference)
	}
	switch {
	case o.Rule == ActivationBaseline:
		return o, engine.Options{}, fmt.Errorf("kn: the rule %q is for neurons; tokens take one that integrates, such as %q", o.Rule, Adaptive)
	case !slices.Contains([]Baseline{BaselineZero, BaselineMask, BaselinePad}, o.Baseline):
		return o, engine.Options{}, fmt.Errorf("kn: unknown baseline %q; use %q, %q or %q", o.Baseline, BaselineZero, BaselineMask, BaselinePad)
	case o.Target == TargetLogitDifference && o.Against == "":
		return o, engine.Options{}, fmt.Errorf("kn: a logit difference needs the other answer; name it in Against")
	case o.Target != TargetLogitDifference && o.Against != "":
		return o, engine.Options{}, fmt.Errorf("kn: the target %q is of one answer, and another, %q, is given; leave out the target or the other answer", o.Target, o.Against)
	case o.Target == TargetLogitDifference: // of two logarithms
		rule.Target = TargetLogProbability
	default:
		rule.Target = o.Target
	}
	how, err := rule.engine()
	return o, how, err
}

// TokenAttribution is what [Model.AttributeTokens] computes for one prompt and
// answer. n is the number of the prompt's tokens.
type TokenAttribution struct {
	Prompt   string   `json:"prompt"`
	Answer   string   `json:"answer"`
	Against  string   `json:"against,omitempty"` // the other answer, if any
	Target   Target   `json:"target,omitempty"`
	Baseline Baseline `json:"baseline"`
	Tokens   []string `json:"tokens"` // [n] as the model reads them
	Mask     int      `json:"mask"`   // where the answer is predicted; of several tokens, the first

	Value           float64 `json:"value"`             // the target, for the prompt
	ValueAtBaseline float64 `json:"value_at_baseline"` // with every token at the baseline
	// Scores[t] is the integrated gradient of token t, in units of the target. They
	// add up to Value - ValueAtBaseline but for CompletenessError.
	Scores []float64 `json:"scores"` // [n]
	// Occlusion[t] is what the target loses when token t alone is at the baseline:
	// a control that takes no gradient. It need not add up to anything.
	Occlusion         []float64 `json:"occlusion"` // [n]
	CompletenessError float64   `json:"completeness_error"`

	Rule  Rule `json:"rule"`
	Nodes int  `json:"nodes"` // gradient evaluations
	// EstimatedError estimates the largest error of any score. Only the adaptive
	// rule estimates; others leave it at 0.
	EstimatedError float64 `json:"estimated_error,omitempty"`
	NotConverged   bool    `json:"not_converged,omitempty"` // the estimate is above the tolerance

	Provenance Provenance `json:"provenance"`
}

// AttributeTokens computes integrated gradients of the answer's probability, or
// another [Target], with respect to the word embeddings of the prompt's tokens
// (Sundararajan, Taly and Yan, Axiomatic Attribution for Deep Networks, 2017,
// https://arxiv.org/abs/1703.01365):
//
//	Score(t) = Σ_j (x_tj - b_tj) · ∫₀¹ ∂P(b + a·(x - b))/∂x_tj da
//
// with x [n, E] the word embeddings, b the [Baseline], and P the target when they
// are replaced. Positions and token types stay as they are, so the baseline is a
// text of so many tokens that say nothing. The scores add up to P(x) - P(b); by how
// much they miss it is the completeness error, and how exact each one is
// [TokenAttribution.EstimatedError] says.
//
// Of an answer of several tokens P is the product of their probabilities. Those of
// them that the model reads to predict the next are given, and have no scores.
func (m *Model) AttributeTokens(prompt, answer string, options ...TokenOptions) (*TokenAttribution, error) {
	o, err := optional(options)
	if err != nil {
		return nil, err
	}
	o, how, err := o.filled()
	if err != nil {
		return nil, err
	}
	s, err := m.answerSample(Query{prompt, answer})
	if err != nil {
		return nil, err
	}
	line, err := m.line(prompt, s, o)
	if err != nil {
		return nil, err
	}
	return cached(m, "token attribution", []any{Query{prompt, answer}, o}, func() (*TokenAttribution, error) {
		edits, err := m.composed()
		if err != nil {
			return nil, err
		}
		row := engine.Row{Sample: s.Sample, Edits: edits, Line: line}
		results, err := m.computeWith(engine.TokenAttribution, []engine.Row{row}, how, "prompts attributed to tokens")
		if err != nil {
			return nil, err
		}
		r := results[0]
		t := &TokenAttribution{
			Prompt: prompt, Answer: answer, Against: o.Against, Target: o.Target, Baseline: o.Baseline,
			Tokens: s.question.Prompt.Tokens, Mask: s.question.Masks[0], Value: r.Target, ValueAtBaseline: r.TargetAtBaseline,
			Scores: r.Scores[0], CompletenessError: r.CompletenessError[0], Rule: o.Rule, Nodes: r.Nodes[0], NotConverged: len(r.NotConverged) > 0,
		}
		t.Occlusion = make([]float64, len(t.Tokens))
		for _, place := range slices.Concat(line.Moves, line.RivalMoves) { // nothing is lost by those that stay
			at := place % len(t.Tokens)
			t.Occlusion[at] = t.Value - r.Occluded[at]
		}
		if len(r.EstimatedError) > 0 {
			t.EstimatedError = r.EstimatedError[0]
		}
		t.Provenance, err = m.provenance(o)
		return t, err
	})
}

// MustAttributeTokens is [Model.AttributeTokens] for notebook cells: it panics instead of returning an error.
func (m *Model) MustAttributeTokens(prompt, answer string, options ...TokenOptions) *TokenAttribution {
	return Must(m.AttributeTokens(prompt, answer, options...))
}

// line is the path of a sample's tokens from the baseline.
func (m *Model) line(prompt string, s sampled, o TokenOptions) (engine.Line, error) {
	line := engine.Line{From: engine.ZeroVector, Tokens: len(s.question.Prompt.IDs)}
	if o.Baseline != BaselineZero {
		id := m.Tokenizer().PadID()
		if o.Baseline == BaselineMask {
			id = m.Tokenizer().MaskID()
		}
		if id < 0 {
			return line, fmt.Errorf("kn: the tokenizer of %s has no %s token to start from; use the baseline %q", m.name, o.Baseline, BaselineZero)
		}
		line.From = int32(id)
	}
	line.Moves = m.moves(s, o.Baseline)
	if o.Against == "" {
		return line, nil
	}
	rival, err := m.answerSample(Query{prompt, o.Against})
	if err != nil {
		return line, err
	}
	if !slices.Equal(rival.question.Prompt.IDs, s.question.Prompt.IDs) {
		return line, fmt.Errorf("kn: the answers have %d and %d tokens, and a masked model is asked for them at as many [MASK]s, in prompts that differ; give answers of as many tokens, or attribute the %s of each",
			len(s.Answers), len(rival.Answers), TargetLogProbability)
	}
	if slices.Equal(rival.Answers, s.Answers) {
		return line, sameAnswers(o.Against)
	}
	line.Rival, line.RivalMoves = &rival.Sample, m.moves(rival, o.Baseline)
	return line, nil
}

// sameAnswers is the error of a difference between an answer and itself.
func sameAnswers(against string) error {
	return fmt.Errorf("kn: the other answer, %q, is the answer itself to the model, so that the difference is 0; give another one", against)
}

// moves are the places of a sample whose embeddings start from the baseline: the
// prompt's tokens, in each pass, but not those of the answer that are given.
func (m *Model) moves(s sampled, b Baseline) (places []int) {
	t, prompt := m.Tokenizer(), s.question.Prompt.IDs
	for place, id := range s.IDs {
		at := place
		if s.Passes > 1 {
			at %= len(prompt)
		}
		if at >= len(prompt) || int(id) != prompt[at] { // of the answer
			continue
		}
		if b == BaselineZero || !t.IsSpecial(int(id)) || int(id) == t.UnkID() {
			places = append(places, place)
		}
	}
	return places
}

// unit is that of a target's scores.
func (t Target) unit() string {
	if t == TargetProbability {
		return "probability"
	}
	return "nats"
}

// name writes a target of answers.
func (t Target) name(answer, against string) string {
	switch t {
	case TargetLogProbability:
		return fmt.Sprintf("log P(%s)", answer)
	case TargetLogitDifference:
		return fmt.Sprintf("log P(%s)/P(%s)", answer, against)
	}
	return fmt.Sprintf("P(%s)", answer)
}

// TargetName writes what was attributed, such as P(Paris).
func (a TokenAttribution) TargetName() string { return a.Target.name(a.Answer, a.Against) }

// Unit is that of the scores: "probability", or "nats" of logarithms.
func (a TokenAttribution) Unit() string { return a.Target.unit() }

// Table lists the tokens with their scores.
func (a TokenAttribution) Table() Table {
	t := Table{
		Title:   fmt.Sprintf("%s: %s = %s, at the baseline %s", a.Prompt, a.TargetName(), significant(a.Value), significant(a.ValueAtBaseline)),
		Columns: []string{"token", "score", "of the sum", "lost without it"},
	}
	total := a.Value - a.ValueAtBaseline
	for i, token := range a.Tokens {
		of := "-"
		if total != 0 {
			of = share(a.Scores[i] / total)
		}
		t.Rows = append(t.Rows, []string{token, withSign(a.Scores[i]), of, withSign(a.Occlusion[i])})
	}
	t.Rows = append(t.Rows, []string{"sum", withSign(total + a.CompletenessError), share(1), ""})
	note := fmt.Sprintf("in units of %s; baseline: %s; the sum misses the difference by %s", a.Unit(), a.Baseline, significant(a.CompletenessError))
	if a.EstimatedError > 0 {
		note += fmt.Sprintf("; a score is off by %s at most, by estimate", significant(a.EstimatedError))
	}
	t.Notes = []string{note + fmt.Sprintf(" (%s, %s)", a.Rule, counted(a.Nodes, "node")), "lost without it: what one token at the baseline takes, the others as they are"}
	if a.NotConverged {
		t.Notes = append(t.Notes, "not converged: give more Nodes, or a larger Tolerance")
	}
	return t
}

// withSign writes a number with its sign.
func withSign(x float64) string {
	if x > 0 {
		return "+" + significant(x)
	}
	return significant(x)
}

// String returns [TokenAttribution.Table] as text.
func (a TokenAttribution) String() string { return a.Table().String() }
