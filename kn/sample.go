package kn

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// Query is a prompt and the answer asked about. A masked language model's
// prompt has one [MASK], however many tokens the answer has; [MASK] stands for
// the mask token of every model, and one that calls it otherwise, as RoBERTa does
// with <mask>, takes that as well. A causal model's prompt ends where the answer
// begins; what was written for a masked one serves if its [MASK] comes last.
type Query struct {
	Prompt string `json:"prompt"`
	Answer string `json:"answer"`
}

// Order says in which order a masked language model predicts an answer of
// several tokens; see [WithOrder].
type Order = tokenizer.Order

// The orders.
const (
	AllAtOnce   = tokenizer.AllAtOnce   // as many [MASK]s as tokens, in one run of the model
	LeftToRight = tokenizer.LeftToRight // a run for each token, with those before it given
)

// WithOrder sets how a masked model predicts an answer of several tokens.
//
// [AllAtOnce], the default, puts one [MASK] for each token and multiplies their
// probabilities, so every token must be inferred from the prompt: of "Buenos Aires"
// both words are asked of the fact.
//
// [LeftToRight] predicts one token after the other, given those before it (the
// chain rule), so that spelling is a part of what is measured. That takes one run
// per token, and each run scales only the neurons at the [MASK] being predicted. On
// bert-base-cased it makes the right answer a thousand times as probable but does
// not clearly rank it first more often (notebooks/MEASURED.md).
//
// Causal models always predict from left to right, in one run.
func WithOrder(o Order) Option { return func(m *Model) { m.order = o } }

// sampled is a query as the model is given it.
type sampled struct {
	engine.Sample
	question tokenizer.Question
}

// sample tokenizes a query; an empty answer stands for none.
func (m *Model) sample(q Query) (sampled, error) {
	question, err := m.Tokenizer().Ask(q.Prompt, q.Answer, m.askOptions())
	if err != nil {
		return sampled{}, err
	}
	if unknown := question.Prompt.Unknown; len(unknown) > 0 {
		warn(fmt.Errorf("kn: the vocabulary of %s cannot spell %q in the prompt %q: the model sees [UNK]", m.name, unknown, q.Prompt))
	}
	if len(question.Answers) > 1 && !m.Config().Causal() {
		m.tellPieces(q.Answer, question.Answers)
	}
	s := sampled{engine.Sample{Passes: question.Passes, Masks: question.Places}, question}
	for _, id := range question.IDs {
		s.IDs = append(s.IDs, int32(id))
	}
	for _, id := range question.Answers {
		s.Answers = append(s.Answers, int32(id))
	}
	return s, nil
}

// tellPieces says that an answer is asked for in pieces, which a word that is
// spelled wrongly would be, too. After the first few it is known.
func (m *Model) tellPieces(answer string, ids []int) {
	if _, before := toldPieces.LoadOrStore(answer, true); before || toldCount.Add(1) > 3 {
		return
	}
	var pieces []string
	for _, id := range ids {
		pieces = append(pieces, m.Tokenizer().Shown(id, true))
	}
	warn(fmt.Errorf("kn: to %s %q is not one token but %d, %s: it is asked for at as many [MASK]s", m.name, answer, len(ids), strings.Join(pieces, " ")))
}

var (
	toldPieces sync.Map
	toldCount  atomic.Int32
)

// Reader is what decides which facts of a data set the model can be asked about,
// for [facts.Usable]: by default those with answers of one token, in a causal
// model of any number.
func (m *Model) Reader() facts.Reader {
	return facts.Reader{Tokenizer: m.Tokenizer(), AskOptions: m.askOptions()}
}

// askOptions are those of the model's questions.
func (m *Model) askOptions() tokenizer.AskOptions {
	c := m.Config()
	return tokenizer.AskOptions{Causal: c.Causal(), Order: m.order, MaxLength: c.MaxPositions}
}

// answerSample is sample for computations that need an answer.
func (m *Model) answerSample(q Query) (sampled, error) {
	if q.Answer == "" {
		return sampled{}, noAnswer(q)
	}
	return m.sample(q)
}

func noAnswer(q Query) error { return fmt.Errorf("kn: no answer given for the prompt %q", q.Prompt) }

// ranked is the answer of a sample with its probability and rank.
func (m *Model) ranked(s sampled, probability float64, rank int) RankedToken {
	ids := s.question.Answers
	r := RankedToken{TokenProbability: m.token(ids[0], probability, s.question.Prompt.AfterSpace), Rank: rank}
	if len(ids) > 1 {
		r.Token, r.IDs = strings.TrimSpace(m.Tokenizer().Decode(ids)), slices.Clone(ids)
	}
	return r
}

// token is a token of the vocabulary with its probability.
func (m *Model) token(id int, probability float64, afterSpace bool) TokenProbability {
	return TokenProbability{m.Tokenizer().Shown(id, afterSpace), id, probability}
}
