package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kernel/kerneltest"
)

// TestInstallFromNothing runs the command in an empty home, with a Jupyter on
// the PATH: install, check, install again, uninstall.
func TestInstallFromNothing(t *testing.T) {
	shared := kerneltest.Shared(t)
	dir := t.TempDir()
	in := kerneltest.At(t, dir, shared.Root)
	in.Env = append(in.Env, "PATH="+filepath.Join(shared.Venv(), "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))

	out, err := in.Install("-check")
	if err == nil || !strings.Contains(out, "FAIL") || !strings.Contains(out, "go run ./install") {
		t.Errorf("the check of nothing finds no fault or no cure:\n%s", out)
	}
	out, err = in.Install()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"[1/7]", "[7/7]", "found JupyterLab", "written: " + kernel.DisplayName, "executed", in.Page(), "Open JupyterLab:"} {
		if !strings.Contains(out, want) {
			t.Errorf("the installer does not say %q:\n%s", want, out)
		}
	}
	page, err := os.ReadFile(in.Page())
	if err != nil || !bytes.Contains(page, []byte("data:image/svg+xml;base64,")) {
		t.Errorf("the page shows no chart: %v", err)
	}
	checkNothingElse(t, dir)

	out, err = in.Install("-check")
	if err != nil || strings.Contains(out, "FAIL") {
		t.Errorf("the check after installing fails: %v\n%s", err, out)
	}
	before, _ := os.Stat(in.Page())
	out, err = in.Install()
	if err != nil || strings.Count(out, "done before") != 4 {
		t.Errorf("the second run does things twice: %v\n%s", err, out)
	}
	if after, _ := os.Stat(in.Page()); !after.ModTime().Equal(before.ModTime()) {
		t.Error("the second run executes the notebook again")
	}
	if out, err = in.Install("-uninstall"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, path := range []string{in.Data, in.Cache, in.Spec()} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
}

// checkNothingElse fails if the installer wrote outside the data, cache and
// Jupyter folders.
func checkNothingElse(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "home"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !allowedAtHome(path) {
			t.Errorf("the installer wrote %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// allowedAtHome names what Jupyter, IPython and Go keep at home themselves.
func allowedAtHome(path string) bool {
	for _, theirs := range []string{"/.ipython/", "/.jupyter/", "/.config/go/", "/.local/share/jupyter/"} {
		if strings.Contains(path, theirs) {
			return true
		}
	}
	return false
}

func TestWrongUsage(t *testing.T) {
	in := kerneltest.At(t, t.TempDir(), kerneltest.Root(t))
	for _, args := range [][]string{{"-nonsense"}, {"extra"}, {"-check", "-uninstall"}} {
		if out, err := in.Install(args...); err == nil || !strings.Contains(out, "Usage") {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
}

func TestReportCountsFaults(t *testing.T) {
	var out bytes.Buffer
	err := report(&out, []kernel.Finding{
		{What: "good", Found: "here"},
		{What: "poor", Found: "this", Advice: "do that"},
		{What: "bad", Fault: errors.New("broken: mend it")},
	})
	if err == nil || !strings.Contains(err.Error(), "1 of 3") {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{"ok    good", "note  poor", "do that", "FAIL  bad", "mend it"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

func TestStampsSurviveDamage(t *testing.T) {
	dir := t.TempDir()
	s := readStamps(dir)
	if err := s.add("step", "input"); err != nil {
		t.Fatal(err)
	}
	if again := readStamps(dir); !again.has("step", "input") || again.has("step", "other") {
		t.Error("the stamp was not kept")
	}
	if err := os.WriteFile(s.path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if readStamps(dir).has("step", "input") {
		t.Error("a damaged file counts")
	}
}

func TestModuleDigestFollowsSources(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		d, err := moduleDigest(dir)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := write("kn/a.go", "1")
	if second := write("kn/a.go", "2"); second == first {
		t.Error("a source may change unnoticed")
	}
	last := write("kn/a.go", "1")
	if last != first {
		t.Error("the digest does not return")
	}
	for _, ignored := range []string{"kn/a_test.go", ".git/x", "notebooks/teaching.ipynb", "kn/testdata/x"} {
		if write(ignored, "x") != first {
			t.Errorf("%s changes the digest", ignored)
		}
	}
}
