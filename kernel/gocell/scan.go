// Package gocell reads notebook cells as GoNB does, and mends what GoNB
// misreads.
//
// GoNB (v0.11.5) takes a cell line by line. A line that begins with "!" is run
// in a shell, one that begins with "%" is a command of its own, and one that
// begins with "package" is dropped, wherever the line stands: in a raw string
// or a comment too. Commands without text end it. [Parse] knows Go's strings
// and comments and finds which lines are commands; [Cell.Safe] is the same
// program with no other line that GoNB would take for one.
package gocell

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// goPrefix may stand before a command, to hide it from Go editors.
const goPrefix = "//gonb:"

// state is where a line begins.
type state int

const (
	inCode state = iota
	inRaw
	inComment
)

// line is one line of a cell.
type line struct {
	text  string
	begin state
	// command is set for commands and for the lines that continue one.
	command bool
	// continues is set if the Go code before the line cannot end there, as
	// after an operator: what begins with "!" then is Go.
	continues bool
}

// raw is a raw string that takes more than one line.
type raw struct {
	from, to position // of its back quotes
	// bare is set where an operand in parentheses is not allowed: a tag of a
	// field.
	bare bool
}

type position struct{ line, column int }

// scanner reads a cell's lines.
type scanner struct {
	lines []line
	raws  []raw
	state state
	opens position // of the raw string being read
	bare  bool
	last  lexeme // before the current position, comments not counted
}

// lexeme is what is known about a token.
type lexeme struct {
	text string // an identifier or keyword, or the last character of anything else
	open bool   // a brace that opens a composite literal
}

// scan reads a cell. Lines are commands if they begin with "%" or "!" where Go
// code could begin.
func scan(code string) *scanner {
	s := &scanner{}
	for text := range strings.SplitSeq(code, "\n") {
		s.lines = append(s.lines, line{text: text})
	}
	for i := 0; i < len(s.lines); i++ {
		l := &s.lines[i]
		l.begin, l.continues = s.state, s.continues()
		if s.state != inCode || !isCommand(l.text) || l.continues && strings.TrimPrefix(l.text, goPrefix)[0] == '!' {
			s.scanLine(i)
			continue
		}
		l.command = true
		// A backslash at the end continues a command in the next line.
		for strings.HasSuffix(s.lines[i].text, `\`) && i+1 < len(s.lines) {
			i++
			s.lines[i].command = true
		}
		s.last = lexeme{text: ";"}
	}
	return s
}

// isCommand says whether a line that begins in code begins with "%" or "!".
func isCommand(text string) bool {
	text = strings.TrimPrefix(text, goPrefix)
	return text != "" && (text[0] == '%' || text[0] == '!')
}

// continues says whether Go code goes on after the last token.
func (s *scanner) continues() bool {
	t := s.last
	return t.open || len(t.text) == 1 && strings.Contains("(,[=+-*/%&|^<>!.", t.text)
}

// scanLine reads one line of Go.
func (s *scanner) scanLine(i int) {
	text := s.lines[i].text
	for p := 0; p < len(text); {
		rest := text[p:]
		switch {
		case s.state == inRaw:
			end := strings.IndexByte(rest, '`')
			if end < 0 {
				return
			}
			p += end + 1
			s.state = inCode
			if s.opens.line != i {
				s.raws = append(s.raws, raw{from: s.opens, to: position{i, p - 1}, bare: s.bare})
			}
			s.last = lexeme{text: "string"}
		case s.state == inComment:
			end := strings.Index(rest, "*/")
			if end < 0 {
				return
			}
			p += end + 2
			s.state = inCode
		case strings.HasPrefix(rest, "//"):
			return
		case strings.HasPrefix(rest, "/*"):
			s.state, p = inComment, p+2
		case rest[0] == '`':
			s.state, s.opens, s.bare = inRaw, position{i, p}, s.afterOperand()
			p++
		case rest[0] == '"' || rest[0] == '\'':
			p += quoted(rest)
			s.last = lexeme{text: "string"}
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r':
			p++
		default:
			p += s.scanToken(text, p)
		}
	}
}

// scanToken reads an identifier, keyword or number, or one character of
// anything else, and returns its length.
func (s *scanner) scanToken(text string, p int) int {
	n := 0
	for n < len(text)-p {
		r, size := utf8.DecodeRuneInString(text[p+n:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		n += size
	}
	if n > 0 {
		s.last = lexeme{text: text[p : p+n]}
		return n
	}
	_, n = utf8.DecodeRuneInString(text[p:])
	t := lexeme{text: text[p : p+n]}
	// gofmt writes the brace of a composite literal without a space before
	// it, and that of a block with one.
	t.open = t.text == "{" && p > 0 && (text[p-1] == ']' || text[p-1] == '}' || isNamePart(text[p-1])) && !s.last.keyword()
	// a++ and a-- end a statement.
	if p > 0 && text[p-1] == text[p] && (t.text == "+" || t.text == "-") {
		t.text = ";"
	}
	s.last = t
	return n
}

func isNamePart(c byte) bool {
	return c == '_' || c >= utf8.RuneSelf || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// keyword says whether a token is a word after which a block or an operand
// begins.
func (t lexeme) keyword() bool {
	switch t.text {
	case "return", "case", "range", "else", "struct", "interface", "select", "switch", "for", "if", "go", "defer", "func", "import", "default":
		return true
	}
	return false
}

// afterOperand says whether the last token ends an operand or a type, after
// which a string can only be a field's tag.
func (s *scanner) afterOperand() bool {
	t := s.last
	if t.text == ")" || t.text == "]" || t.text == "}" {
		return true
	}
	r, _ := utf8.DecodeRuneInString(t.text)
	return (r == '_' || unicode.IsLetter(r)) && !t.keyword()
}

// quoted returns the length of an interpreted string or a rune, which end with
// the line at the latest.
func quoted(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return i + 1
		}
	}
	return len(text)
}

var packageClause = regexp.MustCompile(`^package\s+\w+\s*;?\s*(//.*)?$`)

// misread says whether GoNB would take a line that is no command for one, or
// drop it.
func (l line) misread() bool {
	if l.command {
		return false
	}
	if l.begin == inCode && packageClause.MatchString(l.text) {
		return false // GoNB drops it, which is right
	}
	return isCommand(l.text) || strings.HasPrefix(l.text, "package")
}

// isMain says whether a command begins the cell's main function.
func isMain(text string) bool {
	text = strings.TrimPrefix(text, goPrefix)
	return strings.HasPrefix(text, "%main") ||
		strings.HasPrefix(text, "%%") && (len(text) == 2 || text[2] == ' ' || text[2] == '\t')
}
