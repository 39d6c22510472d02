package chart

import (
	"strings"
	"unicode"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const ellipsis = "…"

// Clean makes text safe to draw and to write into XML: one line, valid
// UTF-8, no control characters, runs of white space as one space.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// Quoted puts an answer or a token in quotation marks.
func Quoted(s string) string { return "“" + Clip(Clean(s), 40) + "”" }

// Clip shortens s to at most n runes.
func Clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimRight(string(r[:n-1]), " ") + ellipsis
}

// Width measures s, counting an em for each wide character, since Liberation
// has none of them and the font that a browser takes instead has wide ones.
func Width(style draw.TextStyle, s string) vg.Length {
	narrow, wide := 0, 0
	s = strings.Map(func(r rune) rune {
		if r >= 0x1100 {
			wide++
			return -1
		}
		narrow++
		return r
	}, s)
	if narrow == 0 {
		return vg.Length(wide) * style.Font.Size
	}
	return style.Width(s) + vg.Length(wide)*style.Font.Size
}

// Fit shortens s until it is no wider than limit.
func Fit(style draw.TextStyle, s string, limit vg.Length) string {
	if Width(style, s) <= limit {
		return s
	}
	r := []rune(s)
	for n := len(r) - 1; n > 0; n-- {
		short := strings.TrimRight(string(r[:n]), " ") + ellipsis
		if Width(style, short) <= limit {
			return short
		}
	}
	return ellipsis
}

// wrap breaks s at spaces into lines no wider than limit, at most lines many;
// the last is shortened.
func wrap(style draw.TextStyle, s string, limit vg.Length, lines int) []string {
	var result []string
	words := strings.Fields(s)
	for len(words) > 0 {
		if len(result) == lines-1 {
			return append(result, Fit(style, strings.Join(words, " "), limit))
		}
		n := 1
		for n < len(words) && Width(style, strings.Join(words[:n+1], " ")) <= limit {
			n++
		}
		line := strings.Join(words[:n], " ")
		if Width(style, line) > limit { // one long word
			return append(result, Fit(style, strings.Join(words, " "), limit))
		}
		result = append(result, line)
		words = words[n:]
	}
	return result
}
