package report

import (
	"fmt"
	"strings"
)

// Text is what a paragraph or a cell says: spans one after another.
type Text []Span

// Span is a piece of text. One that has a Number prints that number.
type Span struct {
	Text   string
	Style  Style
	Link   string // where it leads, if anywhere
	Number *Number
}

// Style of a span.
type Style int

// The styles.
const (
	Plain Style = iota
	Faint       // of lesser rank, such as the ends of an interval
	Code        // names of files, options, tokens
)

// Number is a number of a result file as a span prints it.
type Number struct {
	File    string  // in the folder of results, "neurons.json"
	Pointer string  // into it, RFC 6901
	Value   float64 // as it stands there; of a list, the number of its entries
	Raw     string  // likewise, in the file's own digits
	Scale   float64 // by which it was multiplied to be printed: 100 for percent
}

// Source says where the number was read: "neurons.json#/gradients/per_fact/mean".
func (n Number) Source() string { return n.File + "#" + n.Pointer }

// Join makes a text of strings, spans and texts.
func Join(parts ...any) Text {
	var t Text
	for _, part := range parts {
		switch p := part.(type) {
		case Text:
			t = append(t, p...)
		case Span:
			t = append(t, p)
		case string:
			t = append(t, Span{Text: p})
		default:
			t = append(t, Span{Text: fmt.Sprint(p)})
		}
	}
	return t
}

// Small is of lesser rank, such as a remark.
func Small(s string) Span { return Span{Text: s, Style: Faint} }

// Mono is a name of a file, an option or a token.
func Mono(s string) Span { return Span{Text: s, Style: Code} }

// Link leads to a page.
func Link(s, url string) Span { return Span{Text: s, Link: url} }

// String returns the text alone.
func (t Text) String() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.Text)
	}
	return b.String()
}

// numbers are the text's numbers, in order.
func (t Text) numbers() []*Number {
	var all []*Number
	for _, s := range t {
		if s.Number != nil {
			all = append(all, s.Number)
		}
	}
	return all
}
