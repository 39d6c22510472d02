package gocell

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Cell is one cell of a notebook.
type Cell struct {
	Code  string // as its author wrote it, lines ended by "\n"
	scan  *scanner
	magic string // "%%bash" and the like, which make a cell something else than Go
}

// magics are the first words of cells that are not Go.
var magics = []string{"%%writefile", "%%script", "%%bash", "%%sh", "%%gx"}

// Parse reads a cell. It never fails: what is wrong with its Go is the
// compiler's to say, and what is wrong with its commands [Cell.Check]'s.
func Parse(code string) *Cell {
	code = strings.ReplaceAll(code, "\r\n", "\n")
	c := &Cell{Code: code}
	first, _, _ := strings.Cut(code, "\n")
	word, _, _ := strings.Cut(strings.TrimPrefix(first, goPrefix), " ")
	if slices.Contains(magics, word) {
		c.magic = word
		return c
	}
	c.scan = scan(code)
	return c
}

// IsGo says whether the cell is Go and commands, not a script or a file.
func (c *Cell) IsGo() bool { return c.magic == "" }

// IsTest says whether the cell runs its tests, by %test.
func (c *Cell) IsTest() bool {
	if !c.IsGo() {
		return false
	}
	for i := range c.scan.lines {
		if text, ok := c.command(i); ok && text[0] == '%' {
			if words := strings.Fields(text[1:]); len(words) > 0 && words[0] == "test" {
				return true
			}
		}
	}
	return false
}

// Check finds the commands that GoNB would not survive.
func (c *Cell) Check() error {
	if !c.IsGo() {
		first, _, _ := strings.Cut(c.Code, "\n")
		if c.magic == "%%script" && len(strings.Fields(first)) == 1 {
			return fmt.Errorf("line 1: %%%%script does not say what runs the cell: write %%%%script python3, say, or %%%%bash")
		}
		return nil
	}
	begun := 0 // the line that begins main
	for i, l := range c.scan.lines {
		text, isFirst := c.command(i)
		if !isFirst {
			continue
		}
		if isMain(text) || strings.HasPrefix(text, "%exec") {
			if begun > 0 {
				return fmt.Errorf("line %d: %q begins the code that is to be run a second time, after line %d: a cell has one such line", i+1, l.text, begun)
			}
			begun = i + 1
		}
		switch words := strings.Fields(text[1:]); {
		case len(words) == 0 && text[0] == '!':
			return fmt.Errorf("line %d: there is no command after %q: write what the shell is to run, as in !ls, or delete the line", i+1, l.text)
		case len(words) == 0:
			return fmt.Errorf("line %d: there is no command after %q: %%help lists them, and %%%% begins the code that is to be run", i+1, l.text)
		case strings.HasPrefix(text, "%exec") && (words[0] != "exec" || len(words) == 1 || text[5] != ' '):
			return fmt.Errorf("line %d: %q does not say which function to run: write %%exec, a blank and its name", i+1, l.text)
		}
	}
	return nil
}

