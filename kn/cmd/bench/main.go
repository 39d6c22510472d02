// Command bench measures how long attribution takes, side by side with the
// published tools, and prints a Markdown table of what was measured, or with
// --json exactly one JSON object:
//
//	GOEXPERIMENT=simd go run -tags xla ./kn/cmd/bench --peers --model FOLDER
//
// It is no part of the kn command, and measures the one that it is built with.
//
// Exit status: 0 success, 1 failure, 2 wrong usage, 130 interrupted.
package main

import (
	"context"
	"io"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	_ "github.com/knowledge-neurons/gonb-kn/kn/mini" // which a row measures
)

func main() { cli.Main(run) }

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, err: cli.NewStyle(stderr)}
	root := a.bench()
	root.SetArgs(args)
	return cli.Execute(ctx, root, stderr, a.err, func() { a.bar.Finish() })
}

// app is one run of the program: its streams, and its flags that are not about
// what is measured.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	err            cli.Style // of stderr
	bar            *cli.Bar

	json  bool
	model string
}
