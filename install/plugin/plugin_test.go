package plugin

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/xla"
	"github.com/knowledge-neurons/gonb-kn/kn/xla/xlatest"
)

var sound = xlatest.Library("GetPjrtApi")

// gives is a source with a file of some content, or an error.
func gives(name string, content []byte, err error, calls *[]string) source {
	return source{name, func(_ context.Context, staging string) (string, error) {
		*calls = append(*calls, name)
		file := filepath.Join(staging, "file")
		return file, errors.Join(err, os.WriteFile(file, content, 0o755))
	}}
}

// visible lists what is in a folder, but for the lock.
func visible(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != ".lock" {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestInstallTakesFirstSoundSource(t *testing.T) {
	failure := errors.New("no route to host")
	for _, c := range []struct {
		name    string
		there   []byte // before; nil if nothing
		sources func(calls *[]string) []source
		calls   string
		fault   []string // none if it is installed
	}{
		{"first", nil, func(calls *[]string) []source {
			return []source{gives("a", sound, nil, calls), gives("b", sound, nil, calls)}
		}, "a", nil},
		{"second, the first cannot be reached", nil, func(calls *[]string) []source {
			return []source{gives("a", nil, failure, calls), gives("b", sound, nil, calls)}
		}, "a b", nil},
		{"second, the first has half a file", nil, func(calls *[]string) []source {
			return []source{gives("a", sound[:100], nil, calls), gives("b", sound, nil, calls)}
		}, "a b", nil},
		{"there before", sound, func(calls *[]string) []source { return []source{gives("a", sound, nil, calls)} }, "", nil},
		{"damaged before", sound[:100], func(calls *[]string) []source { return []source{gives("a", sound, nil, calls)} }, "a", nil},
		{"nowhere", nil, func(calls *[]string) []source {
			return []source{gives("a", nil, failure, calls), gives("b", xlatest.Library("Other"), nil, calls)}
		}, "a b", []string{"from a: no route to host", "from b: ", "GetPjrtApi"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "pjrt")
			target := filepath.Join(dir, xla.FileName(xla.CPU))
			if c.there != nil {
				if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(target, c.there, 0o755)); err != nil {
					t.Fatal(err)
				}
			}
			var calls, told []string
			err := install(context.Background(), dir, xla.CPU, func(what string) { told = append(told, what) }, c.sources(&calls))
			if got := strings.Join(calls, " "); got != c.calls || len(told) != len(calls) {
				t.Errorf("asked %q and told %q, want %q", got, told, c.calls)
			}
			if len(c.fault) == 0 {
				if err != nil || (xla.Plugin{Name: xla.CPU, Path: target}).Check() != nil || len(visible(t, dir)) != 1 {
					t.Errorf("%v, left %v", err, visible(t, dir))
				}
				return
			}
			for _, want := range c.fault {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in %v", want, err)
				}
			}
			if left := visible(t, dir); len(left) != 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// TestInterrupted: an interruption leaves nothing and asks no other source.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	var calls []string
	stopped := source{"a", func(_ context.Context, staging string) (string, error) {
		cancel()
		file := filepath.Join(staging, "file")
		return file, os.WriteFile(file, sound, 0o755)
	}}
	err := install(ctx, dir, xla.CPU, func(string) {}, []source{stopped, gives("b", sound, nil, &calls)})
	if !errors.Is(err, context.Canceled) || len(calls) != 0 || len(visible(t, dir)) != 0 {
		t.Errorf("%v, asked %v, left %v", err, calls, visible(t, dir))
	}
}

// killedVar tells this test program to install into the folder it names, and
// to stand still in the middle.
const killedVar = "GONB_KN_TEST_KILLED"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedVar); dir != "" {
		_ = install(context.Background(), dir, xla.CPU, func(string) {}, []source{{"a", func(_ context.Context, staging string) (string, error) {
			if err := os.WriteFile(filepath.Join(staging, xla.FileName(xla.CPU)), sound[:100], 0o755); err != nil {
				return "", err
			}
			os.Stdout.WriteString("half\n")
			select {}
		}}})
	}
	os.Exit(m.Run())
}

// TestKilled kills a process in the middle of installing. It leaves no
// plug-in and no lock, and the next run clears away what it does leave.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), killedVar+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	left := visible(t, dir)
	if slices.Contains(left, xla.FileName(xla.CPU)) || len(left) != 1 {
		t.Errorf("left %v", left)
	}
	var calls []string
	if err := install(context.Background(), dir, xla.CPU, func(string) {}, []source{gives("a", sound, nil, &calls)}); err != nil {
		t.Error(err)
	}
	if left := visible(t, dir); len(left) != 1 || left[0] != xla.FileName(xla.CPU) {
		t.Errorf("left %v", left)
	}
}

// TestOthersWait: two at once install one after the other, and the second
// finds it done.
func TestOthersWait(t *testing.T) {
	dir := t.TempDir()
	waiting, done := make(chan bool, 1), make(chan error)
	var calls []string
	slow := source{"a", func(_ context.Context, staging string) (string, error) {
		go func() {
			done <- install(context.Background(), dir, xla.CPU, func(what string) {
				if strings.Contains(what, "waiting") {
					waiting <- true
				}
			}, []source{gives("b", sound, nil, &calls)})
		}()
		<-waiting
		file := filepath.Join(staging, "file")
		return file, os.WriteFile(file, sound, 0o755)
	}}
	if err := install(context.Background(), dir, xla.CPU, func(string) {}, []source{slow}); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil || len(calls) != 0 {
		t.Errorf("%v, asked %v", err, calls)
	}
}
