package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/rangetable"
)

// byteChars are the characters that bytes are written as in the vocabulary of
// a byte-level BPE: those that print stand for themselves, the others take the
// characters from U+0100 on.
var byteChars = func() (chars [256]rune) {
	next := rune(256)
	for b := range chars {
		r := rune(b)
		if !(r >= '!' && r <= '~' || r >= 0xa1 && r <= 0xac || r >= 0xae) {
			r, next = next, next+1
		}
		chars[b] = r
	}
	return chars
}()

// byteOf undoes byteChars.
var byteOf = func() map[rune]byte {
	of := make(map[rune]byte, len(byteChars))
	for b, r := range byteChars {
		of[r] = byte(b)
	}
	return of
}()

// inByteChars writes a text as the vocabulary has it.
func inByteChars(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(byteChars[text[i]])
	}
	return b.String()
}

// fromByteChars undoes inByteChars.
func fromByteChars(token string) string {
	var b strings.Builder
	for _, r := range token {
		if c, ok := byteOf[r]; ok {
			b.WriteByte(c)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// kind is what words of a byte-level BPE are made of.
type kind uint8

const (
	other kind = iota
	letter
	number
	space
	noKind // of no character
)

// The characters are those of Hugging Face's tokenizers (0.22), found by asking
// it about every code point: Unicode 16, of which Go's tables have 15.
var (
	unicode15      = rangetable.Assigned("15.0.0")
	youngerLetters = table(
		0x1c89, 0x1c8a, 0xa7cb, 0xa7cd, 0xa7da, 0xa7dc, 0x105c0, 0x105f3, 0x10d4a, 0x10d65, 0x10d6f, 0x10d85, 0x10ec2, 0x10ec4,
		0x11380, 0x11389, 0x1138b, 0x1138b, 0x1138e, 0x1138e, 0x11390, 0x113b5, 0x113b7, 0x113b7, 0x113d1, 0x113d1, 0x113d3, 0x113d3,
		0x11bc0, 0x11be0, 0x13460, 0x143fa, 0x16100, 0x1611d, 0x16d40, 0x16d6c, 0x18cff, 0x18cff, 0x1e5d0, 0x1e5ed, 0x1e5f0, 0x1e5f0,
		0x2ebf0, 0x2ee5d,
	)
	youngerNumbers = table(
		0x10d40, 0x10d49, 0x116d0, 0x116e3, 0x11bf0, 0x11bf9, 0x16130, 0x16139, 0x16d70, 0x16d79, 0x1ccf0, 0x1ccf9, 0x1e5f1, 0x1e5fa,
	)
)

func kindOf(r rune) kind {
	switch {
	case r < utf8.RuneSelf && (r|0x20 >= 'a' && r|0x20 <= 'z'):
		return letter
	case isSpace(r):
		return space
	case unicode.Is(unicode.L, r) && unicode.Is(unicode15, r) || unicode.Is(youngerLetters, r):
		return letter
	case unicode.Is(unicode.N, r) && unicode.Is(unicode15, r) || unicode.Is(youngerNumbers, r):
		return number
	}
	return other
}

// isDigit says whether Hugging Face's Digits cuts a character off: a number, by
// Unicode 17.
func isDigit(r rune) bool {
	return kindOf(r) == number || r >= 0x11de0 && r <= 0x11de9 || r >= 0x16ff4 && r <= 0x16ff6
}
