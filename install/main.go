// Install sets up everything that the notebooks need, and shows the first
// result: the kernel, Jupyter if there is none, and the quickstart notebook
// executed and saved as a page.
//
//	go run ./install             set up; what is there already is left alone
//	go run ./install -check      say what is there and what to do about faults
//	go run ./install -uninstall  take all of it away
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

func main() {
	check := flag.Bool("check", false, "say what is installed, and what to do about each fault")
	uninstall := flag.Bool("uninstall", false, "remove everything that install has made")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Sets up the "+kernel.DisplayName+" kernel for Jupyter and runs the quickstart notebook.")
		fmt.Fprintln(flag.CommandLine.Output(), "\nUsage: go run ./install [-check | -uninstall]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 || *check && *uninstall {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *check, *uninstall); err != nil {
		fmt.Fprintln(os.Stderr, "\ninstall:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, check, uninstall bool) error {
	p, err := kernel.Locate()
	if err != nil {
		return err
	}
	switch {
	case check:
		return report(os.Stdout, p.Check(ctx))
	case uninstall:
		return remove(os.Stdout, p)
	default:
		return setUp(ctx, os.Stdout, p)
	}
}
