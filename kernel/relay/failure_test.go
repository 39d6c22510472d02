package relay

import (
	"strings"
	"testing"
)

const ending = "panic: boom: \x1b[1mnot\x1b[0m\n\nothers\n\ngoroutine 1 [running]:\nmain.main()\n"

// TestErrorStream: however the system cuts what a program writes, a panic is
// kept back whole, what stands before it is passed on at once, and what only
// looks like one is passed on at the end.
func TestErrorStream(t *testing.T) {
	for _, c := range []struct{ written, passed, rest string }{
		{"50 % done\r" + "\n" + ending, "50 % done\r\n", ""},
		{"fatal error: all goroutines are asleep\n\ngoroutine 1 [chan receive]:\n", "", ""},
		{"a panic: in a line\n", "a panic: in a line\n", ""},
		{"panic: I only say so\nand go on\n", "", "panic: I only say so\nand go on\n"},
		{"no line's end, pan", "no line's end, pan", ""},
		{"\npan", "\n", "pan"},
		{"", "", ""},
	} {
		for cut := range len(c.written) + 1 {
			var s errorStream
			passed := s.write(c.written[:cut]) + s.write(c.written[cut:])
			if passed != c.passed || s.rest() != c.rest {
				t.Errorf("%q cut at %d: passed on %q, at the end %q", c.written, cut, passed, s.rest())
			}
		}
	}
	var s errorStream
	s.write(ending)
	if message, trace, ok := s.panic(); !ok || message != "panic: boom: \x1b[1mnot\x1b[0m\n\nothers" || !strings.HasPrefix(trace, "1 [running]") {
		t.Errorf("%q, %q, %v", message, trace, ok)
	}
}

// TestUnderstand: what GoNB reports becomes one failure.
func TestUnderstand(t *testing.T) {
	r := &Relay{cells: map[int]numbered{1: {7, []string{"%%", "x := 1", "panic(x)"}}}, lost: map[string]int{"gone": 5}}
	for name, c := range map[string]struct {
		evalue      string
		trace       []any
		written     string
		interrupted bool
		want        string
	}{
		"two compile errors": {
			"…",
			[]any{"# gonb", "Cell[1]: Line 2\n%%\n\tx := gone\n      ^\nundefined: gone", "Cell[1]: Line 3\npanic(y)\n^\nundefined: y", "exit status 1"},
			"", false,
			"compile error: undefined: gone\ncell 7, line 2:\n    x := gone\n         ^\ncell 7, line 3: undefined: y\n    panic(y)\n    ^\nCell 5, which failed, would have defined gone: mend it, and run it again.\nNo cell that ran has defined y above its line %%; what is defined below it is forgotten when the cell ends.",
		},
		"a nil pointer": {"exit status 2", nil, "panic: runtime error: nil\n[signal SIGSEGV: addr=0x0]\n\ngoroutine 1 [running]:\nmain.main()\n [[ Cell [1] Line 3 ]] main.go:9", false, "panic: runtime error: nil\ncell 7, line 3:\n    panic(x)"},
		"an end":        {"exit status 3", nil, "", false, "error: the cell's program ended with exit status 3"},
		"no memory":     {"signal: killed", nil, "", false, "killed: the system ended the cell's program, most often because memory ran out"},
		"an interrupt":  {"signal: interrupt", nil, ending, true, "interrupted: the cell was stopped"},
		"a stubborn one": {
			"signal: killed", nil, "", true,
			"interrupted: the cell was stopped, and killed when it did not stop within five seconds",
		},
		"a command": {"executing special commands in cell: `%cd` failed", []any{"executing special commands in cell: `%cd` failed"}, "", false, "error: `%cd` failed"},
	} {
		x := &execution{relay: r, interrupted: c.interrupted, reported: map[string]any{"evalue": c.evalue, "traceback": c.trace}}
		x.errors.write(c.written)
		trace, _ := x.understand().content()["traceback"].([]string)
		if got := ansi.ReplaceAllString(strings.Join(trace, "\n"), ""); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}
