package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/pretrain"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

func (a *app) evaluate() *cobra.Command {
	var card bool
	var options pretrain.EvaluateOptions
	prompts, perRelation := cli.Count(20_000), cli.Count(20)
	cmd := &cobra.Command{
		Use:   "evaluate --model MODEL",
		Short: "Measure how well a model knows what it was taught",
		Long: `Measure a model of this project's pre-training: how often it ranks the answer
first, in sentences that it was taught a fact in, in sentences of ours that it
was not, and in PARAREL's; and what its knowledge neurons do when they are
suppressed, amplified, updated and erased, beside others. Intervals are 95 %
bootstrap confidence intervals over facts.`,
		Example: `  kn evaluate --model mini --prompts 2000 --per-relation 3
  kn evaluate --model ./mini --patterns ./pararel/data/pattern_data/graphs_json \
      --beside notebooks/reports/bert-base-cased --card`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			if info, err := os.Stat(a.model); card && (err != nil || !info.IsDir()) {
				return cli.Usagef("--card writes into the model's folder, and %s is none", a.model)
			}
			options.Prompts, options.PerRelation = int(prompts), int(perRelation)
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
	cmd.Flags().StringVar(&options.Beside, "beside", "", "`FOLDER` of a report of kn reproduce knowledge-neurons on another model, whose numbers stand beside")
	cmd.Flags().Var(&prompts, "prompts", "prompts to draw for each kind of recall")
	cmd.Flags().Var(&perRelation, "per-relation", "facts of each relation to study the neurons of")
	cmd.Flags().Uint64Var(&options.Seed, "seed", 1, "of what is drawn")
	cmd.Flags().BoolVar(&card, "card", false, "write the model card, and the measures as JSON, into the model's folder")
	cli.Known(cmd.MarkFlagDirname("patterns"))
	cli.Known(cmd.MarkFlagDirname("beside"))
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
	writeNeuronStatistics(w, s, "", e.Neurons)
	if e.Beside != nil {
		writeNeuronStatistics(w, s, e.Beside.Model+": ", e.Beside.Neurons)
	}
}

func writeNeuronStatistics(w *bytes.Buffer, s cli.Style, of string, n pretrain.NeuronStatistics) {
	fmt.Fprintf(w, "\n%sKnowledge neurons of %d facts of %d relations: %s a fact, %s of them in the topmost third of the layers\n",
		of, n.Facts, n.Relations, number(n.PerFact.Mean), share(n.Top.Mean))
	layers := make([]string, len(n.PerLayer))
	for l, x := range n.PerLayer {
		layers[l] = share(x)
	}
	fmt.Fprintf(w, "In the layers from the lowest: %s\n\n", strings.Join(layers, ", "))
	t := newTable("change of probability", ">suppressed", ">95 % interval", ">amplified", ">95 % interval")
	for i, set := range n.Changes {
		paint := s.Good
		if i > 0 {
			paint = nil
		}
		t.add(paint, set.Label, percent(set.Suppressed.Mean), interval(set.Suppressed, percent), percent(set.Amplified.Mean), interval(set.Amplified, percent))
	}
	t.write(w, s)
	if u := n.Updates; u != nil {
		fmt.Fprintf(w, "\n%d facts updated, one at a time, %d prompts\n", u.Facts, u.Prompts)
		t := newTable("shares of prompts", ">another answer", ">95 % interval", ">the new answer", ">95 % interval")
		t.add(s.Good, "knowledge neurons", share(u.Changed.Mean), interval(u.Changed, share), share(u.Success.Mean), interval(u.Success, share))
		t.add(nil, "random neurons of the same layers", share(u.RandomChanged.Mean), interval(u.RandomChanged, share), share(u.RandomSuccess.Mean), interval(u.RandomSuccess, share))
		t.write(w, s)
	}
	if len(n.Erased) > 0 {
		fmt.Fprintln(w)
		t := newTable("relation erased", ">neurons", ">its perplexity", ">95 % interval", ">others' perplexity", ">95 % interval")
		for _, r := range n.Erased {
			t.add(nil, strings.TrimSpace(r.Relation+" "+r.Name), r.Neurons, percent(r.Own.Mean), interval(r.Own, percent), percent(r.Others.Mean), interval(r.Others, percent))
		}
		t.write(w, s)
	}
}

// share prints a share.
func share(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) }

// interval prints a confidence interval.
func interval(i stats.Interval, print func(float64) string) string {
	return "[" + print(i.Low) + ", " + print(i.High) + "]"
}
