package facts

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
)

// WriteBags writes a source as JSON lines, one [Bag] a line, which
// [ReadBags] and [Open] read. Equal facts give equal bytes.
func WriteBags(w io.Writer, source Source) error {
	buffered := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for b, err := range source {
		if err != nil {
			return err
		}
		if err := encoder.Encode(b); err != nil {
			return fmt.Errorf("facts: write %v: %w", b, err)
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("facts: %w", err)
	}
	return nil
}

// ReadBags reads what [WriteBags] wrote. It holds one line in memory at a time
// and ends at the first error, which gives the file's name and the line.
func ReadBags(r io.Reader, name string) iter.Seq2[Bag, error] {
	return eachLine(r, name, func(b Bag) (Bag, error) {
		if b.Relation == "" || b.Answer == "" || len(b.Prompts) == 0 {
			return b, fmt.Errorf("relation, answer or prompts are missing")
		}
		return b, nil
	})
}

// readTaughtBags is [ReadTaught] for bags, one line at a time, r being
// unzipped already.
func readTaughtBags(r io.Reader, name string) iter.Seq2[Bag, error] {
	return eachLine(r, name, func(t Taught) (Bag, error) {
		if t.Relation == "" || t.Subject == "" || t.Answer == "" {
			return Bag{}, fmt.Errorf("relation, subject or answer is missing")
		}
		return t.bag()
	})
}

// eachLine decodes a JSON object a line and makes a bag of it.
func eachLine[T any](r io.Reader, name string, bag func(T) (Bag, error)) iter.Seq2[Bag, error] {
	return func(yield func(Bag, error) bool) {
		for line, text := range lines(r, name) {
			var b Bag
			err := text.err
			if err == nil {
				var value T
				if err = json.Unmarshal(text.bytes, &value); err != nil {
					err = fmt.Errorf("%s:%d: not a JSON object: %w", name, line, err)
				} else if b, err = bag(value); err != nil {
					err = fmt.Errorf("%s:%d: %w", name, line, err)
				}
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}
