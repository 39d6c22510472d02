package report

import (
	"bytes"
	"fmt"
	"strings"
)

// markdown is the report as GitHub's Markdown.
func (r *Report) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", escaped(r.Title), r.Subtitle.markdown())
	for _, s := range r.Sections {
		fmt.Fprintf(&b, "- [%s](#%s)\n", escaped(s.Title), anchor(s.Title))
	}
	for _, s := range r.Sections {
		fmt.Fprintf(&b, "\n## %s\n", escaped(s.Title))
		for _, block := range s.Blocks {
			b.WriteByte('\n')
			switch block := block.(type) {
			case Paragraph:
				b.WriteString(Text(block).markdown() + "\n")
			case *Table:
				b.Write(block.markdown())
			case *figure:
				fmt.Fprintf(&b, "![%s](%s/%s.svg)\n\n*%s.* %s\n", escaped(oneLine(block.Drawing.Description())), FiguresDir, block.ID,
					escaped(block.Drawing.Title()), block.Caption.markdown())
			case Claims:
				for i, c := range block {
					b.WriteString(c.markdown(i + 1))
				}
			case pairs:
				for _, p := range block {
					fmt.Fprintf(&b, "- %s: %s\n", escaped(p.Name), p.Text.markdown())
				}
			}
		}
	}
	return b.Bytes()
}

// markdown is a claim as an entry of a numbered list.
func (c Claim) markdown(n int) string {
	s := fmt.Sprintf("%d. **%s** **%s.** %s", n, c.Statement.markdown(), c.Verdict, c.Evidence.markdown())
	for _, more := range []struct {
		head string
		text Text
	}{{"In the paper: ", c.Paper}, {"Rule: ", c.Rule}, {"But: ", c.Caveat}} {
		if len(more.text) > 0 {
			s += "\n   - " + more.head + more.text.markdown()
		}
	}
	return s + "\n"
}

// markdown is the table with its caption above and its note below.
func (t *Table) markdown() []byte {
	var b bytes.Buffer
	if len(t.Caption) > 0 {
		fmt.Fprintf(&b, "%s\n\n", t.Caption.markdown())
	}
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	var heads, rules []string
	for _, c := range t.Columns {
		heads = append(heads, escaped(c.Name))
		rules = append(rules, map[bool]string{true: "--:", false: ":--"}[c.Right])
	}
	line(heads)
	line(rules)
	for _, row := range t.Rows {
		var cells []string
		for _, cell := range row {
			cells = append(cells, cell.markdown())
		}
		line(cells)
	}
	if len(t.Note) > 0 {
		fmt.Fprintf(&b, "\n%s\n", t.Note.markdown())
	}
	return b.Bytes()
}

func (t Text) markdown() string {
	var b strings.Builder
	for _, s := range t {
		text := oneLine(s.Text)
		switch {
		case s.Link != "":
			fmt.Fprintf(&b, "[%s](%s)", escaped(text), s.Link)
		case s.Style == code:
			b.WriteString("`" + strings.NewReplacer("`", "'", "|", `\|`).Replace(text) + "`")
		default:
			b.WriteString(escaped(text))
		}
	}
	return b.String()
}

var marks = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "`", "\\`", "[", `\[`, "]", `\]`)

// escaped takes Markdown's marks their meaning.
func escaped(s string) string { return marks.Replace(s) }

func oneLine(s string) string { return strings.NewReplacer("\r\n", " ", "\n", " ").Replace(s) }
