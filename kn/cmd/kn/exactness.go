package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

func (a *app) exactness() *cobra.Command {
	var data string
	var options experiments.ExactnessOptions
	prompts, check := cli.Count(300), cli.Count(0)
	cmd := &cobra.Command{
		Use:   "exactness --model MODEL [--facts DATA]",
		Short: "Test whether attributions are as exact as they promise",
		Long: `Test what the adaptive rule of kn attribute promises: that every score is within
the tolerance, a share of the prompt's largest score, or that it says that it did
not converge. Prompts are drawn evenly from the relations of a data set, and
attributed to tolerances of 0.01 and 0.001. Errors are those against the same
rule to 0.00001, which in every tenth prompt is itself compared with
Gauss-Legendre nodes. A tolerance is kept if at least 99.5 % of the prompts are
within it, and each of the others is off by less than three times as much or
reported as not converged.

300 prompts take some minutes with mini, and about an hour with a BERT-base on
two cores. What is attributed is kept in the cache, 2.4 MB a prompt of a model of
BERT-base's size: after Ctrl-C the same command goes on from there.`,
		Example: `  kn exactness --model mini --prompts 10
  kn exactness --model google-bert/bert-base-cased --facts ./pararel --json > exactness.json`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			options.Prompts, options.CheckNodes = int(prompts), int(check)
			t, err := a.testExactness(cmd.Context(), data, options)
			if err != nil {
				return err
			}
			return a.print(t, func(w *bytes.Buffer) { writeExactness(w, a.out, t) })
		}),
	}
	a.modelFlags(cmd)
	cmd.Flags().StringVar(&data, "facts", "", "`DATA` set: PARAREL's folder, LAMA's, or a file of facts with prompts; without\nit what the model was taught")
	cmd.Flags().Var(&prompts, "prompts", "number of prompts to draw")
	cmd.Flags().Var(&check, "check-nodes", "compare every tenth reference with this many Gauss-Legendre nodes a layer;\na ReLU's jumping gradient needs thousands")
	cmd.Flags().Lookup("check-nodes").DefValue = "64; 32 for models of 20 million parameters or more, 4096 with a ReLU"
	cmd.Flags().Uint64Var(&options.Seed, "seed", 1, "of the draw")
	return cmd
}

// testExactness runs the experiment on prompts of a data set.
func (a *app) testExactness(ctx context.Context, data string, o experiments.ExactnessOptions) (*experiments.ExactnessTable, error) {
	m, err := a.load(ctx)
	if err != nil {
		return nil, err
	}
	source, err := factSource(m, data)
	if err != nil {
		return nil, err
	}
	// No relation gives more facts than there are prompts.
	source = facts.Draw(facts.Usable(source, m.Reader(), nil), o.Prompts, o.Seed)
	var drawn []experiments.Fact
	for b, err := range source {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		drawn = append(drawn, experiments.Fact{Bag: b})
	}
	if len(drawn) == 0 {
		return nil, fmt.Errorf("the data set has no fact that %s can be asked; kn sweep lists why", a.model)
	}
	t, err := experiments.Exactness(ctx, m, drawn, o, a.bar.Step)
	if errors.Is(err, context.Canceled) && !a.noCache {
		a.bar.Finish()
		fmt.Fprintln(a.stderr, "the test can go on: what was attributed is in the cache, and the same command finds it")
	}
	return t, err
}

func writeExactness(w *bytes.Buffer, s cli.Style, t *experiments.ExactnessTable) {
	table := newTable("tolerance", ">within", ">share", ">95 % interval", ">worst", ">not converged", ">worst other", ">too low", ">nodes", "verdict")
	for _, r := range t.Tolerances {
		paint := s.Good
		if r.Verdict != experiments.PromiseKept {
			paint = s.Bad
		}
		table.add(paint, ofLargest(r.Tolerance), fmt.Sprintf("%d of %d", r.Within, r.Prompts), share(r.Share.Mean), interval(r.Share, share),
			times(r.Worst), r.NotConverged, times(r.WorstConverged), fmt.Sprintf("%d of %d", r.BelowSeen, r.Layers), fmt.Sprintf("%.1f", r.Nodes), r.Verdict)
	}
	table.write(w, s)
	fmt.Fprintln(w, s.Faint(`worst: the largest error, in tolerances, of any prompt and of those that are not reported as
not converged; too low: layers that were estimated to be more exact than they are; nodes: a layer`))
	fmt.Fprintf(w, "\nReference: adaptive to %s, %.1f nodes a layer", ofLargest(t.Reference.Tolerance), t.Reference.Nodes)
	if t.Reference.NotConverged > 0 {
		fmt.Fprintf(w, "; not converged in %d prompts, by its estimate within %s", t.Reference.NotConverged, ofLargest(t.Reference.Estimate))
	}
	fmt.Fprintf(w, "\nGauss-Legendre with %d nodes a layer differs from it by %s at most, in %d of the prompts\n", t.Check.Nodes, ofLargest(t.Check.Difference), t.Check.Prompts)
	if !transformer.Smooth(t.Activation) {
		fmt.Fprintln(w, s.Faint(fmt.Sprintf("part of that is Gauss-Legendre's own error, as %s is not smooth; see --check-nodes", t.Activation)))
	}
	for _, r := range t.Tolerances {
		fmt.Fprintf(w, "\nThe worst prompts to %s\n", ofLargest(r.Tolerance))
		worst := newTable(">error", ">estimated", ">layer", "relation", "prompt", "answer")
		for _, p := range r.WorstPrompts {
			worst.add(nil, ofLargest(p.Error), ofLargest(p.Estimate), p.Layer, p.Relation, p.Prompt, p.Answer)
		}
		worst.write(w, s)
	}
}

// ofLargest prints a share of the largest score: 0.00123 as 0.12 %.
func ofLargest(f float64) string {
	return strconv.FormatFloat(100*f, 'g', 2, 64) + " %"
}

// times prints an error in units of the tolerance.
func times(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) + " ×" }
