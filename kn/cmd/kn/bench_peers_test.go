package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestBenchInterrupted: Ctrl-C while a contender is alive ends all of it.
func TestBenchInterrupted(t *testing.T) {
	scratch := t.TempDir()
	cmd := command(t, "bench", "--size", "tiny", "--dir", t.TempDir(), "--repeats", "1000000", "--rows", "go-20")
	cmd.Env = append(cmd.Env, "TMPDIR="+scratch)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	for lines := bufio.NewScanner(stderr); lines.Scan(); last = lines.Text() {
		if strings.Contains(lines.Text(), " 1 of 1000000") {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // the exit status is looked at below
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || stdout.Len() > 0 || last != "kn: interrupted" {
		t.Errorf("exit status %d, stdout %q, last words %q", code, stdout.String(), last)
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// fakePython is a python3 on the PATH that writes down what it is asked to do
// and makes an environment with itself in it. What fails of pip is "cpu" for
// PyTorch's own index, or "all".
func fakePython(t *testing.T, fails string) (calls string) {
	t.Helper()
	dir := t.TempDir()
	calls = filepath.Join(dir, "calls")
	script := fmt.Sprintf(`#!/bin/sh
case "$1 $2" in
-c*) exit 0 ;;
"-m venv") /bin/mkdir -p "$4/bin" && exec /bin/cp "$0" "$4/bin/python" ;;
esac
echo "$@" >> %s
case "%s $*" in
"cpu "*--index-url*|all*) exit 1 ;;
esac
`, calls, fails)
	if err := os.WriteFile(filepath.Join(dir, "python3"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	return calls
}

// TestPeersPython installs with a fake Python: each step once, PyPI's PyTorch
// where the one without CUDA cannot be had, and an attempt that failed is made
// again.
func TestPeersPython(t *testing.T) {
	for _, c := range []struct {
		fails string
		ok    bool
	}{{"", true}, {"cpu", true}, {"all", false}} {
		calls := fakePython(t, c.fails)
		dir := t.TempDir()
		python, err := peersPython(context.Background(), dir, false, os.Stderr, t.Logf)
		if python != "" || err != nil {
			t.Errorf("before it is installed: %q, %v", python, err)
		}
		python, err = peersPython(context.Background(), dir, true, os.Stderr, t.Logf)
		data, readErr := os.ReadFile(calls)
		if readErr != nil {
			t.Fatal(readErr)
		}
		if (err == nil) != c.ok || c.ok != (python == filepath.Join(dir, "peers", "bin", "python")) {
			t.Errorf("fails %q: %q, %v", c.fails, python, err)
		}
		cpuFirst := runtime.GOOS == "linux" && runtime.GOARCH == "amd64"
		if strings.Contains(string(data), torchCPU) != cpuFirst || !strings.Contains(string(data), strings.Join(peerPackages, " ")) {
			t.Errorf("fails %q: pip was called with\n%s", c.fails, data)
		}
		again, err := peersPython(context.Background(), dir, false, os.Stderr, t.Logf)
		if err != nil || again != python {
			t.Errorf("fails %q: the second time %q, %v", c.fails, again, err)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := peersPython(context.Background(), t.TempDir(), true, os.Stderr, t.Logf); err == nil || !strings.Contains(err.Error(), "--python") {
		t.Errorf("without a Python: %v", err)
	}
}
