package facts

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
)

// lineCounter tells the line of an offset in what was read through it.
type lineCounter struct {
	r        io.Reader
	offset   int64   // read so far
	newlines []int64 // offsets of those that no asked-for offset has passed
	passed   int     // newlines before the last asked-for offset
}

// Read reads and remembers where lines end.
func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for at := 0; ; at++ {
		i := bytes.IndexByte(p[at:n], '\n')
		if i < 0 {
			break
		}
		at += i
		c.newlines = append(c.newlines, c.offset+int64(at))
	}
	c.offset += int64(n)
	return n, err
}

// line returns the line, from 1, of an offset that is not before earlier ones.
func (c *lineCounter) line(offset int64) int {
	k := 0
	for k < len(c.newlines) && c.newlines[k] < offset {
		k++
	}
	c.passed += k
	c.newlines = append(c.newlines[:0], c.newlines[k:]...)
	return c.passed + 1
}

// element is an entry of a JSON list with where it ends.
type element[T any] struct {
	value T
	at    string // "file:line: bag 3", from 1, for errors
}

// elements reads a JSON list one entry at a time. It ends at the first error,
// which names name (a file), the line, and the entry, called what.
func elements[T any](r io.Reader, name, what string) iter.Seq2[element[T], error] {
	return func(yield func(element[T], error) bool) {
		counter := &lineCounter{r: utf8text.NewReader(r, name)}
		decoder := json.NewDecoder(counter)
		fail := func(n int, err error) {
			if wrong := new(utf8text.Error); errors.As(err, &wrong) { // which names file and line
				yield(element[T]{}, wrong)
				return
			}
			offset := decoder.InputOffset() // where the entry begins
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				offset, err = counter.offset, io.ErrUnexpectedEOF
			}
			yield(element[T]{}, fmt.Errorf("%s:%d: %s %d: %w", name, counter.line(offset), what, n, err))
		}
		if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
			fail(1, cmp.Or(err, errors.New("the file is no JSON list")))
			return
		}
		n := 1
		for ; decoder.More(); n++ {
			var e element[T]
			if err := decoder.Decode(&e.value); err != nil {
				fail(n, err)
				return
			}
			e.at = fmt.Sprintf("%s:%d: %s %d", name, counter.line(decoder.InputOffset()), what, n)
			if !yield(e, nil) {
				return
			}
		}
		if _, err := decoder.Token(); err != nil {
			fail(n, err)
			return
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			fail(n, errors.New("there is more after the list's end"))
		}
	}
}
