package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLaunch starts a stand-in for gonb, which says its process and what it
// was told: the process is the one that was launched.
func TestLaunch(t *testing.T) {
	data, root := t.TempDir(), t.TempDir()
	program := filepath.Join(data, "bin", "gonb-kn")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	write(t, filepath.Join(data, "bin", "gonb"), "#!/bin/sh\necho \"$$ $KN_KERNEL_PID $KN_WORKER $1\"\n")
	write(t, filepath.Join(root, "go.mod"), "module example.org/a\n")
	cmd := exec.Command(program, "launch", "-root", root, "-go", "/real/go", "connection.json")
	cmd.Env = append(os.Environ(), "KN_KERNEL_PID=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(out))
	if len(got) != 4 || got[0] != got[1] || got[2] != filepath.Join(data, "bin", "kn") || got[3] != "-kernel=connection.json" {
		t.Errorf("gonb was started with %q", got)
	}
}
