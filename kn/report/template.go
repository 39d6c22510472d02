package report

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// Templates are the texts of a report's sections: files of text/template, one a
// section, that may define parts of text for each other. What an action prints is
// text, never a mark of the block language, and a number of a result file, see
// [Results.Object], says where it was read:
//
//	# Which neurons, and where
//
//	A fact has {{.neurons.per_fact | decimals 2}} neurons, see
//	[the paper]({{.paper.url}}) and `neurons.jsonl`.
//
//	[table layers] Neurons by layer.
//	| layer | >neurons | >share of them |
//	{{range .neurons.layers}}
//	| {{.layer}} | {{.neurons}} | {{.share | percent 1}} |
//	{{end}}
//	Note: layers are counted from 0.
//
//	[figure layers] The same as a chart.
//
//	[claim top] Most neurons are in the topmost layers.
//	Evidence: The topmost third has {{.neurons.top | percent 1}} of them.
//	Paper: most are in the top layers.
//	Rule: the interval of the share is above one half.
//	But: a caveat.
//
//	- seed: {{.seed}}
//
// Blank lines part blocks, and lines within one may be broken anywhere. A
// paragraph has `code` and [links](url). [figure ID] is a drawing and [claim ID]
// has a verdict, both by their IDs from [Content]; [claims] are those of
// [Content]. A row of a table may go on in lines that are indented.
// The head of a column may have marks before its name:
//
//	>  flush right, for numbers
//	^  blank where the row above says the same, in this and all such columns before
//	-  left out
//
// An action prints a string or a whole number as it is; other numbers, and
// intervals, which are objects with mean, low and high, need one of
//
//	decimals 2     4.13                signed 2       +4.13
//	percent 1      12.3 %              change 1       +12.3 %
//	points 1       +12.3 points        significant 3  8.41
//	difference 2   +8.4                percentTo 2    0.0012 %
//
// The first four and points count digits after the point, the others those that
// matter. code prints a string as code does.
type Templates struct{ all *template.Template }

// Content is what a section shows besides its text.
type Content struct {
	Data     map[string]any // the template's dot; see [Results.Object]
	Figures  Drawings
	Verdicts Verdicts // of its claims
	Claims   Claims   // that [claims] lists, before those of the section itself
}

// Drawings and Verdicts are by the IDs of figures and claims.
type (
	Drawings map[string]Drawing
	Verdicts map[string]Verdict
)

// formats are those that templates name, with their number of digits.
var formats = map[string]func(digits int) format{
	"decimals":    func(digits int) format { return format{digits: digits} },
	"signed":      func(digits int) format { return format{digits: digits, signed: true} },
	"percent":     func(digits int) format { return format{digits: digits, factor: 100, unit: " %"} },
	"change":      func(digits int) format { return format{digits: digits, factor: 100, unit: " %", signed: true} },
	"points":      func(digits int) format { return format{digits: digits, factor: 100, unit: " points", signed: true} },
	"significant": func(digits int) format { return format{significant: digits} },
	"difference":  func(digits int) format { return format{significant: digits, signed: true} },
	"percentTo":   func(digits int) format { return format{significant: digits, factor: 100, unit: " %"} },
}

// record is the function that every action ends with.
const record = "record"

// Between what a template prints: a blank line of its source, and the place of
// an action's text among those recorded.
const (
	blankLine = "\x01"
	textAt    = "\x02%d\x03"
)

var blankLines = regexp.MustCompile(`\n[ \t]*\n`)

// MustParseTemplates parses all files *.tmpl of some folders that are part of the
// program; a section is named by its file.
func MustParseTemplates(folders ...fs.FS) *Templates {
	functions := template.FuncMap{"code": inCode, record: func(any) string { return "" }}
	for name, of := range formats {
		functions[name] = func(digits int, number any) (Text, error) { return of(digits).text(number) }
	}
	all := template.New("").Funcs(functions).Option("missingkey=error")
	for _, folder := range folders {
		template.Must(all.ParseFS(folder, "*.tmpl"))
	}
	for _, t := range all.Templates() {
		if t.Tree != nil {
			prepare(t.Root)
		}
	}
	return &Templates{all}
}

