// Command kn asks BERT models for facts and for the neurons that hold them.
//
// It is the library github.com/knowledge-neurons/gonb-kn/kn on a command line,
// for scripts and for checking: "kn help" lists the commands, and each prints
// a readable table, or with --json exactly one JSON object.
//
// Exit status: 0 success, 1 failure, 2 wrong usage, 130 interrupted.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		time.Sleep(time.Second) // one Ctrl-C can reach a program twice, through whatever runs it
		stop()                  // a second Ctrl-C ends the program at once
	})
	limitsAreErrors()
	collectEarly()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// collectEarly lets garbage grow to half of what is in use, not to as much,
// unless GOGC says otherwise: a large model's weights are in use all the time.
// Attribution with BERT-base then peaks at 1.1 GB instead of 1.3 to 1.5, and
// takes no longer.
func collectEarly() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
