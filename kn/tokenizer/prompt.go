package tokenizer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What can be wrong with a prompt; [Tokenizer.Prompt] and
// [Tokenizer.CausalPrompt] wrap them with the prompt and what to do about it.
var (
	ErrNoMask    = errors.New("the prompt has no mask")
	ErrManyMasks = errors.New("the prompt has more than one mask")
	ErrTooLong   = errors.New("the prompt is longer than the model takes")
	ErrNotLast   = errors.New("a causal model reads only what stands before the answer")
	ErrEmpty     = errors.New("nothing stands before the answer")
)

// Prompt encodes a text that asks for exactly one token and returns the
// position of the mask among the tokens, [CLS] being 0. The mask is written as
// [Mask] or as the tokenizer's own, such as <mask>. maxLen is the number of
// tokens that the model takes; 0 allows any. Words that the vocabulary cannot
// spell are listed in the encoding's Unknown: the caller may want to warn.
func (t *Tokenizer) Prompt(text string, maxLen int) (Encoding, int, error) {
	e, at, err := t.PromptN(text, 1, maxLen)
	if err != nil {
		return e, 0, err
	}
	return e, at[0], nil
}

// PromptN is [Tokenizer.Prompt] for an answer of several tokens: the one mask
// of the text stands for as many as the answer has, without anything between
// them. It returns their positions.
func (t *Tokenizer) PromptN(text string, masks, maxLen int) (Encoding, []int, error) {
	e := t.Encode(text)
	mask := slices.Index(e.IDs, t.ids.mask)
	switch {
	case t.ids.mask < 0:
		return e, nil, fmt.Errorf("tokenizer: %w: the vocabulary has no mask token; it is a causal model's, which reads a prompt up to the answer", ErrNoMask)
	case masks < 1:
		return e, nil, fmt.Errorf("tokenizer: %d masks are asked for; an answer has at least one token", masks)
	case mask < 0:
		hint := "write it where the answer belongs"
		if strings.Contains(strings.ToUpper(text), strings.ToUpper(t.special.Mask)) {
			hint = "it is written in capitals"
		}
		return e, nil, fmt.Errorf("tokenizer: %w: %q needs one %s; %s", ErrNoMask, text, t.special.Mask, hint)
	case slices.Contains(e.IDs[mask+1:], t.ids.mask):
		return e, nil, fmt.Errorf("tokenizer: %w: %q must have one %s, which stands for an answer of any length", ErrManyMasks, text, t.special.Mask)
	}
	e.AfterSpace = t.afterSpace([]rune(text), e.Offsets[mask])
	at := make([]int, masks)
	for i := range at {
		if at[i] = mask + i; i > 0 {
			e.IDs = slices.Insert(e.IDs, mask, e.IDs[mask])
			e.Tokens = slices.Insert(e.Tokens, mask, e.Tokens[mask])
			e.Offsets = slices.Insert(e.Offsets, mask, e.Offsets[mask])
			e.TypeIDs = slices.Insert(e.TypeIDs, mask, e.TypeIDs[mask])
		}
	}
	if maxLen > 0 && len(e.IDs) > maxLen {
		return e, nil, fmt.Errorf("tokenizer: %w: %d tokens of at most %d, %s and %s included, in %q; shorten it",
			ErrTooLong, len(e.IDs), maxLen, t.special.Cls, t.special.Sep, abbreviate(text))
	}
	return e, at, nil
}

