package main

import (
	"bytes"
	"fmt"
	"strings"
)

// write prints the benchmark as a Markdown table, with what it was measured
// on below.
func (b *benchmark) write(w *bytes.Buffer) {
	fmt.Fprintf(w, "### %s\n\n", b.heading())
	lines := [][]string{{"", "", "minimum", "median", "prompts a second", "compared", "first result", "nodes a layer", "error", "peak memory"}}
	for _, row := range b.Rows {
		title := row.Title
		for _, m := range row.Measures {
			lines = append(lines, append([]string{title}, m.cells()...))
			title = ""
		}
	}
	writeMarkdown(w, lines)
	fmt.Fprintf(w, "\n- %s; kn %s\n", b.Machine, b.Version)
	fmt.Fprintf(w, "- float32, %s; %s\n", b.Model, b.benchQuestion)
	if b.Fact != nil {
		fmt.Fprintf(w, "- the nine prompts' errors: %s\n", b.Fact)
	}
	repetitions := "repetitions in turn"
	if b.Repeats == 1 {
		repetitions = "repetition"
	}
	fmt.Fprintf(w, "- %d %s, after a first result that does not count; “compared” is of the medians\n", b.Repeats, repetitions)
	for _, q := range []*benchQuestion{&b.benchQuestion, b.Fact} {
		if q != nil && q.Reference != nil {
			r := q.Reference
			fmt.Fprintf(w, "- errors as shares of the largest score, against %s with %d Gauss-Legendre nodes a layer, from which %d nodes differ by %s: “%s”\n",
				r.Contender, r.Nodes, r.CheckNodes, inPercent(r.Difference), q.Prompt)
		}
	}
	b.writeDetails(w)
	b.writeNotes(w)
}

// String says in words what is asked.
func (q benchQuestion) String() string {
	return fmt.Sprintf("%d tokens: “%s”, “%s” with probability %#.4g", q.Tokens, q.Prompt, q.Answer, q.Probability)
}

// writeDetails writes what the table has no column for: how scores agree, what
// each prompt took, and what was measured once.
func (b *benchmark) writeDetails(w *bytes.Buffer) {
	once := map[string]bool{}
	for _, row := range b.Rows {
		for _, m := range row.Measures {
			if m.Once && m.Note == "" && !once[m.Contender] {
				once[m.Contender] = true
				fmt.Fprintf(w, "- %s: measured once, after one layer to warm up instead of a first result\n", m.Contender)
			}
			if m.Agreement != nil {
				fmt.Fprintf(w, "- %s: the scores of %s differ from those of %s by %s of the largest\n",
					row.Title, m.Contender, row.Measures[len(row.Measures)-1].Contender, inPercent(*m.Agreement))
			}
		}
		var prompts []string
		for _, p := range row.ByPrompt {
			prompts = append(prompts, fmt.Sprintf("%d tokens %s", p.Tokens, inSeconds(p.Median)))
		}
		if len(prompts) > 0 {
			fmt.Fprintf(w, "- %s, medians: %s\n", row.Title, strings.Join(prompts, ", "))
		}
	}
}

// writeNotes writes what was not measured and what is wrong, each reason once.
func (b *benchmark) writeNotes(w *bytes.Buffer) {
	var reasons []string
	about := map[string][]string{}
	for _, row := range b.Rows {
		for _, m := range row.Measures {
			if m.Note == "" {
				continue
			}
			if about[m.Note] == nil {
				reasons = append(reasons, m.Note)
			}
			about[m.Note] = append(about[m.Note], fmt.Sprintf("%s (%s)", m.Contender, row.Row))
		}
	}
	for _, reason := range reasons {
		fmt.Fprintf(w, "- %s: %s\n", strings.Join(about[reason], "; "), reason)
	}
}

// cells are a measure's cells of the table but for the row's title.
func (m benchMeasure) cells() []string {
	cells := []string{m.Contender, "", "", "", "", "", "", "", ""}
	if m.First > 0 {
		cells[5] = inSeconds(m.First)
	}
	if m.PerSecond > 0 {
		cells[3] = fmt.Sprintf("%.3g", m.PerSecond)
	}
	if m.Median > 0 {
		cells[1], cells[2] = inSeconds(m.Minimum), inSeconds(m.Median)
	} else if m.Peak == 0 {
		cells[1] = "not measured"
	}
	switch {
	case m.More != nil:
		cells[4] = fmt.Sprintf("%+.2f s", *m.More)
	case m.Faster > 0:
		cells[4] = fmt.Sprintf("%.2f × faster", m.Faster)
	}
	if m.Nodes > 0 {
		cells[6] = fmt.Sprintf("%.1f", m.Nodes)
	}
	if m.Error != nil {
		cells[7] = inPercent(*m.Error)
	}
	if m.Peak > 0 {
		cells[8] = fmt.Sprintf("%.2f GB", float64(m.Peak)/1e9)
	}
	return cells
}

// writeMarkdown writes a table; the first line is its head.
func writeMarkdown(w *bytes.Buffer, lines [][]string) {
	for i, cells := range lines {
		escaped := make([]string, len(cells))
		for k, cell := range cells {
			escaped[k] = strings.ReplaceAll(cell, "|", `\|`)
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(escaped, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(cells)))
		}
	}
}

// inSeconds prints a duration with three significant digits.
func inSeconds(seconds float64) string {
	switch {
	case seconds < 0.0995:
		return fmt.Sprintf("%.1f ms", 1000*seconds)
	case seconds < 0.9995:
		return fmt.Sprintf("%.0f ms", 1000*seconds)
	case seconds < 9.995:
		return fmt.Sprintf("%.2f s", seconds)
	case seconds < 99.95:
		return fmt.Sprintf("%.1f s", seconds)
	default:
		return fmt.Sprintf("%.0f s", seconds)
	}
}

// inPercent prints a share with two significant digits.
func inPercent(share float64) string { return fmt.Sprintf("%.2g %%", 100*share) }
