package tokenizer

// EncodeUpTo is [Tokenizer.Encode] of as many of the text's first pieces as
// fit into maxLen tokens, [CLS] and [SEP] or <s> included; 0 takes all.
func (t *Tokenizer) EncodeUpTo(text string, maxLen int) Encoding {
	var e Encoding
	e.addAll(t, t.prefix, 0)
	t.encode(&e, text, 0, false)
	if maxLen > 0 {
		e.cut(max(len(t.prefix), maxLen-len(t.suffix)))
	}
	e.addAll(t, t.suffix, 0)
	return e
}

// EncodePairUpTo is [Tokenizer.EncodePair] cut to maxLen tokens, the longer
// text first, as the truncation "longest_first" of Hugging Face's tokenizers:
// one text gives way until it is as short as the other, then both do.
func (t *Tokenizer) EncodePairUpTo(a, b string, maxLen int) Encoding {
	if maxLen <= 0 {
		return t.EncodePair(a, b)
	}
	var first, second Encoding
	t.encode(&first, a, 0, false)
	t.encode(&second, b, t.pair.kind, false)
	around := len(t.prefix) + 2*len(t.suffix) + len(t.between())
	n1, n2 := longestFirst(len(first.IDs), len(second.IDs), max(0, maxLen-around))
	first.cut(n1)
	second.cut(n2)
	var e Encoding
	e.addAll(t, t.prefix, 0)
	e.join(first)
	e.addAll(t, t.suffix, 0)
	e.addAll(t, t.between(), 0)
	e.join(second)
	e.addAll(t, t.suffix, t.pair.kind)
	return e
}

// longestFirst shares room among two texts of n1 and n2 tokens.
func longestFirst(n1, n2, room int) (int, int) {
	if n1+n2 <= room {
		return n1, n2
	}
	if n1 > n2 {
		n2, n1 = longestFirst(n2, n1, room)
		return n1, n2
	}
	half := min(n1, room/2)
	return half, room - half
}

// cut keeps the first n tokens.
func (e *Encoding) cut(n int) {
	if n < len(e.IDs) {
		e.IDs, e.Tokens, e.Offsets, e.TypeIDs = e.IDs[:n], e.Tokens[:n], e.Offsets[:n], e.TypeIDs[:n]
	}
}

func (e *Encoding) join(o Encoding) {
	e.IDs = append(e.IDs, o.IDs...)
	e.Tokens = append(e.Tokens, o.Tokens...)
	e.Offsets = append(e.Offsets, o.Offsets...)
	e.TypeIDs = append(e.TypeIDs, o.TypeIDs...)
	e.Unknown = append(e.Unknown, o.Unknown...)
}
