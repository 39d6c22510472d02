package tokenizer

import (
	"slices"
	"unicode"
)

// Added is a token that is cut out of the text before words are made, such as
// [MASK]. The field names are those of tokenizer.json.
type Added struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // only where no letter, digit or underscore touches it
	LStrip     bool   `json:"lstrip"`      // swallow white space before it
	RStrip     bool   `json:"rstrip"`      // swallow white space after it
	Normalized bool   `json:"normalized"`  // look for it in the normalised text
	Special    bool   `json:"special"`
}

// matcher finds added tokens, the longest at the leftmost place.
type matcher struct {
	added   []Added // longest first
	content [][]rune
}

func newMatcher(added []Added, content func(Added) []rune) matcher {
	var m matcher
	m.added = slices.Clone(added)
	slices.SortStableFunc(m.added, func(a, b Added) int { return len([]rune(b.Content)) - len([]rune(a.Content)) })
	for _, a := range m.added {
		m.content = append(m.content, content(a))
	}
	return m
}

// segment is a stretch of text; token is the index of the added token that it
// is, or -1 for plain text.
type segment struct{ start, end, token int }

// cut divides text, whose i-th character is at(i), into segments.
func (m matcher) cut(n int, at func(int) rune) []segment {
	var out []segment
	done := 0
	for i := 0; i < n; {
		k := m.match(i, n, at)
		if k < 0 {
			i++
			continue
		}
		start, end := i, i+len(m.content[k])
		i = end
		a := m.added[k]
		if a.SingleWord && (start > 0 && isWord(at(start-1)) || end < n && isWord(at(end))) {
			continue
		}
		for a.LStrip && start > done && isSpace(at(start-1)) {
			start--
		}
		for a.RStrip && end < n && isSpace(at(end)) {
			end++
		}
		if done < start {
			out = append(out, segment{done, start, -1})
		}
		out = append(out, segment{start, end, k})
		done, i = end, max(i, end)
	}
	if done < n {
		out = append(out, segment{done, n, -1})
	}
	return out
}

// match returns the index of the longest added token at position i, or -1.
func (m matcher) match(i, n int, at func(int) rune) int {
next:
	for k, content := range m.content {
		if len(content) == 0 || i+len(content) > n {
			continue
		}
		for j, r := range content {
			if at(i+j) != r {
				continue next
			}
		}
		return k
	}
	return -1
}

// isWord is the \w of regular expressions.
func isWord(r rune) bool {
	return r == '_' || unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc)
}
