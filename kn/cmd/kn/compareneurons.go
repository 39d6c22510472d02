package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/publishedneurons"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

func (a *app) compareNeurons() *cobra.Command {
	var data, published, out string
	var seed uint64
	var recipe recipeFlags
	limit := cli.Count(10)
	cmd := &cobra.Command{
		Use:   "compare-neurons --model MODEL --facts DATA --published FILE",
		Short: "Compare facts' neurons with published ones",
		Long: `Find the knowledge neurons of facts by a recipe, and compare them with those that
somebody published: how many facts have the same neurons, and of the others which
neurons differ and by what margin. A margin of 0.01 says that scores 1 % larger, or
smaller, would have made the same choice: a neuron needs 0.3 of a prompt's largest
score, say, and has 0.297. Below 0.1 % rounding may have decided.

FILE has one JSON object a line, with the neurons as [layer, index] and the fact's
uuid of T-REx, or its relation, subject and answer:

  {"uuid": "6a9d91c1-eb9b-4142-8371-3c063ec40700", "neurons": [[7, 186], [9, 1683]]}

What EleutherAI published for bert-base-uncased (in the repository of its library
knowledge-neurons, as lists by uuid) was found with
--preset eleutherai2021 --share 0.3.

With --out a report is written, and less is computed for it: all facts by the
adaptive rule, which is more exact and takes a quarter of the time, and only those
that then differ, and a tenth of the others, by the recipe's own rule. So the
report says which differences the rule makes.`,
		Example: `  kn compare-neurons --model google-bert/bert-base-uncased --facts ./pararel --published bert-base-uncased.jsonl.gz --preset eleutherai2021 --share 0.3`,
		Args:    cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			r, err := recipe.recipe(cmd)
			if err != nil {
				return err
			}
			m, matched, err := a.matchPublished(cmd.Context(), data, published, int(limit), seed)
			if err != nil {
				return err
			}
			o := stats.Options{Seed: seed}
			if out != "" {
				e, err := experiments.CompareExactFirst(cmd.Context(), m, matched, r, o, a.bar.Step)
				if err != nil {
					return err
				}
				if err := publishedneurons.Write(out, e, filepath.Base(published), cmd.CommandPath()+" "+shellWords(givenFlags(cmd, "json", "no-cache")...)); err != nil {
					return err
				}
				return a.print(e, func(w *bytes.Buffer) { writeExactFirst(w, a.out, e, out) })
			}
			c, err := experiments.ComparePublished(cmd.Context(), m, matched, r, o, a.bar.Step)
			if err != nil {
				return err
			}
			return a.print(c, func(w *bytes.Buffer) { writePublished(w, a.out, c) })
		}),
	}
	a.modelFlags(cmd)
	cmd.Flags().StringVar(&data, "facts", "", "`DATA` set that the facts are of: PARAREL's folder, LAMA's, or a file of facts with prompts (required)")
	cmd.Flags().StringVar(&published, "published", "", "`FILE` of published neurons (required)")
	cmd.Flags().StringVarP(&out, "out", "o", "", "`DIR` to write a report to")
	cli.Known(cmd.MarkFlagDirname("out"))
	cmd.Flags().Var(&limit, "limit", "facts of each relation at most, drawn")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "of the draw")
	recipe.flags(cmd)
	cli.Require(cmd, "facts", "published")
	return cmd
}

// matchPublished finds the facts of published sets in a data set.
func (a *app) matchPublished(ctx context.Context, data, published string, limit int, seed uint64) (*kn.Model, *experiments.Published, error) {
	sets, err := experiments.ReadPublishedSets(published)
	if err != nil {
		return nil, nil, err
	}
	m, err := a.load(ctx)
	if err != nil {
		return nil, nil, err
	}
	source, err := factSource(m, data)
	if err != nil {
		return nil, nil, err
	}
	matched, err := experiments.MatchPublished(facts.Usable(source, m.Reader(), nil), sets, limit, seed)
	return m, matched, err
}

func writeExactFirst(w *bytes.Buffer, s cli.Style, e *experiments.ExactFirst, out string) {
	fmt.Fprintln(w, "By exact integrals:")
	writePublished(w, s, e.Exact)
	for _, again := range []struct {
		what string
		c    *experiments.PublishedComparison
	}{{"of the facts that differ", e.Differing}, {"of the control", e.Control}} {
		if again.c != nil {
			fmt.Fprintf(w, "\nBy the recipe's rule %d %s have the same neurons, of %d", again.c.Identical, again.what, again.c.Facts)
		}
	}
	fmt.Fprintf(w, "\nSo by the recipe's rule the neurons are the same for %s %s of the facts.\n\n%s\n", share(e.Share.Mean), interval(e.Share, share), s.Good(filepath.Join(out, "report.html")))
}

// shownDifferences are as many as are printed.
const shownDifferences = 10

func writePublished(w *bytes.Buffer, s cli.Style, c *experiments.PublishedComparison) {
	fmt.Fprintf(w, "%d facts of %d relations, %d prompts\n\n", c.Facts, c.Relations, c.Prompts)
	t := newTable("", ">facts", ">share", ">95 % interval")
	t.add(nil, "the same neurons", c.Identical, share(c.Share.Mean), interval(c.Share, share))
	t.add(nil, "others, by margins below 0.1 %", c.Narrow, share(float64(c.Narrow)/float64(c.Facts)), "")
	t.add(nil, "by larger margins", c.Facts-c.Identical-c.Narrow, share(float64(c.Facts-c.Identical-c.Narrow)/float64(c.Facts)), "")
	t.write(w, s)
	fmt.Fprintf(w, "\nOverlap (Jaccard index, mean over facts): %.3f %s\n", c.Overlap.Mean, interval(c.Overlap, func(f float64) string { return fmt.Sprintf("%.3f", f) }))
	if len(c.Differences) == 0 {
		return
	}
	fmt.Fprintln(w, "\nThe facts that differ most")
	d := newTable("relation", "subject", "answer", ">published", ">here", ">margin", "neurons")
	for _, x := range c.Differences[:min(shownDifferences, len(c.Differences))] {
		neurons := ""
		for _, n := range x.Neurons {
			sign := " -"
			if n.Here {
				sign = " +"
			}
			neurons += sign + n.Neuron.String()
		}
		d.add(nil, x.Relation, x.Subject, x.Answer, len(x.Published), len(x.Here), fmt.Sprintf("%.2f %%", 100*x.Margin), neurons[1:])
	}
	d.write(w, s)
	fmt.Fprintln(w, s.Faint("+ is chosen here and not published, - the other way round"))
}
