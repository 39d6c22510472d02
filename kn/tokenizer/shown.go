package tokenizer

import (
	"fmt"
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
// token stands in the vocabulary as it is to be read. Of a BPE, whose tokens begin with the space before a word or do not, afterSpace says
// which of the two the place asks for (see [Encoding.AfterSpace]): tokens that
// fit are shown as the word alone; behind a space those without one have "##"
// in front, as pieces of a word have in WordPiece; elsewhere those with one
// have "␣". So no two tokens look the same, and [Tokenizer.SingleAt] takes what
// is shown.
func (t *Tokenizer) Shown(id int, afterSpace bool) string {
	token := t.Token(id)
	m, ok := t.model.(*bpe)
	if !ok || t.isAdded(id) {
		return token
	}
	text := m.text(token)
	if b, ok := byteToken(token); ok && !m.byteLevel { // there may be a token of the character, too
		if token = inHex(b); afterSpace {
			token = glued + token
		}
		return token
	}
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
	m, ok := t.model.(*bpe)
	if !ok || t.isAdded(id) {
		return token
	}
	word, spaced := leadingSpace(m.text(token))
	if goesOn && !spaced {
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
			b.WriteString(inHex(text[0]))
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

func inHex(b byte) string { return fmt.Sprintf(`\x%02x`, b) }
