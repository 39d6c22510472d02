package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
)

func (a *app) compare() *cobra.Command {
	var first, file string
	cmd := &cobra.Command{
		Use:   "compare --models A B --texts FILE",
		Short: "Measure what sets two models apart, layer by layer",
		Long: `Run two models on the same texts and measure, layer by layer, how far apart
they are: the Jensen-Shannon divergence of their attention (in nats, at most
0.693), the SVCCA distance of their hidden states and the distance by linear
CKA (both 0 to 1), as in Hao et al., Investigating Learning Dynamics of BERT
Fine-Tuning (2020). The models may be masked language models or classifiers;
they must be of the same shapes. FILE has one text a line.`,
		Example: `  kn compare --models google-bert/bert-base-cased ./fine-tuned --texts dev.txt
  kn compare --models ./step-0 ./step-1000 --texts dev.txt --json > layers.json`,
		Args: cobra.ExactArgs(1),
		RunE: cli.Checked(func(cmd *cobra.Command, args []string) error {
			a.bar = cli.NewBar(a.stderr, a.err)
			lines, err := a.readLines(cmd.Context(), file)
			if err != nil {
				return err
			}
			var texts []string
			for _, l := range lines {
				texts = append(texts, l.text)
			}
			c, err := dynamics.Compare(cmd.Context(), first, args[0], dynamics.Sentences(texts), dynamics.Options{NoCache: a.noCache, Progress: a.bar.Step})
			if err != nil {
				return err
			}
			return a.print(c, func(w *bytes.Buffer) { writeComparison(w, a.out, c) })
		}),
	}
	a.jsonFlag(cmd)
	cmd.Flags().StringVar(&first, "models", "", "the first of the two models `A` B: mini, a folder, or owner/name on the Hugging Face hub (required)")
	cmd.Flags().StringVarP(&file, "texts", "t", "", "`FILE` of texts, one a line; - for standard input (required)")
	cmd.Flags().BoolVar(&a.noCache, "no-cache", false, "neither look the result up in the cache nor keep it")
	cli.Require(cmd, "models", "texts")
	return cmd
}

func writeComparison(w *bytes.Buffer, s cli.Style, c *dynamics.Comparison) {
	t := newTable("", ">attention JSD", ">SVCCA distance", ">CKA distance", ">directions kept")
	for l, d := range c.SVCCADistance {
		name, jsd := "embeddings", any("-")
		if l > 0 {
			name, jsd = fmt.Sprintf("layer %d", l-1), c.AttentionJSD[l-1]
		}
		t.add(nil, name, jsd, d, c.CKADistance[l], fmt.Sprintf("%d, %d", c.KeptA[l], c.KeptB[l]))
	}
	t.write(w, s)
	fmt.Fprintln(w, s.Faint(fmt.Sprintf("%d texts, %d tokens", c.Texts, c.Tokens)))
	if most := maxOf(c.KeptA, c.KeptB); c.Tokens < 10*most {
		fmt.Fprintln(w, s.Bad("note:"), fmt.Sprintf("canonical correlations of %d directions need some %d tokens to mean something; give more texts", most, 10*most))
	}
	if c.Cut > 0 {
		fmt.Fprintln(w, s.Bad("note:"), c.Cut, "texts are longer than the models take and lost their end")
	}
	if len(c.Unknown) > 0 {
		fmt.Fprintf(w, "%s the vocabulary cannot spell %q; the models read [UNK]\n", s.Bad("note:"), c.Unknown)
	}
}

// maxOf is the largest of some numbers.
func maxOf(lists ...[]int) int {
	most := 0
	for _, list := range lists {
		for _, n := range list {
			most = max(most, n)
		}
	}
	return most
}
