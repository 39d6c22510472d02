package kernel_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kernel/kerneltest"
	"github.com/knowledge-neurons/gonb-kn/kn"
)

// TestFailuresAreToldOnce: each failure is one message, with the cell, the
// line, its code and what to do.
func TestFailuresAreToldOnce(t *testing.T) {
	s := kerneltest.Shared(t).Start(t)
	for _, c := range []struct{ code, want string }{
		{"%%\nvar list []int\nfmt.Println(list[3])", "panic: runtime error: index out of range [3] with length 0\ncell 1, line 3:\n    fmt.Println(list[3])\n"},
		{"%%\n\tfmt.Println(undefinedName)", "compile error: undefined: undefinedName\ncell 2, line 2:\n    fmt.Println(undefinedName)\n                ^\nNo cell that ran has defined undefinedName above its line %%; what is defined below it is forgotten when the cell ends.\n"},
		{"fmt.Println(1)", "compile error: expected declaration, found fmt\ncell 3, line 1:\n    fmt.Println(1)\n    ^\nPut a line %% above the code that is to be run. What stands above it are imports and definitions.\n"},
		{"%%\nx := 1", "compile error: declared and not used: x\ncell 4, line 2:\n    x := 1\n    ^\nGo has no variables that are not used: use x, write _ = x, or define it above %% with var, for later cells too.\n"},
		{"%%\nos.Exit(3)", "error: the cell's program ended with exit status 3\n"},
		{"%cd /nosuch", "error: `%cd \"/nosuch\"` failed: chdir /nosuch: no such file or directory\n"},
		{"%%\nx := 1\n! ", "not run: line 3: there is no command after \"! \": write what the shell is to run, as in !ls, or delete the line\n"},
		{"%%\npanic(fmt.Errorf(\"two\\nlines\"))", "panic: two\nlines\ncell 8, line 2:\n    panic(fmt.Errorf(\"two\\nlines\"))\n"},
		{"func f() { f() }\n%%\n_ = os.Args\nvar m map[string]int\nm[\"a\"] = 1", "panic: assignment to entry in nil map\ncell 9, line 5:\n    m[\"a\"] = 1\nWhat the cell defines was not kept: f.\n"},
		{"%%\nvar m *struct{ A int }\n\nfmt.Println(m.A)", "panic: runtime error: invalid memory address or nil pointer dereference\ncell 10, line 4:\n    fmt.Println(m.A)\n"},
	} {
		a := s.Run(c.code)
		if a.Status != "error" || a.Failure() != c.want || a.Printed("stderr") != "" || a.HTML() != "" {
			t.Errorf("%q:\n%s\nwant\n%s\nall: %+v", c.code, a.Failure(), c.want, a)
		}
	}
	// What only looks like the end of a program is passed on.
	a := s.Run("%%\nfmt.Fprint(os.Stderr, \"a \", \"panic: no\\npanic: \", \"not at all\\n\")\n!false")
	if got := a.Printed("stderr"); a.Status != "ok" || got != "exit status 1\na panic: no\npanic: not at all\n" {
		t.Errorf("%q, %+v", got, a)
	}
}

// TestPlacesInPieces: the cell and line of a panic are found wherever the pipe
// cuts the stack trace, and what only begins like a place is passed on.
func TestPlacesInPieces(t *testing.T) {
	s := kerneltest.Shared(t).Start(t)
	a := s.Run(`%%
_, file, line, _ := runtime.Caller(0)
place := fmt.Sprintf("\t%s:%d", file, line)
fmt.Println(len(place))`)
	var length int
	if _, err := fmt.Sscan(a.Printed("stdout"), &length); err != nil {
		t.Fatalf("%+v", a)
	}
	const cell = `%%%%
_, file, line, _ := runtime.Caller(0)
place := fmt.Sprintf("\t%%s:%%d", file, line)
fmt.Fprint(os.Stderr, "%s\tmiss\t" + place[:%d])
time.Sleep(30 * time.Millisecond)
fmt.Fprint(os.Stderr, %s)
os.Exit(2)`
	panicked := `panic: cut\n\ngoroutine 1 [running]:\nmain.main()\n`
	for _, cut := range []int{1, 2, length / 2, length - 2, length - 1, length} {
		a := s.Run(fmt.Sprintf(cell, panicked, cut, fmt.Sprintf(`place[%d:] + " +0x1d\n"`, cut)))
		if want := "line 2:\n    _, file, line, _ := runtime.Caller(0)\n"; !strings.HasSuffix(a.Failure(), want) || !strings.HasPrefix(a.Failure(), "panic: cut\n") {
			t.Errorf("cut at %d of %d:\n%s", cut, length, a.Failure())
		}
	}
	// Nothing is lost: neither an end that is held, nor one that goes on as
	// something else.
	for _, more := range []string{`""`, `"else\n"`} {
		a := s.Run(fmt.Sprintf(cell, "", length/2, more))
		if got := a.Printed("stderr"); !strings.HasPrefix(got, "\tmiss\t\t/") || !strings.HasSuffix(got, strings.Trim(strings.ReplaceAll(more, `\n`, "\n"), `"`)) {
			t.Errorf("%s: %q", more, got)
		}
	}
}