func inCode(s string) span { return span{Text: s, Style: code} }

// prepare marks the blank lines below a node, and has its actions end with [record].
func prepare(n parse.Node) {
	branch := func(b *parse.BranchNode) {
		prepare(b.List)
		if b.ElseList != nil {
			prepare(b.ElseList)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, node := range n.Nodes {
			prepare(node)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.TextNode:
		n.Text = blankLines.ReplaceAll(n.Text, []byte("\n"+blankLine+"\n"))
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 0 {
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: n.Pos, Args: []parse.Node{parse.NewIdentifier(record).SetPos(n.Pos)}})
		}
	}
}

// Section writes a section by its template, and returns the claims that it makes.
func (t *Templates) Section(name string, c Content) (s Section, made Claims, err error) {
	w := writer{Content: c}
	all, err := t.all.Clone()
	if err == nil {
		all.Funcs(template.FuncMap{record: w.record})
		err = all.ExecuteTemplate(&w.printed, name, c.Data)
	}
	if err == nil {
		err = w.blocks()
	}
	if err != nil {
		return s, nil, fmt.Errorf("report: %s: %w", name, err)
	}
	return w.section, w.made, nil
}

// record keeps what an action prints, and prints where it is kept.
func (w *writer) record(value any) (string, error) {
	var t Text
	switch v := value.(type) {
	case nil:
		return "", errors.New("there is nothing to print")
	case Object, []any:
		return "", errors.New("neither a number nor a string; an interval is printed by decimals, percent and the like")
	case Number:
		t = Text{format{}.span(v)}
	case Text:
		t = v
	case span:
		t = Text{v}
	default:
		t = Text{{Text: fmt.Sprint(v)}}
	}
	if t.String() == "" {
		return "", nil
	}
	w.texts = append(w.texts, t)
	return fmt.Sprintf(textAt, len(w.texts)-1), nil
}

// writer makes the blocks of a section from what its template printed.
type writer struct {
	Content
	printed strings.Builder
	texts   []Text // of its actions
	section Section
	made    Claims
}

var (
	head    = regexp.MustCompile(`^\[(table|figure|claims|claim) ?([^\]]*)\] ?`)
	inText  = regexp.MustCompile("`([^`]*)`|\\[([^\\]]*)\\]\\(([^)]*)\\)|\x02([0-9]+)\x03")
	ofClaim = regexp.MustCompile(`^(Evidence|Paper|Rule|But):(?: |$)`)
	ofTable = regexp.MustCompile(`^(Note):(?: |$)`)
	spaces  = regexp.MustCompile(`\s+`)
)

