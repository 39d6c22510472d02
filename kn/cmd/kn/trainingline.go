package main

import (
	"fmt"
	"io"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/pretrain"
)

// trainingLine shows where a training stands: on a terminal one line that
// changes, elsewhere a line now and then.
type trainingLine struct {
	w        io.Writer
	terminal bool
	every    time.Duration
	shown    time.Time
	last     string
	open     bool // the terminal's line is to be ended
}

func newTrainingLine(w io.Writer, terminal bool) *trainingLine {
	every := 10 * time.Second
	if terminal {
		every = 200 * time.Millisecond
	}
	return &trainingLine{w: w, terminal: terminal, every: every}
}

// show is told of every step.
func (l *trainingLine) show(p pretrain.Progress) { l.say(progressText(p), p.Step == p.Steps) }

// say is told of every step, and whether it is the last one.
func (l *trainingLine) say(text string, last bool) {
	l.last = text
	if time.Since(l.shown) < l.every && !last {
		return
	}
	l.shown = time.Now()
	if l.terminal {
		fmt.Fprint(l.w, "\r"+text+"\x1b[K") // clears what is left of a longer line
		l.open = true
		return
	}
	fmt.Fprintln(l.w, text)
}

// end leaves the last state on the terminal.
func (l *trainingLine) end() {
	if l.open {
		fmt.Fprintln(l.w, "\r"+l.last+"\x1b[K")
		l.open = false
	}
}

// progressText is a training's state in at most 80 columns.
func progressText(p pretrain.Progress) string {
	recall := "-"
	if p.Looked > 0 {
		recall = fmt.Sprintf("%.1f %%", 100*p.Recall)
	}
	return fmt.Sprintf("step %d/%d  loss %.3f  recall %s  %.0f examples/s  %s left",
		p.Step, p.Steps, p.Loss, recall, p.Rate, p.Left.Round(time.Second))
}
