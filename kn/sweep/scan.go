package sweep

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// entry is where a record stands in a file, with what of it is needed to find it.
type entry struct {
	Key     string `json:"key"`
	Fact    string `json:"fact"`
	Index   int    `json:"index"`
	Prompts int    `json:"prompts"`
	Prompt  string `json:"prompt"`
	Answer  string `json:"answer"`

	NotConverged []int `json:"not_converged"`

	line   int
	offset int64
	length int
}

// scanner reads a sweep's file line by line.
type scanner struct {
	path   string
	reader *bufio.Reader
	line   int   // of the last line read, from 1
	offset int64 // behind it
}

func newScanner(r io.Reader, path string) *scanner {
	return &scanner{path: path, reader: bufio.NewReaderSize(r, 1<<20)}
}

// next returns a whole line; io.EOF where there is none, be there the
// beginning of one or not.
func (s *scanner) next() ([]byte, error) {
	line, err := s.reader.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("sweep: %s:%d: %w", s.path, s.line+1, err)
	}
	s.line++
	s.offset += int64(len(line))
	return line, nil
}

// header reads the first line; io.EOF if it is not there or torn.
func (s *scanner) header() (Header, error) {
	line, err := s.next()
	if err != nil {
		return Header{}, err
	}
	return parseHeader(line, s.path)
}

// entries reads the records of a file with a header up to the first that is
// torn. end is behind the last whole one.
func (s *scanner) entries(h Header, visit func(entry) error) (end int64, err error) {
	for {
		end = s.offset
		e, err := s.entry(h)
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err == nil {
			err = visit(e)
		}
		if err != nil {
			return end, err
		}
	}
}

// entry reads one record.
func (s *scanner) entry(h Header) (entry, error) {
	e := entry{offset: s.offset}
	line, err := s.next()
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return e, s.damaged(err.Error())
	}
	if e.Prompts < 1 || e.Index < 0 || e.Index >= e.Prompts || e.Key != h.key(e.Fact, e.Index, e.Prompt, e.Answer) {
		return e, s.damaged("it is no record of this sweep")
	}
	e.line, e.length = s.line, len(line)
	return e, nil
}

func (s *scanner) damaged(why string) error {
	return fmt.Errorf("sweep: %s:%d: the line is damaged: %s; delete the file from this line on, and what is missing is computed again", s.path, s.line, why)
}
