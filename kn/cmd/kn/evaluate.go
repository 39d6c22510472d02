package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/pretrain"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

func (a *app) evaluate() *cobra.Command {
	var card bool
	var options pretrain.EvaluateOptions
	prompts, facts := cli.Count(20_000), cli.Count(400)
	cmd := &cobra.Command{
		Use:   "evaluate --model MODEL",
		Short: "Measure how well a model knows what it was taught",
		Long: `Measure a model of this project's pre-training: how often it ranks the answer
first, in sentences that it was taught a fact in, in sentences of ours that it
was not, and in PARAREL's; and what its knowledge neurons do when they are
suppressed and amplified, beside random ones. Intervals are 95 % bootstrap
confidence intervals.`,
		Example: `  kn evaluate --model mini --prompts 2000 --facts 50
  kn evaluate --model ./mini --patterns ./pararel/data/pattern_data/graphs_json --card`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			if info, err := os.Stat(a.model); card && (err != nil || !info.IsDir()) {
				return cli.Usagef("--card writes into the model's folder, and %s is none", a.model)
			}
			options.Prompts, options.Facts = int(prompts), int(facts)
			e, err := a.measure(cmd.Context(), a.model, options, card)
			if err != nil {
				return err
			}
			return a.print(e, func(w *bytes.Buffer) { writeEvaluation(w, a.out, e) })
		}),
	}
	a.modelFlags(cmd)
	cli.Known(cmd.Flags().MarkHidden("no-cache")) // nothing is looked up
	cmd.Flags().StringVar(&options.Patterns, "patterns", "", "`DIR` of PARAREL's patterns, a file such as P19.jsonl for each relation")
	cmd.Flags().Var(&prompts, "prompts", "prompts to draw for each kind of recall")
	cmd.Flags().Var(&facts, "facts", "facts to study the neurons of")
	cmd.Flags().Uint64Var(&options.Seed, "seed", 1, "of what is drawn")
	cmd.Flags().BoolVar(&card, "card", false, "write the model card, and the measures as JSON, into the model's folder")
	cli.Known(cmd.MarkFlagDirname("patterns"))
	return cmd
}

// measure evaluates a model under a progress bar and, if asked to, writes its card.
func (a *app) measure(ctx context.Context, model string, options pretrain.EvaluateOptions, card bool) (*pretrain.Evaluation, error) {
	a.bar = cli.NewBar(a.stderr, a.err)
	e, err := pretrain.Evaluate(ctx, model, options, a.bar.Step)
	a.bar.Finish()
	if err != nil || !card {
		return e, err
	}
	name, err := filepath.Abs(model)
	if err != nil {
		return nil, err
	}
	return e, pretrain.WriteCard(model, filepath.Base(name), e)
}

func writeEvaluation(w *bytes.Buffer, s cli.Style, e *pretrain.Evaluation) {
	t := newTable("recall on", ">prompts", ">answer first", ">95 % interval", ">tenth percentile", ">median")
	recall := func(name string, r pretrain.Recall) {
		t.add(nil, name, r.Prompts, share(r.First.Mean), interval(r.First, share), r.P10, r.Median)
	}
	recall("sentences it was taught", e.Trained)
	recall("other sentences of ours", e.HeldOut)
	if e.Patterns != nil {
		recall("PARAREL's sentences", *e.Patterns)
	}
	t.write(w, s)
	n := e.Neurons
	fmt.Fprintf(w, "\nKnowledge neurons of %d facts: %.1f a fact %s\n", n.Facts, n.PerFact.Mean, interval(n.PerFact, number))
	t = newTable("change of probability", ">suppressed", ">95 % interval", ">amplified", ">95 % interval")
	t.add(s.Good, "their own", percent(n.Suppressed.Mean), interval(n.Suppressed, percent), percent(n.Amplified.Mean), interval(n.Amplified, percent))
	t.add(nil, "random ones", percent(n.RandomSuppressed.Mean), interval(n.RandomSuppressed, percent), percent(n.RandomAmplified.Mean), interval(n.RandomAmplified, percent))
	t.write(w, s)
}

// share prints a share.
func share(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) }

// interval prints a confidence interval.
func interval(i stats.Interval, print func(float64) string) string {
	return "[" + print(i.Low) + ", " + print(i.High) + "]"
}
