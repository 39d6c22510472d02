package facts

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// LeftOut is a fact, or one prompt of a fact, that a model is not asked about.
type LeftOut struct {
	Relation string `json:"relation"`
	Subject  string `json:"subject,omitempty"`
	Answer   string `json:"answer"`
	Prompt   string `json:"prompt,omitempty"` // empty: the whole fact
	Reason   Reason `json:"reason"`
	Detail   string `json:"detail,omitempty"`
}

// Reason says why a fact or a prompt is left out.
type Reason string

// The reasons of [Usable].
const (
	NotOneToken  Reason = "the answer is not one token of the vocabulary"
	LongAnswer   Reason = "the answer has more tokens than are asked for"
	BadAnswer    Reason = "the vocabulary cannot spell the answer"
	NotLast      Reason = "the answer does not come last, as a causal model needs it"
	UnknownWord  Reason = "the vocabulary cannot spell a word of the prompt"
	NoMask       Reason = "the prompt has no mask"
	ManyMasks    Reason = "the prompt has more than one mask"
	TooLong      Reason = "the prompt is longer than the model takes"
	Repeated     Reason = "it stands in the data set before"
	FewPatterns  Reason = "its relation has no patterns, or three or fewer"
	NoPromptLeft Reason = "none of the fact's prompts can be used"
)

// Reader decides which facts a model can be asked about.
type Reader struct {
	Tokenizer *tokenizer.Tokenizer
	tokenizer.AskOptions
	// AnswerTokens is the largest number of tokens of an answer. 0 stands for 1 in
	// a masked language model, which is what the papers ask of it, and for any
	// number in a causal one.
	AnswerTokens int
}

// most is the largest number of tokens of an answer; 0 allows any.
func (r Reader) most() int {
	if r.AnswerTokens == 0 && !r.Causal {
		return 1
	}
	return r.AnswerTokens
}

// Usable is the source of what a model can be asked about: facts whose answer its
// vocabulary spells in as many tokens as the reader allows, with those of their
// prompts that have one mask, no more tokens than the model takes, and no word
// that would become [UNK]; for a causal model the mask comes last. A fact or
// prompt that stands twice is used once. leftOut, which may be nil, is told what
// is left out, until a run has reached the source's end. From then on the source
// remembers which facts and prompts can be used, in a few bytes a fact, and does
// not read the texts again.
func Usable(source Source, reader Reader, leftOut func(LeftOut)) Source {
	if leftOut == nil {
		leftOut = func(LeftOut) {}
	}
	var known atomic.Pointer[[]kept] // of all facts in the source's order
	return func(yield func(Bag, error) bool) {
		if known := known.Load(); known != nil {
			again(source, *known, yield)
			return
		}
		seen, all := map[string]bool{}, []kept{}
		for b, err := range source {
			if err != nil {
				yield(b, err)
				return
			}
			of, keep := askable(b, reader, leftOut)
			if keep == nothing {
				all = append(all, nothing)
				continue
			}
			key := of.Key()
			if seen[key] {
				leftOut(b.without("", Repeated, ""))
				all = append(all, nothing)
				continue
			}
			seen[key] = true
			all = append(all, keep)
			if !yield(of, nil) {
				return
			}
		}
		known.Store(&all)
	}
}

// kept says which of a fact's prompts can be used: one character of 0 or 1 for
// each, or one of the constants.
type kept string

const (
	nothing    kept = ""
	everything kept = "all"
)

// of is the bag with the prompts that are kept.
func (k kept) of(b Bag) (Bag, error) {
	if k == everything {
		return b, nil
	}
	if len(k) != len(b.Prompts) {
		return b, errChanged
	}
	prompts := b.Prompts
	b.Prompts = nil
	for i, prompt := range prompts {
		if k[i] == '1' {
			b.Prompts = append(b.Prompts, prompt)
		}
	}
	return b, nil
}

