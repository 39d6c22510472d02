package experiments

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// maskAnswer masks the first answer that stands as a word of its own outside
// the subject.
func maskAnswer(text, subject, answer string) (string, bool) {
	if answer == "" {
		return "", false
	}
	taken := places(text, subject)
	for _, at := range places(text, answer) {
		before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
		after, _ := utf8.DecodeRuneInString(text[at[1]:])
		if !unicode.IsLetter(before) && !unicode.IsLetter(after) && !overlaps(taken, at) {
			return text[:at[0]] + facts.Mask + text[at[1]:], true
		}
	}
	return "", false
}

// firstWords are those that maskWord chooses from.
const firstWords = 50

// maskWord masks a random one of the first words outside the subject. As in the
// authors' code a word is what stands between two spaces, with the punctuation
// that clings to it: what is asked for is often "word," or a mere dash.
func maskWord(text, subject string, rng *rand.Rand) (string, bool) {
	taken := places(text, subject)
	var words [][2]int
	from := 0
	for i, word := range strings.Split(text, " ") {
		if i == firstWords {
			break
		}
		if w := [2]int{from, from + len(word)}; word != "" && !overlaps(taken, w) {
			words = append(words, w)
		}
		from += len(word) + 1
	}
	if len(words) == 0 {
		return "", false
	}
	w := words[rng.IntN(len(words))]
	return text[:w[0]] + facts.Mask + text[w[1]:], true
}

// places is where part stands in text, as half-open ranges of bytes.
func places(text, part string) [][2]int {
	var found [][2]int
	for from := 0; part != ""; {
		i := strings.Index(text[from:], part)
		if i < 0 {
			break
		}
		found = append(found, [2]int{from + i, from + i + len(part)})
		from += i + len(part)
	}
	return found
}

func overlaps(taken [][2]int, r [2]int) bool {
	return slices.ContainsFunc(taken, func(t [2]int) bool { return r[0] < t[1] && t[0] < r[1] })
}
