package gocell_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kernel/gocell"
)

// asGoNB is the program that GoNB v0.11.5 makes of a cell, and the commands
// that it takes out of it: its rules, line by line.
func asGoNB(code string) (program string, commands []string) {
	lines := strings.Split(code, "\n")
	used := map[int]bool{}
	for i, line := range lines {
		line = strings.TrimPrefix(line, "//gonb:")
		if used[i] || len(line) < 2 || line[0] != '%' && line[0] != '!' {
			continue
		}
		command := ""
		for j := i; j < len(lines); j++ {
			command += strings.TrimPrefix(lines[j], "//gonb:")
			used[j] = true
			if !strings.HasSuffix(command, `\`) {
				break
			}
		}
		commands = append(commands, command)
	}
	var b strings.Builder
	b.WriteString("package main\n\n")
	closing := ""
	for i, line := range lines {
		trimmed := strings.TrimPrefix(line, "//gonb:")
		switch {
		case strings.HasPrefix(trimmed, "%main"), strings.HasPrefix(trimmed, "%%") && (len(trimmed) == 2 || trimmed[2] == ' ' || trimmed[2] == '\t'):
			b.WriteString("func main() {\n")
			closing = "\n}\n"
		case used[i], strings.HasPrefix(line, "package"):
		default:
			b.WriteString(line + "\n")
		}
	}
	return b.String() + closing, commands
}

// literals are the values of a program's strings, in order; sums are added up.
func literals(t *testing.T, program string) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", program, 0)
	if err != nil {
		t.Fatalf("%v\n%s", err, program)
	}
	var value func(ast.Expr) (string, bool)
	value = func(e ast.Expr) (string, bool) {
		switch e := e.(type) {
		case *ast.BasicLit:
			s, err := strconv.Unquote(e.Value)
			return s, err == nil && e.Kind == token.STRING
		case *ast.ParenExpr:
			return value(e.X)
		case *ast.BinaryExpr:
			x, ok := value(e.X)
			y, also := value(e.Y)
			return x + y, ok && also && e.Op == token.ADD
		}
		return "", false
	}
	ast.Inspect(file, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		s, ok := value(e)
		if ok {
			values = append(values, s)
		}
		return !ok
	})
	return values
}

func TestSafe(t *testing.T) {
	for name, c := range map[string]struct {
		code     string
		strings  []string // the program's, if it parses
		commands []string
	}{
		"a raw string": {
			"%%\ntext := `one\n!touch x\n%% three\nfour`\nfmt.Printf(\"%q\", text)",
			[]string{"one\n!touch x\n%% three\nfour", "%q"},
			[]string{"%%"},
		},
		"all that is misread in one": {
			"var s = `\npackage main\n//gonb:%ls\n!ls \\\nlast`[3:]\n!ls `\nvar u = 1",
			[]string{"\npackage main\n//gonb:%ls\n!ls \\\nlast"},
			[]string{"!ls `"},
		},
		"two raw strings in a line": {
			"var s, u = `a\n!b`, `c\n%d`",
			[]string{"a\n!b", "c\n%d"},
			nil,
		},
		"a tag": {
			"type T struct {\n\tA int `x:\"1\"\n!y`\n\tB int\n}",
			[]string{"x:\"1\"\n!y"},
			nil,
		},
		"a comment":               {"/* one\n!ls\n%ls\n*/\nvar s = \"`/*\" // ` \n!pwd", []string{"`/*"}, []string{"!pwd"}},
		"a rune":                  {"var c = '`'\n!ls", nil, []string{"!ls"}},
		"an escaped quote":        {"var s = \"\\\"`\"\n!ls", []string{"\"`"}, []string{"!ls"}},
		"an operand after &&":     {"%%\nx := true &&\n!false\n_ = x", nil, []string{"%%"}},
		"an argument":             {"%%\nfmt.Println(true,\n!false,\n)\n!ls", nil, []string{"%%", "!ls"}},
		"an element":              {"var b = []bool{\n!true,\n}", nil, nil},
		"after a comment":         {"%%\nx := true && // why\n!false\n_ = x", nil, []string{"%%"}},
		"after a statement":       {"%%\ni := 1\ni++\n!ls", nil, []string{"%%", "!ls"}},
		"in a block":              {"func f() {\n!ls\n}", nil, []string{"!ls"}},
		"after a return":          {"func f() {\n\treturn\n!ls\n}", nil, []string{"!ls"}},
		"a name, not a package":   {"%%\nvar packages = 1\npackages++\n_ = packages", nil, []string{"%%"}},
		"a package clause":        {"package main // mine\nvar x = 1", nil, nil},
		"a command goes on":       {"!ls \\\n\"`\nvar x = \"!\"", []string{"!"}, []string{"!ls \\\"`"}},
		"main goes on":            {"%% -a \\\n -b\n_ = 1", nil, []string{"%% -a \\ -b"}},
		"prefixed commands":       {"//gonb:%%\n//gonb:!ls `\n_ = 1", nil, []string{"%%", "!ls `"}},
		"lines ended by CR LF":    {"!ls\r\nvar s = `a\r\n!b`", []string{"a\n!b"}, []string{"!ls"}},
		"a string on one line":    {"var s = `!x` + `%y`", []string{"!x%y"}, nil},
		"a returned raw string":   {"func f() string {\n\treturn `\n!x`\n}", []string{"\n!x"}, nil},
		"an argument that is raw": {"%%\nf(`\n!x`,\n\t`\n%y`)", []string{"\n!x", "\n%y"}, []string{"%%"}},
	} {
		t.Run(name, func(t *testing.T) {
			cell := gocell.Parse(c.code)
			safe, _ := cell.Safe()
			if got, want := strings.Count(safe, "\n"), strings.Count(c.code, "\n"); got != want {
				t.Errorf("%d lines became %d", want, got)
			}
			program, commands := asGoNB(safe)
			if !slices.Equal(commands, c.commands) {
				t.Errorf("commands %q, want %q\n%s", commands, c.commands, safe)
			}
			if got := literals(t, program); !slices.Equal(got, c.strings) {
				t.Errorf("strings %q, want %q\n%s", got, c.strings, safe)
			}
		})
	}
}

// TestSafeLeavesTheRest: what GoNB reads rightly is not touched.
func TestSafeLeavesTheRest(t *testing.T) {
	for _, code := range []string{"", "%%\nx := 1", "!ls\n%ls", "%%bash\n! true\n", "%%writefile f\n`\n!ls", "var s = `a\n b`", "%%\nif !ok {\n\t!ok\n}"} {
		if safe, _ := gocell.Parse(code).Safe(); safe != code {
			t.Errorf("%q became %q", code, safe)
		}
	}
}

// TestSafeHidesWhatNeverEnds: a string without an end is no Go, and still hides
// its lines.
func TestSafeHidesWhatNeverEnds(t *testing.T) {
	safe, _ := gocell.Parse("var s = `\n!ls\n%exec\n%%").Safe()
	if _, commands := asGoNB(safe); len(commands) > 0 {
		t.Errorf("commands %q", commands)
	}
}

// TestMoved: each character is found again where it went.
func TestMoved(t *testing.T) {
	code := "é := `é\n!ü`; a.b\n/*\n%c\n*/ d"
	cell := gocell.Parse(code)
	safe, moved := cell.Safe()
	before, after := []rune(code), []rune(safe)
	for i, r := range before {
		if to := moved.To(i); after[to] != r || moved.From(to) != i {
			t.Errorf("%q at %d went to %d, where there is %q, and back to %d", r, i, to, after[to], moved.From(to))
		}
	}
}

func TestCheck(t *testing.T) {
	for code, want := range map[string]string{
		"! ":               "line 1",
		"%%\n!\nx := 1":    "line 2",
		"% ":               "line 1",
		"//gonb:!\t":       "line 1",
		"%%script":         "line 1",
		"%%script ":        "line 1",
		"%exec":            "line 1",
		"%exec\tf":         "line 1",
		"%execute f":       "line 1",
		"%%\n`\n%%`\n%%":   "line 4",
		"%main\n%exec f":   "line 2",
		"!ls":              "",
		"!*ls":             "",
		"%% ":              "",
		"%exec f":          "",
		"%%script python3": "",
		"var s = `\n! `":   "",
		"x = a &&\n! b":    "",
	} {
		err := gocell.Parse(code).Check()
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", code, err, want)
		}
	}
}

