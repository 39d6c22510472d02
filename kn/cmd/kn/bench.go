package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// benchHelp is the help of kn bench around the list of its rows.
const benchHelp = `Measure how long attribution takes, side by side with the published tools, and
print a Markdown table of what was measured.

The model has the size of BERT-base and random weights, made once and kept in
the user's cache folder or where --dir says; the prompt has 14 tokens; the
answer is the word that the model finds most probable. All compute in float32
on all cores of the CPU, one at a time: each contender is a process of its own,
gives a first result that does not count (it loads, compiles and fills the
system's file cache), and then they repeat in turn. Nothing comes from the cache
of results but in the row about it.

Error is the largest error of a score as a share of the largest score, measured
against 64 Gauss-Legendre nodes, which are checked against 128. Peak memory is
the process's, from its start.

The published tools are measured when --peers installs them (PyTorch and
knowledge-neurons, some gigabytes of Python packages, kept for the next time)
or --python names a Python that has them. XLA needs a kn that was built with it
and a plug-in; where it is missing, its rows say so. The rows are

`

func benchLong() string {
	var b strings.Builder
	b.WriteString(benchHelp)
	for _, row := range benchRows {
		fmt.Fprintf(&b, "  %-13s  %s\n", row.name, strings.ReplaceAll(row.help, "\n", "\n"+strings.Repeat(" ", 17)))
	}
	return strings.TrimRight(b.String(), "\n")
}

func (a *app) bench() *cobra.Command {
	var rows rowsFlag
	var dir, python, size string
	var peers bool
	repeats := countFlag(5)
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure attribution against the published tools",
		Long:  benchLong(),
		Example: `  kn bench --peers
  kn bench --rows go-adaptive,memory --repeats 3 --python ~/venv/bin/python --json > bench.json`,
		Args: cobra.NoArgs,
		RunE: checked(func(cmd *cobra.Command, _ []string) error {
			if peers && python != "" {
				return usagef("--peers installs the published tools and --python names a Python that has them; give one of the two")
			}
			if _, ok := benchSizes()[size]; !ok {
				return usagef("--size %s: use base or tiny", size)
			}
			b := &benchmark{Machine: thisMachine(), Version: kn.Version, Repeats: int(repeats), Prompt: benchPrompts[benchPrompt]}
			b.say = func(format string, args ...any) {
				fmt.Fprintf(a.stderr, "%s %s\n", a.err.faint("kn bench:"), fmt.Sprintf(format, args...))
			}
			if len(rows) == 0 {
				rows = benchRowNames()
			}
			if err := a.runBench(cmd, b, rows, dir, size, python, peers); err != nil {
				return err
			}
			return a.print(b, func(w *bytes.Buffer) { b.write(w) })
		}),
	}
	a.jsonFlag(cmd)
	cmd.Flags().Var(&rows, "rows", "measure only these rows of the table")
	cmd.Flags().Var(&repeats, "repeats", "how often each contender repeats")
	cmd.Flags().BoolVar(&peers, "peers", false, "install the published tools into an environment of their own")
	cmd.Flags().StringVar(&python, "python", "", "`PATH` of a Python that has the published tools")
	cmd.Flags().StringVar(&dir, "dir", "", "`FOLDER` for the checkpoint and the published tools instead of one in the\nuser's cache folder")
	cmd.Flags().StringVar(&size, "size", "base", "size of the model: base, or tiny to try the program")
	known(cmd.Flags().MarkHidden("size"))
	known(cmd.MarkFlagFilename("python"))
	known(cmd.MarkFlagDirname("dir"))
	complete(cmd, "rows", benchRowNames()...)
	cmd.AddCommand(a.benchChild())
	return cmd
}

// runBench prepares what b needs, and runs it.
func (a *app) runBench(cmd *cobra.Command, b *benchmark, rows []string, dir, size, python string, peers bool) (err error) {
	ctx := cmd.Context()
	if b.program, err = os.Executable(); err != nil {
		return fmt.Errorf("cannot find this program to run it: %w", err)
	}
	if dir, err = filepath.Abs(cmp.Or(dir, filepath.Join(xdg.CacheHome, "gonb-kn", "bench"))); err != nil {
		return err
	}
	if python == "" {
		python, err = peersPython(ctx, dir, peers, a.stderr, b.say)
	}
	if err == nil && python != "" {
		err = checkPeers(ctx, python)
	}
	if err != nil {
		return err
	}
	b.python = python
	if b.Model, err = benchModel(ctx, dir, size, b.say); err != nil {
		return err
	}
	if b.scratch, err = os.MkdirTemp("", "kn-bench-*"); err != nil {
		return fmt.Errorf("no place for what processes exchange: %w", err)
	}
	defer os.RemoveAll(b.scratch)
	return b.run(ctx, rows)
}
