//go:build unix

package cli

import (
	"os/signal"
	"syscall"
)

// limitsAreErrors makes a write beyond the shell's file-size limit fail like
// one on a full disk. Left alone, the signal would kill the program.
func limitsAreErrors() { signal.Ignore(syscall.SIGXFSZ) }
