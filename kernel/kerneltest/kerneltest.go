// Package kerneltest gives tests an installation of their own: the kernel and
// a private Jupyter, made by "go run ./install" when first needed and shared
// by all tests on the machine.
package kerneltest

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gofrs/flock"

	"github.com/knowledge-neurons/gonb-kn/kernel"
)

// Installation is an installation below one folder.
type Installation struct {
	kernel.Paths
	Env []string // for programs that are to use it
}

// At describes an installation below dir, for a module in root. Go's caches
// stay where they are, so that nothing is built twice.
func At(t testing.TB, dir, root string) Installation {
	t.Helper()
	goPath, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	in := Installation{Paths: kernel.Paths{
		Root:    root,
		Data:    filepath.Join(dir, "data", kernel.Name),
		Cache:   filepath.Join(dir, "cache", kernel.Name),
		Jupyter: filepath.Join(dir, "jupyter"),
		Go:      goPath,
	}}
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "XDG_DATA_HOME", "XDG_CACHE_HOME", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "HOME", "KN_CACHE", "IPYTHONDIR", "JUPYTER_CONFIG_DIR":
		default:
			in.Env = append(in.Env, v)
		}
	}
	out, err := exec.Command(goPath, "env", "GOCACHE", "GOMODCACHE", "GOPATH").Output()
	if err != nil {
		t.Fatal(err)
	}
	caches := strings.Split(string(out), "\n")
	in.Env = append(in.Env,
		"HOME="+filepath.Join(dir, "home"), "XDG_DATA_HOME="+filepath.Join(dir, "data"), "XDG_CACHE_HOME="+filepath.Join(dir, "cache"),
		"JUPYTER_DATA_DIR="+in.Jupyter, "GOCACHE="+caches[0], "GOMODCACHE="+caches[1], "GOPATH="+caches[2])
	if err := os.MkdirAll(filepath.Join(dir, "home"), 0o755); err != nil {
		t.Fatal(err)
	}
	return in
}

// Install runs the installer with arguments and returns what it printed.
func (in Installation) Install(args ...string) (string, error) {
	cmd := exec.Command(in.Go, append([]string{"run", "./install"}, args...)...)
	cmd.Dir, cmd.Env = in.Root, in.Env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Root is the module's folder.
func Root(t testing.TB) string {
	t.Helper()
	p, err := kernel.Locate()
	if err != nil {
		t.Fatal(err)
	}
	return p.Root
}

// Shared returns the installation that tests share. It is made, or brought up
// to date, by the first test that asks; tests in other processes wait.
func Shared(t testing.TB) Installation {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, kernel.Name+"-tests")
	in := At(t, dir, Root(t))
	lock := flock.New(filepath.Join(dir, "lock"))
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	installed.Do(func() {
		ctx := context.Background()
		// Tests need a Jupyter whose Python they know.
		if j, err := in.FindJupyter(ctx); err != nil || !j.Private {
			if err := in.InstallJupyter(ctx); err != nil {
				installFailure = err.Error()
				return
			}
		}
		if out, err := in.Install(); err != nil {
			installFailure = err.Error() + "\n" + out
		}
	})
	if installFailure != "" {
		t.Fatal(installFailure)
	}
	return in
}

var (
	installed      sync.Once
	installFailure string
)

// Session is a running kernel.
type Session struct {
	t     testing.TB
	stdin io.WriteCloser
	lines *bufio.Scanner
}

// Ask is what a session can be asked for: to run code, or to complete or
// inspect it at a position.
type Ask struct {
	Code        string `json:"code"`
	InterruptOn string `json:"interrupt_on,omitempty"` // interrupt when the cell has printed this
	Complete    *int   `json:"complete,omitempty"`
	Inspect     *int   `json:"inspect,omitempty"`
}

// Answer is what came back.
type Answer struct {
	Status  string  // "ok" or "error"
	Seconds float64 // from asking to the end
	// StoppedAfter is the seconds from the interruption to the end.
	StoppedAfter float64 `json:"stopped_after"`
	Matches      []string
	Text         string
	Outputs      []struct {
		Type, Name, Text, Ename, Evalue string
		Traceback                       []string
		Data                            map[string]any
	}
}

// Failure is why the cell failed, as it is shown, without colours.
func (a Answer) Failure() string {
	var text strings.Builder
	for _, o := range a.Outputs {
		if o.Type == "error" {
			text.WriteString(strings.Join(o.Traceback, "\n") + "\n")
		}
	}
	return strings.NewReplacer("\x1b[31m", "", "\x1b[0m", "").Replace(text.String())
}

// Printed is all that the cell wrote to a stream.
func (a Answer) Printed(stream string) string {
	var text strings.Builder
	for _, o := range a.Outputs {
		if o.Name == stream {
			text.WriteString(o.Text)
		}
	}
	return text.String()
}

// Shows says whether the cell displayed anything of a media type.
func (a Answer) Shows(mime string) bool {
	for _, o := range a.Outputs {
		if o.Data[mime] != nil {
			return true
		}
	}
	return false
}

// HTML is all that the cell displayed as HTML.
func (a Answer) HTML() string {
	var text strings.Builder
	for _, o := range a.Outputs {
		if html, ok := o.Data["text/html"].(string); ok {
			text.WriteString(html)
		}
	}
	return text.String()
}

// Start starts a kernel of the installation, with additions to its
// environment, by the script that talks to it through jupyter_client.
func (in Installation) Start(t testing.TB, env ...string) *Session {
	t.Helper()
	script := filepath.Join(in.Root, "kernel", "testdata", "session.py")
	cmd := exec.Command(filepath.Join(in.Venv(), "bin", "python"), script, kernel.Name)
	cmd.Dir = t.TempDir()
	cmd.Env = append(append([]string{}, in.Env...), env...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &Session{t, stdin, bufio.NewScanner(stdout)}
	s.lines.Buffer(nil, 64<<20)
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the session ended with %v", err)
		}
	})
	return s
}

// Run runs a cell.
func (s *Session) Run(code string) Answer { return s.Ask(Ask{Code: code}) }

// Ask asks and waits for the answer.
func (s *Session) Ask(ask Ask) (answer Answer) {
	s.t.Helper()
	data, err := json.Marshal(ask)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.stdin.Write(append(data, '\n')); err != nil {
		s.t.Fatal(err)
	}
	if !s.lines.Scan() {
		s.t.Fatalf("the kernel's session ended: %v", s.lines.Err())
	}
	if err := json.Unmarshal(s.lines.Bytes(), &answer); err != nil {
		s.t.Fatal(err)
	}
	return answer
}
