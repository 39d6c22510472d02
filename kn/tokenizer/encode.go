package tokenizer

import "strings"

// Encoding is a text as the model reads it. All slices have the same length,
// except Unknown.
type Encoding struct {
	IDs     []int
	Tokens  []string
	Offsets [][2]int // half-open range of characters (not bytes) of the text; {0, 0} for [CLS] and [SEP]
	TypeIDs []int    // 0 for the first text, 1 for the second of a pair
	Unknown []string // the words of the text that became [UNK], for a warning
}

// Encode gives [CLS] text [SEP].
func (t *Tokenizer) Encode(text string) Encoding {
	var e Encoding
	e.add(t, t.ids.cls, 0, 0, 0)
	t.encode(&e, text, 0)
	e.add(t, t.ids.sep, 0, 0, 0)
	return e
}

// EncodePair gives [CLS] a [SEP] b [SEP]; the token type is 1 from b's first
// token on. Offsets are relative to the text that the token comes from.
func (t *Tokenizer) EncodePair(a, b string) Encoding {
	e := t.Encode(a)
	t.encode(&e, b, 1)
	e.add(t, t.ids.sep, 0, 0, 1)
	return e
}

// Tokenize gives the pieces of text alone, without [CLS] and [SEP].
func (t *Tokenizer) Tokenize(text string) []string {
	var e Encoding
	t.encode(&e, text, 0)
	return e.Tokens
}

// Decode joins the tokens of ids to readable text: pieces that begin with "##"
// are glued to the one before, special tokens are left out.
func (t *Tokenizer) Decode(ids []int) string {
	var b strings.Builder
	for _, id := range ids {
		if t.IsSpecial(id) {
			continue
		}
		token, glued := strings.CutPrefix(t.Token(id), t.pieces.prefix)
		if !glued && b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(token)
	}
	return b.String()
}

func (e *Encoding) add(t *Tokenizer, id, start, end, typeID int) {
	e.IDs = append(e.IDs, id)
	e.Tokens = append(e.Tokens, t.Token(id))
	e.Offsets = append(e.Offsets, [2]int{start, end})
	e.TypeIDs = append(e.TypeIDs, typeID)
}

// encode appends the pieces of text.
func (t *Tokenizer) encode(e *Encoding, text string, typeID int) {
	runes := []rune(text)
	for _, s := range t.raw.cut(len(runes), func(i int) rune { return runes[i] }) {
		if s.token >= 0 {
			e.add(t, t.raw.added[s.token].ID, s.start, s.end, typeID)
			continue
		}
		chars := t.norm.apply(runes[s.start:s.end], s.start)
		for _, s := range t.normed.cut(len(chars), func(i int) rune { return chars[i].r }) {
			if s.token >= 0 {
				e.add(t, t.normed.added[s.token].ID, chars[s.start].start, chars[s.end-1].end, typeID)
				continue
			}
			t.encodeWords(e, chars[s.start:s.end], runes, typeID)
		}
	}
}

func (t *Tokenizer) encodeWords(e *Encoding, chars []char, runes []rune, typeID int) {
	var pieces []piece
	for _, word := range words(chars) {
		pieces = t.pieces.split(pieces[:0], word)
		for _, p := range pieces {
			start, end := word[p.start].start, word[p.end-1].end
			e.add(t, p.id, start, end, typeID)
			if p.id == t.ids.unk && end >= start {
				e.Unknown = append(e.Unknown, string(runes[start:end]))
			}
		}
	}
}
