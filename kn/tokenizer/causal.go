package tokenizer

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CausalPrompt encodes the text before an answer, as a causal model reads it:
// what the tokenizer puts before a text, and no token behind it. maxLen is the
// number of tokens that the model takes; 0 allows any.
//
// A text may end in [Mask], so that prompts for masked models serve: "Paris is
// the capital of [MASK]." is read up to the mask. If more than punctuation
// follows it, the error wraps [ErrNotLast].
//
// Spaces before the answer are taken off, since they are part of its first
// token; the encoding's AfterSpace says so. A text without a mask that does not
// end in white space is gone on with after a space, too. Behind a line break, a
// tab or an opening bracket, and at the start of a text, an answer has no space
// before it, unless the tokenizer puts one there.
func (t *Tokenizer) CausalPrompt(text string, maxLen int) (Encoding, error) {
	before, spaced, err := t.beforeAnswer(text)
	if err != nil {
		return Encoding{}, err
	}
	var e Encoding
	e.addAll(t, t.prefix, 0)
	t.encode(&e, before, 0, false)
	if _, ok := t.model.(*bpe); ok {
		e.AfterSpace = spaced
	}
	switch {
	case len(e.IDs) == 0:
		return e, fmt.Errorf("tokenizer: %w: %q has no token before it; write at least one word", ErrEmpty, text)
	case maxLen > 0 && len(e.IDs) > maxLen:
		return e, fmt.Errorf("tokenizer: %w: %d tokens of at most %d before the answer in %q; shorten it", ErrTooLong, len(e.IDs), maxLen, abbreviate(text))
	}
	return e, nil
}

// beforeAnswer is the text before an answer without the spaces at its end, and
// whether the answer has one before it.
func (t *Tokenizer) beforeAnswer(text string) (before string, spaced bool, err error) {
	before, behind, masked := text, "", false
	for _, mask := range []string{Mask, t.special.Mask} {
		if !masked && mask != "" {
			before, behind, masked = strings.Cut(text, mask)
		}
	}
	other := func(r rune) bool { return !unicode.IsPunct(r) && !unicode.IsSpace(r) }
	switch {
	case !masked && strings.Contains(strings.ToUpper(text), Mask):
		return "", false, fmt.Errorf("tokenizer: %w: %q; it is written in capitals: %s", ErrNoMask, text, Mask)
	case strings.Contains(behind, Mask) || t.special.Mask != "" && strings.Contains(behind, t.special.Mask):
		return "", false, fmt.Errorf("tokenizer: %w: %q must have one %s; ask for one answer at a time", ErrManyMasks, text, Mask)
	case strings.ContainsFunc(behind, other):
		return "", false, fmt.Errorf("tokenizer: %w: in %q more follows %s; write a prompt that ends with the answer", ErrNotLast, text, Mask)
	}
	trimmed := strings.TrimRight(before, " ")
	last, _ := utf8.DecodeLastRuneInString(trimmed)
	switch {
	case trimmed == "":
		spaced = t.prefixes()
	case len(trimmed) < len(before):
		spaced = true
	case !masked:
		spaced = !unicode.IsSpace(last)
	}
	return trimmed, spaced, nil
}
