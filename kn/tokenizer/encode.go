package tokenizer

import "strings"

// Encoding is a text as the model reads it. All slices have the same length,
// except Unknown.
type Encoding struct {
	IDs     []int
	Tokens  []string // to be read: a word's pieces but the first begin with "##"
	Offsets [][2]int // half-open range of characters (not bytes) of the text; {0, 0} for [CLS] and [SEP]
	TypeIDs []int    // 0 for the first text, 1 for the second of a pair
	Unknown []string // the words of the text that became [UNK], for a warning

	// AfterSpace says of a prompt (see [Tokenizer.Prompt]) that its mask has a
	// space before it, so that a byte-level BPE fills it with a token that begins
	// with one. Without meaning for WordPiece.
	AfterSpace bool
}

// Encode gives [CLS] text [SEP]. [Mask] in the text is the mask token.
func (t *Tokenizer) Encode(text string) Encoding {
	var e Encoding
	e.add(t, t.ids.cls, 0, 0, 0)
	t.encode(&e, text, 0)
	e.add(t, t.ids.sep, 0, 0, 0)
	return e
}

// EncodePair gives [CLS] a [SEP] b [SEP]; the token type is 1 from b's first
// token on. RoBERTa has two [SEP]s in the middle and no types. Offsets are
// relative to the text that the token comes from.
func (t *Tokenizer) EncodePair(a, b string) Encoding {
	e := t.Encode(a)
	t.between(&e)
	t.encode(&e, b, t.pair.kind)
	e.add(t, t.ids.sep, 0, 0, t.pair.kind)
	return e
}

// between adds the [SEP]s that a pair has after the first text's own.
func (t *Tokenizer) between(e *Encoding) {
	for range t.pair.seps - 1 {
		e.add(t, t.ids.sep, 0, 0, 0)
	}
}

// Tokenize gives the pieces of text alone, without [CLS] and [SEP].
func (t *Tokenizer) Tokenize(text string) []string {
	var e Encoding
	t.encode(&e, text, 0)
	return e.Tokens
}

// Decode joins the tokens of ids to readable text, special tokens left out: the
// bytes of a byte-level BPE; of WordPiece, words with spaces between them.
func (t *Tokenizer) Decode(ids []int) string {
	var b strings.Builder
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
		case *byteLevel:
			if t.isAdded(id) {
				b.WriteString(t.Token(id))
			} else {
				b.WriteString(fromByteChars(t.Token(id)))
			}
		}
	}
	return strings.ToValidUTF8(b.String(), "\ufffd")
}

func (e *Encoding) add(t *Tokenizer, id, start, end, typeID int) {
	e.IDs = append(e.IDs, id)
	e.Tokens = append(e.Tokens, t.Token(id))
	e.Offsets = append(e.Offsets, [2]int{start, end})
	e.TypeIDs = append(e.TypeIDs, typeID)
}

// encode appends the pieces of text.
func (t *Tokenizer) encode(e *Encoding, text string, typeID int) {
	w := writer{t: t, e: e, runes: []rune(text), before: len(e.IDs), typeID: typeID}
	for _, s := range t.raw.cut(len(w.runes), func(i int) rune { return w.runes[i] }) {
		if s.token >= 0 {
			w.added(t.raw.added[s.token].ID, normalizer{}.apply(w.runes[s.start:s.end], s.start), s.start, s.end)
			continue
		}
		chars := t.norm.apply(w.runes[s.start:s.end], s.start)
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
}

// first says whether the next token is the text's first one.
func (w *writer) first() bool { return len(w.e.IDs) == w.before }

// added appends an added token, with the white space that it takes.
func (w *writer) added(id int, chars []char, start, end int) {
	if m, ok := w.t.model.(*byteLevel); ok {
		start, end = m.trim(chars, w.first(), isSpace)
	}
	w.e.add(w.t, id, start, end, w.typeID)
}

// words appends the pieces of plain text.
func (w *writer) words(chars []char) {
	t, e := w.t, w.e
	m, inBytes := t.model.(*byteLevel)
	var pieces []piece
	for _, word := range t.model.words(chars) {
		pieces = t.model.split(pieces[:0], word)
		for i, p := range pieces {
			start, end := word[p.start].start, word[p.end-1].end
			if (p.id == t.ids.unk || p.id == noToken) && end >= start {
				e.Unknown = append(e.Unknown, string(w.runes[start:end]))
			}
			if p.id == noToken {
				continue
			}
			if inBytes {
				start, end = m.trim(word[p.start:p.end], w.first(), func(r rune) bool { return r == ' ' })
			}
			e.add(t, p.id, start, end, w.typeID)
			e.Tokens[len(e.Tokens)-1] = t.shownInText(p.id, i > 0)
		}
	}
}
