package tokenizer

import (
	"container/heap"
	"fmt"
	"slices"
	"strings"
)

// byteLevel is GPT-2's byte-pair encoding (Radford et al., 2019, after Sennrich
// et al., https://arxiv.org/abs/1508.07909), which RoBERTa took over. A word
// with the space before it is spelled in its UTF-8 bytes, each written as a
// character that prints, a space as "Ġ"; then the pair of neighbours that
// stands first in the list of merges becomes one token, until none is left.
type byteLevel struct {
	ids         map[string]int
	merges      []string // "Ġ t", the first to be done first
	ranks       map[[2]int]merge
	bytes       [256]int // the token of each byte, -1 if it has none
	whole       bool     // a word that is a token is not taken apart: "ignore_merges"
	prefixSpace bool     // a space goes before text that begins without one
	trimOffsets bool     // a token's offsets do not cover the spaces in it
}

// merge is what two neighbouring tokens become.
type merge struct{ rank, id int }

// newByteLevel takes the tokens by id, holes being "", and the merges in order.
func newByteLevel(tokens, merges []string) (*byteLevel, error) {
	m := &byteLevel{ids: make(map[string]int, len(tokens)), merges: merges, ranks: make(map[[2]int]merge, len(merges)), trimOffsets: true}
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
		id, ok := m.ids[string(byteChars[b])]
		if !ok {
			id = -1
		}
		m.bytes[b] = id
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

// split appends the pieces of word to dst. A byte that has no token is left
// out, as by Hugging Face; noToken stands in its place.
func (m *byteLevel) split(dst []piece, word []char) []piece {
	if m.whole {
		var b strings.Builder
		for _, c := range word {
			b.WriteRune(c.r)
		}
		if id, ok := m.ids[inByteChars(b.String())]; ok {
			return append(dst, piece{id, 0, len(word)})
		}
	}
	var symbols []symbol
	for i, c := range word {
		for _, b := range []byte(string(c.r)) {
			id := m.bytes[b]
			if id < 0 {
				dst = append(dst, piece{noToken, i, i + 1})
				continue
			}
			symbols = append(symbols, symbol{id, i, i + 1, len(symbols) - 1, len(symbols) + 1})
		}
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

// mergeAll does all merges that the symbols allow.
func (m *byteLevel) mergeAll(symbols []symbol) {
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

// words cuts text as this pattern does, which looks ahead:
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// So a word takes the one space before it, and of other white space all but
// the last character stays together.
func (m *byteLevel) words(text []char) [][]char {
	if m.prefixSpace && len(text) > 0 && text[0].r != ' ' {
		text = slices.Insert(slices.Clone(text), 0, char{' ', text[0].start, text[0].end})
	}
	var out [][]char
	for i := 0; i < len(text); {
		end := i + wordLength(text[i:])
		out = append(out, text[i:end])
		i = end
	}
	return out
}

// wordLength is the number of characters of the first word of text, which has some.
func wordLength(text []char) int {
	if n := contraction(text); n > 0 {
		return n
	}
	first := 0
	if text[0].r == ' ' && len(text) > 1 && kindOf(text[1].r) != space {
		first = 1
	}
	kind, n := kindOf(text[first].r), first+1
	for n < len(text) && kindOf(text[n].r) == kind {
		n++
	}
	if kind == space && n < len(text) && n > 1 {
		n-- // the last one may go with the word behind it
	}
	return n
}

// contraction is the length of 's, 't and so on at the start of text, 0 if
// there is none.
func contraction(text []char) int {
	if text[0].r != '\'' {
		return 0
	}
	for _, ending := range []string{"s", "t", "re", "ve", "m", "ll", "d"} {
		if len(text) > len(ending) && text[1].r == rune(ending[0]) && (len(ending) == 1 || text[2].r == rune(ending[1])) {
			return 1 + len(ending)
		}
	}
	return 0
}

// trim is what a token covers of the text without the white space at its ends.
// text is what the token was made of, with a space that was prefixed to it;
// blank says which of its characters are white space.
func (m *byteLevel) trim(text []char, first bool, blank func(rune) bool) (start, end int) {
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
	if leading == 1 && m.prefixSpace && (first || start == 0) {
		leading = 0 // it is taken to be the one that was prefixed
	}
	start = min(start+leading, end)
	if end >= trailing {
		end = max(end-trailing, start)
	}
	return start, end
}