// TestFailedDefinitionsAreNotKept: what a cell defined that failed is gone, and
// what it would have replaced is as before.
func TestFailedDefinitionsAreNotKept(t *testing.T) {
	s := kerneltest.Shared(t).Start(t)
	s.Run("var kept = 1")
	bad := "func must(x int) int { if x > 1 { panic(\"no\") }; return x }\nvar kept, typo = must(1), must(2)\nvar _ = must(3)\n"
	if a := s.Run(bad + "%%\nfmt.Println(kept)"); a.Status != "error" || !strings.Contains(a.Failure(), "What the cell defines was not kept: must, kept, typo.") {
		t.Errorf("%+v", a)
	}
	if a := s.Run("%%\nfmt.Println(kept)"); a.Printed("stdout") != "1\n" {
		t.Errorf("%+v", a)
	}
	if a := s.Run("%%\nfmt.Println(typo)"); !strings.Contains(a.Failure(), "Cell 2, which failed, would have defined typo: mend it, and run it again.") {
		t.Errorf("%+v", a)
	}
	// The definitions of a failing test are kept, so that it can be mended.
	if a := s.Run("func Half(x int) int { return x }\nfunc TestHalf(t *testing.T) { if Half(2) != 1 { t.Error(\"no\") } }\n%test"); a.Status != "error" || strings.Contains(a.Failure(), "not kept") {
		t.Errorf("%+v", a)
	}
	if a := s.Run("%%\nfmt.Println(Half(3))"); a.Printed("stdout") != "3\n" {
		t.Errorf("%+v", a)
	}
	s.Run("var typo = 2")
	if a := s.Run("%%\nfmt.Println(kept, typo)"); a.Printed("stdout") != "1 2\n" {
		t.Errorf("%+v", a)
	}
}

// TestStringsAreNotCommands: lines of strings and comments are what they are.
func TestStringsAreNotCommands(t *testing.T) {
	s := kerneltest.Shared(t).Start(t)
	ran := filepath.Join(t.TempDir(), "ran")
	text := "one\n!touch " + ran + "\n%% three\npackage four"
	if a := s.Run("/*\n!touch " + ran + "\n*/\n%%\npackages := `" + text + "`\nfmt.Print(packages)"); a.Printed("stdout") != text || a.Status != "ok" {
		t.Errorf("%+v", a)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a line of a string or a comment was run")
	}
}

func TestDotImportsStay(t *testing.T) {
	s := kerneltest.Shared(t).Start(t)
	s.Run("import . \"strings\"")
	for _, c := range []struct{ code, want string }{{"%%\nfmt.Println(1)", "1\n"}, {"%%\nfmt.Println(ToUpper(\"a\"))", "A\n"}} {
		if a := s.Run(c.code); a.Printed("stdout") != c.want {
			t.Errorf("%q: %+v", c.code, a)
		}
	}
}

