package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/worker"
)

// worker is the command that the library starts to keep a model warm for the
// cells of notebooks. It is not for people.
func (a *app) worker() *cobra.Command {
	var dir, digest, backend string
	cmd := &cobra.Command{
		Use:    "worker",
		Short:  "Keep a model warm for the cells of notebooks (started by the library)",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			options, ok := worker.FromEnvironment()
			if !ok {
				return cli.Usagef("only the library starts a worker, when KN_WORKER names this program")
			}
			open := func(ctx context.Context) (*engine.Engine, error) {
				folder, err := checkpoint.OpenFolder(dir)
				if err != nil {
					return nil, err
				}
				now, err := folder.Digest()
				if err != nil {
					return nil, err
				}
				if now != digest {
					return nil, fmt.Errorf("kn: the files in %s have changed since the model was opened: run the cell again", dir)
				}
				e, chosen, err := engine.Open(ctx, folder, backend, nil)
				if err == nil {
					fmt.Fprintln(a.stderr, chosen)
				}
				return e, err
			}
			return worker.Serve(cmd.Context(), options, engine.Handler(open))
		}),
	}
	cmd.Flags().StringVar(&dir, "model", "", "folder of the model")
	cmd.Flags().StringVar(&digest, "digest", "", "what the model's files must have for digest")
	cmd.Flags().StringVar(&backend, "backend", "", "backend to compute on")
	return cmd
}
