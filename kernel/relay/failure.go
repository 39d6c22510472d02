package relay

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// failure is why a cell failed, as it is shown.
type failure struct {
	name  string // of the kind
	value string
	lines []string // below it
}

const (
	red   = "\x1b[31m"
	plain = "\x1b[0m"
)

// content is the content of an error message, and of a reply with it.
func (f failure) content() map[string]any {
	trace := append([]string{red + f.name + ": " + f.value + plain}, f.lines...)
	return map[string]any{"ename": f.name, "evalue": f.value, "traceback": trace}
}

// reply is the content of a reply with a failure.
func (f failure) reply() map[string]any {
	content := f.content()
	content["status"] = "error"
	return content
}

var (
	ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")
	// compiledAt begins GoNB's -raw_error report of one line of the compiler's:
	// the cell, the code around it with a mark, and the message.
	compiledAt = regexp.MustCompile(`^Cell(?:\[(\d+)\])?:? Line (\d+)\n`)
	// ran is how GoNB says that a cell was compiled and its program failed.
	ran = regexp.MustCompile(`^(exit status \d+|signal: .+)$`)
	// raised is a place in a stack trace.
	raised = regexp.MustCompile(`\[\[ Cell \[(\d+)\] Line (\d+) \]\]`)
	// signalLine is what Go adds about a nil pointer's signal.
	signalLine = regexp.MustCompile(`(?m)\n\[signal .*\]$`)
	// noise is before the message of GoNB's other errors.
	noise = regexp.MustCompile(`^(executing special commands in cell|parsing go files in TempDir "[^"]*"|failed to run "[^"]*"): `)
)

// understand makes a failure of GoNB's error message and of what the program
// printed when it ended.
func (x *execution) understand() *failure {
	value := ansi.ReplaceAllString(text(x.reported, "evalue"), "")
	if ran.MatchString(value) {
		f := x.ended(value)
		if len(x.defines) > 0 {
			f.lines = append(f.lines, "What the cell defines was not kept: "+strings.Join(x.defines, ", ")+".")
		}
		return &f
	}
	if f, ok := x.compiled(); ok {
		return &f
	}
	return &failure{name: "error", value: noise.ReplaceAllString(value, "")}
}

// ended is the failure of a program that was compiled.
func (x *execution) ended(how string) failure {
	switch {
	case x.interrupted && strings.Contains(how, "killed"):
		return failure{name: "interrupted", value: "the cell was stopped, and killed when it did not stop within five seconds"}
	case x.interrupted:
		return failure{name: "interrupted", value: "the cell was stopped"}
	case strings.Contains(how, "killed"):
		return failure{name: "killed", value: "the system ended the cell's program, most often because memory ran out"}
	}
	message, trace, ok := x.errors.panic()
	if !ok {
		return failure{name: "error", value: "the cell's program ended with " + how}
	}
	kind, message, _ := strings.Cut(message, ": ")
	message = signalLine.ReplaceAllString(message, "")
	message = strings.ReplaceAll(message, "\n\t", "\n") // so Go prints an error of many lines
	f := failure{name: kind, value: message}
	if at := raised.FindStringSubmatch(ansi.ReplaceAllString(trace, "")); at != nil {
		inner, _ := strconv.Atoi(at[1])
		line, _ := strconv.Atoi(at[2])
		number, code := x.relay.cell(inner)
		f.lines = append(f.lines, fmt.Sprintf("cell %d, line %d:", number, line))
		if line <= len(code) {
			f.lines = append(f.lines, "    "+strings.TrimSpace(code[line-1]))
		}
	}
	return f
}

// compiled is the failure of a cell that is not right Go. GoNB reports each
// line of the compiler's.
func (x *execution) compiled() (failure, bool) {
	f := failure{name: "compile error"}
	var hints []string
	reports, _ := x.reported["traceback"].([]any)
	for _, entry := range reports {
		report, _ := entry.(string)
		report = strings.TrimRight(ansi.ReplaceAllString(report, ""), "\n")
		at := compiledAt.FindStringSubmatch(report)
		if at == nil {
			if x.isNoise(report) {
				continue
			}
			f.lines = append(f.lines, report)
			continue
		}
		inner, _ := strconv.Atoi(at[1])
		number, _ := x.relay.cell(inner)
		lines := strings.Split(report, "\n")
		message := lines[len(lines)-1]
		if f.value == "" {
			f.value = message
		}
		f.lines = append(f.lines, fmt.Sprintf("cell %d, line %s: %s", number, at[2], message))
		f.lines = append(f.lines, marked(lines[1:len(lines)-1])...)
		if hint := x.relay.hint(message); hint != "" && !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
	}
	if f.value == "" {
		return f, false
	}
	// One fault is told once: above.
	if len(f.lines) > 0 && strings.Count(strings.Join(f.lines, "\n"), f.value) == 1 {
		f.lines[0] = strings.TrimSuffix(f.lines[0], " "+f.value)
	}
	f.lines = append(f.lines, hints...)
	return f, true
}

