package tokenizer

import (
	"slices"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// char is one character of normalised text with the half-open range of
// characters of the original text that it stands for.
type char struct {
	r          rune
	start, end int
}

// normalizer is Hugging Face's BertNormalizer.
type normalizer struct {
	cleanText    bool
	chinese      bool  // set CJK characters apart by spaces
	stripAccents *bool // nil: as lowercase says
	lowercase    bool
}

func (n normalizer) strips() bool {
	if n.stripAccents != nil {
		return *n.stripAccents
	}
	return n.lowercase
}

// apply normalises runes, of which the first is character number offset of
// the text.
func (n normalizer) apply(runes []rune, offset int) []char {
	text := make([]char, len(runes))
	for i, r := range runes {
		text[i] = char{r, offset + i, offset + i + 1}
	}
	if n.cleanText {
		text = clean(text)
	}
	if n.chinese {
		text = spaceChinese(text)
	}
	if n.strips() {
		text = stripAccents(text)
	}
	if n.lowercase {
		text = lower(text)
	}
	return text
}

// clean drops what does not print and turns all white space into spaces.
func clean(text []char) []char {
	out := text[:0]
	for _, c := range text {
		if unicode.Is(removed, c.r) {
			continue
		}
		if isSpace(c.r) {
			c.r = ' '
		}
		out = append(out, c)
	}
	return out
}

// spaceChinese sets every CJK character between two spaces.
func spaceChinese(text []char) []char {
	if !slices.ContainsFunc(text, func(c char) bool { return unicode.Is(chinese, c.r) }) {
		return text
	}
	out := make([]char, 0, len(text)+8)
	for _, c := range text {
		if !unicode.Is(chinese, c.r) {
			out = append(out, c)
			continue
		}
		space := char{' ', c.start, c.end}
		out = append(out, space, c, space)
	}
	return out
}

// stripAccents decomposes (NFD) and drops the nonspacing marks.
func stripAccents(text []char) []char {
	out := decompose(text)
	return slices.DeleteFunc(out, func(c char) bool { return unicode.Is(accents, c.r) })
}

// lower maps letters to lower case one by one: no rule looks at neighbours,
// so a capital sigma at a word's end becomes the ordinary small one.
func lower(text []char) []char {
	out := make([]char, 0, len(text))
	for _, c := range text {
		if c.r == 'İ' { // the one letter whose lower case is two characters
			out = append(out, char{'i', c.start, c.end}, char{'\u0307', c.start, c.end})
			continue
		}
		c.r = lowerRune(c.r)
		out = append(out, c)
	}
	return out
}

// decompose is canonical decomposition. Where characters change places or one
// becomes several, ranges follow Hugging Face: the k-th character that replaces
// an original one takes its range, an added one takes its predecessor's.
func decompose(text []char) []char {
	if !slices.ContainsFunc(text, func(c char) bool { return c.r >= 0xc0 }) {
		return text
	}
	parts := make([]part, 0, len(text)+8)
	for _, c := range text {
		if c.r < 0xc0 || c.r == noDecomposition {
			parts = append(parts, part{r: c.r, ccc: ccc(c.r)})
			continue
		}
		for i, r := range []rune(norm.NFD.String(string(c.r))) {
			parts = append(parts, part{r: r, ccc: ccc(r), added: i > 0})
		}
	}
	order(parts)
	out := make([]char, 0, len(parts))
	next := 0
	for _, p := range parts {
		c := char{r: p.r}
		if p.added {
			if len(out) > 0 {
				c.start, c.end = out[len(out)-1].start, out[len(out)-1].end
			}
		} else {
			c.start, c.end = text[next].start, text[next].end
			next++
		}
		out = append(out, c)
	}
	return out
}

// part is a character of a decomposition.
type part struct {
	r     rune
	ccc   uint8 // canonical combining class
	added bool  // not the first of its decomposition
}

// order sorts each run of combining characters by class, keeping equals in place.
func order(parts []part) {
	for i := 0; i < len(parts); i++ {
		end := i
		for end < len(parts) && parts[end].ccc != 0 {
			end++
		}
		slices.SortStableFunc(parts[i:end], func(a, b part) int { return int(a.ccc) - int(b.ccc) })
		i = max(i, end)
	}
}

// ccc is the canonical combining class, 0 for what does not combine.
func ccc(r rune) uint8 {
	if r < 0x300 || unicode.Is(unordered, r) {
		return 0
	}
	return norm.NFD.PropertiesString(string(r)).CCC()
}
