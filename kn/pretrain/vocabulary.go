package pretrain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// specials stand first in every vocabulary, [PAD] as 0.
var specials = []string{"[PAD]", "[UNK]", cls, sep, "[MASK]"}

// cls begins every text and sep ends it.
const (
	cls = "[CLS]"
	sep = "[SEP]"
)

// specialID is the id of a special token in JSON.
func specialID(token string) json.RawMessage {
	return json.RawMessage(strconv.Itoa(slices.Index(specials, token)))
}

// continued marks a piece that continues a word.
const continued = "##"

// Vocabulary makes a cased WordPiece vocabulary from texts: every character of
// theirs and of ASCII, at the start of a word and inside it; then merges pieces
// found by joining, again and again, the two neighbours that stand together
// most often (byte-pair encoding, Sennrich et al. 2016); then the whole words
// given. Nothing in the texts is [UNK] to it, and equal arguments give equal
// vocabularies.
func Vocabulary(texts, whole []string, merges int) ([]string, error) {
	vocab := slices.Clone(specials)
	for _, r := range alphabet(texts) {
		vocab = append(vocab, string(r))
		if !unicode.IsPunct(r) && !unicode.IsSymbol(r) {
			vocab = append(vocab, continued+string(r))
		}
	}
	spell, err := tokenizer.New(vocab, tokenizer.Options{Cased: true})
	if err != nil {
		return nil, fmt.Errorf("pretrain: alphabet: %w", err)
	}
	m := newMerger(spell, texts)
	for range merges {
		piece, ok := m.merge()
		if !ok {
			break
		}
		vocab = append(vocab, piece)
	}
	vocab = append(vocab, whole...)
	// Of a piece that stands twice the last one stays, so that the whole words
	// stand together at the end.
	slices.Reverse(vocab)
	seen := map[string]bool{}
	vocab = slices.DeleteFunc(vocab, func(piece string) bool {
		again := seen[piece]
		seen[piece] = true
		return again
	})
	slices.Reverse(vocab)
	return vocab, nil
}

// alphabet returns the printing characters of ASCII and of the texts, in order.
func alphabet(texts []string) []rune {
	set := map[rune]bool{}
	for r := '!'; r <= '~'; r++ {
		set[r] = true
	}
	for _, text := range texts {
		for _, r := range text {
			if unicode.IsGraphic(r) && !unicode.IsSpace(r) {
				set[r] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// pair is two neighbouring pieces of a word.
type pair [2]string

// joined is the piece that the two make.
func (p pair) joined() string { return p[0] + strings.TrimPrefix(p[1], continued) }

// merger holds the words as they are spelled so far, and counts of
// neighbouring pieces.
type merger struct {
	words  [][]string
	counts []int                 // how often each word stands in the texts
	pairs  map[pair]int          // how often each pair does
	where  map[pair]map[int]bool // the words that may hold it
}

func newMerger(spell *tokenizer.Tokenizer, texts []string) *merger {
	m := &merger{pairs: map[pair]int{}, where: map[pair]map[int]bool{}}
	index := map[string]int{}
	for _, text := range texts {
		pieces := spell.Tokenize(text)
		for len(pieces) > 0 {
			n := 1
			for n < len(pieces) && strings.HasPrefix(pieces[n], continued) {
				n++
			}
			key := strings.Join(pieces[:n], "")
			i, ok := index[key]
			if !ok {
				i = len(m.words)
				index[key] = i
				m.words, m.counts = append(m.words, slices.Clone(pieces[:n])), append(m.counts, 0)
			}
			m.counts[i]++
			pieces = pieces[n:]
		}
	}
	for i := range m.words {
		m.count(i, 1)
	}
	return m
}

// count adds word i's pairs sign times.
func (m *merger) count(i, sign int) {
	for k := 1; k < len(m.words[i]); k++ {
		p := pair{m.words[i][k-1], m.words[i][k]}
		m.pairs[p] += sign * m.counts[i]
		if m.where[p] == nil {
			m.where[p] = map[int]bool{}
		}
		m.where[p][i] = true
	}
}

// merge joins the commonest pair everywhere and returns the new piece; false
// when no pair stands twice.
func (m *merger) merge() (string, bool) {
	best, most := pair{}, 1
	for p, n := range m.pairs {
		if n > most || n == most && n > 1 && slices.Compare(p[:], best[:]) < 0 {
			best, most = p, n
		}
	}
	if most < 2 {
		return "", false
	}
	piece := best.joined()
	for _, i := range slices.SortedFunc(maps.Keys(m.where[best]), cmp.Compare) {
		m.count(i, -1)
		var joined []string
		for word := m.words[i]; len(word) > 0; {
			if len(word) > 1 && word[0] == best[0] && word[1] == best[1] {
				joined, word = append(joined, piece), word[2:]
				continue
			}
			joined, word = append(joined, word[0]), word[1:]
		}
		m.words[i] = joined
		m.count(i, 1)
	}
	delete(m.pairs, best)
	delete(m.where, best)
	return piece, true
}
