// Package notebook shows in a notebook's cell how far a computation is.
package notebook

import (
	"fmt"
	"html"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

const (
	// patience is how long a computation may take before the bar appears, so
	// that what is quick, or found in the cache, comes without a flicker.
	patience = 500 * time.Millisecond
	// redrawn is the least time between two drawings of the bar.
	redrawn = 200 * time.Millisecond
)

// Bar is a bar below the running cell that shows one computation after
// another. It goes when a computation is done.
type Bar struct {
	show  func(html, text string)
	now   func() time.Time
	after func(time.Duration, func()) (stop func() bool)

	mutex       sync.Mutex
	what        string
	done, total int
	first       int       // done when it began
	begun       time.Time // zero: nothing is going on
	drawn       time.Time // zero: there is no bar
	stop        func() bool
}

// NewBar returns a bar for the running cell; nil outside a notebook.
func NewBar() *Bar {
	if !gonbui.IsNotebook {
		return nil
	}
	id := "progress_" + gonbui.UniqueId()
	return &Bar{
		show: func(html, text string) {
			gonbui.SendData(&protocol.DisplayData{DisplayID: id, Data: map[protocol.MIMEType]any{protocol.MIMETextHTML: html, protocol.MIMETextPlain: text}})
		},
		now:   time.Now,
		after: func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop },
	}
}

// Step returns the step function of a bar for the running cell; nil outside a
// notebook.
func Step() func(done, total int, what string) {
	if b := NewBar(); b != nil {
		return b.Step
	}
	return nil
}

// News prints good news: to a cell's standard output, since notebooks show
// standard error in red, and otherwise to standard error, beside a program's
// results.
func News(text string) {
	if gonbui.IsNotebook {
		fmt.Println(text)
		return
	}
	fmt.Fprintln(os.Stderr, text)
}

// Step says that done of total steps of what are done. What follows a comma in
// what is news of the same computation, such as its rate.
func (b *Bar) Step(done, total int, what string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	name, _, _ := strings.Cut(what, ",")
	before, _, _ := strings.Cut(b.what, ",")
	if b.begun.IsZero() || name != before || total != b.total {
		b.end()
		b.begun, b.first = b.now(), done
		b.stop = b.after(patience, b.late)
	}
	b.what, b.done, b.total = what, done, total
	switch now := b.now(); {
	case done >= total:
		b.end()
	case now.Sub(b.begun) >= patience && now.Sub(b.drawn) >= redrawn:
		b.draw(now)
	}
}

// late draws the bar of a computation that says nothing for long.
func (b *Bar) late() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if now := b.now(); !b.begun.IsZero() && b.drawn.IsZero() && now.Sub(b.begun) >= patience {
		b.draw(now)
	}
}

func (b *Bar) draw(now time.Time) {
	b.drawn = now
	text := fmt.Sprintf("%d of %d %s", b.done, b.total, b.what)
	if done := b.done - b.first; done > 0 && !strings.Contains(b.what, " left") {
		left := time.Duration(float64(now.Sub(b.begun)) / float64(done) * float64(b.total-b.done))
		text += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	b.show(fmt.Sprintf(`<div><progress value="%d" max="%d" style="width:16em"></progress> %s</div>`, b.done, b.total, html.EscapeString(text)), text)
}

// end takes the bar away.
func (b *Bar) end() {
	if b.stop != nil {
		b.stop()
	}
	if !b.drawn.IsZero() {
		b.show("", "")
	}
	b.begun, b.drawn, b.stop = time.Time{}, time.Time{}, nil
}
