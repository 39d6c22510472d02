package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	attempts = 5                      // connections in a row that bring nothing new
	pause    = 200 * time.Millisecond // before the second attempt; doubled each time
	stall    = time.Minute            // a connection that is silent for so long is given up
)

// fetch downloads address into path, which may hold its beginning already. A
// connection that breaks is taken up again where it broke, as often as it
// brings something new.
func (r *repository) fetch(ctx context.Context, address, path, name string, size int64) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return r.errorf("%w", err)
	}
	defer file.Close()
	done, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return r.errorf("%w", err)
	}
	if done > size {
		done = 0 // not the beginning of this file
	}
	for failures := 0; done < size || size == 0; {
		before := done
		done, err = r.stream(ctx, address, file, name, done, size)
		if err == nil {
			break
		}
		var temporary *temporaryError
		if ctx.Err() != nil || !errors.As(err, &temporary) {
			return err
		}
		if failures++; done > before {
			failures = 0
		}
		if failures >= attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return r.errorf("%w", ctx.Err())
		case <-time.After(pause << failures):
		}
	}
	if err := errors.Join(file.Truncate(done), file.Sync(), file.Close()); err != nil {
		return r.errorf("%s: %w", name, err)
	}
	return nil
}

// stream makes one connection and appends what it brings to file, of which
// done bytes are there. It returns how many are there now.
func (r *repository) stream(ctx context.Context, address string, file *os.File, name string, done, size int64) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(stall, func() { cancel(fmt.Errorf("silent for %v", stall)) })
	defer watchdog.Stop()
	resp, err := r.get(ctx, address, done)
	if err != nil {
		return done, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusPartialContent {
		done = 0 // the server starts from the beginning, or there is nothing after done
	}
	if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return done, &temporaryError{r.errorf("%s: the server has no byte %d", name, done)}
	}
	if _, err := file.Seek(done, io.SeekStart); err != nil {
		return done, r.errorf("%s: %w", name, err)
	}
	buf := make([]byte, 1<<20)
	for {
		n, readErr := resp.Body.Read(buf)
		watchdog.Reset(stall)
		if _, err := file.Write(buf[:n]); err != nil {
			return done, r.errorf("%s: cannot write it: %w; what is there is kept: make room and run again", name, err)
		}
		done += int64(n)
		r.opts.Progress.report("downloading "+name, done, size)
		switch {
		case readErr == io.EOF && (done == size || size == 0):
			return done, nil
		case readErr == io.EOF:
			readErr = io.ErrUnexpectedEOF
			fallthrough
		case readErr != nil:
			if cause := context.Cause(ctx); cause != nil {
				readErr = cause
			}
			return done, &temporaryError{r.errorf("%s: the connection broke after %d of %d bytes: %w; run again to go on", name, done, size, readErr)}
		}
	}
}
