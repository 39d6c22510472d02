package main

import (
	"io"
	"os"

	"github.com/fatih/color"
	"github.com/mattn/go-isatty"
)

// style colours text on a terminal, and leaves it alone elsewhere or when
// NO_COLOR is set (https://no-color.org).
type style struct {
	terminal bool
	head     func(a ...any) string // titles and column heads
	good     func(a ...any) string // what was asked for
	faint    func(a ...any) string
	bad      func(a ...any) string
}

func newStyle(w io.Writer) style {
	file, ok := w.(*os.File)
	terminal := ok && (isatty.IsTerminal(file.Fd()) || isatty.IsCygwinTerminal(file.Fd()))
	coloured := terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	paint := func(attributes ...color.Attribute) func(a ...any) string {
		c := color.New(attributes...)
		c.DisableColor()
		if coloured {
			c.EnableColor()
		}
		return c.SprintFunc()
	}
	return style{
		terminal: terminal,
		head:     paint(color.Bold),
		good:     paint(color.FgGreen),
		faint:    paint(color.Faint),
		bad:      paint(color.FgRed, color.Bold),
	}
}
