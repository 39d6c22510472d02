// Package utf8text reads text files as people have them: UTF-8, with or
// without the byte order mark that some editors put in front. Anything else is
// refused by file and line, since a letter that is lost in silence changes what
// a model reads. All readers of text files of this module go through it.
package utf8text

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

var mark = []byte("\xef\xbb\xbf")

// wide are the marks of other encodings, the longer first.
var wide = []struct {
	mark []byte
	name string
}{
	{[]byte{0xff, 0xfe, 0, 0}, "UTF-32"},
	{[]byte{0, 0, 0xfe, 0xff}, "UTF-32"},
	{[]byte{0xff, 0xfe}, "UTF-16"},
	{[]byte{0xfe, 0xff}, "UTF-16"},
}

// Error says where a file stops being UTF-8 text.
type Error struct {
	File string
	Line int    // from 1
	What string // "UTF-16 text", say
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d: %s; save the file as UTF-8", e.File, e.Line, e.What)
}

// Clean returns the text without a mark. Errors are an [*Error] and name name,
// a file.
func Clean(data []byte, name string) ([]byte, error) {
	v := validator{file: name, line: 1}
	if err := v.begin(data); err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, mark)
	_, err := v.valid(data, true)
	return data, err
}

// NewReader reads r's text without a mark, up to where it is not UTF-8: there
// it gives an [*Error] that names name, a file.
func NewReader(r io.Reader, name string) io.Reader {
	return &reader{from: r, buffer: make([]byte, 0, 1<<16), validator: validator{file: name, line: 1}}
}

type reader struct {
	from      io.Reader
	validator validator
	buffer    []byte // read: first what is checked, then perhaps the beginning of a character
	checked   int
	begun     bool
	end       error // of from
}

// Read implements [io.Reader].
func (r *reader) Read(p []byte) (int, error) {
	for r.checked == 0 {
		if r.end != nil && len(r.buffer) == 0 {
			return 0, r.end
		}
		if err := r.fill(); err != nil {
			r.buffer, r.end = r.buffer[:0], err
			return 0, err
		}
	}
	n := copy(p, r.buffer[:r.checked])
	r.buffer, r.checked = append(r.buffer[:0], r.buffer[n:]...), r.checked-n
	return n, nil
}

// fill reads on and checks what it has read.
func (r *reader) fill() error {
	atLeast := 1
	if !r.begun {
		atLeast = 4 // the longest mark
	}
	for have := len(r.buffer); r.end == nil && len(r.buffer) < have+atLeast; {
		n, err := r.from.Read(r.buffer[len(r.buffer):cap(r.buffer)])
		r.buffer, r.end = r.buffer[:len(r.buffer)+n], err
	}
	if !r.begun {
		r.begun = true
		if err := r.validator.begin(r.buffer); err != nil {
			return err
		}
		if bytes.HasPrefix(r.buffer, mark) {
			r.buffer = append(r.buffer[:0], r.buffer[len(mark):]...)
		}
	}
	n, err := r.validator.valid(r.buffer, r.end != nil)
	if r.checked = n; n > 0 {
		// What is right is handed over first; the error comes again.
		r.validator.line += bytes.Count(r.buffer[:n], []byte("\n"))
		return nil
	}
	return err
}

// validator checks text piece by piece.
type validator struct {
	file string
	line int // of the next piece
}

// begin refuses a text by its mark.
func (v validator) begin(data []byte) error {
	for _, w := range wide {
		if bytes.HasPrefix(data, w.mark) {
			return &Error{v.file, v.line, w.name + " text"}
		}
	}
	return nil
}

// valid says how many bytes at the beginning are whole characters; an error
// says that what follows them is none. At the end a character must be whole.
func (v validator) valid(data []byte, end bool) (int, error) {
	for i := 0; i < len(data); {
		if data[i] == 0 {
			return i, v.errorAt(data[:i], "a byte 0, which no text has (UTF-16, or a binary file)")
		}
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			if !end && !utf8.FullRune(data[i:]) {
				return i, nil
			}
			return i, v.errorAt(data[:i], fmt.Sprintf("not UTF-8 text (byte %#x)", data[i]))
		}
		i += size
	}
	return len(data), nil
}

func (v validator) errorAt(before []byte, what string) error {
	return &Error{v.file, v.line + bytes.Count(before, []byte("\n")), what}
}
