package tokenizer

import (
	"slices"
	"strings"
)

// Encoding is a text as the model reads it. All slices have the same length,
// except Unknown.
type Encoding struct {
	IDs     []int
	Tokens  []string // to be read: a word's pieces but the first begin with "##"
	Offsets [][2]int // half-open range of characters (not bytes) of the text; {0, 0} for [CLS], [SEP] and <s>
	TypeIDs []int    // 0 for the first text, 1 for the second of a pair
	Unknown []string // the words of the text that became [UNK], for a warning

	// AfterSpace says of a prompt (see [Tokenizer.Prompt] and
	// [Tokenizer.CausalPrompt]) that its answer has a space before it, so that
	// a BPE begins it with a token that begins with one. Without meaning for
	// WordPiece.
	AfterSpace bool
}

// Encode gives [CLS] text [SEP], or what a causal model's tokenizer puts around
// a text: <s> or nothing. [Mask] in the text is the mask token, if there is one.
func (t *Tokenizer) Encode(text string) Encoding {
	var e Encoding
	e.addAll(t, t.prefix, 0)
	t.encode(&e, text, 0, false)
	e.addAll(t, t.suffix, 0)
	return e
}

// EncodePair gives [CLS] a [SEP] b [SEP]; the token type is 1 from b's first
// token on. RoBERTa has two [SEP]s in the middle and no types. Causal models
// know no pairs: the texts come one behind the other, each as Encode has it.
// Offsets are relative to the text that the token comes from.
func (t *Tokenizer) EncodePair(a, b string) Encoding {
	e := t.Encode(a)
	e.addAll(t, t.between(), 0)
	t.encode(&e, b, t.pair.kind, false)
	e.addAll(t, t.suffix, t.pair.kind)
	return e
}

// between is what a pair has behind the first text's suffix: RoBERTa's second
// [SEP], a causal model's second prefix.
func (t *Tokenizer) between() []int {
	if !t.masked {
		return t.prefix
	}
	return slices.Repeat(t.suffix, t.pair.seps-1)
}

// Tokenize gives the pieces of text alone, without [CLS] and [SEP].
func (t *Tokenizer) Tokenize(text string) []string {
	var e Encoding
	t.encode(&e, text, 0, false)
	return e.Tokens
}

// Decode joins the tokens of ids to readable text, special tokens left out: of
// a BPE what they stand for, without the space that is put before every text;
// of WordPiece, words with spaces between them.
func (t *Tokenizer) Decode(ids []int) string {
	var b strings.Builder
	begun := false
	for _, id := range ids {
		if t.IsSpecial(id) {
			continue
		}
		switch m := t.model.(type) {
		case *wordPiece:
			token, goesOn := strings.CutPrefix(t.Token(id), m.prefix)
			if !goesOn && b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(token)
		case *bpe:
			text := t.Token(id)
			if !t.isAdded(id) {
				text = m.text(text)
			}
			if !begun && !m.byteLevel && t.prefixes() {
				text = strings.TrimPrefix(text, " ")
			}
			b.WriteString(text)
		}
		begun = true
	}
	return strings.ToValidUTF8(b.String(), "\ufffd")
}

func (e *Encoding) addAll(t *Tokenizer, ids []int, typeID int) {
	for _, id := range ids {
		e.add(t, id, 0, 0, typeID)
	}
}

func (e *Encoding) add(t *Tokenizer, id, start, end, typeID int) {
	e.IDs = append(e.IDs, id)
	e.Tokens = append(e.Tokens, t.Token(id))
	e.Offsets = append(e.Offsets, [2]int{start, end})
	e.TypeIDs = append(e.TypeIDs, typeID)
}

// encode appends the pieces of text. Inside a text no space is put in front.
func (t *Tokenizer) encode(e *Encoding, text string, typeID int, inside bool) {
	w := writer{t: t, e: e, runes: []rune(text), before: len(e.IDs), typeID: typeID, inside: inside}
	for _, s := range t.raw.cut(len(w.runes), func(i int) rune { return w.runes[i] }) {
		if s.token >= 0 {
			w.added(t.raw.added[s.token].ID, normalizer{}.apply(w.runes[s.start:s.end], s.start, true), s.start, s.end)
			continue
		}
		chars := t.norm.apply(w.runes[s.start:s.end], s.start, inside)
		for _, s := range t.normed.cut(len(chars), func(i int) rune { return chars[i].r }) {
			if s.token >= 0 {
				w.added(t.normed.added[s.token].ID, chars[s.start:s.end], chars[s.start].start, chars[s.end-1].end)
				continue
			}
			w.words(chars[s.start:s.end])
		}
	}
}

// writer appends a text's tokens to an encoding.
type writer struct {
	t      *Tokenizer
	e      *Encoding
	runes  []rune // the text
	before int    // tokens that the encoding had before it
	typeID int
	inside bool
}

// first says whether the next token is the text's first one.
func (w *writer) first() bool { return len(w.e.IDs) == w.before }

// added appends an added token, with the white space that it takes.
func (w *writer) added(id int, chars []char, start, end int) {
	if m, ok := w.t.model.(*bpe); ok {
		start, end = m.trim(chars, w.first(), isSpace)
	}
	w.e.add(w.t, id, start, end, w.typeID)
}

// words appends the pieces of plain text.
func (w *writer) words(chars []char) {
	t, e := w.t, w.e
	m, isBPE := t.model.(*bpe)
	var pieces []piece
	for _, word := range t.model.words(chars, w.inside) {
		pieces = t.model.split(pieces[:0], word)
		for i, p := range pieces {
			start, end := word[p.start].start, word[p.end-1].end
			if (p.id == t.ids.unk || p.id == noToken) && end >= start {
				e.Unknown = append(e.Unknown, string(w.runes[start:end]))
			}
			if p.id == noToken {
				continue
			}
			if isBPE {
				start, end = m.trim(word[p.start:p.end], w.first(), func(r rune) bool { return r == ' ' })
			}
			e.add(t, p.id, start, end, w.typeID)
			e.Tokens[len(e.Tokens)-1] = t.shownInText(p.id, i > 0)
		}
	}
}