// command returns the text of the command that begins in line i, without its
// prefix for editors, and whether one does.
func (c *Cell) command(i int) (string, bool) {
	l := c.scan.lines[i]
	if !l.command || !isCommand(l.text) || i > 0 && c.scan.lines[i-1].command && strings.HasSuffix(c.scan.lines[i-1].text, `\`) {
		return "", false
	}
	return strings.TrimPrefix(l.text, goPrefix), true
}

// OnCommand says whether the character at an offset, in code points, stands in
// a line that is not Go.
func (c *Cell) OnCommand(offset int) bool {
	if !c.IsGo() {
		return true
	}
	for _, l := range c.scan.lines {
		n := len([]rune(l.text)) + 1
		if offset < n {
			return l.command || isCommand(l.text) && l.begin == inCode && !l.continues
		}
		offset -= n
	}
	return false
}

// edit puts text into a line, before a column, or in place of some of it.
type edit struct {
	at      position
	removes int
	text    string
}

// Safe returns the same program in a form that GoNB reads rightly. It has as
// many lines, and each is the same but for text put in. [Moved] tells where a
// character went.
func (c *Cell) Safe() (code string, moved Moved) {
	if !c.IsGo() {
		return c.Code, nil
	}
	var edits []edit
	for i, l := range c.scan.lines {
		// A blank is enough to hide a line of a comment or of code, or of a
		// string that never ends, which is no Go.
		endless := c.scan.state == inRaw && i > c.scan.opens.line
		if l.misread() && (l.begin != inRaw || endless) {
			edits = append(edits, edit{at: position{i, 0}, text: " "})
		}
	}
	for _, r := range c.scan.raws {
		edits = append(edits, c.rawEdits(r)...)
	}
	slices.SortStableFunc(edits, func(a, b edit) int {
		if a.at.line != b.at.line {
			return a.at.line - b.at.line
		}
		return a.at.column - b.at.column
	})
	return c.apply(edits)
}

// rawEdits hides the lines of a raw string: the string ends before such a
// line, and another that begins with it is added. In parentheses it is one
// operand, as before.
func (c *Cell) rawEdits(r raw) (edits []edit) {
	hidden := false
	for i := r.from.line + 1; i <= r.to.line; i++ {
		if c.scan.lines[i].misread() {
			hidden = true
			if !r.bare {
				edits = append(edits, edit{at: position{i, 0}, text: "` + `"})
			}
		}
	}
	switch {
	case !hidden:
		return nil
	case !r.bare:
		return append(edits, edit{at: r.from, text: "("}, edit{at: position{r.to.line, r.to.column + 1}, text: ")"})
	}
	// A tag cannot be a sum. It becomes an interpreted string, and its other
	// lines a comment.
	lines := make([]string, 0, r.to.line-r.from.line+1)
	for i := r.from.line; i <= r.to.line; i++ {
		text := c.scan.lines[i].text
		from, to := 0, len(text)
		if i == r.from.line {
			from = r.from.column + 1
		}
		if i == r.to.line {
			to = r.to.column
		}
		lines = append(lines, text[from:to])
		e := edit{at: position{i, from}, removes: to - from}
		if i == r.from.line {
			e.at.column, e.removes = e.at.column-1, e.removes+1
		}
		if i == r.to.line {
			e.removes, e.text = e.removes+1, "*/"
		}
		edits = append(edits, e)
	}
	edits[0].text = strconv.Quote(strings.Join(lines, "\n")) + " /*"
	return edits
}

// Moved tells where the characters of a cell went.
type Moved []shift

// shift says that from an offset on, in code points, characters moved right.
type shift struct{ from, by int }

// apply makes edits, which are in order.
func (c *Cell) apply(edits []edit) (string, Moved) {
	if len(edits) == 0 {
		return c.Code, nil
	}
	var out strings.Builder
	var moved Moved
	offset, total := 0, 0
	for i, l := range c.scan.lines {
		if i > 0 {
			out.WriteByte('\n')
		}
		done := 0
		for len(edits) > 0 && edits[0].at.line == i {
			e := edits[0]
			edits = edits[1:]
			out.WriteString(l.text[done:e.at.column])
			out.WriteString(e.text)
			total += len([]rune(e.text)) - len([]rune(l.text[e.at.column:e.at.column+e.removes]))
			done = e.at.column + e.removes
			moved = append(moved, shift{offset + len([]rune(l.text[:e.at.column])), total})
		}
		out.WriteString(l.text[done:])
		offset += len([]rune(l.text)) + 1
	}
	return out.String(), moved
}

// To returns where the character at an offset, in code points, is in the safe
// code.
func (m Moved) To(offset int) int {
	by := 0
	for _, s := range m {
		if s.from > offset {
			break
		}
		by = s.by
	}
	return offset + by
}

// From returns which character of the cell is at an offset of the safe code.
func (m Moved) From(offset int) int {
	by := 0
	for _, s := range m {
		if s.from+s.by > offset {
			break
		}
		by = s.by
	}
	return max(0, offset-by)
}
