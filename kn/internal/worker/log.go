//go:build linux || darwin

package worker

import (
	"context"
	"os"
	"time"
)

const (
	maxLog   = 1 << 20  // bytes; a log that has grown longer
	keptLog  = 64 << 10 // keeps only its end
	logCheck = 2 * time.Second
)

// keepShort bounds the log that a worker's output goes to.
func keepShort(ctx context.Context, path string) {
	if !isFile(os.Stderr, path) {
		return
	}
	tick := time.NewTicker(logCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			shorten(os.Stderr)
		}
	}
}

// shorten cuts a file down to its end. The file must be open for reading and
// appending; other writers' lines may get lost in that moment.
func shorten(file *os.File) {
	info, err := file.Stat()
	if err != nil || info.Size() <= maxLog {
		return
	}
	end := make([]byte, keptLog)
	if _, err := file.ReadAt(end, info.Size()-keptLog); err != nil || file.Truncate(0) != nil {
		return
	}
	file.Write(end)
}
