package dynamics

import (
	"math/rand/v2"
	"strings"
	"unicode"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// Sentence is a text of which one word is masked, see [MaskedWords].
type Sentence struct {
	Text   string
	Except string // words that are not to be masked, such as a fact's subject and answer
}

// MaskedWords masks a word, drawn at random, in each of up to n sentences,
// themselves drawn at random: what [FollowOptions.Control] takes. A word has
// three letters or more and nothing else, and is one token. Sentences are passed
// over that have no such word, a word that the vocabulary cannot spell, or more
// than maxTokens tokens; so there may be fewer than n.
func MaskedWords(tok *tokenizer.Tokenizer, sentences []Sentence, n, maxTokens int, seed uint64) []kn.Query {
	rng := rand.New(rand.NewPCG(seed, 0xc0d7))
	var queries []kn.Query
	for _, i := range rng.Perm(len(sentences)) {
		if len(queries) == n {
			break
		}
		s := sentences[i]
		words := strings.Fields(s.Text)
		var maskable []int
		for k, w := range words {
			if isWord(w) && !strings.Contains(" "+s.Except+" ", " "+w+" ") {
				if _, err := tok.Single(w); err == nil {
					maskable = append(maskable, k)
				}
			}
		}
		if len(maskable) == 0 {
			continue
		}
		k := maskable[rng.IntN(len(maskable))]
		q := kn.Query{Answer: words[k]}
		words[k] = facts.Mask
		q.Prompt = strings.Join(words, " ")
		if e, _, err := tok.Prompt(q.Prompt, maxTokens); err == nil && len(e.Unknown) == 0 {
			queries = append(queries, q)
		}
	}
	return queries
}

func isWord(w string) bool {
	return len(w) >= 3 && !strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) })
}
