package checkpoint

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// input counts what it reads.
type input struct {
	r *bufio.Reader
	n int64
}

func (in *input) bytes(n uint64) ([]byte, error) {
	if n > maxString {
		return nil, fmt.Errorf("a text of %d bytes; %w", n, errAgain)
	}
	buf := make([]byte, n)
	got, err := io.ReadFull(in.r, buf)
	in.n += int64(got)
	if err != nil {
		return nil, fmt.Errorf("the pickle ends too early; %w", errAgain)
	}
	return buf, nil
}

// uint reads a little-endian number of n bytes.
func (in *input) uint(n uint64) (uint64, error) {
	buf, err := in.bytes(n)
	var wide [8]byte
	copy(wide[:], buf)
	return binary.LittleEndian.Uint64(wide[:]), err
}

// line reads up to the end of the line, which is left out.
func (in *input) line() (string, error) {
	var out []byte
	for {
		b, err := in.bytes(1)
		if err != nil {
			return "", err
		}
		if b[0] == '\n' {
			return string(out), nil
		}
		if out = append(out, b[0]); len(out) > maxString {
			return "", fmt.Errorf("a line without end; %w", errAgain)
		}
	}
}
