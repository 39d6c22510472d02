// Command kn asks BERT models for facts and for the neurons that hold them.
//
// It is the library github.com/knowledge-neurons/gonb-kn/kn on a command line,
// for scripts and for checking: "kn help" lists the commands, and each prints
// a readable table, or with --json exactly one JSON object.
//
// Exit status: 0 success, 1 failure, 2 wrong usage, 130 interrupted; "kn verify
// --help" has more.
package main

import "github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"

func main() { cli.Main(run) }
