package main

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// patience is how long a computation may take before a bar appears, so that
// results from the cache come without a flicker.
const patience = 300 * time.Millisecond

// bar shows the progress of one step after another on a terminal. A nil bar
// shows nothing.
type bar struct {
	mutex sync.Mutex
	w     io.Writer
	start time.Time
	what  string
	now   *progressbar.ProgressBar
}

// newBar returns a bar, or nil unless w is a terminal.
func newBar(w io.Writer, s style) *bar {
	if !s.terminal {
		return nil
	}
	return &bar{w: w, start: time.Now()}
}

// step is a kn.Progress.
func (b *bar) step(done, total int, what string) {
	if b == nil {
		return
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if time.Since(b.start) < patience {
		return
	}
	// What follows a comma is news of the same step, such as its rate.
	name, _, _ := strings.Cut(what, ",")
	if b.now != nil && b.what == name && b.now.GetMax() == total {
		b.now.Describe(what)
	} else {
		b.close()
		b.what = name
		b.now = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(b.w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	_ = b.now.Set(done) // fails only for more than all, which shows itself
}

// finish takes the bar off the terminal.
func (b *bar) finish() {
	if b == nil {
		return
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.close()
}

func (b *bar) close() {
	if b.now != nil {
		_ = b.now.Clear() // the terminal is gone, then
		_ = b.now.Exit()
		b.now = nil
	}
}
