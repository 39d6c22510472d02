package cli

import (
	"io"
	"os"

	"github.com/fatih/color"
	"github.com/mattn/go-isatty"
)

// Style colours text on a terminal, and leaves it alone elsewhere or when
// NO_COLOR is set (https://no-color.org).
type Style struct {
	Terminal bool
	Head     func(a ...any) string // titles and column heads
	Good     func(a ...any) string // what was asked for
	Faint    func(a ...any) string
	Bad      func(a ...any) string
}

// NewStyle returns the style for what w is.
func NewStyle(w io.Writer) Style {
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
	return Style{
		Terminal: terminal,
		Head:     paint(color.Bold),
		Good:     paint(color.FgGreen),
		Faint:    paint(color.Faint),
		Bad:      paint(color.FgRed, color.Bold),
	}
}
