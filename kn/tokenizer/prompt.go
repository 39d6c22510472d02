package tokenizer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What can be wrong with a prompt; [Tokenizer.Prompt] wraps them with the
// prompt and what to do about it.
var (
	ErrNoMask    = errors.New("the prompt has no mask")
	ErrManyMasks = errors.New("the prompt has more than one mask")
	ErrTooLong   = errors.New("the prompt is longer than the model takes")
)

// Prompt encodes a text that asks for exactly one token and returns the
// position of the mask among the tokens, [CLS] being 0. The mask is written as
// [Mask] or as the tokenizer's own, such as <mask>. maxLen is the number of
// tokens that the model takes; 0 allows any. Words that the vocabulary cannot
// spell are listed in the encoding's Unknown: the caller may want to warn.
func (t *Tokenizer) Prompt(text string, maxLen int) (Encoding, int, error) {
	e := t.Encode(text)
	mask := slices.Index(e.IDs, t.ids.mask)
	switch {
	case mask < 0:
		hint := "write it where the answer belongs"
		if strings.Contains(strings.ToUpper(text), strings.ToUpper(t.special.Mask)) {
			hint = "it is written in capitals"
		}
		return e, 0, fmt.Errorf("tokenizer: %w: %q needs one %s; %s", ErrNoMask, text, t.special.Mask, hint)
	case slices.Contains(e.IDs[mask+1:], t.ids.mask):
		return e, 0, fmt.Errorf("tokenizer: %w: %q must have one %s; ask for one token at a time", ErrManyMasks, text, t.special.Mask)
	case maxLen > 0 && len(e.IDs) > maxLen:
		return e, 0, fmt.Errorf("tokenizer: %w: %d tokens of at most %d, %s and %s included, in %q; shorten it",
			ErrTooLong, len(e.IDs), maxLen, t.special.Cls, t.special.Sep, abbreviate(text))
	}
	e.AfterSpace = t.afterSpace([]rune(text), e.Offsets[mask])
	return e, mask, nil
}

// afterSpace says whether a byte-level BPE has a space before the mask: white
// space that the mask takes, or one that goes before all words.
func (t *Tokenizer) afterSpace(text []rune, mask [2]int) bool {
	m, ok := t.model.(*byteLevel)
	if !ok || m.prefixSpace {
		return ok
	}
	at := mask[0]
	for isSpace(text[at]) {
		at++
	}
	takes := slices.ContainsFunc(t.added, func(a Added) bool { return a.ID == t.ids.mask && a.LStrip })
	return takes && at > 0 && isSpace(text[at-1])
}

func abbreviate(text string) string {
	const most = 80
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}

// AnswerError says why an answer is not a single token of the vocabulary.
type AnswerError struct {
	Answer  string
	Pieces  []string // what the answer is spelled with; empty for a blank answer
	Unknown []string // its words that the vocabulary cannot spell
}

// Error shows the pieces.
func (e *AnswerError) Error() string {
	switch {
	case len(e.Pieces) == 0:
		return fmt.Sprintf("tokenizer: the answer %q is blank; give one word of the vocabulary", e.Answer)
	case len(e.Unknown) > 0:
		return fmt.Sprintf("tokenizer: the vocabulary cannot spell %q in the answer %q; choose an answer that the model knows", e.Unknown, e.Answer)
	case len(e.Pieces) == 1:
		return fmt.Sprintf("tokenizer: the answer %q is the special token %s; give a word", e.Answer, e.Pieces[0])
	}
	return fmt.Sprintf("tokenizer: the answer %q is not one token but %d: %s; choose an answer that is a single token of the vocabulary",
		e.Answer, len(e.Pieces), strings.Join(e.Pieces, " "))
}

// Single is the id of an answer that is one token of the vocabulary; of a
// byte-level BPE that of a word inside a text, with the space before it. Any
// other answer is an [*AnswerError]; [UNK] is never given in silence. A piece
// such as "##ing" can be asked for as it is shown.
func (t *Tokenizer) Single(answer string) (int, error) { return t.single(answer, true) }

// SingleAt is [Tokenizer.Single] for the mask of a prompt. In a byte-level BPE
// "Paris" is another token at the start of a text, or behind a bracket, than
// inside it, where it begins with the space. The answer's token is the one that
// it would have if it were written in the mask's place, since that is what the
// model was trained to predict there: at the start of a text, where nothing
// comes before it, the one without a space.
func (t *Tokenizer) SingleAt(prompt Encoding, answer string) (int, error) {
	return t.single(answer, prompt.AfterSpace)
}

func (t *Tokenizer) single(answer string, afterSpace bool) (int, error) {
	text := answer
	switch m := t.model.(type) {
	case *wordPiece:
		if id, ok := t.ID(answer); ok && strings.HasPrefix(answer, m.prefix) && m.prefix != "" {
			return id, nil
		}
	case *byteLevel:
		for mark, before := range map[string]string{glued: "", visibleSpace: " "} {
			if rest, ok := strings.CutPrefix(answer, mark); ok && rest != "" {
				if id, ok := m.ids[inByteChars(before+rest)]; ok {
					return id, nil
				}
			}
		}
		if text = strings.TrimSpace(answer); afterSpace && text != "" {
			text = " " + text
		}
	}
	var e Encoding
	t.encode(&e, text, 0)
	if len(e.IDs) != 1 || len(e.Unknown) > 0 || t.IsSpecial(e.IDs[0]) {
		return 0, &AnswerError{answer, e.Tokens, e.Unknown}
	}
	return e.IDs[0], nil
}
