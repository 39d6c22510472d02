package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
)

// benchmark is one run of the program, and what it prints.
type benchmark struct {
	Machine benchMachine `json:"machine"`
	Version string       `json:"version"`
	benchSubject
	benchQuestion
	// Fact is what the nine prompts are asked, where it is something else: the
	// prompt is the one of them whose error is measured.
	Fact    *benchQuestion   `json:"fact,omitempty"`
	Repeats int              `json:"repeats"`
	Rows    []benchRowResult `json:"rows"`

	self, kn string // this program, and the kn command
	python   string
	scratch  string // folder that is removed at the end
	say      func(format string, args ...any)
}

// run measures the rows.
func (b *benchmark) run(ctx context.Context, o benchOptions) error {
	if err := b.choose(ctx, o); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.scratch, "peers.py"), peersProgram, 0o600); err != nil {
		return err
	}
	var rows []benchRow
	for _, row := range benchRows {
		if slices.Contains(o.rows, row.name) {
			rows = append(rows, row)
		}
	}
	if err := b.makeReferences(ctx, rows); err != nil {
		return err
	}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].group == rows[0].group {
			n++
		}
		if err := b.measureGroup(ctx, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// makeReferences computes the references that the rows' contenders are judged
// against, each once.
func (b *benchmark) makeReferences(ctx context.Context, rows []benchRow) error {
	for _, row := range rows {
		for _, key := range row.contenders {
			q := b.question(benchEntries[key].asked)
			if q == nil || q.Reference != nil {
				continue
			}
			if err := b.makeReference(ctx, q); err != nil {
				return err
			}
		}
	}
	return nil
}
