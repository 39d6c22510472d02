package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// program is the built kn.
var program string

// TestMain builds the program once: the tests run it as a user would.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "kn-test-*")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "kn")
		if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// outcome is what a run of the program left.
type outcome struct {
	stdout, stderr string
	code           int
}

// command is the program with a cache of its own, and no network.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, args...)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "KN_CACHE="+filepath.Join(home, "results"), "XDG_CACHE_HOME="+home,
		"HF_HOME="+home, "HF_HUB_OFFLINE=1", "NO_COLOR=")
	return cmd
}

// finished runs a command to its end.
func finished(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd, err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
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

// object reads exactly one JSON object with exactly the keys, and nothing
// after it, from a command's output; it goes into v as well.
func object(t *testing.T, stdout string, v any, keys ...string) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(stdout))
	var fields map[string]json.RawMessage
	if err := decoder.Decode(&fields); err != nil {
		t.Fatalf("not a JSON object: %v: %.200s", err, stdout)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("more than one JSON object: %.200s", stdout)
	}
	slices.Sort(keys)
	if got := slices.Sorted(maps.Keys(fields)); !slices.Equal(got, keys) {
		t.Errorf("keys %q, want %q", got, keys)
	}
	if err := json.Unmarshal([]byte(stdout), v); err != nil {
		t.Fatalf("%v: %.200s", err, stdout)
	}
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
