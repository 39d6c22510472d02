package tokenizer

import "unicode"

// words cuts normalised text at white space, which is dropped, and around
// punctuation, which stays as words of one character.
func (w *wordPiece) words(text []char, _ bool) [][]char {
	var out [][]char
	start := -1
	flush := func(end int) {
		if start >= 0 {
			out = append(out, text[start:end])
			start = -1
		}
	}
	for i, c := range text {
		switch {
		case isSpace(c.r):
			flush(i)
		case unicode.Is(punctuation, c.r):
			flush(i)
			out = append(out, text[i:i+1])
		case start < 0:
			start = i
		}
	}
	flush(len(text))
	return out
}
