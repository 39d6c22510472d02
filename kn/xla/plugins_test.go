package xla

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/xla/xlatest"
)

// write writes a file and the folders above it.
func write(t *testing.T, content []byte, elem ...string) string {
	t.Helper()
	path := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDir(t *testing.T) {
	t.Setenv("HOME", "/home/someone")
	for value, want := range map[string]string{
		"/data":    "/data/gonb-kn/pjrt",
		"relative": "/gonb-kn/pjrt", // does not count
		"":         "/gonb-kn/pjrt",
	} {
		t.Setenv("XDG_DATA_HOME", value)
		dir, err := Dir()
		if err != nil || !strings.HasSuffix(dir, want) || value != "/data" && !strings.HasPrefix(dir, "/home/someone/") {
			t.Errorf("XDG_DATA_HOME=%q: %s, %v", value, dir, err)
		}
	}
}

// TestPlugins: the user's folders count before ours, plain names before
// versions, and links are followed.
func TestPlugins(t *testing.T) {
	data, first, second := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("XDG_DATA_HOME", data)
	t.Setenv(EnvVar, first+":"+second+"::/there/is/none")
	ours := filepath.Join(data, "gonb-kn", "pjrt")

	if got := Plugins(); len(got) != 0 {
		t.Errorf("found %v in empty folders", got)
	}
	oursCPU := write(t, nil, ours, "pjrt_c_api_cpu_plugin.so")
	if got := Plugins(); len(got) != 1 || got[0] != (Plugin{CPU, oursCPU}) {
		t.Errorf("found %v", got)
	}
	write(t, nil, first, "pjrt_c_api_cpu_v0.1.0_plugin.so")
	theirs := write(t, nil, first, "pjrt_c_api_cpu_plugin.so")
	write(t, nil, second, "pjrt_c_api_cpu_plugin.so")
	write(t, nil, second, "pjrt_c_api_cpu_plugin.so.new")
	write(t, nil, second, "libother.so")
	tpu := write(t, nil, second, "pjrt-plugin-tpu.so")
	real := write(t, nil, ours, "cuda", "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so")
	if err := os.Symlink(real, filepath.Join(ours, FileName(CUDA))); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/there/is/none", filepath.Join(second, FileName("broken"))); err != nil {
		t.Fatal(err)
	}
	want := []Plugin{{CPU, theirs}, {CUDA, real}, {"tpu", tpu}}
	got := Plugins()
	if len(got) != len(want) {
		t.Fatalf("found %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("found %v, want %v", got[i], want[i])
		}
	}
	if p, err := Find(CPU); err != nil || p != want[0] {
		t.Errorf("Find gave %v, %v", p, err)
	}
	if err := os.Remove(theirs); err != nil {
		t.Fatal(err)
	}
	if p, err := Find(CPU); err != nil || !strings.Contains(p.Path, "v0.1.0") {
		t.Errorf("a version in the name is not found: %v, %v", p, err)
	}
}

func TestFindSaysWhatToRun(t *testing.T) {
	data := t.TempDir()
	t.Setenv("XDG_DATA_HOME", data)
	t.Setenv(EnvVar, "")
	for name, want := range map[string]string{CPU: "go run ./install -xla", CUDA: "go run ./install -cuda", "tpu": `"tpu"`} {
		if _, err := Find(name); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), data) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	whole := xlatest.Library("Other", entryPoint)
	foreign := bytes.Clone(whole)
	foreign[18] = 8 // MIPS
	for _, c := range []struct {
		name    string
		content []byte
		fault   string // "" if there is none
	}{
		{"whole", whole, ""},
		{"other library", xlatest.Library("Other"), "does not export " + entryPoint},
		{"other processor", foreign, "this machine"},
		{"cut short", whole[:len(whole)-70], "not a whole plug-in"},
		{"empty", nil, "not a whole plug-in"},
		{"a page", []byte("<html>not found</html>"), "not a whole plug-in"},
	} {
		path := write(t, c.content, dir, c.name)
		err := Plugin{CPU, path}.Check()
		if (err == nil) != (c.fault == "") {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.fault) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "go run ./install")) {
			t.Errorf("%s: the error does not say enough: %v", c.name, err)
		}
	}
	if err := (Plugin{CPU, filepath.Join(dir, "none")}).Check(); err == nil {
		t.Error("a file that is not there passes")
	}
}

func TestLinkedIn(t *testing.T) {
	dir := t.TempDir()
	write(t, []byte("module example.org/a\n"), dir, "go.mod")
	write(t, []byte("package main\nfunc main() {}\n"), dir, "main.go")
	for tags, want := range map[string]bool{"": false, "other": false, "xla": true, "other,xla": true, "xlas": false} {
		program := filepath.Join(dir, "program")
		cmd := exec.Command("go", "build", "-tags", tags, "-o", program)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := LinkedIn(program); got != want {
			t.Errorf("-tags %q: %v", tags, got)
		}
	}
	if LinkedIn(filepath.Join(dir, "main.go")) || LinkedIn(filepath.Join(dir, "none")) {
		t.Error("what is no program is linked")
	}
}
