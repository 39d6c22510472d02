package tokenizer

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What is written in the place of what does not show.
const (
	glued        = "##" // in front of a token that goes on where the one before ends
	visibleSpace = "␣"
)

// Shown is a token as it is to be read where it fills a mask. A WordPiece
// token stands in the vocabulary as it is to be read. Of a byte-level BPE,
// whose tokens begin with the space before a word or do not, afterSpace says
// which of the two the place asks for (see [Encoding.AfterSpace]): tokens that
// fit are shown as the word alone; behind a space those without one have "##"
// in front, as pieces of a word have in WordPiece; elsewhere those with one
// have "␣". So no two tokens look the same, and [Tokenizer.SingleAt] takes what
// is shown.
func (t *Tokenizer) Shown(id int, afterSpace bool) string {
	token := t.Token(id)
	if _, ok := t.model.(*byteLevel); !ok || t.isAdded(id) {
		return token
	}
	text := fromByteChars(token)
	word, spaced := leadingSpace(text)
	switch {
	case spaced && afterSpace:
		return visible(word)
	case spaced:
		return visibleSpace + visible(word)
	case afterSpace && text != "" && text[0] != ' ':
		return glued + visible(text)
	}
	return visible(text)
}

// leadingSpace takes off the space before a word. White space alone has none.
func leadingSpace(text string) (word string, spaced bool) {
	word, spaced = strings.CutPrefix(text, " ")
	if first, _ := utf8.DecodeRuneInString(word); word == "" || isSpace(first) {
		return text, false
	}
	return word, spaced
}

// shownInText is a token as it is to be read in a row of a text's tokens.
func (t *Tokenizer) shownInText(id int, goesOn bool) string {
	token := t.Token(id)
	if _, ok := t.model.(*byteLevel); !ok || t.isAdded(id) {
		return token
	}
	word, _ := leadingSpace(fromByteChars(token))
	if goesOn {
		return glued + visible(word)
	}
	return visible(word)
}

// visible writes out what would not be seen: spaces, control characters, and
// bytes that are part of a character.
func visible(text string) string {
	var b strings.Builder
	for text != "" {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[0]), 16))
		case r == ' ':
			b.WriteString(visibleSpace)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		text = text[n:]
	}
	return b.String()
}

func (t *Tokenizer) isAdded(id int) bool {
	for _, a := range t.added {
		if a.ID == id {
			return true
		}
	}
	return false
}