func TestIsTest(t *testing.T) {
	for code, want := range map[string]bool{"func TestA(t *testing.T) {}\n%test": true, "% test -v": true, "//gonb:%test": true, "%%\n_ = `\n%test`": false, "%%bash\n%test": false, "%tests": false} {
		if got := gocell.Parse(code).IsTest(); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}

func TestOnCommand(t *testing.T) {
	cell := gocell.Parse("é\n!l\nx := `\n!y`\n! ")
	for offset, want := range map[int]bool{0: false, 1: false, 2: true, 4: true, 5: false, 13: false, 16: true, 17: true, 18: true} {
		if got := cell.OnCommand(offset); got != want {
			t.Errorf("at %d: %v", offset, got)
		}
	}
}

func TestDefinitions(t *testing.T) {
	cell := gocell.Parse("package main\nimport \"fmt\"\nvar a, _ = f()\nconst (\n\tc = iota\n\td\n)\ntype T[X any] struct{}\nfunc (t *T[X]) M() {}\nfunc f() (int, int) { return 1, 2 }\n!ls `\n%%\nvar local = 1")
	if got := strings.Join(cell.Definitions(), " "); got != "a c d T f" {
		t.Errorf("%q", got)
	}
	for _, code := range []string{"func f( {", "%%bash\nvar a = 1"} {
		if got := gocell.Parse(code).Definitions(); len(got) > 0 {
			t.Errorf("%v of a cell that is not Go", got)
		}
	}
}

// FuzzSafe: whatever a cell is, the safe form of one that is Go means the
// same to GoNB as the cell does to Go, and no command is added or lost.
func FuzzSafe(f *testing.F) {
	for _, code := range []string{"%%\ntext := `one\n!t\n%% three\nfour`", "/*\n!a\n*/\n!b `", "var s = []bool{\n!true,\n}", "type T struct{ A int `\n%x` }", "x := '\\''\n! ", "package p\npackages()", "! \\\n! ", "//gonb:%%\n`\n//gonb:!x`"} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		cell := gocell.Parse(code)
		safe, moved := cell.Safe()
		if got, want := strings.Count(safe, "\n"), strings.Count(cell.Code, "\n"); got != want {
			t.Fatalf("%d lines became %d", want, got)
		}
		if again, _ := gocell.Parse(safe).Safe(); again != safe {
			t.Errorf("%q is safe, and becomes %q", safe, again)
		}
		if cell.IsGo() {
			// No line is a command of GoNB's that is none of the cell's.
			_, commands := asGoNB(safe)
			if again := gocell.Parse(safe); len(commands) != again.CommandCount() || again.CommandCount() != cell.CommandCount() {
				t.Errorf("GoNB finds %q in %q", commands, safe)
			}
		}
		for i := range len([]rune(code)) + 1 {
			_ = cell.OnCommand(i)
			_ = moved.From(moved.To(i))
		}
		_, _ = cell.Check(), cell.Definitions()
	})
}