var errChanged = errors.New("facts: the data set has changed since it was first run through; start again")

// again runs through a source of which it is known what to keep.
func again(source Source, known []kept, yield func(Bag, error) bool) {
	i := 0
	for b, err := range source {
		if err != nil {
			yield(b, err)
			return
		}
		if i == len(known) {
			yield(Bag{}, errChanged)
			return
		}
		if k := known[i]; k != nothing {
			of, err := k.of(b)
			if !yield(of, err) || err != nil {
				return
			}
		}
		i++
	}
	if i < len(known) {
		yield(Bag{}, errChanged)
	}
}

// askable is the bag with the prompts that can be used, and which they are;
// nothing if there is nothing to ask.
func askable(b Bag, reader Reader, leftOut func(LeftOut)) (Bag, kept) {
	if len(b.Prompts) == 0 {
		leftOut(b.without("", FewPatterns, ""))
		return b, nothing
	}
	if reason, detail := reader.refuses(b.Answer, tokenizer.Encoding{AfterSpace: true}); reason != "" {
		leftOut(b.without("", reason, detail))
		return b, nothing
	}
	prompts, marks := b.Prompts, bytes.Repeat([]byte("0"), len(b.Prompts))
	b.Prompts = nil
	seen := map[string]bool{}
	for i, prompt := range prompts {
		if seen[prompt] {
			leftOut(b.without(prompt, Repeated, ""))
			continue
		}
		seen[prompt] = true
		if reason, detail := reader.cannotAsk(prompt, b.Answer); reason != "" {
			leftOut(b.without(prompt, reason, detail))
			continue
		}
		b.Prompts = append(b.Prompts, prompt)
		marks[i] = '1'
	}
	switch len(b.Prompts) {
	case 0:
		leftOut(b.without("", NoPromptLeft, ""))
		return b, nothing
	case len(prompts):
		return b, everything
	default:
		return b, kept(marks)
	}
}

// refuses says why an answer cannot be asked for at a prompt's mask, if so.
func (r Reader) refuses(answer string, prompt tokenizer.Encoding) (reason Reason, detail string) {
	ids, err := r.Tokenizer.Answer(prompt, answer)
	switch most := r.most(); {
	case most == 1 && (err != nil || len(ids) > 1):
		_, err := r.Tokenizer.SingleAt(prompt, answer)
		return NotOneToken, err.Error()
	case err != nil:
		return BadAnswer, err.Error()
	case most > 0 && len(ids) > most:
		return LongAnswer, fmt.Sprintf("%q has %d", answer, len(ids))
	}
	return "", ""
}

// cannotAsk says why a prompt cannot be used, if so. An answer that is one token
// inside a text may be several where a prompt begins with it.
func (r Reader) cannotAsk(prompt, answer string) (reason Reason, detail string) {
	q, err := r.Tokenizer.Ask(prompt, "", r.AskOptions)
	if err == nil && len(q.Prompt.Unknown) == 0 {
		if reason, detail = r.refuses(answer, q.Prompt); reason != "" {
			return reason, detail
		}
		_, err = r.Tokenizer.Ask(prompt, answer, r.AskOptions)
	}
	switch {
	case errors.Is(err, tokenizer.ErrTooLong):
		return TooLong, err.Error()
	case errors.Is(err, tokenizer.ErrManyMasks):
		return ManyMasks, ""
	case errors.Is(err, tokenizer.ErrNotLast):
		return NotLast, err.Error()
	case err != nil:
		return NoMask, err.Error()
	case len(q.Prompt.Unknown) > 0:
		return UnknownWord, fmt.Sprintf("%q", q.Prompt.Unknown)
	}
	return "", ""
}

func (b Bag) without(prompt string, reason Reason, detail string) LeftOut {
	return LeftOut{Relation: b.Relation, Subject: b.Subject, Answer: b.Answer, Prompt: prompt, Reason: reason, Detail: detail}
}
