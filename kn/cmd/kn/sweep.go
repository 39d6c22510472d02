package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// sweepFlags say what to sweep; sweep and merge must be given the same.
type sweepFlags struct {
	facts, out string
	integral   integral
	limit      cli.Count
	answers    cli.Count
	options    sweep.Options
}

func (f *sweepFlags) flags(a *app, cmd *cobra.Command) {
	a.modelFlags(cmd)
	cli.Known(cmd.Flags().MarkHidden("no-cache")) // a sweep keeps its results itself
	cmd.Flags().StringVar(&f.facts, "facts", "", "`DATA` set: PARAREL's folder, LAMA's, or a file of facts with prompts; without\nit what the model was taught")
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "`DIR` of the sweep's files (required)")
	cmd.Flags().StringSliceVar(&f.options.Relations, "relations", nil, "only these relations, Wikidata `PROPERTIES` such as P19,P36")
	cmd.Flags().Var(&f.limit, "limit", "at most so many facts of each relation, drawn")
	cmd.Flags().Uint64Var(&f.options.Seed, "seed", 1, "of the draw")
	cmd.Flags().Var(&f.answers, "answer-tokens", "longest answer in `TOKENS`; without it 1, and any length for a causal model")
	f.integral.flags(cmd)
	cli.Known(cmd.Flags().Lookup("tolerance").Value.Set(strconv.FormatFloat(sweep.DefaultTolerance, 'g', -1, 64)))
	cmd.Flags().Lookup("tolerance").DefValue = cmd.Flags().Lookup("tolerance").Value.String()
	cli.Require(cmd, "out")
	cli.Known(cmd.MarkFlagDirname("out"))
}

// open returns the model and the facts, and fills in the options.
func (f *sweepFlags) open(a *app, cmd *cobra.Command) (*kn.Model, facts.Source, error) {
	f.options.Limit, f.options.AnswerTokens = int(f.limit), int(f.answers)
	if err := f.integral.apply(cmd, &f.options.Attribute); err != nil {
		return nil, nil, err
	}
	m, err := a.load(cmd.Context())
	if err != nil {
		return nil, nil, err
	}
	source, err := factSource(m, f.facts)
	return m, source, err
}

func (a *app) sweep() *cobra.Command {
	var f sweepFlags
	var shard string
	var slurm slurmFlag
	var dry bool
	cmd := &cobra.Command{
		Use:   "sweep --model MODEL --out DIR [--facts DATA]",
		Short: "Attribute all prompts of a data set of facts",
		Long: `Attribute the answer to the neurons in every prompt of every fact, by integrated
gradients and by the activation baseline at once, and append the large scores
to a file in DIR, a prompt's as soon as they are there. Killed at any moment, the
same command goes on from there and computes nothing twice but the prompts that
it was at, one for each core if the model is small. The rate is measured
first, and the machine-hours that the whole will take are said; compiling, some
minutes on a GPU, comes on top.

With --shard i/n only the i-th of n parts is attributed, on any machine; kn
merge then checks that nothing is missing. What the model cannot be asked, such
as an answer of more tokens than --answer-tokens, is counted and listed; with
--dry-run that is all, and nothing is attributed.

With --slurm the sweep is submitted to a Slurm cluster: an array job with a
shard a task, and a merge job that runs when all tasks have ended well. A task
is requeued, and goes on where it was, a minute before its time limit, when its
kn is killed (by want of memory, say), and when its node fails; not when it is
cancelled, nor again and again without attributing anything. Besides tasks=N
what sbatch takes can be given, such as time=2:00:00, gpus=1, cpus=8, mem=16G,
partition=long, account=us or exclude=node1,node2; the merge job gets all of it
but the GPUs. Model, facts and DIR must be where all machines see them. Given
again when the jobs have ended, the same command computes what is missing.`,
		Example: `  kn sweep --model mini --relations P36 --limit 3 --out ./capitals
  kn sweep --model mini --out ./all --slurm tasks=8,time=2:00:00,cpus=4 --dry-run
  kn sweep --model google-bert/bert-base-cased --facts ./pararel --answer-tokens 20 --out ./sweep --dry-run
  kn sweep --model google-bert/bert-base-cased --facts ./pararel --shard 1/4 --out ./sweep`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) (err error) {
			if f.options.Shard, f.options.Shards, err = parseShard(shard); err != nil {
				return err
			}
			switch {
			case slurm.tasks > 0 && shard != "":
				return cli.Usagef("--shard is for one part, --slurm for all of them: give one of the two")
			case slurm.tasks > 0:
				return a.slurm(cmd, &f, slurm, dry)
			}
			m, source, err := f.open(a, cmd)
			if err != nil {
				return err
			}
			if dry {
				summary, err := sweep.Check(cmd.Context(), m, source, f.out, f.options)
				if err != nil {
					return err
				}
				return a.print(summary, func(w *bytes.Buffer) { writeSweep(w, a.out, f.out, summary) })
			}
			f.options.Projected = a.projected
			summary, err := sweep.Run(cmd.Context(), m, source, f.out, f.options, a.bar.Step)
			if errors.Is(err, context.Canceled) {
				a.bar.Finish()
				fmt.Fprintf(a.stderr, "the sweep can go on: %s keeps what was attributed, and the same command resumes it\n", f.out)
			}
			if err != nil {
				return err
			}
			return a.print(summary, func(w *bytes.Buffer) { writeSweep(w, a.out, f.out, summary) })
		}),
	}
	f.flags(a, cmd)
	cmd.Flags().StringVar(&shard, "shard", "", "only this part, `i/n`: the i-th of n, from 1")
	cmd.Flags().Var(&slurm, "slurm", "submit the sweep to Slurm in N tasks, with any options of sbatch,\nsuch as tasks=8,time=2:00:00,gpus=1")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say how many facts and prompts can be asked, or with --slurm what would be\nsubmitted, and leave it")
	return cmd
}

