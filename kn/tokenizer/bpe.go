package tokenizer

import (
	"container/heap"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// bpe is byte-pair encoding (Sennrich et al.,
// https://arxiv.org/abs/1508.07909). A word is spelled in small pieces; then
// the pair of neighbours that stands first in the list of merges becomes one
// token, until none is left. There are two kinds of pieces.
//
// Those of GPT-2 (Radford et al., 2019), which RoBERTa, Llama 3 and Qwen took
// over, are UTF-8 bytes, each written as a character that prints, a space as
// "Ġ".
//
// Those of SentencePiece (Kudo and Richardson,
// https://arxiv.org/abs/1808.06226), as in Llama 2 and Mistral, are
// characters, a space being written "▁". One that the vocabulary lacks is
// spelled in bytes, "<0xE2>" and so on.
type bpe struct {
	ids       map[string]int
	merges    []string // "Ġ t", the first to be done first
	ranks     map[[2]int]merge
	byteLevel bool         // pieces are bytes, not characters
	bytes     [256]int     // the token of each byte, -1 if it has none
	runes     map[rune]int // the token of each character, if pieces are characters
	fallback  bool         // characters that have no token are spelled in bytes: "byte_fallback"
	unk       int          // the token of what cannot be spelled otherwise, -1: it is left out
	fuse      bool         // several of these in a row are one: "fuse_unk"
	whole     bool         // a word that is a token is not taken apart: "ignore_merges"

	stages      []stage // how text is cut into words
	trimOffsets bool    // a token's offsets do not cover the spaces in it
	trimPrefix  bool    // unless it is the space that was prefixed to the text
}

// merge is what two neighbouring tokens become.
type merge struct{ rank, id int }

// newBPE takes the tokens by id, holes being "", and the merges in order.
func newBPE(tokens, merges []string, byteLevel bool) (*bpe, error) {
	m := &bpe{ids: make(map[string]int, len(tokens)), merges: merges, ranks: make(map[[2]int]merge, len(merges)), byteLevel: byteLevel, unk: -1}
	for id, token := range tokens {
		if token != "" {
			m.ids[token] = id
		}
	}
	for rank, line := range merges {
		left, right, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(right, " ") {
			return nil, fmt.Errorf("merge %d is %q, not two tokens; get the file again", rank+1, line)
		}
		pair := [2]int{}
		for i, token := range []string{left, right} {
			if pair[i], ok = m.ids[token]; !ok {
				return nil, fmt.Errorf("merge %d is of %q, which is not in the vocabulary; take both from the same model", rank+1, token)
			}
		}
		id, ok := m.ids[left+right]
		if !ok {
			return nil, fmt.Errorf("merge %d gives %q, which is not in the vocabulary; take both from the same model", rank+1, left+right)
		}
		m.ranks[pair] = merge{rank, id}
	}
	for b := range m.bytes {
		name := fmt.Sprintf("<0x%02X>", b)
		if byteLevel {
			name = string(byteChars[b])
		}
		id, ok := m.ids[name]
		if !ok {
			id = -1
		}
		m.bytes[b] = id
	}
	if !byteLevel {
		m.runes = map[rune]int{}
		for token, id := range m.ids {
			if r, n := utf8.DecodeRuneInString(token); n == len(token) {
				m.runes[r] = id
			}
		}
	}
	return m, nil
}

// symbol is a token of a word that is being spelled, in a list.
type symbol struct {
	id             int // -1: it has become part of the one before
	start, end     int // characters of the word
	previous, next int // -1 at the ends
}

// candidate is a merge that can be done: of the symbol at and the next one.
type candidate struct {
	merge
	at int
}

// candidates is a heap: the first in the list of merges, of these the leftmost.
type candidates []candidate

func (c candidates) Len() int { return len(c) }
func (c candidates) Less(i, j int) bool {
	return c[i].rank < c[j].rank || c[i].rank == c[j].rank && c[i].at < c[j].at
}
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c *candidates) Push(x any)   { *c = append(*c, x.(candidate)) }
func (c *candidates) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// split appends the pieces of word to dst. A byte or character that has no
// token is left out, as by Hugging Face, unless there is one that stands for
// them; noToken stands in its place.
func (m *bpe) split(dst []piece, word []char) []piece {
	if m.whole {
		if id, ok := m.ids[m.written(textOf(word))]; ok {
			return append(dst, piece{id, 0, len(word)})
		}
	}
	symbols, left := m.spell(word)
	for _, i := range left {
		dst = append(dst, piece{noToken, i, i + 1})
	}
	if len(symbols) == 0 {
		return dst
	}
	symbols[len(symbols)-1].next = -1
	m.mergeAll(symbols)
	for i := 0; i >= 0; i = symbols[i].next {
		dst = append(dst, piece{symbols[i].id, symbols[i].start, symbols[i].end})
	}
	return dst
}

