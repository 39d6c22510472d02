// Install sets up everything that the notebooks need, and shows the first
// result: the kernel, Jupyter if there is none, and the quickstart notebook
// executed and saved as a page.
//
//	go run ./install             set up; what is there already is left alone
//	go run ./install -xla        set up, and XLA for large models on the CPU
//	go run ./install -cuda       set up, and XLA for NVIDIA GPUs
//	go run ./install -check      say what is there and what to do about faults
//	go run ./install -uninstall  take all of it away
//
// With -plugin-only besides -xla or -cuda nothing is set up but XLA's
// plug-in. Once a plug-in is there, a plain "go run ./install" builds the kn
// command with XLA too. The plug-in that -cuda installs was tried on an
// H200, the installation itself on a machine without a GPU.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/knowledge-neurons/gonb-kn/kernel"
)

// options are the command's flags.
type options struct {
	check, uninstall      bool
	xla, cuda, pluginOnly bool
}

// valid says whether the flags make sense together.
func (o options) valid() bool {
	plugin := o.xla || o.cuda
	if o.check || o.uninstall {
		return !plugin && !o.pluginOnly && o.check != o.uninstall
	}
	return plugin || !o.pluginOnly
}

func main() {
	var o options
	flag.BoolVar(&o.check, "check", false, "say what is installed, and what to do about each fault")
	flag.BoolVar(&o.uninstall, "uninstall", false, "remove everything that install has made")
	flag.BoolVar(&o.xla, "xla", false, "also install XLA for the CPU, which makes large models quicker (200 MB; needs a C compiler)")
	flag.BoolVar(&o.cuda, "cuda", false, "also install XLA for NVIDIA GPUs (4 GB; needs a C compiler and a driver for CUDA 13)")
	flag.BoolVar(&o.pluginOnly, "plugin-only", false, "with -xla or -cuda: install the plug-in and nothing else")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Sets up the "+kernel.DisplayName+" kernel for Jupyter and runs the quickstart notebook.")
		fmt.Fprintln(flag.CommandLine.Output(), "\nUsage: go run ./install [-xla] [-cuda] [-plugin-only] | -check | -uninstall")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 || !o.valid() {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "\ninstall:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	p, err := kernel.Locate()
	if err != nil {
		return err
	}
	switch {
	case o.check:
		return report(os.Stdout, p.Check(ctx))
	case o.uninstall:
		return remove(os.Stdout, p)
	default:
		return setUp(ctx, os.Stdout, p, o)
	}
}
