package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"path/filepath"
)

// Table is a table with a caption.
type Table struct {
	ID      string // name of its files
	Caption Text
	Columns []column
	// Rows of cells. One that is nil says the same as the one above it: it is blank
	// where people read it, and repeated in the CSV.
	Rows [][]Text
	Note Text // below it
}

type column struct {
	Name  string
	Right bool // flush right, for numbers
}

// save writes the table as CSV and Markdown.
func (t *Table) save(dir string) error {
	for _, row := range t.Rows {
		if len(row) != len(t.Columns) {
			return fmt.Errorf("report: table %s has a row of %d cells for %d columns", t.ID, len(row), len(t.Columns))
		}
	}
	data, err := t.csv()
	if err != nil {
		return err
	}
	return errors.Join(save(filepath.Join(dir, t.ID+".csv"), data), save(filepath.Join(dir, t.ID+".md"), t.markdown()))
}

// csv writes the numbers in the result files' own digits, unscaled. An
// interval takes three columns: the mean, low and high.
func (t *Table) csv() ([]byte, error) {
	interval := make([]bool, len(t.Columns))
	for _, row := range t.Rows {
		for i, cell := range row {
			interval[i] = interval[i] || len(cell.numbers()) == 3
		}
	}
	var head []string
	for i, c := range t.Columns {
		head = append(head, c.Name)
		if interval[i] {
			head = append(head, c.Name+" low", c.Name+" high")
		}
	}
	lines, above := [][]string{head}, make([]Text, len(t.Columns))
	for _, row := range t.Rows {
		var line []string
		for i, cell := range row {
			if cell != nil {
				above[i] = cell
			}
			line = append(line, above[i].fields(interval[i])...)
		}
		lines = append(lines, line)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(lines); err != nil {
		return nil, fmt.Errorf("report: table %s: %w", t.ID, err)
	}
	return b.Bytes(), nil
}

// fields are a cell's, one or three.
func (t Text) fields(interval bool) []string {
	var fields []string
	switch numbers := t.numbers(); {
	case len(numbers) == 3 && interval:
		return []string{numbers[0].Raw, numbers[1].Raw, numbers[2].Raw}
	case len(numbers) == 1:
		fields = []string{numbers[0].Raw}
	default:
		fields = []string{t.String()}
	}
	if interval {
		fields = append(fields, "", "")
	}
	return fields
}
