// Package clitest runs this module's programs in tests as a user would.
package clitest

import (
	"bytes"
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
)

// Main builds programs, runs the tests, and returns the exit status. set is told
// the program of each package, as go build takes it, by its path.
func Main(m *testing.M, set func(paths []string), packages ...string) int {
	dir, err := os.MkdirTemp("", "kn-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	var paths []string
	for i, name := range packages {
		path := filepath.Join(dir, fmt.Sprint("program", i))
		if out, err := exec.Command("go", "build", "-o", path, name).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		paths = append(paths, path)
	}
	set(paths)
	return m.Run()
}

// Command is a program with a cache of its own, and no network.
func Command(t testing.TB, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, args...)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "KN_CACHE="+filepath.Join(home, "results"), "XDG_CACHE_HOME="+home,
		"HF_HOME="+home, "HF_HUB_OFFLINE=1", "NO_COLOR=")
	return cmd
}

// Outcome is what a run of a program left.
type Outcome struct {
	Stdout, Stderr string
	Code           int // the exit status
}

// Finished runs a command to its end.
func Finished(t testing.TB, cmd *exec.Cmd) Outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd, err)
	}
	return Outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// Object reads exactly one JSON object with exactly the keys, and nothing
// after it, from a command's output; it goes into v as well.
func Object(t testing.TB, stdout string, v any, keys ...string) {
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
