package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// app is one run of the program: its streams, and the flags that most
// commands share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	out, err       style // of the two streams
	bar            *bar

	json    bool
	model   string
	noCache bool
}

// jsonFlag adds --json to a command.
func (a *app) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.json, "json", false, "print one JSON object instead of tables")
}

// modelFlags adds the flags of commands that take a model.
func (a *app) modelFlags(cmd *cobra.Command) {
	a.jsonFlag(cmd)
	cmd.Flags().StringVarP(&a.model, "model", "m", "", "`MODEL`: mini, a folder, or owner/name on the Hugging Face hub (required)")
	cmd.Flags().BoolVar(&a.noCache, "no-cache", false, "neither look results up in the cache nor keep them")
	require(cmd, "model")
	known(cmd.MarkFlagDirname("model"))
}

// load opens the model that --model names.
func (a *app) load(ctx context.Context) (*kn.Model, error) {
	a.bar = newBar(a.stderr, a.err)
	options := []kn.Option{kn.WithContext(ctx), kn.WithProgress(a.bar.step)}
	if a.noCache {
		options = append(options, kn.WithCache("off"))
	}
	m, err := kn.Load(a.model, options...)
	if _, missing := os.Stat(a.model); err != nil && missing != nil && strings.Contains(a.model, "/") && !strings.Contains(err.Error(), "no folder") {
		// It was taken for a name on the hub; perhaps it was meant as a path.
		return nil, fmt.Errorf("%w; and there is no folder %s", err, a.model)
	}
	return m, err
}

// print writes v as JSON, or what text writes, to standard output: all of it
// at the end, so that a failure leaves nothing half said.
func (a *app) print(v any, text func(w *bytes.Buffer)) error {
	a.bar.finish()
	var buffer bytes.Buffer
	if a.json {
		encoder := json.NewEncoder(&buffer)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			return fmt.Errorf("writing the result as JSON: %w", err)
		}
	} else {
		text(&buffer)
	}
	w := bufio.NewWriter(a.stdout)
	_, err := buffer.WriteTo(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// require makes flags required.
func require(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		known(cmd.MarkFlagRequired(name))
	}
}

// complete lets a shell complete a flag by a list of words.
func complete(cmd *cobra.Command, flag string, words ...string) {
	known(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)))
}

// known panics over a flag that was never defined: a mistake in this program.
func known(err error) {
	if err != nil {
		panic(err)
	}
}