// isNoise says whether a line says nothing that the others do not.
func (x *execution) isNoise(report string) bool {
	report = strings.TrimSpace(report)
	return report == "" || strings.HasPrefix(report, "# ") || ran.MatchString(report) || strings.HasPrefix(report, "failed to run ")
}

// marked returns the line of code that GoNB marks, and the mark.
func marked(context []string) []string {
	for i, line := range context {
		if i > 0 && strings.TrimSpace(line) == "^" {
			code := strings.ReplaceAll(context[i-1], "\t", " ")
			blank := len(code) - len(strings.TrimLeft(code, " "))
			return []string{"    " + code[blank:], "    " + line[min(blank, len(line)-1):]}
		}
	}
	return nil
}

var (
	unused    = regexp.MustCompile(`^declared and not used: (\S+)`)
	undefined = regexp.MustCompile(`^undefined: (\S+)`)
)

// hint says what to do about a compiler's message that is hard on those who
// are new to Go or to cells.
func (r *Relay) hint(message string) string {
	if strings.HasPrefix(message, "expected declaration") || strings.HasPrefix(message, "non-declaration statement outside function body") {
		return "Put a line %% above the code that is to be run. What stands above it are imports and definitions."
	}
	if m := unused.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("Go has no variables that are not used: use %s, write _ = %[1]s, or define it above %%%% with var, for later cells too.", m[1])
	}
	if m := undefined.FindStringSubmatch(message); m != nil {
		r.mu.Lock()
		number, ok := r.lost[m[1]]
		r.mu.Unlock()
		if ok {
			return fmt.Sprintf("Cell %d, which failed, would have defined %s: mend it, and run it again.", number, m[1])
		}
		if strings.Contains(m[1], ".") { // a package's
			return ""
		}
		return fmt.Sprintf("No cell that ran has defined %s above its line %%%%; what is defined below it is forgotten when the cell ends.", m[1])
	}
	return ""
}

// errorStream passes on what a program writes to its standard error, but keeps
// back what Go prints when a program ends by a panic.
type errorStream struct {
	held      strings.Builder
	holding   bool
	lineBegun bool
	begun     string // the end of what was written, if a panic may begin so
}

// begins are how Go's last words begin.
var begins = []string{"panic: ", "fatal error: "}

// write returns what is to be passed on.
func (s *errorStream) write(chunk string) string {
	if s.holding {
		s.held.WriteString(chunk)
		return ""
	}
	chunk, s.begun = s.begun+chunk, ""
	for p := 0; p < len(chunk); {
		if !s.lineBegun {
			for _, word := range begins {
				switch rest := chunk[p:]; {
				case strings.HasPrefix(rest, word):
					s.holding = true
					s.held.WriteString(rest)
					return chunk[:p]
				case strings.HasPrefix(word, rest):
					s.begun = rest
					return chunk[:p]
				}
			}
		}
		end := strings.IndexByte(chunk[p:], '\n')
		if s.lineBegun = end < 0; s.lineBegun {
			break
		}
		p += end + 1
	}
	return chunk
}

// panic splits what was held into the message and the stack traces. There is
// none if the program only wrote what looks like one.
func (s *errorStream) panic() (message, trace string, ok bool) {
	message, trace, ok = strings.Cut(s.held.String(), "\n\ngoroutine ")
	if !ok {
		message, trace, ok = strings.Cut(s.held.String(), "\n\nruntime stack:")
	}
	return strings.TrimSpace(message), trace, ok
}

// rest returns what was held for nothing.
func (s *errorStream) rest() string {
	if _, _, ok := s.panic(); ok {
		return ""
	}
	return s.held.String() + s.begun
}
