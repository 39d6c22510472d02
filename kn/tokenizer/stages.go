package tokenizer

import (
	"slices"
	"strings"
	"sync"

	"github.com/dlclark/regexp2/v2"
)

// stage cuts text into words, or words into smaller ones: a pre-tokenizer of
// Hugging Face's. Stages are plain values.
type stage interface {
	// cut appends the parts of text to dst. Text that does not begin a text
	// gets no space in front: inside.
	cut(dst [][]char, text []char, inside bool) [][]char
}

// metaspace is what SentencePiece writes for a space.
const metaspace = "▁"

// byteLevelStage is the pre-tokenizer ByteLevel. That its words are spelled in
// bytes is the business of [bpe].
type byteLevelStage struct {
	prefixSpace bool // a space goes before text that begins without one
	pattern     bool // cut as GPT-2 does, see [gptWord]; else not at all
}

func (s byteLevelStage) cut(dst [][]char, text []char, inside bool) [][]char {
	if s.prefixSpace && !inside && len(text) > 0 && text[0].r != ' ' {
		text = slices.Insert(slices.Clone(text), 0, char{' ', text[0].start, text[0].end})
	}
	if !s.pattern {
		return append(dst, text)
	}
	return cutWords(dst, text, gptWord)
}

// scanStage is the pre-tokenizer Split with one of the patterns that are
// scanned by hand.
type scanStage struct{ pattern string }

func (s scanStage) cut(dst [][]char, text []char, _ bool) [][]char {
	return cutWords(dst, text, scanners[s.pattern])
}

// cutWords cuts text into words of the length that length finds.
func cutWords(dst [][]char, text []char, length func([]char) int) [][]char {
	for len(text) > 0 {
		n := length(text)
		dst, text = append(dst, text[:n]), text[n:]
	}
	return dst
}

// splitStage is the pre-tokenizer Split with any pattern: what matches and
// what lies between is a word each. removed drops one of the two.
type splitStage struct {
	pattern string // as [regexp2] has it
	removed removal
}

// removal is which parts of a text are no words.
type removal uint8

const (
	removeNone removal = iota
	removeMatches
	removeBetween
)

// patterns are those that were compiled.
var patterns sync.Map // of *regexp2.Regexp by string

// compiled gives the pattern, which was checked when the tokenizer was read.
func compiled(pattern string) (*regexp2.Regexp, error) {
	if re, ok := patterns.Load(pattern); ok {
		return re.(*regexp2.Regexp), nil
	}
	re, err := regexp2.Compile(pattern, regexp2.None)
	if err == nil {
		patterns.Store(pattern, re)
	}
	return re, err
}

func (s splitStage) cut(dst [][]char, text []char, _ bool) [][]char {
	re, err := compiled(s.pattern)
	if err != nil {
		return append(dst, text) // not reached: see above
	}
	runes := make([]rune, len(text))
	for i, c := range text {
		runes[i] = c.r
	}
	add := func(start, end int, drop removal) {
		if start < end && s.removed != drop {
			dst = append(dst, text[start:end])
		}
	}
	done := 0
	m, err := re.FindRunesMatch(runes)
	for m != nil && err == nil {
		add(done, m.RuneIndex, removeBetween)
		done = m.RuneIndex + m.RuneLength
		add(m.RuneIndex, done, removeMatches)
		m, err = re.FindNextMatch(m)
	}
	add(done, len(text), removeBetween)
	return dst
}

// digitsStage is the pre-tokenizer Digits: digits are words of their own, each
// by itself or as many as stand together.
type digitsStage struct{ each bool }

func (s digitsStage) cut(dst [][]char, text []char, _ bool) [][]char {
	for len(text) > 0 {
		n, digit := 1, isDigit(text[0].r)
		for n < len(text) && isDigit(text[n].r) == digit && !(digit && s.each) {
			n++
		}
		dst, text = append(dst, text[:n]), text[n:]
	}
	return dst
}

// metaspaceStage is the pre-tokenizer Metaspace: spaces are written "▁", and
// one may go in front.
type metaspaceStage struct {
	prefix prefixing
	split  bool // each "▁" begins a word
}

// prefixing says where a "▁" is put before text that begins without one.
type prefixing uint8

const (
	prefixNever  prefixing = iota
	prefixAlways           // before the text and behind each added token
	prefixFirst            // before the text
)

func (s metaspaceStage) cut(dst [][]char, text []char, inside bool) [][]char {
	if len(text) == 0 {
		return dst
	}
	text = slices.Clone(text)
	for i, c := range text {
		if c.r == ' ' {
			text[i].r = metaRune
		}
	}
	if !inside && text[0].r != metaRune && (s.prefix == prefixAlways || s.prefix == prefixFirst && text[0].start == 0) {
		text = slices.Insert(text, 0, char{metaRune, text[0].start, text[0].end})
	}
	if !s.split {
		return append(dst, text)
	}
	start := 0
	for i, c := range text {
		if c.r == metaRune && i > start {
			dst, start = append(dst, text[start:i]), i
		}
	}
	return append(dst, text[start:])
}

// metaRune is [metaspace].
const metaRune = '▁'

// textOf is what characters spell.
func textOf(word []char) string {
	var b strings.Builder
	for _, c := range word {
		b.WriteRune(c.r)
	}
	return b.String()
}
