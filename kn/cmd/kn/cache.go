package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/cache"
)

type clearResult struct {
	Freed int64 `json:"freed"` // bytes
}

func (a *app) cache() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Look after the results that are kept on disk",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return cli.Usagef("say what to do with the cache: kn cache clear")
		},
	}
	clear := &cobra.Command{
		Use:     "clear",
		Short:   "Remove all results that are kept on disk",
		Long:    "Remove all results from the user's cache folder, or from where KN_CACHE says.\nNothing but time is lost: they are computed again when they are asked for.",
		Example: "  kn cache clear\n  KN_CACHE=/tmp/results kn cache clear",
		Args:    cobra.NoArgs,
		RunE: cli.Checked(func(*cobra.Command, []string) error {
			freed, err := cache.Default().Clear()
			if err != nil {
				return fmt.Errorf("clearing the cache: %w", err)
			}
			return a.print(clearResult{freed}, func(w *bytes.Buffer) {
				fmt.Fprintf(w, "freed %.1f MB\n", float64(freed)/1e6)
			})
		}),
	}
	a.jsonFlag(clear)
	cmd.AddCommand(clear)
	return cmd
}
