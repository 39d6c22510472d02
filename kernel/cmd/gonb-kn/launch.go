package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/knowledge-neurons/gonb-kn/kernel"
)

// startKernel becomes gonb, in the environment of kernel.Paths.Environment.
func startKernel(root, goPath, connection string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return fmt.Errorf("the module is no longer in %s: run \"go run ./install\" in its folder", root)
	}
	p := kernel.Paths{Root: root, Go: goPath, Data: filepath.Dir(filepath.Dir(self))}
	gonb := p.Program("gonb")
	// Only what goes wrong is logged: the rest would fill the terminal that
	// Jupyter runs in.
	args := []string{gonb, "-kernel=" + connection, "-go_work=" + root, "-logtostderr=false", "-alsologtostderr=false", "-stderrthreshold=FATAL", "-log_file=" + os.DevNull}
	// The process stays the same one when it becomes gonb.
	env := append(p.Environment(os.Environ()), kernel.ProcessVariable+"="+strconv.Itoa(os.Getpid()))
	err = syscall.Exec(gonb, args, env)
	return fmt.Errorf("%s cannot be started: %w: run \"go run ./install\"", gonb, err)
}
