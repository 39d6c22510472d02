package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

// table is aligned text: columns as wide as their widest cell, numbers to the
// right, between a title and notes if it has any. Widths are those on a terminal,
// where a CJK character takes two columns and a combining one none.
type table struct {
	title string
	head  []string
	right []bool // by column
	rows  [][]string
	paint []func(a ...any) string // by row; nil for plain
	notes []string
}

// tableOf is a result's own table: what a notebook shows of it.
func tableOf(r kn.Tabler) *table {
	own := r.Table()
	t := &table{title: own.Title, head: own.Columns, rows: own.Rows, notes: own.Notes}
	t.right, t.paint = make([]bool, len(t.head)), make([]func(a ...any) string, len(t.rows))
	for i := range t.right {
		t.right[i] = i > 0
	}
	return t
}

// newTable makes a table; a column whose head begins with ">" is right-aligned.
func newTable(heads ...string) *table {
	t := &table{}
	for _, head := range heads {
		head, right := strings.CutPrefix(head, ">")
		t.head, t.right = append(t.head, head), append(t.right, right)
	}
	return t
}

// add adds a row; paint may be nil.
func (t *table) add(paint func(a ...any) string, cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = fmt.Sprint(cell)
		if f, ok := cell.(float64); ok {
			row[i] = number(f)
		}
	}
	t.rows, t.paint = append(t.rows, row), append(t.paint, paint)
}

func (t *table) write(w io.Writer, s cli.Style) {
	width := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			width[i] = max(width[i], uniseg.StringWidth(cell))
		}
	}
	line := func(cells []string) string {
		var b strings.Builder
		for i, cell := range cells {
			pad := strings.Repeat(" ", width[i]-uniseg.StringWidth(cell))
			if t.right[i] {
				cell, pad = pad+cell, ""
			}
			b.WriteString("  " + cell + pad)
		}
		return strings.TrimRight(b.String(), " ")
	}
	if t.title != "" {
		fmt.Fprintln(w, s.Head(t.title))
	}
	if len(t.rows) > 0 {
		fmt.Fprintln(w, s.Head(line(t.head)))
	}
	for i, row := range t.rows {
		text := line(row)
		if t.paint[i] != nil {
			text = t.paint[i](text)
		}
		fmt.Fprintln(w, text)
	}
	for _, note := range t.notes {
		fmt.Fprintln(w, s.Faint(note))
	}
}

// number prints a probability or a score with four significant digits.
func number(f float64) string { return fmt.Sprintf("%#.4g", f) }

// percent prints a share, or a change with its sign.
func percent(f float64) string { return fmt.Sprintf("%+.1f %%", 100*f) }
