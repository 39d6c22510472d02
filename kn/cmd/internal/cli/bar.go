package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// patience is how long a computation may take before a bar appears, so that
// results from the cache come without a flicker.
const patience = 300 * time.Millisecond

// Where no terminal is, as in the log of a job, a line says now and then how
// far a long computation is.
const (
	firstLine = 20 * time.Second
	nextLine  = time.Minute
)

// Bar shows the progress of one step after another: on a terminal as a bar,
// elsewhere as lines. A nil bar shows nothing.
type Bar struct {
	mutex sync.Mutex
	w     io.Writer
	start time.Time
	what  string
	now   *progressbar.ProgressBar

	plain bool
	clock func() time.Time
	began time.Time // the step
	first int       // done when it began
	total int
	told  time.Time // the last line
}

// NewBar returns a bar for what w is.
func NewBar(w io.Writer, s Style) *Bar {
	return &Bar{w: w, start: time.Now(), plain: !s.Terminal, clock: time.Now}
}

// line writes a line if it is time to.
func (b *Bar) line(done, total int, what string) {
	name, _, _ := strings.Cut(what, ",")
	now := b.clock()
	if b.began.IsZero() || b.what != name || b.total != total {
		b.what, b.total, b.began, b.first = name, total, now, done
	}
	if now.Sub(b.began) < firstLine || now.Sub(b.told) < nextLine || done >= total {
		return
	}
	b.told = now
	left := ""
	if n := done - b.first; n > 0 && !strings.Contains(what, " left") {
		left = fmt.Sprintf(", about %s left", time.Duration(float64(now.Sub(b.began))/float64(n)*float64(total-done)).Round(time.Second))
	}
	fmt.Fprintf(b.w, "%d of %d %s%s\n", done, total, what, left)
}

// Step is a kn.Progress.
func (b *Bar) Step(done, total int, what string) {
	if b == nil {
		return
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.plain {
		b.line(done, total, what)
		return
	}
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

// Finish takes the bar off the terminal.
func (b *Bar) Finish() {
	if b == nil {
		return
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.close()
}

func (b *Bar) close() {
	if b.now != nil {
		_ = b.now.Clear() // the terminal is gone, then
		_ = b.now.Exit()
		b.now = nil
	}
}