// projected says how long a sweep is going to take, to who watches; to a log
// only where it is long, so that scripts of small sweeps stay silent.
func (a *app) projected(p sweep.Projection) {
	const long = 1. / 60 // machine-hours
	if a.err.Terminal || p.MachineHours >= long {
		a.bar.Finish()
		fmt.Fprintln(a.stderr, p)
	}
}

// parseShard reads i/n; "" is all.
func parseShard(text string) (shard, shards int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	first, second, _ := strings.Cut(text, "/")
	shard, err1 := strconv.Atoi(first)
	shards, err2 := strconv.Atoi(second)
	if err1 != nil || err2 != nil || shard < 1 || shard > shards {
		return 0, 0, cli.Usagef("--shard %q: give i/n, such as 1/4 to 4/4", text)
	}
	return shard, shards, nil
}

func (a *app) merge() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "merge --model MODEL --out DIR [--facts DATA] [FROM...]",
		Short: "Check that a sweep's shards are complete, and make one file of them",
		Long: `Check that the shards in the folders FROM, or in DIR itself, have every prompt of
the data set exactly once, and write them to ` + sweep.RecordsFile + ` in DIR, in the data
set's order. Model, facts and options are those of kn sweep. What is missing is
said, and which shard to run again. The file's bytes do not depend on how many
shards there were.`,
		Example: `  kn merge --model google-bert/bert-base-cased --facts ./pararel --out ./sweep
  kn merge --model google-bert/bert-base-cased --facts ./pararel --out ./whole ./machine-1 ./machine-2`,
		RunE: cli.Checked(func(cmd *cobra.Command, from []string) error {
			m, source, err := f.open(a, cmd)
			if err != nil {
				return err
			}
			summary, err := sweep.Merge(cmd.Context(), m, source, f.out, from, f.options, a.bar.Step)
			if err != nil {
				return err
			}
			return a.print(summary, func(w *bytes.Buffer) { writeSweep(w, a.out, f.out, summary) })
		}),
	}
	f.flags(a, cmd)
	return cmd
}

func writeSweep(w *bytes.Buffer, s cli.Style, dir string, r *sweep.Summary) {
	fmt.Fprintf(w, "%s: %d facts with %d prompts", s.Good(dir), r.Facts, r.Prompts)
	if r.Shards > 1 {
		fmt.Fprintf(w, ", of which this is shard %d of %d", r.Shard, r.Shards)
	}
	fmt.Fprintln(w)
	if r.Computed+r.Found > 0 {
		fmt.Fprintf(w, "%d prompts attributed, %d found from before\n", r.Computed, r.Found)
	}
	if r.PromptsPerSecond > 0 {
		fmt.Fprintf(w, "%.3g prompts a second, %.3g machine-hours for all of them\n", r.PromptsPerSecond, r.ProjectedHours)
	}
	if r.NotConverged > 0 {
		fmt.Fprintln(w, s.Bad("warning:"), r.NotConverged, "prompts did not converge; give more --nodes, or a larger --tolerance")
	}
	for _, reason := range slices.Sorted(maps.Keys(r.LeftOutCounts)) {
		fmt.Fprintf(w, "left out: %d, %s\n", r.LeftOutCounts[reason], reason)
	}
}
