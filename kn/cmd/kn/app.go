package main

import (
	"bytes"
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

// app is one run of the program: its streams, and the flags that most
// commands share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	out, err       cli.Style // of the two streams
	bar            *cli.Bar

	json    bool
	model   string
	noCache bool
	inTurn  bool // see --left-to-right
}

// jsonFlag adds --json to a command.
func (a *app) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.json, "json", false, "print one JSON object instead of tables")
}

// modelFlags adds the flags of commands that take a model.
func (a *app) modelFlags(cmd *cobra.Command) {
	a.jsonFlag(cmd)
	cmd.Flags().StringVarP(&a.model, "model", "m", "", "`MODEL`: mini, mini-gpt, a folder, or owner/name on the Hugging Face hub (required)")
	cmd.Flags().BoolVar(&a.noCache, "no-cache", false, "neither look results up in the cache nor keep them")
	cmd.Flags().BoolVar(&a.inTurn, "left-to-right", false, "a masked model predicts an answer of several tokens one after another\n(default: all at once, at as many [MASK]s)")
	cli.Require(cmd, "model")
	cli.Known(cmd.MarkFlagDirname("model"))
}

// load opens the model that --model names.
func (a *app) load(ctx context.Context) (*kn.Model, error) {
	a.bar = cli.NewBar(a.stderr, a.err)
	options := []kn.Option{kn.WithContext(ctx), kn.WithProgress(a.bar.Step)}
	if a.noCache {
		options = append(options, kn.WithCache("off"))
	}
	if a.inTurn {
		options = append(options, kn.WithOrder(kn.LeftToRight))
	}
	return cli.Load(a.model, options...)
}

// print writes v as JSON, or what text writes, to standard output: all of it
// at the end, so that a failure leaves nothing half said.
func (a *app) print(v any, text func(w *bytes.Buffer)) error {
	a.bar.Finish()
	return cli.Print(a.stdout, a.json, v, text)
}