// TestEndOfGoNB kills GoNB: the cell says so, and the next ones work.
func TestEndOfGoNB(t *testing.T) {
	s := kerneltest.Shared(t).Start(t)
	a := s.Run("%%\nfmt.Println(os.Getppid())")
	var pid int
	if _, err := fmt.Sscan(a.Printed("stdout"), &pid); err != nil {
		t.Fatalf("%+v", a)
	}
	gopls := children(pid, "gopls")
	if len(gopls) == 0 {
		t.Error("GoNB started no gopls")
	}
	a = s.Run("%%\n_ = syscall.Kill(os.Getppid(), syscall.SIGKILL)\ntime.Sleep(time.Minute)")
	if a.Status != "error" || !strings.Contains(a.Failure(), "It was started again") || a.Seconds > 30 {
		t.Errorf("%+v", a)
	}
	// It may also end while it does nothing.
	a = s.Run("%%\nfmt.Println(os.Getppid())")
	if _, err := fmt.Sscan(a.Printed("stdout"), &pid); err != nil {
		t.Fatalf("%+v", a)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		if a = s.Run("%%\nfmt.Println(1)"); a.Status == "ok" {
			break
		}
		if !strings.Contains(a.Failure(), "It was started again") || time.Now().After(deadline) {
			t.Fatalf("%+v", a)
		}
	}
	// Its numbers are not the new GoNB's.
	if a := s.Run("%%\npanic(\"here\")"); !regexp.MustCompile(`cell ([4-9]|\d\d), line 2`).MatchString(a.Failure()) {
		t.Errorf("%+v", a)
	}
	if a := s.Run("%%\nfmt.Println(1)"); a.Printed("stdout") != "1\n" {
		t.Errorf("%+v", a)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left := ""
		for _, pid := range gopls {
			if syscall.Kill(pid, 0) == nil && state(pid) != "Z" {
				left = fmt.Sprint(pid)
			}
		}
		if left == "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("gopls %s lives on after GoNB", left)
		}
	}
}

// children lists a process's children of a name.
func children(parent int, name string) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		data, _ := os.ReadFile(path) // it may be gone
		var pid, of int
		var command, state string
		if n, _ := fmt.Sscan(string(data), &pid, &command, &state, &of); n == 4 && of == parent && command == "("+name+")" {
			pids = append(pids, pid)
		}
	}
	return pids
}

// state is a process's state, as the system calls it.
func state(pid int) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	var command, state string
	_, _ = fmt.Sscan(string(data), &pid, &command, &state)
	return state
}

// oddCells is how many cells TestOddCells runs.
var oddCells = flag.Int("odd-cells", 200, "how many odd cells the kernel must live through")

// fragments are lines that cells are made of. They do no harm where a shell
// runs them.
var fragments = []string{
	"%%", "%% ", "%%\t-a b", "% ", "!", "! ", "!!", "!*", "!true", "!echo `", "!echo \"it's\" \\", "//gonb:%%", "//gonb:! ", "//gonb:",
	"%%script", "%%script ", "%%script true", "%%bash", "%%writefile", "%exec", "%exec f", "%exec\tf", "%main", "%args", "%nosuch", "%capture", "%env A", "%cd", "%with_inputs", "%track", "%untrack", "%goflags", "%ls", "%rm", "%test x", "%wasm x",
	"`", "\"", "'", "'`'", "/*", "*/", "//", "{", "}", "(", ")", ";", "\\", "\x00", "é\u2028", "\r", "package main", "packages", "import", "import \"", "func f() {", "func f() {}", "func main() {}", "var x = `", "x := 1", "type T struct{ A int `", "const", "var", "fmt.Println(1)", "!x &&", "a &&",
}

// TestOddCells runs cells made of fragments: the kernel answers each, and keeps
// what was defined before. Run it with -odd-cells 5000 after a change.
func TestOddCells(t *testing.T) {
	s := kerneltest.Shared(t).Start(t)
	s.Run("var kept = 42")
	random := rand.New(rand.NewPCG(1, uint64(*oddCells)))
	for k := range *oddCells {
		var lines []string
		for range 1 + random.IntN(5) {
			lines = append(lines, fragments[random.IntN(len(fragments))])
		}
		code := strings.Join(lines, "\n")
		position := random.IntN(len([]rune(code)) + 1)
		var a kerneltest.Answer
		switch k % 4 {
		case 0:
			a = s.Ask(kerneltest.Ask{Code: code, Complete: &position})
			a.Status = "ok"
		default:
			a = s.Run(code)
		}
		if a.Status != "ok" && a.Status != "error" || strings.HasPrefix(a.Failure(), "kernel: ") {
			t.Fatalf("cell %d, %q: %+v", k, code, a)
		}
	}
	if a := s.Run("%%\nfmt.Println(kept)"); a.Printed("stdout") != "42\n" {
		t.Errorf("%+v", a)
	}
}

func TestVersion(t *testing.T) {
	if kernel.Version != kn.Version {
		t.Errorf("the kernel's version is %s, kn's %s", kernel.Version, kn.Version)
	}
}
