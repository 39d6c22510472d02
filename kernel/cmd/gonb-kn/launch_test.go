package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLaunch launches a kernel with a stand-in for gonb, which writes down what
// it was told and ends. The kernel lives on until it is told to end.
func TestLaunch(t *testing.T) {
	data, root := t.TempDir(), t.TempDir()
	program := filepath.Join(data, "bin", "gonb-kn")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	told := filepath.Join(data, "told")
	write(t, filepath.Join(data, "bin", "gonb"), "#!/bin/sh\necho \"$PPID $KN_KERNEL_PID $KN_WORKER $*\" > "+told+".new; mv "+told+".new "+told+"\n")
	write(t, filepath.Join(root, "go.mod"), "module example.org/a\n")
	write(t, filepath.Join(root, "connection.json"), `{"transport": "ipc", "ip": "`+filepath.Join(root, "s")+`", "shell_port": 1, "control_port": 2, "stdin_port": 3, "iopub_port": 4, "hb_port": 5, "key": "k"}`)
	cmd := exec.Command(program, "launch", "-root", root, "-go", "/real/go", filepath.Join(root, "connection.json"))
	cmd.Env = append(os.Environ(), "KN_KERNEL_PID=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for deadline := time.Now().Add(20 * time.Second); len(got) == 0; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(told)
		got = strings.Fields(string(text))
		if time.Now().After(deadline) {
			t.Fatal("gonb was not started")
		}
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	if len(got) < 6 || got[0] != pid || got[1] != pid || got[2] != filepath.Join(data, "bin", "kn") || !strings.HasPrefix(got[3], "-kernel=") || got[4] != "-go_work="+root || got[5] != "-raw_error" {
		t.Errorf("the kernel %s started gonb with %q", pid, got)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the kernel ended with %v", err)
	}
}