// afterSpace says whether a BPE has a space before the mask: white
// space that the mask takes, or one that goes before all words.
func (t *Tokenizer) afterSpace(text []rune, mask [2]int) bool {
	if _, ok := t.model.(*bpe); !ok || t.prefixes() {
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

// AnswerError says why an answer cannot be asked for.
type AnswerError struct {
	Answer  string
	Pieces  []string // what the answer is spelled with; empty for a blank answer
	Unknown []string // its words that the vocabulary cannot spell
	Special string   // the special token that is among the pieces, if one is
}

// Error shows the pieces.
func (e *AnswerError) Error() string {
	switch {
	case len(e.Pieces) == 0 && len(e.Unknown) == 0:
		return fmt.Sprintf("tokenizer: the answer %q is blank; give one word of the vocabulary", e.Answer)
	case len(e.Unknown) > 0:
		return fmt.Sprintf("tokenizer: the vocabulary cannot spell %q in the answer %q; choose an answer that the model knows", e.Unknown, e.Answer)
	case e.Special != "" && (len(e.Pieces) == 1 || e.Special == strings.TrimSpace(e.Answer)):
		return fmt.Sprintf("tokenizer: the answer %q is the special token %s; give a word", e.Answer, e.Special)
	case e.Special != "":
		return fmt.Sprintf("tokenizer: the answer %q holds the special token %s; give words", e.Answer, e.Special)
	}
	return fmt.Sprintf("tokenizer: the answer %q is not one token but %d: %s; choose an answer that is a single token of the vocabulary",
		e.Answer, len(e.Pieces), strings.Join(e.Pieces, " "))
}

// Single is the id of an answer that is one token of the vocabulary; of a BPE
// that of a word inside a text, with the space before it. Any other answer is an
// [*AnswerError]; [UNK] is never given in silence. A piece such as "##ing" can
// be asked for as it is shown.
func (t *Tokenizer) Single(answer string) (int, error) {
	return t.SingleAt(Encoding{AfterSpace: true}, answer)
}

// SingleAt is [Tokenizer.Single] for the place of the answer in a prompt. In a
// BPE "Paris" is another token at the start of a text, or behind a bracket, than
// inside it, where it begins with the space. The answer's token is the one that
// it would have if it were written in its place, since that is what the model was
// trained to predict there: at the start of a text, where nothing comes before
// it, the one without a space.
func (t *Tokenizer) SingleAt(prompt Encoding, answer string) (int, error) {
	e, err := t.answer(prompt, answer)
	if err == nil && len(e.IDs) > 1 {
		err = &AnswerError{Answer: answer, Pieces: e.Tokens}
	}
	if err != nil {
		return 0, err
	}
	return e.IDs[0], nil
}

// Answer gives the ids of an answer of one or more tokens in its place in a
// prompt, as [Tokenizer.SingleAt] gives that of one. An answer that is blank,
// that the vocabulary cannot spell, or that holds a special token is an
// [*AnswerError].
func (t *Tokenizer) Answer(prompt Encoding, answer string) ([]int, error) {
	e, err := t.answer(prompt, answer)
	return e.IDs, err
}

func (t *Tokenizer) answer(prompt Encoding, answer string) (Encoding, error) {
	if id, ok := t.asShown(answer); ok {
		return Encoding{IDs: []int{id}}, nil
	}
	text := answer
	if _, ok := t.model.(*bpe); ok {
		if text = strings.TrimSpace(answer); prompt.AfterSpace && text != "" {
			text = " " + text
		}
	}
	var e Encoding
	t.encode(&e, text, 0, true)
	wrong := AnswerError{Answer: answer, Pieces: e.Tokens, Unknown: e.Unknown}
	if i := slices.IndexFunc(e.IDs, t.IsSpecial); i >= 0 {
		wrong.Special = e.Tokens[i]
	}
	if len(e.IDs) == 0 || len(e.Unknown) > 0 || wrong.Special != "" {
		return Encoding{}, &wrong
	}
	return e, nil
}

// asShown finds a token that is given as [Tokenizer.Shown] shows it where it
// does not fit.
func (t *Tokenizer) asShown(answer string) (id int, ok bool) {
	switch m := t.model.(type) {
	case *wordPiece:
		if strings.HasPrefix(answer, m.prefix) && m.prefix != "" {
			return t.ID(answer)
		}
	case *bpe:
		for mark, before := range map[string]string{glued: "", visibleSpace: " "} {
			if rest, found := strings.CutPrefix(answer, mark); found && rest != "" && !ok {
				id, ok = m.ids[m.written(before+rest)]
			}
		}
	}
	return id, ok
}

// prefixes says whether a space is put before every text.
func (t *Tokenizer) prefixes() bool {
	m, ok := t.model.(*bpe)
	return ok && putsSpace(t.norm, m)
}