// blocks reads all that was printed.
func (w *writer) blocks() error {
	for block := range strings.SplitSeq(w.printed.String(), blankLine) {
		lines := slices.DeleteFunc(strings.Split(block, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
		if len(lines) == 0 {
			continue
		}
		if err := w.block(lines); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) add(b block) { w.section.Blocks = append(w.section.Blocks, b) }

func (w *writer) block(lines []string) error {
	title, isTitle := strings.CutPrefix(lines[0], "# ")
	m := head.FindStringSubmatch(lines[0])
	switch {
	case isTitle:
		w.section.Title = w.text(title).String()
		return nil
	case strings.HasPrefix(lines[0], "- "):
		w.add(w.pairs(lines))
		return nil
	case m == nil:
		w.add(Paragraph(w.text(lines...)))
		return nil
	}
	id := w.text(m[2]).String()
	lines[0] = lines[0][len(m[0]):]
	switch m[1] {
	case "table":
		w.add(w.table(id, lines))
	case "figure":
		drawing := w.Figures[id]
		if drawing == nil {
			return fmt.Errorf("there is no drawing for the figure %q", id)
		}
		w.add(&figure{ID: id, Drawing: drawing, Caption: w.text(lines...)})
	case "claims":
		w.add(append(slices.Clip(w.Claims), w.made...))
	case "claim":
		verdict, ok := w.Verdicts[id]
		if !ok {
			return fmt.Errorf("there is no verdict on the claim %q", id)
		}
		of := w.fields(ofClaim, lines)
		w.made = append(w.made, Claim{ID: id, Statement: of[""], Evidence: of["Evidence"], Paper: of["Paper"], Rule: of["Rule"], Caveat: of["But"], Verdict: verdict})
	}
	return nil
}

// fields are texts by the words that they start with: what stands before the
// first has none.
func (w *writer) fields(name *regexp.Regexp, lines []string) map[string]Text {
	of, in := map[string][]string{}, ""
	for _, line := range lines {
		if m := name.FindStringSubmatch(line); m != nil {
			in, line = m[1], line[len(m[0]):]
		}
		of[in] = append(of[in], line)
	}
	texts := map[string]Text{}
	for name, lines := range of {
		texts[name] = w.text(lines...)
	}
	return texts
}

func (w *writer) pairs(lines []string) pairs {
	var all pairs
	for _, line := range lines {
		name, text, _ := strings.Cut(strings.TrimPrefix(line, "- "), ": ")
		all = append(all, pair{w.text(name).String(), w.text(text)})
	}
	return all
}

// table reads a table's lines: its caption, the heads, the rows and the note.
func (w *writer) table(id string, lines []string) *Table {
	t := &Table{ID: id}
	var around, rows []string
	inRow := false
	for _, line := range lines {
		switch {
		case line[0] == '|':
			rows, inRow = append(rows, line), true
		case inRow && !ofTable.MatchString(line):
			rows[len(rows)-1] += " " + line
		default:
			around, inRow = append(around, line), false
		}
	}
	of := w.fields(ofTable, around)
	t.Caption, t.Note = of[""], of["Note"]
	var marks []string // of the columns
	above := map[int]string{}
	for i, row := range rows {
		cells := strings.Split(strings.TrimSuffix(strings.TrimSpace(row[1:]), "|"), "|")
		same := true // as the row above, in the columns so far that say so
		var texts []Text
		for k, cell := range cells {
			cell = strings.TrimSpace(cell)
			if i == 0 {
				name := strings.TrimLeft(cell, ">^-")
				marks = append(marks, cell[:len(cell)-len(name)])
				if !strings.Contains(marks[k], "-") {
					t.Columns = append(t.Columns, column{Name: w.text(name).String(), Right: strings.Contains(marks[k], ">")})
				}
				continue
			}
			text := w.text(cell)
			if k < len(marks) && strings.Contains(marks[k], "^") {
				same = same && i > 1 && above[k] == text.String()
				if above[k] = text.String(); same {
					text = nil
				}
			}
			if k >= len(marks) || !strings.Contains(marks[k], "-") {
				texts = append(texts, text)
			}
		}
		if i > 0 {
			t.Rows = append(t.Rows, texts)
		}
	}
	return t
}

// text reads lines of running text.
func (w *writer) text(lines ...string) Text {
	source := strings.TrimSpace(spaces.ReplaceAllString(strings.Join(lines, " "), " "))
	text, from := Text{}, 0
	for _, m := range inText.FindAllStringSubmatchIndex(source, -1) {
		if m[0] > from {
			text = append(text, span{Text: source[from:m[0]]})
		}
		from = m[1]
		part := func(i int) string { return source[m[2*i]:m[2*i+1]] }
		switch {
		case m[2] >= 0:
			text = append(text, inCode(w.text(part(1)).String()))
		case m[4] >= 0:
			text = append(text, span{Text: w.text(part(2)).String(), Link: w.text(part(3)).String()})
		default:
			var i int
			_, _ = fmt.Sscan(part(4), &i) // digits
			text = append(text, w.texts[i]...)
		}
	}
	if from < len(source) {
		text = append(text, span{Text: source[from:]})
	}
	return text
}
