package facts

import (
	"errors"
	"fmt"

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
	UnknownWord  Reason = "the vocabulary cannot spell a word of the prompt"
	NoMask       Reason = "the prompt has no mask"
	ManyMasks    Reason = "the prompt has more than one mask"
	TooLong      Reason = "the prompt is longer than the model takes"
	Repeated     Reason = "it stands in the data set before"
	NoPromptLeft Reason = "none of the fact's prompts can be used"
)

// Usable is the source of what a model can be asked about: facts whose answer
// is one token of its vocabulary, with those of their prompts that have one
// mask, at most maxTokens tokens, and no word that would become [UNK]. Facts
// and prompts that stand twice stand once. leftOut, which may be nil, is told
// what is missing, every time that the source is run through.
func Usable(source Source, vocabulary *tokenizer.Tokenizer, maxTokens int, leftOut func(LeftOut)) Source {
	if leftOut == nil {
		leftOut = func(LeftOut) {}
	}
	return func(yield func(Bag, error) bool) {
		seen := map[string]bool{}
		for b, err := range source {
			if err != nil {
				yield(b, err)
				return
			}
			kept, ok := askable(b, vocabulary, maxTokens, leftOut)
			if !ok {
				continue
			}
			key := kept.Key()
			if seen[key] {
				leftOut(b.without("", Repeated, ""))
				continue
			}
			seen[key] = true
			if !yield(kept, nil) {
				return
			}
		}
	}
}

// askable is the bag with the prompts that can be used; false if there is
// nothing to ask.
func askable(b Bag, vocabulary *tokenizer.Tokenizer, maxTokens int, leftOut func(LeftOut)) (Bag, bool) {
	if _, err := vocabulary.Single(b.Answer); err != nil {
		leftOut(b.without("", NotOneToken, err.Error()))
		return b, false
	}
	prompts := b.Prompts
	b.Prompts = nil
	seen := map[string]bool{}
	for _, prompt := range prompts {
		if seen[prompt] {
			leftOut(b.without(prompt, Repeated, ""))
			continue
		}
		seen[prompt] = true
		if reason, detail := cannotAsk(prompt, vocabulary, maxTokens); reason != "" {
			leftOut(b.without(prompt, reason, detail))
			continue
		}
		b.Prompts = append(b.Prompts, prompt)
	}
	if len(b.Prompts) == 0 {
		leftOut(b.without("", NoPromptLeft, ""))
		return b, false
	}
	return b, true
}

// cannotAsk says why a prompt cannot be used, if so.
func cannotAsk(prompt string, vocabulary *tokenizer.Tokenizer, maxTokens int) (reason Reason, detail string) {
	encoding, _, err := vocabulary.Prompt(prompt, maxTokens)
	switch {
	case errors.Is(err, tokenizer.ErrTooLong):
		return TooLong, err.Error()
	case errors.Is(err, tokenizer.ErrManyMasks):
		return ManyMasks, ""
	case err != nil:
		return NoMask, err.Error()
	case len(encoding.Unknown) > 0:
		return UnknownWord, fmt.Sprintf("%q", encoding.Unknown)
	}
	return "", ""
}

func (b Bag) without(prompt string, reason Reason, detail string) LeftOut {
	return LeftOut{Relation: b.Relation, Subject: b.Subject, Answer: b.Answer, Prompt: prompt, Reason: reason, Detail: detail}
}
