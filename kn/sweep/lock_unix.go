//go:build unix

package sweep

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock makes this process the only writer of a file, until it closes the file
// or ends, however it ends.
func lock(file *os.File) error { return flock(file, syscall.LOCK_EX) }

// lockShared keeps writers away.
func lockShared(file *os.File) error { return flock(file, syscall.LOCK_SH) }

func flock(file *os.File, how int) error {
	err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("sweep: %s is being written by another process; wait until it has ended", file.Name())
	}
	if err != nil {
		return fmt.Errorf("sweep: lock %s: %w", file.Name(), err)
	}
	return nil
}
