package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestExecute: the exit status and the words about a failure, a wrong usage that
// cobra sees or the command does, and an interrupt.
func TestExecute(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		ctx  context.Context
		args []string
		err  error
		code int
		says string
	}{
		{t.Context(), nil, nil, 0, ""},
		{t.Context(), nil, errors.New("kn: no\n\tfile"), ExitFailure, "error: no file\n"},
		{t.Context(), nil, fmt.Errorf("do: %w", WithStatus(errors.New("no"), 7)), 7, "error: do: no\n"},
		{t.Context(), nil, Usagef("--n %d: too few", 1), ExitUsage, "error: --n 1: too few; see tool do --help\n"},
		{t.Context(), nil, fmt.Errorf("do: %w", Usagef("wrong")), ExitUsage, "error: do: wrong; see tool do --help\n"},
		{t.Context(), []string{"more"}, nil, ExitUsage, "see tool do --help\n"},
		{t.Context(), []string{"--n", "0"}, nil, ExitUsage, "must be a whole number of at least 1; see tool do --help\n"},
		{stopped, nil, stopped.Err(), ExitInterrupted, "tool: interrupted\n"},
	} {
		n := Count(1)
		do := &cobra.Command{Use: "do", Args: cobra.NoArgs, RunE: Checked(func(*cobra.Command, []string) error { return c.err })}
		do.Flags().Var(&n, "n", "how many")
		root := &cobra.Command{Use: "tool", SilenceErrors: true, SilenceUsage: true}
		root.AddCommand(do)
		root.SetArgs(append([]string{"do"}, c.args...))
		var stderr strings.Builder
		finished := false
		code := Execute(c.ctx, root, &stderr, NewStyle(&stderr), func() { finished = stderr.Len() == 0 })
		if code != c.code || !strings.HasSuffix(stderr.String(), c.says) || (c.says == "") != (stderr.Len() == 0) || !finished {
			t.Errorf("%v of %v: exit status %d, %q; want %d, %q", c.args, c.err, code, stderr.String(), c.code, c.says)
		}
	}
}
