package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/clitest"
)

// TestBenchInterrupted: Ctrl-C while a contender is alive ends all of it.
func TestBenchInterrupted(t *testing.T) {
	scratch := t.TempDir()
	cmd := bench(t, "--size", "tiny", "--dir", t.TempDir(), "--repeats", "1000000", "--rows", "go-20")
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
	if code := cmd.ProcessState.ExitCode(); code != cli.ExitInterrupted || stdout.Len() > 0 || last != "bench: interrupted" {
		t.Errorf("exit status %d, stdout %q, last words %q", code, stdout.String(), last)
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// standIn is a script in the place of Python, behind which this program
// computes by the rules of the published tools. It warms up by a run, and does
// not know how to choose.
func standIn(t *testing.T) string {
	t.Helper()
	python := filepath.Join(t.TempDir(), "python")
	script := fmt.Sprintf(`#!/bin/sh
if [ "$1" = -c ]; then exit 0; fi
sed -u -e 's/"tool":"knowledge-neurons"/"rule":"linspace_inclusive"/' -e 's/"tool":"[a-z]*"/"rule":"left_riemann"/' \
	-e 's|"do":"warm"|"do":"run","scores":"/dev/null"|' | KN_BACKEND=go:ops_sequential %s child
`, program)
	if err := os.WriteFile(python, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return python
}

// TestBenchPeers: contenders of one rule agree, times are compared, the
// authors' way is measured once whatever the repetitions, and who cannot do
// what it is asked is out.
func TestBenchPeers(t *testing.T) {
	o := clitest.Finished(t, bench(t, "--size", "tiny", "--dir", t.TempDir(), "--repeats", "2", "--json",
		"--rows", "go-adaptive,both-ends,go-20,authors,cold-start", "--python", standIn(t)))
	var b benchmark
	if err := json.Unmarshal([]byte(o.Stdout), &b); err != nil || o.Code != 0 || len(b.Rows) != 5 {
		t.Fatalf("%v: %+v", err, o)
	}
	rows := map[string][]benchMeasure{}
	for _, row := range b.Rows {
		rows[row.Row] = row.Measures
	}
	for row, wants := range map[string]struct{ agree, once bool }{
		"go-adaptive": {}, "cold-start": {}, "both-ends": {agree: true}, "authors": {agree: true, once: true},
	} {
		m := rows[row]
		us, them := m[len(m)-2], m[len(m)-1]
		if us.Faster != them.Median/us.Median || them.Faster != 0 || us.Once || us.First == 0 || len(us.Seconds) != 2 {
			t.Errorf("%s: %+v", row, us)
		}
		if (us.Agreement != nil) != wants.agree || wants.agree && *us.Agreement > 1e-5 || us.Note != "" {
			t.Errorf("%s: %+v", row, us)
		}
		repeats := 2
		if wants.once {
			repeats = 1
		}
		if them.Once != wants.once || (them.First == 0) != wants.once || len(them.Seconds) != repeats || them.Nodes != 20 || them.Error == nil || *them.Error > 0.2 {
			t.Errorf("%s: %+v", row, them)
		}
	}
	if m := rows["go-20"][1]; !strings.Contains(m.Note, "choose") {
		t.Errorf("%+v", m)
	}
}

// TestBenchPeerDies: a contender that ends without a word, for want of memory
// say, is out, and the report tells how it ended.
func TestBenchPeerDies(t *testing.T) {
	python := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(python, []byte("#!/bin/sh\nif [ \"$1\" = -c ]; then exit 0; fi\nread line\nkill -9 $$\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	o := clitest.Finished(t, bench(t, "--size", "tiny", "--dir", t.TempDir(), "--repeats", "1", "--json", "--rows", "go-20", "--python", python))
	var b benchmark
	if err := json.Unmarshal([]byte(o.Stdout), &b); err != nil || o.Code != 0 {
		t.Fatalf("%v: %+v", err, o)
	}
	if m := b.Rows[0].Measures; m[0].Median == 0 || !strings.Contains(m[1].Note, "signal: killed") {
		t.Errorf("%+v", m)
	}
}

// TestBenchTheirTokens: the published tools are told what kn reads, so that
// they can refuse to compute something else.
func TestBenchTheirTokens(t *testing.T) {
	folder := tinyBench(t)
	b := &benchmark{}
	b.Model, b.tokenizer = folder, kn.MustLoad(folder).Tokenizer()
	b.Prompt, b.Answer = "The [MASK] .", "France"
	ask := b.their("knowledge-neurons")
	if id, err := b.tokenizer.Single("France"); err != nil || ask.AnswerID != id || id == 0 {
		t.Errorf("%+v, %v", ask, err)
	}
	if len(ask.IDs) != 1 || !slices.Equal(ask.IDs[0], b.tokenizer.Encode("The [MASK] .").IDs) || len(ask.IDs[0]) != 5 {
		t.Errorf("%+v", ask)
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
