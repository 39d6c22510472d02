package finetune

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
)

// ReadTSV reads labelled sentences, or pairs of sentences, from a file with
// columns set apart by tabs and a header that names label and sentence, or
// label, sentence1 and sentence2, in any order. Nothing is quoted: a quotation
// mark is a character like any other, as in GLUE's files. A label must be one
// of labels or, where these are words, its number from 0; without labels, the
// file's own in alphabetical order are the classes. Other columns are not read:
// see [Data.Unread].
func ReadTSV(path string, labels []string) (*Data, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("finetune: %w", err)
	}
	defer file.Close()
	return readTSV(file, path, labels)
}

// MustReadTSV is [ReadTSV] for notebook cells: it panics instead of returning an error.
func MustReadTSV(path string, labels []string) *Data { return kn.Must(ReadTSV(path, labels)) }

func readTSV(r io.Reader, path string, labels []string) (*Data, error) {
	t, err := newTable(r, path)
	if err != nil {
		return nil, err
	}
	columns := []string{"label", "sentence"}
	if slices.Contains(t.header, "sentence1") || slices.Contains(t.header, "sentence2") {
		columns = []string{"label", "sentence1", "sentence2"}
	}
	rows, err := t.rows(columns)
	if err != nil {
		return nil, err
	}
	if labels == nil {
		for _, r := range rows {
			labels = append(labels, r.cells[0])
		}
		slices.Sort(labels)
		labels = slices.Compact(labels)
	}
	data := &Data{Name: path, Labels: labels}
	for _, name := range t.header {
		if !slices.Contains(columns, name) {
			data.Unread = append(data.Unread, fmt.Sprintf("%s: %s", filepath.Base(path), name))
		}
	}
	examples, err := t.examples(rows, labels)
	if err != nil {
		return nil, err
	}
	data.Parts = []Part{{Name: "all", Examples: examples}}
	return data, nil
}

// table is a file of columns set apart by tabs, quoting off.
type table struct {
	path   string
	lines  *utf8text.Scanner
	header []string
	// skipTorn leaves lines out that have fewer columns than the header, and
	// torn counts them.
	skipTorn bool
	torn     int
}

// row is some columns of a line.
type row struct {
	line  int
	cells []string
}

// longestLine bounds what a file that is no table can make us read.
const longestLine = 1 << 20

// openTable begins to read a table without its header.
func openTable(r io.Reader, path string) *table {
	return &table{path: path, lines: utf8text.NewScanner(r, path, longestLine)}
}

func newTable(r io.Reader, path string) (*table, error) {
	t := openTable(r, path)
	return t, t.readHeader()
}

// readHeader reads the line that names the columns.
func (t *table) readHeader() (err error) {
	if t.header, err = t.next(); err == nil && t.header == nil {
		err = fmt.Errorf("finetune: %s is empty; its first line must name the columns", t.path)
	}
	return err
}

// next splits the next line that is not blank; nil at the end.
func (t *table) next() ([]string, error) {
	for t.lines.Scan() {
		if line := strings.TrimSuffix(t.lines.Text(), "\r"); strings.TrimSpace(line) != "" {
			return strings.Split(line, "\t"), nil
		}
	}
	if err := t.lines.Err(); err != nil {
		return nil, fmt.Errorf("finetune: %w", err)
	}
	return nil, nil
}

// rows reads some columns of all lines that are left.
func (t *table) rows(columns []string) ([]row, error) {
	at := make([]int, len(columns))
	for i, name := range columns {
		if at[i] = slices.Index(t.header, name); at[i] < 0 {
			return nil, fmt.Errorf("finetune: %s:%d: there is no column %q in the header %q; tabs must set the columns apart", t.path, t.lines.Line(), name, t.header)
		}
	}
	var rows []row
	for {
		cells, err := t.next()
		if err != nil || cells == nil {
			return rows, err
		}
		if t.skipTorn && len(cells) < len(t.header) {
			t.torn++
			continue
		}
		if len(cells) != len(t.header) {
			return nil, fmt.Errorf("finetune: %s:%d: the line has %d columns, the header %d; set columns apart by one tab, and use none inside", t.path, t.lines.Line(), len(cells), len(t.header))
		}
		r := row{line: t.lines.Line()}
		for i, c := range at {
			cell := strings.TrimSpace(cells[c])
			if cell == "" {
				return nil, fmt.Errorf("finetune: %s:%d: column %q is empty", t.path, t.lines.Line(), columns[i])
			}
			r.cells = append(r.cells, cell)
		}
		rows = append(rows, r)
	}
}

// examples makes examples of rows of label, sentence1 and perhaps sentence2.
func (t *table) examples(rows []row, labels []string) ([]Example, error) {
	if len(rows) == 0 {
		return nil, fmt.Errorf("finetune: %s has a header but no example", t.path)
	}
	examples := make([]Example, len(rows))
	for i, r := range rows {
		label, err := labelIndex(labels, r.cells[0])
		if err != nil {
			return nil, fmt.Errorf("finetune: %s:%d: %w", t.path, r.line, err)
		}
		examples[i] = Example{Sentence1: r.cells[1], Label: label}
		if len(r.cells) > 2 {
			examples[i].Sentence2 = r.cells[2]
		}
	}
	return examples, nil
}
