package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// Read streams a whole sweep's records, in the data set's order, from the
// folder that [Run] or [Merge] wrote. It can be run through more than once,
// and ends at the first error.
func Read(dir string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		file, scan, _, err := open(dir)
		if err != nil {
			yield(Record{}, err)
			return
		}
		defer file.Close()
		for {
			line, err := scan.next()
			if errors.Is(err, io.EOF) {
				return
			}
			var r Record
			if err == nil {
				if json.Unmarshal(line, &r) != nil {
					err = scan.damaged("it is no record")
				}
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// ReadHeader returns what determined a whole sweep's records.
func ReadHeader(dir string) (Header, error) {
	file, _, h, err := open(dir)
	if err != nil {
		return h, err
	}
	return h, file.Close()
}

// open opens a whole sweep behind its header.
func open(dir string) (*os.File, *scanner, Header, error) {
	path := filepath.Join(dir, RecordsFile)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, Header{}, fmt.Errorf("sweep: %s has no %s: let the sweep end, or merge its shards", dir, RecordsFile)
	}
	if err != nil {
		return nil, nil, Header{}, fmt.Errorf("sweep: %w", err)
	}
	scan := newScanner(file, path)
	h, err := scan.header()
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("sweep: %s is empty; merge the sweep again", path)
	}
	if err != nil {
		file.Close()
		return nil, nil, h, err
	}
	return file, scan, h, nil
}
