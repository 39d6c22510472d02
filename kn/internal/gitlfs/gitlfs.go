// Package gitlfs tells the pointers that Git LFS leaves in the place of large
// files where it is not installed: texts of three lines.
package gitlfs

import (
	"bytes"
	"errors"
	"io"
)

// ErrPointer says what a file is, and what to do.
var ErrPointer = errors.New("it is a Git LFS pointer, not the file itself: run git lfs install and git lfs pull in the clone, or download the file from where the model came from")

var start = []byte("version https://git-lfs.github.com/spec/")

// Check returns ErrPointer if a file with this beginning is a pointer.
func Check(beginning []byte) error {
	if bytes.HasPrefix(beginning, start) {
		return ErrPointer
	}
	return nil
}

// CheckAt is [Check] of a file that is read at offsets.
func CheckAt(r io.ReaderAt) error {
	beginning := make([]byte, len(start))
	n, _ := r.ReadAt(beginning, 0) // what cannot be read is found out by whoever reads it
	return Check(beginning[:n])
}
