package tokenizer

// model spells normalised text with a vocabulary: [wordPiece] or [bpe].
type model interface {
	// words cuts text into what is spelled piece by piece. Inside a text no
	// space is put in front.
	words(text []char, inside bool) [][]char
	// split appends the pieces of a word to dst.
	split(dst []piece, word []char) []piece
}

// piece is a token of a word, with the half-open range of the word's
// characters that it covers.
type piece struct {
	id         int // or noToken
	start, end int
}

// noToken stands for what cannot be spelled and is left out.
const noToken = -1
