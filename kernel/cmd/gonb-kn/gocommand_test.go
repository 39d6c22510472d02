package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// realGo stands for the real go: it says what it was run with, except that
// list says what the file "list" has and leaves a mark.
const realGo = `#!/bin/sh
if [ "$1" = list ]; then echo list >> listed; cat list; exit 0; fi
echo "$@"
`

// TestGoCommand runs this program under the name go in a cell's folder.
func TestGoCommand(t *testing.T) {
	bin, cell := t.TempDir(), t.TempDir()
	goes := filepath.Join(bin, "go")
	if out, err := exec.Command("go", "build", "-o", goes, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	stand := filepath.Join(bin, "real")
	write(t, stand, realGo)
	run := func(flags string, args ...string) string {
		t.Helper()
		cmd := exec.Command(goes, args...)
		cmd.Dir = cell
		cmd.Env = append(os.Environ(), "GONB_KN_GO="+stand, "GOFLAGS="+flags)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("go %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	lists := func() int {
		data, _ := os.ReadFile(filepath.Join(cell, "listed"))
		return strings.Count(string(data), "list")
	}
	write(t, filepath.Join(cell, "main.go"), "package main\nimport \"example.org/a\"\n")

	for _, c := range []struct{ name, list, want string }{
		{"nothing is missing", "\n\n", ""},
		{"nobody provides it", "main.go:2:8: no required module provides package example.org/a; to add it:\n\tgo get example.org/a\n", "get example.org/a"},
		{"go.mod decides", "package gonb_1 imports example.org/a from implicitly required module; to add missing requirements, run:\n\tgo get example.org/a@v1.9.0\n", "get example.org/a@v1.9.0"},
		{"ours, misspelt", "no required module provides package github.com/knowledge-neurons/gonb-kn/kn/x; to add it:\n\tgo get github.com/knowledge-neurons/gonb-kn/kn/x\n", ""},
		{"another error", "main.go:3:1: syntax error\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_ = os.Remove(filepath.Join(cell, resolved))
			write(t, filepath.Join(cell, "list"), c.list)
			if got := run("", "get"); got != c.want {
				t.Errorf("ran go %q, want %q", got, c.want)
			}
		})
	}

	// The last one was complete: the same imports are not listed again,
	// others are.
	before := lists()
	run("", "get")
	if lists() != before {
		t.Error("an unchanged list of imports was listed again")
	}
	write(t, filepath.Join(cell, "main.go"), "package main\nimport \"example.org/b\"\n")
	run("", "get")
	if lists() != before+1 {
		t.Error("a changed list of imports was not listed")
	}

	for _, c := range []struct{ flags, args, want string }{
		{"", "build -o program", "build -o program -ldflags=-w"},
		{"-ldflags=-s", "build -o program", "build -o program"},
		{"", "build -o program -race", "build -o program -race"},
		{"", "get example.org/c@v1", "get example.org/c@v1"},
		{"", "version", "version"},
	} {
		if got := run(c.flags, strings.Fields(c.args)...); got != c.want {
			t.Errorf("go %s became %q, want %q", c.args, got, c.want)
		}
	}
}

// TestUnusedDotImports: with the real go, a cell that uses one of two dot
// imports is built.
func TestUnusedDotImports(t *testing.T) {
	bin, cell := t.TempDir(), t.TempDir()
	goes := filepath.Join(bin, "go")
	if out, err := exec.Command("go", "build", "-o", goes, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(cell, "go.mod"), "module cell\n")
	write(t, filepath.Join(cell, "main.go"), "package main\n\nimport (\n\t. \"fmt\"\n\t. \"strings\"\n)\n\nfunc main() { Println(1) }\n")
	cmd := exec.Command(goes, "build", "-o", "program")
	cmd.Dir, cmd.Env = cell, append(os.Environ(), "GONB_KN_GO="+real, "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.Command(filepath.Join(cell, "program")).Output(); err != nil || string(out) != "1\n" {
		t.Errorf("%q, %v", out, err)
	}
	// A name that nobody has is still an error, in the line where it is.
	write(t, filepath.Join(cell, "main.go"), "package main\n\nimport (\n\t. \"strings\"\n)\n\nfunc main() { nosuch() }\n")
	cmd = exec.Command(goes, "build", "-o", "program")
	cmd.Dir, cmd.Env = cell, append(os.Environ(), "GONB_KN_GO="+real, "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "main.go:7:15: undefined: nosuch") || strings.Contains(string(out), "not used") {
		t.Errorf("%v\n%s", err, out)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}
