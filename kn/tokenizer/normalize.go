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

// normalizer is Hugging Face's BertNormalizer, or the steps of a BPE.
type normalizer struct {
	cleanText    bool
	chinese      bool  // set CJK characters apart by spaces
	stripAccents *bool // nil: as lowercase says
	lowercase    bool
	steps        []normalStep
}

// normalStep is a normaliser of a BPE: canonical composition, or a text that
// is put in front, or that takes the place of another.
type normalStep struct {
	compose bool   // NFC
	before  string // replaced; "": with goes in front of all
	with    string
}

func (n normalizer) strips() bool {
	if n.stripAccents != nil {
		return *n.stripAccents
	}
	return n.lowercase
}

// apply normalises runes, of which the first is character number offset of
// the text. Inside a text nothing is put in front.
func (n normalizer) apply(runes []rune, offset int, inside bool) []char {
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
	for _, step := range n.steps {
		switch {
		case step.compose:
			text = compose(text)
		case step.before != "":
			text = replace(text, []rune(step.before), []rune(step.with))
		case !inside && len(text) > 0:
			text = slices.Concat(charsAt([]rune(step.with), text[0]), text)
		}
	}
	return text
}

// charsAt are characters that stand for what one of the original text does.
func charsAt(runes []rune, at char) []char {
	out := make([]char, len(runes))
	for i, r := range runes {
		out[i] = char{r, at.start, at.end}
	}
	return out
}

// replace puts one text in the place of another, wherever it stands.
func replace(text []char, before, with []rune) []char {
	out := make([]char, 0, len(text))
	for i := 0; i < len(text); {
		if i+len(before) > len(text) || !slices.EqualFunc(text[i:i+len(before)], before, func(c char, r rune) bool { return c.r == r }) {
			out = append(out, text[i])
			i++
			continue
		}
		i += len(before)
		out = append(out, charsAt(with, text[i-1])...)
	}
	return out
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

// decompose is canonical decomposition (NFD).
func decompose(text []char) []char {
	if !slices.ContainsFunc(text, func(c char) bool { return c.r >= 0xc0 }) {
		return text
	}
	return aligned(decomposed(text), text)
}

// compose is canonical composition (NFC).
func compose(text []char) []char {
	if !slices.ContainsFunc(text, func(c char) bool { return c.r >= 0x300 }) {
		return text
	}
	return aligned(composed(decomposed(text)), text)
}

// part is a character of a decomposition or a composition.
type part struct {
	r     rune
	ccc   uint8 // canonical combining class
	takes int   // characters that it replaces; 0: one that is added
}

// decomposed are the characters of text taken apart and put in canonical order.
func decomposed(text []char) []part {
	parts := make([]part, 0, len(text)+8)
	for _, c := range text {
		if c.r < 0xc0 || c.r == noDecomposition {
			parts = append(parts, part{c.r, ccc(c.r), 1})
			continue
		}
		takes := 1
		for _, r := range norm.NFD.String(string(c.r)) {
			parts = append(parts, part{r, ccc(r), takes})
			takes = 0
		}
	}
	order(parts)
	return parts
}

// composed joins each character with those behind it that it can be joined
// with, and that none of the same or a higher class stands before.
func composed(parts []part) []part {
	out := make([]part, 0, len(parts))
	base := -1 // in out
	for _, p := range parts {
		if base >= 0 && (len(out) == base+1 || out[len(out)-1].ccc < p.ccc) {
			if r, ok := pair(out[base].r, p.r); ok {
				out[base].r, out[base].takes = r, out[base].takes+p.takes
				continue
			}
		}
		if p.ccc == 0 {
			base = len(out)
		}
		out = append(out, p)
	}
	return out
}

// pair is the character that two can be joined to.
func pair(a, b rune) (rune, bool) {
	if b < 0x300 || a == 0x11935 && b == 0x11930 { // see noDecomposition
		return 0, false
	}
	r := []rune(norm.NFC.String(string([]rune{a, b})))
	return r[0], len(r) == 1
}

// aligned gives parts the ranges of the characters that they replace, as
// Hugging Face does: one after the other, as they stand in text. One that
// replaces several takes the first one's, one that is added the last one's
// before it.
func aligned(parts []part, text []char) []char {
	out := make([]char, 0, len(parts))
	next := 0
	for _, p := range parts {
		c := char{r: p.r}
		if p.takes > 0 {
			c.start, c.end = text[next].start, text[next].end
			next += p.takes
		} else if next > 0 {
			c.start, c.end = text[next-1].start, text[next-1].end
		}
		out = append(out, c)
	}
	return out
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
