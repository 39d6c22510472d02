package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

// benchHelp is the help around the list of the rows.
const benchHelp = `Measure how long attribution takes, side by side with the published tools, and
print a Markdown table of what was measured.

Without --model the model has the size of BERT-base and random weights, made
once and kept in the user's cache folder or where --dir says. With --model it is
one with weights of its own: a folder, or one of the Hugging Face hub.

The prompt asks for the capital of France in 14 tokens. The answer is Paris where
--model names a model whose vocabulary has it as one token, and otherwise the
word that the model finds most probable. --prompt and --answer ask something
else; the answer to a prompt of one's own is by default the most probable word.
The rows about nine prompts always attribute the same nine, which say the fact of
the built-in prompt in 8 to 16 tokens. --answer is theirs too, unless --prompt
asks something else.

All compute in float32 on all cores of the CPU, one at a time: each contender is
a process of its own, gives a first result that does not count (it loads,
compiles and fills the system's file cache), and then they repeat in turn.
Nothing comes from the cache of results but in the row about it.

Error is the largest error of a score as a share of the largest score, measured
against 64 Gauss-Legendre nodes, which are checked against 128; of nine prompts,
the error of the built-in one. Contenders that use one rule must agree to 0.1 %
of the largest score, or the report says that one is wrong. Peak memory is the
process's, from its start.

The published tools are measured when --peers installs them (PyTorch and
knowledge-neurons, some gigabytes of Python packages, kept for the next time)
or --python names a Python that has them. XLA needs -tags xla and a plug-in,
which "go run ./install -xla" installs; where it is missing, its rows say so.
Whole processes are those of the kn command, which is built for it as this
program was, or named with --kn. The rows are

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
	var o benchOptions
	repeats := cli.Count(5)
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure attribution against the published tools",
		Long:  benchLong(),
		Example: `  go run -tags xla ./kn/cmd/bench --peers
  go run -tags xla ./kn/cmd/bench --model ./bert-base-cased --peers
  go run -tags xla ./kn/cmd/bench --model google-bert/bert-base-cased --prompt "Mozart was born in [MASK]." --answer Salzburg --rows xla-adaptive
  go run ./kn/cmd/bench --rows go-adaptive,memory --repeats 3 --python ~/venv/bin/python --json > bench.json`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			b := &benchmark{Machine: thisMachine(), Version: kn.Version, Repeats: int(repeats)}
			b.say = func(format string, args ...any) {
				fmt.Fprintf(a.stderr, "%s %s\n", a.err.Faint("bench:"), fmt.Sprintf(format, args...))
			}
			if err := a.runBench(cmd.Context(), b, o); err != nil {
				return err
			}
			return cli.Print(a.stdout, a.json, b, func(w *bytes.Buffer) { b.write(w) })
		}),
	}
	cmd.SetIn(a.stdin)
	cmd.SetOut(a.stdout)
	cmd.SetErr(a.stderr)
	cmd.CompletionOptions.DisableDefaultCmd = true
	cmd.SetHelpCommand(&cobra.Command{Hidden: true}) // --help says all
	cmd.Flags().BoolVar(&a.json, "json", false, "print one JSON object instead of the table")
	cmd.Flags().StringVarP(&a.model, "model", "m", "", "`MODEL` to measure instead of random weights: a folder, or owner/name on the\nHugging Face hub")
	cmd.Flags().StringVarP(&o.prompt, "prompt", "p", benchPrompts[benchPrompt], "`PROMPT` with one [MASK]")
	cmd.Flags().StringVarP(&o.answer, "answer", "a", "", "`TOKEN` to attribute instead of the one that the text above says")
	cmd.Flags().Var(&o.rows, "rows", "measure only these rows of the table")
	cmd.Flags().Var(&repeats, "repeats", "how often each contender repeats")
	cmd.Flags().BoolVar(&o.peers, "peers", false, "install the published tools into an environment of their own")
	cmd.Flags().StringVar(&o.python, "python", "", "`PATH` of a Python that has the published tools")
	cmd.Flags().StringVar(&o.kn, "kn", "", "`PATH` of the kn command to measure instead of one that is built for it")
	cmd.Flags().StringVar(&o.dir, "dir", "", "`FOLDER` for the checkpoint and the published tools instead of one in the\nuser's cache folder")
	cmd.Flags().StringVar(&o.size, "size", "base", "size of the random checkpoint: base, or tiny to try the program")
	cli.Known(cmd.Flags().MarkHidden("size"))
	cmd.AddCommand(a.benchChild())
	return cmd
}

// benchOptions are the flags but for the model.
type benchOptions struct {
	prompt, answer string
	answered       bool // --answer was given
	rows           rowsFlag
	kn, dir        string
	python, size   string
	peers          bool
}

// check reports wrong usage, and fills in what was left out.
func (o *benchOptions) check(cmd *cobra.Command) error {
	o.answered = cmd.Flags().Changed("answer")
	if len(o.rows) == 0 {
		o.rows = benchRowNames()
	}
	if _, ok := benchSizes()[o.size]; !ok {
		return cli.Usagef("--size %s: use base or tiny", o.size)
	}
	switch named := cmd.Flags().Changed("model"); {
	case o.peers && o.python != "":
		return cli.Usagef("--peers installs the published tools and --python names a Python that has them; give one of the two")
	case named && cmd.Flags().Changed("size"):
		return cli.Usagef("--size is that of the random checkpoint and --model names another one; give one of the two")
	}
	return nil
}

// runBench prepares what b needs, and runs it.
func (a *app) runBench(ctx context.Context, b *benchmark, o benchOptions) (err error) {
	if b.self, err = os.Executable(); err != nil {
		return fmt.Errorf("cannot find this program to run it: %w", err)
	}
	if b.kn, err = findKn(o.kn); err != nil {
		return err
	}
	dir, err := filepath.Abs(cmp.Or(o.dir, filepath.Join(xdg.CacheHome, "gonb-kn", "bench")))
	if err != nil {
		return err
	}
	if err := a.openBenchModel(ctx, b, dir, o.size); err != nil {
		return err
	}
	if err := b.checkQuestion(o); err != nil {
		return err
	}
	b.python = o.python
	if b.python == "" {
		b.python, err = peersPython(ctx, dir, o.peers, a.stderr, b.say)
	}
	if err == nil && b.python != "" {
		err = checkPeers(ctx, b.python)
	}
	if err != nil {
		return err
	}
	if b.scratch, err = os.MkdirTemp("", "kn-bench-*"); err != nil {
		return fmt.Errorf("no place for what processes exchange: %w", err)
	}
	defer os.RemoveAll(b.scratch)
	if b.kn == "" {
		if b.kn, err = buildKn(ctx, b.scratch, a.stderr, b.say); err != nil {
			return err
		}
	}
	return b.run(ctx, o)
}
