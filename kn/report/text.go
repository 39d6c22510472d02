package report

import "strings"

// Text is what a paragraph or a cell says: spans one after another.
type Text []span

// span is a piece of text. One that has a Number prints that number.
type span struct {
	Text   string
	Style  style
	Link   string // where it leads, if anywhere
	Number *Number
}

type style int

const (
	plain style = iota
	faint       // of lesser rank, such as the ends of an interval
	code        // names of files, options, tokens
)

// Number is a number of a result file as a text prints it.
type Number struct {
	File    string  // in the folder of results, "neurons.json"
	Pointer string  // into it, RFC 6901
	Value   float64 // as it stands there; of a list, the number of its entries
	Raw     string  // likewise, in the file's own digits
	Scale   float64 // by which it was multiplied to be printed: 100 for percent
}

// Source says where the number was read: "neurons.json#/gradients/per_fact/mean".
func (n Number) Source() string { return n.File + "#" + n.Pointer }

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
