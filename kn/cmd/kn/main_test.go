package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/clitest"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// program is the built kn.
var program string

// TestMain builds the program once: the tests run it as a user would.
func TestMain(m *testing.M) {
	os.Exit(clitest.Main(m, func(paths []string) { program = paths[0] }, "."))
}

// outcome is what a run of the program left.
type outcome struct {
	stdout, stderr string
	code           int
}

// command is the program with a cache of its own, and no network.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return clitest.Command(t, program, args...)
}

// finished runs a command to its end.
func finished(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	o := clitest.Finished(t, cmd)
	return outcome{o.Stdout, o.Stderr, o.Code}
}

// succeeds runs the program and returns its standard output.
func succeeds(t *testing.T, args ...string) string {
	t.Helper()
	o := finished(t, command(t, args...))
	if o.code != 0 || o.stderr != "" {
		t.Fatalf("kn %q: exit status %d, stderr %q", args, o.code, o.stderr)
	}
	return o.stdout
}

// object reads exactly one JSON object with exactly the keys into v.
func object(t *testing.T, stdout string, v any, keys ...string) {
	t.Helper()
	clitest.Object(t, stdout, v, keys...)
}

// goldens are the reference checkpoints' folders.
func goldens(t *testing.T) []string { return sharedtest.Goldens(t) }

// small is the model that the project carries for its tests.
func small(t *testing.T) string { return filepath.Join(goldens(t)[0], "model") }

// within runs the program inside this process.
func within(args ...string) outcome {
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), args, strings.NewReader(""), &stdout, &stderr)
	return outcome{stdout.String(), stderr.String(), code}
}
