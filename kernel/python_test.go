package kernel

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFindPython puts stand-ins on the PATH that say whether they are new
// enough by their exit status.
func TestFindPython(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if _, err := findPython(context.Background()); err == nil || !strings.Contains(err.Error(), "apt install") {
		t.Errorf("no Python at all: %v", err)
	}
	program := func(name, script string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	old := program("python3", "exit 1")
	if _, err := findPython(context.Background()); err == nil || !strings.Contains(err.Error(), old+" is older") {
		t.Errorf("an old Python only: %v", err)
	}
	want := program("python3.12", "exit 0")
	if got, err := findPython(context.Background()); got != want || err != nil {
		t.Errorf("found %q (%v), want %q", got, err, want)
	}
}

// TestInstallJupyterWithoutVenv: Debian's python3 has no ensurepip before
// python3-venv is installed.
func TestInstallJupyterWithoutVenv(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\nif [ \"$1\" = -m ]; then echo 'ensurepip is not available'; exit 1; fi\n"
	if err := os.WriteFile(filepath.Join(dir, "python3"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	err := Paths{Data: t.TempDir()}.InstallJupyter(context.Background())
	if err == nil || !strings.Contains(err.Error(), "ensurepip") || !strings.Contains(err.Error(), "apt install python3-venv") {
		t.Errorf("the error does not say what to install: %v", err)
	}
}
