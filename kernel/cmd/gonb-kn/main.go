// Gonb-kn is the kernel and, under the names go and gopls, stands before the
// real ones on its PATH.
//
//	gonb-kn launch -root MODULE -go GO CONNECTION_FILE
//
// relays between Jupyter and a gonb in the kernel's environment. It is what the
// kernelspec runs.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	var err error
	switch {
	case name == "go":
		err = goCommand(os.Args[1:])
	case name == "gopls":
		err = startGopls(os.Args[1:])
	case len(os.Args) > 1 && os.Args[1] == "launch":
		err = launch(os.Args[2:])
	default:
		fmt.Fprintln(os.Stderr, "usage: gonb-kn launch -root MODULE -go GO CONNECTION_FILE")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gonb-kn:", err)
		os.Exit(1)
	}
}

// launch parses its arguments and is the kernel until Jupyter ends it.
func launch(args []string) error {
	flags := flag.NewFlagSet("gonb-kn launch", flag.ExitOnError)
	root := flags.String("root", "", "the module's folder")
	goPath := flags.String("go", "", "the real go command")
	_ = flags.Parse(args)
	if *root == "" || *goPath == "" || flags.NArg() != 1 {
		flags.Usage()
		os.Exit(2)
	}
	return startKernel(*root, *goPath, flags.Arg(0))
}