// spell gives the tokens that a word is made of before any merge, and the
// characters that none stands for, once for each byte of a byte-level BPE.
func (m *bpe) spell(word []char) (symbols []symbol, left []int) {
	add := func(id, start, end int) {
		symbols = append(symbols, symbol{id, start, end, len(symbols) - 1, len(symbols) + 1})
	}
	// An unknown character waits for the next known one, since several of them
	// may be one token. Bytes go before it meanwhile, as by Hugging Face.
	waiting := piece{id: noToken}
	flush := func() {
		if waiting.id != noToken {
			add(waiting.id, waiting.start, waiting.end)
			waiting.id = noToken
		}
	}
	one := func(id, i int) {
		switch {
		case id >= 0:
			flush()
			add(id, i, i+1)
		case m.unk < 0:
			left = append(left, i)
		case m.fuse && waiting.id != noToken:
			waiting.end = i + 1
		default:
			flush()
			waiting = piece{m.unk, i, i + 1}
		}
	}
	for i, c := range word {
		bytes := []byte(string(c.r))
		hasToken := func(b byte) bool { return m.bytes[b] >= 0 }
		switch id, ok := m.runes[c.r]; {
		case m.byteLevel:
			for _, b := range bytes {
				one(m.bytes[b], i)
			}
		case ok:
			one(id, i)
		case m.fallback && all(bytes, hasToken):
			for _, b := range bytes {
				add(m.bytes[b], i, i+1)
			}
		default:
			one(-1, i)
		}
	}
	flush()
	return symbols, left
}

func all[T any](list []T, is func(T) bool) bool {
	return !slices.ContainsFunc(list, func(x T) bool { return !is(x) })
}

// written is a text as the vocabulary writes it.
func (m *bpe) written(text string) string {
	if m.byteLevel {
		return inByteChars(text)
	}
	return strings.ReplaceAll(text, " ", metaspace)
}

// text is what a token stands for.
func (m *bpe) text(token string) string {
	if m.byteLevel {
		return fromByteChars(token)
	}
	if b, ok := byteToken(token); ok {
		return string([]byte{b})
	}
	return strings.ReplaceAll(token, metaspace, " ")
}

// byteToken reads a token such as <0xE2>.
func byteToken(token string) (byte, bool) {
	if len(token) != len("<0xE2>") || !strings.HasPrefix(token, "<0x") || token[5] != '>' {
		return 0, false
	}
	b, err := strconv.ParseUint(token[3:5], 16, 8)
	return byte(b), err == nil
}

// words cuts text into what is spelled piece by piece.
func (m *bpe) words(text []char, inside bool) [][]char {
	words := [][]char{text}
	for _, stage := range m.stages {
		var next [][]char
		for _, word := range words {
			next = stage.cut(next, word, inside)
		}
		words = next
	}
	return words
}

// mergeAll does all merges that the symbols allow.
func (m *bpe) mergeAll(symbols []symbol) {
	var todo candidates
	add := func(at int) {
		if at < 0 || symbols[at].next < 0 {
			return
		}
		if found, ok := m.ranks[[2]int{symbols[at].id, symbols[symbols[at].next].id}]; ok {
			heap.Push(&todo, candidate{found, at})
		}
	}
	for i := range symbols {
		add(i)
	}
	for len(todo) > 0 {
		c := heap.Pop(&todo).(candidate)
		left := &symbols[c.at]
		if left.id < 0 || left.next < 0 {
			continue
		}
		right := &symbols[left.next]
		if now, ok := m.ranks[[2]int{left.id, right.id}]; !ok || now != c.merge {
			continue // one of the two has been merged with another since
		}
		left.id, left.end, left.next, right.id = c.id, right.end, right.next, -1
		if left.next >= 0 {
			symbols[left.next].previous = c.at
		}
		add(left.previous)
		add(c.at)
	}
}

// trim is what a token covers of the text without the white space at its ends.
// text is what the token was made of, with a space that was prefixed to it;
// blank says which of its characters are white space.
func (m *bpe) trim(text []char, first bool, blank func(rune) bool) (start, end int) {
	start, end = text[0].start, text[len(text)-1].end
	if !m.trimOffsets {
		return start, end
	}
	leading, trailing := 0, 0
	for leading < len(text) && blank(text[leading].r) {
		leading++
	}
	for trailing < len(text) && blank(text[len(text)-1-trailing].r) {
		trailing++
	}
	if leading == 1 && m.trimPrefix && (first || start == 0) {
		leading = 0 // it is taken to be the one that was prefixed
	}
	start = min(start+leading, end)
	if end >= trailing {
		end = max(end-trailing, start)
	}
	return start, end
}
