package tokenizer

// wordPiece is the vocabulary with its greedy longest-match algorithm.
type wordPiece struct {
	ids      map[string]int
	prefix   string // of every piece but a word's first: "##"
	maxChars int    // a longer word is unknown
	unk      int
}

// split appends the pieces of word to dst. A word that cannot be spelled is
// one unknown piece.
func (w *wordPiece) split(dst []piece, word []char) []piece {
	unknown := piece{w.unk, 0, len(word)}
	if len(word) > w.maxChars {
		return append(dst, unknown)
	}
	first := len(dst)
	buf := make([]byte, 0, len(w.prefix)+4*len(word))
	ends := make([]int, len(word)+1) // ends[i]: bytes of buf up to the i-th character of the rest
	for start := 0; start < len(word); {
		buf = buf[:0]
		if start > 0 {
			buf = append(buf, w.prefix...)
		}
		rest := word[start:]
		for i, c := range rest {
			buf = append(buf, string(c.r)...)
			ends[i+1] = len(buf)
		}
		n := len(rest)
		for ; n > 0; n-- {
			if id, ok := w.ids[string(buf[:ends[n]])]; ok {
				dst = append(dst, piece{id, start, start + n})
				break
			}
		}
		if n == 0 {
			return append(dst[:first], unknown)
		}
		start += n
	}
	return dst
}
