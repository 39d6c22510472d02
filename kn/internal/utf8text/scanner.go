package utf8text

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Scanner reads a text line by line, as a [bufio.Scanner] does, and says where
// it stops.
type Scanner struct {
	lines *bufio.Scanner
	name  string
	line  int
}

// NewScanner reads r's text, see [NewReader], in lines of at most longest bytes.
func NewScanner(r io.Reader, name string, longest int) *Scanner {
	s := &Scanner{lines: bufio.NewScanner(NewReader(r, name)), name: name}
	s.lines.Buffer(nil, longest)
	return s
}

// Scan goes to the next line, if there is one that was read whole.
func (s *Scanner) Scan() bool {
	if !s.lines.Scan() || s.lines.Err() != nil { // with an error comes the piece of a line before it
		return false
	}
	s.line++
	return true
}

// Bytes is the line, without its end. The next Scan overwrites it.
func (s *Scanner) Bytes() []byte { return s.lines.Bytes() }

// Text is the line as a string.
func (s *Scanner) Text() string { return s.lines.Text() }

// Line is the line's number, from 1.
func (s *Scanner) Line() int { return s.line }

// Err is why there are no more lines, nil at the end of the text. It names the
// file and the line.
func (s *Scanner) Err() error {
	err := s.lines.Err()
	if wrong := new(Error); err == nil || errors.As(err, &wrong) { // which names them
		return err
	}
	return fmt.Errorf("%s:%d: %w", s.name, s.line+1, err)
}
