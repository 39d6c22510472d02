package utf8text

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestText(t *testing.T) {
	long := strings.Repeat("é€𝄞a\n", 50_000) // characters of all lengths across every buffer's end
	for name, c := range map[string]struct{ text, want, err string }{
		"empty":              {"", "", ""},
		"short":              {"a", "a", ""},
		"long":               {long, long, ""},
		"marked":             {"\ufeffMontréal\n", "Montréal\n", ""},
		"marked, empty":      {"\ufeff", "", ""},
		"mark inside":        {"a\n\ufeffb", "a\n\ufeffb", ""},
		"replacement":        {"\ufffd", "\ufffd", ""}, // U+FFFD itself is a character
		"Latin-1":            {"a\nb\nMontr\xe9al\n", "a\nb\nMontr", "f:3: not UTF-8 text (byte 0xe9); save the file as UTF-8"},
		"Latin-1, far":       {long + "\xe9t\xe9", long, "f:50001: not UTF-8 text"},
		"Latin-1 at the end": {"caf\xe9", "caf", "f:1: not UTF-8 text"},
		"UTF-16":             {"\xff\xfea\x00", "", "f:1: UTF-16 text; save"},
		"UTF-16, big":        {"\xfe\xff\x00a", "", "f:1: UTF-16 text"},
		"UTF-16, unmarked":   {"a\nb\x00", "a\nb", "f:2: a byte 0"},
		"UTF-32":             {"\xff\xfe\x00\x00a\x00\x00\x00", "", "f:1: UTF-32 text"},
		"cut":                {"ab\xe2\x82", "ab", "f:1: not UTF-8 text"},
		"surrogate":          {"\xed\xa0\x80", "", "f:1: not UTF-8 text"},
	} {
		says := func(how string, err error) {
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s, %s: error %v, want %q", name, how, err, c.err)
			}
			var at *Error
			if err != nil && !errors.As(err, &at) {
				t.Errorf("%s, %s: %T is no *Error", name, how, err)
			}
		}
		whole, err := Clean([]byte(c.text), "f")
		says("whole", err)
		if err == nil && string(whole) != c.want {
			t.Errorf("%s: whole %q", name, whole)
		}
		for how, r := range map[string]io.Reader{
			"read": strings.NewReader(c.text), "byte by byte": iotest.OneByteReader(strings.NewReader(c.text)),
			"error with data": iotest.DataErrReader(strings.NewReader(c.text)),
		} {
			got, err := io.ReadAll(NewReader(r, "f"))
			says(how, err)
			if string(got) != c.want {
				t.Errorf("%s, %s: %d bytes, want %d", name, how, len(got), len(c.want))
			}
		}
	}
	failing := NewReader(io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(io.ErrClosedPipe)), "f")
	if got, err := io.ReadAll(failing); string(got) != "ab" || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a reader that fails: %q, %v", got, err)
	}
}

// FuzzReader: what is read in pieces is what is read at once.
func FuzzReader(f *testing.F) {
	f.Add([]byte("\ufeffa\xe9"))
	f.Fuzz(func(t *testing.T, data []byte) {
		want, wrong := Clean(data, "f")
		got, err := io.ReadAll(NewReader(iotest.HalfReader(bytes.NewReader(data)), "f"))
		if (err == nil) != (wrong == nil) || err == nil && !bytes.Equal(got, want) || err != nil && err.Error() != wrong.Error() {
			t.Errorf("%q: in pieces %q, %v; at once %q, %v", data, got, err, want, wrong)
		}
	})
}

// TestScannerSaysWhereItStops: at the end of the text nothing is wrong; a line
// that is too long and what is not UTF-8 are named by file and line, and the
// piece of a line before the fault is no line.
func TestScannerSaysWhereItStops(t *testing.T) {
	for _, c := range []struct {
		text  string
		lines int
		err   string
	}{
		{"\xef\xbb\xbfone\ntwo\r\nthree", 3, ""},
		{"", 0, ""},
		{"one\n" + strings.Repeat("x", 99) + "\nthree\n", 1, "f:2: bufio.Scanner: token too long"},
		{"one\ntwo\nthr\xffee\n", 2, "f:3: "},
	} {
		s := NewScanner(strings.NewReader(c.text), "f", 40)
		var lines []string
		for s.Scan() {
			if lines = append(lines, s.Text()); s.Line() != len(lines) || s.Text() != string(s.Bytes()) {
				t.Errorf("%q: line %d is the %d-th", c.text, s.Line(), len(lines))
			}
		}
		if len(lines) != c.lines || len(lines) > 0 && lines[0] != "one" {
			t.Errorf("%q: lines %q", c.text, lines)
		}
		if err := s.Err(); c.err == "" && err != nil || c.err != "" && (err == nil || !strings.HasPrefix(err.Error(), c.err)) {
			t.Errorf("%q: %v, want %q", c.text, err, c.err)
		}
	}
}
