package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// The safetensors format is eight bytes with the header's length, the header
// (JSON: name -> dtype, shape, data_offsets), and the numbers. We read it
// ourselves because go-huggingface v0.4.3's reader believes the header: a
// length or an offset beyond the file makes it panic, holes and overlaps pass,
// it needs a GoMLX tensor per weight, and it reads from files only, where an
// embedded model is a byte slice.
//
// https://huggingface.co/docs/safetensors

// maxHeader is the format's own limit.
const maxHeader = 100_000_000

var errAgain = errors.New("the file is damaged or was not downloaded to its end: get it again")

// readSafetensors lists the tensors of a safetensors file of the given size.
// Only the header is read, and all of it is checked.
func readSafetensors(r io.ReaderAt, size int64, file string) ([]stored, error) {
	tensors, err := parseSafetensors(r, size, file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return tensors, nil
}

func parseSafetensors(r io.ReaderAt, size int64, file string) ([]stored, error) {
	if size < 8 {
		return nil, fmt.Errorf("%d bytes are too few for a safetensors file; %w", size, errAgain)
	}
	var length [8]byte
	if err := readFull(r, length[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("its header should have %d bytes, but the file has %d; %w", n, size, errAgain)
	}
	header := make([]byte, n)
	if err := readFull(r, header, 8); err != nil {
		return nil, err
	}
	fields, err := headerFields(header)
	if err != nil {
		return nil, err
	}
	start := 8 + int64(n)
	tensors := make([]stored, 0, len(fields))
	for _, f := range fields {
		s, err := f.stored(size - start)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", f.name, err)
		}
		s.file, s.from, s.offset = file, r, start+s.offset
		tensors = append(tensors, s)
	}
	return tensors, gapless(tensors, start, size)
}

// headerField is one tensor's entry in the header.
type headerField struct {
	name    string
	DType   dtype    `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// headerFields decodes the header, in its order, and refuses a name that
// comes twice.
func headerFields(header []byte) ([]headerField, error) {
	broken := func(err error) error {
		return fmt.Errorf("its header is not what safetensors has: %w; %w", err, errAgain)
	}
	dec := json.NewDecoder(bytes.NewReader(header))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, broken(cmp.Or(err, errors.New("no JSON object")))
	}
	var fields []headerField
	seen := map[string]bool{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, broken(err)
		}
		name, _ := key.(string)
		if seen[name] {
			return nil, broken(fmt.Errorf("%s comes twice", name))
		}
		seen[name] = true
		if name == "__metadata__" {
			var metadata map[string]string
			if err := dec.Decode(&metadata); err != nil {
				return nil, broken(err)
			}
			continue
		}
		f := headerField{name: name}
		if err := dec.Decode(&f); err != nil {
			return nil, broken(fmt.Errorf("%s: %w", name, err))
		}
		fields = append(fields, f)
	}
	if _, err := dec.Token(); err != nil {
		return nil, broken(err)
	}
	return fields, nil
}

// stored checks an entry against the number of bytes after the header.
func (f headerField) stored(available int64) (stored, error) {
	size, ok := sizes[f.DType]
	begin, end := f.Offsets[0], f.Offsets[1]
	n := elements(f.Shape)
	switch {
	case !ok:
		return stored{}, fmt.Errorf("its dtype %q is unknown; save the model again with dtype F32", f.DType)
	case begin < 0 || end < begin || end > available:
		return stored{}, fmt.Errorf("its bytes %d to %d lie outside the file's %d; %w", begin, end, available, errAgain)
	case n < 0 || n*size != end-begin:
		return stored{}, fmt.Errorf("shape %v of %s does not fit its %d bytes; %w", f.Shape, f.DType, end-begin, errAgain)
	}
	return stored{name: f.name, dtype: f.DType, shape: f.Shape, offset: begin, extent: end - begin}, nil
}

// gapless checks that tensors fill the file from start to size, none
// overlapping another, as the format demands.
func gapless(tensors []stored, start, size int64) error {
	order := slices.Clone(tensors)
	slices.SortStableFunc(order, func(a, b stored) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.extent, b.extent))
	})
	at := start
	for _, s := range order {
		if s.offset != at {
			what := "there is a gap before"
			if s.offset < at {
				what = "another tensor overlaps"
			}
			return fmt.Errorf("%s tensor %s; %w", what, s.name, errAgain)
		}
		at += s.extent
	}
	if at != size {
		return fmt.Errorf("%d bytes follow the last tensor; %w", size-at, errAgain)
	}
	return nil
}
