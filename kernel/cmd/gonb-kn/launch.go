package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kernel/relay"
)

// startKernel runs the relay before gonb, which gets the environment of
// kernel.Paths.Environment.
func startKernel(root, goPath, connection string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return fmt.Errorf("the module is no longer in %s: run \"go run ./install\" in its folder", root)
	}
	p := kernel.Paths{Root: root, Go: goPath, Data: filepath.Dir(filepath.Dir(self))}
	// What is started for this kernel ends with this process.
	env := append(p.Environment(os.Environ()), kernel.ProcessVariable+"="+strconv.Itoa(os.Getpid()))
	command := func(connectionFile string) *exec.Cmd {
		// Only what ends it is logged. Errors come as text, which the relay
		// reads.
		cmd := exec.Command(p.Program("gonb"), "-kernel="+connectionFile, "-go_work="+root, "-raw_error",
			"-logtostderr=false", "-alsologtostderr=false", "-stderrthreshold=FATAL", "-log_file="+os.DevNull)
		cmd.Env = env
		return cmd
	}
	doc := func(ctx context.Context, pkg, symbol string) (string, error) {
		cmd := exec.CommandContext(ctx, p.Go, "doc", pkg, symbol)
		cmd.Dir, cmd.Env = root, p.Environment(os.Environ())
		out, err := cmd.Output()
		return string(out), err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	return relay.Run(ctx, connection, relay.Config{Command: command, Version: kernel.Version, Doc: doc, Interrupts: interrupts})
}
