package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

func (a *app) neuron() *cobra.Command {
	var which neuronsFlag
	var data, texts string
	var relations []string
	limit, words, shown := cli.Count(20), cli.Count(10), cli.Count(8)
	cmd := &cobra.Command{
		Use:   "neuron --model MODEL --neuron LAYER:INDEX",
		Short: "Show what one neuron says, and what fires it",
		Long: `Show a neuron from both sides: the words that its value vector raises and lowers,
read through the model's head (Geva et al., 2022), and the prompts that fire it
most and least, with the relations and answers that it is active for beside all
others.

The prompts are those of facts, drawn from what the model was taught or from a
data set (--facts), so many of each relation; or the lines of a file (--texts), with a [MASK]
or without. A line without [MASK] counts by the largest activation in it.`,
		Example: `  kn neuron --model mini --neuron 3:117
  kn neuron --model bert-base-cased --neuron 10:1122 --facts pararel --relations P36,P19 --json`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			changed := cmd.Flags().Changed
			switch {
			case len(which) != 1:
				return cli.Usagef("--neuron takes one neuron, not %d", len(which))
			case texts != "" && (changed("facts") || changed("relations") || changed("limit")):
				return cli.Usagef("give --texts, or facts by --facts, --relations and --limit, not both")
			}
			m, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			var probes []kn.Probe
			if texts != "" {
				lines, err := a.readLines(cmd.Context(), texts)
				if err != nil {
					return err
				}
				for _, line := range lines {
					probes = append(probes, kn.Texts(line.text)...)
				}
			} else if probes, err = a.factProbes(m, data, relations, int(limit)); err != nil {
				return err
			}
			p, err := m.Portrait(which[0], probes, kn.PortraitOptions{Words: int(words), Texts: int(shown)})
			if err != nil {
				return err
			}
			return a.print(p, func(w *bytes.Buffer) { writePortrait(w, a.out, p) })
		}),
	}
	a.modelFlags(cmd)
	cmd.Flags().VarP(&which, "neuron", "n", "the neuron, as layer:index (required)")
	cmd.Flags().StringVar(&data, "facts", "", "`DATA` set: PARAREL's folder, LAMA's, or a file of facts with prompts;\nwithout it what the model was taught, if anything")
	cmd.Flags().StringSliceVarP(&relations, "relations", "r", nil, "only facts of these relations, Wikidata `PROPERTIES` such as P19,P36")
	cmd.Flags().Var(&limit, "limit", "facts to draw of each relation")
	cmd.Flags().StringVar(&texts, "texts", "", "`FILE` with one text a line, - for standard input, in place of facts")
	cmd.Flags().Var(&words, "words", "words to show of each kind")
	cmd.Flags().Var(&shown, "shown", "prompts to show of each kind")
	cli.Require(cmd, "neuron")
	return cmd
}

// factProbes draws facts of each relation, and takes the first prompt of each. A model that was
// taught none has none, if no data set is given.
func (a *app) factProbes(m *kn.Model, data string, relations []string, limit int) ([]kn.Probe, error) {
	source, err := factSource(m, data)
	if err != nil && data == "" && len(relations) == 0 {
		fmt.Fprintf(a.stderr, "%s the model comes without facts, so only words are shown; give a data set with --facts, or --texts\n", a.err.Faint("note:"))
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return kn.Probes(facts.Draw(facts.Usable(facts.OfRelations(source, relations...), m.Reader(), nil), limit, 1), 1)
}

func writePortrait(w *bytes.Buffer, s cli.Style, p *kn.Portrait) {
	words := *p
	words.Relations, words.Answers, words.Most, words.Least = nil, nil, nil, nil // below, and more of them
	tableOf(words).write(w, s)
	if p.Probes == 0 {
		return
	}
	for _, of := range []struct {
		name   string
		groups []kn.Served
	}{{"relation", p.Relations}, {"answer", p.Answers}} {
		if len(of.groups) == 0 {
			continue
		}
		fmt.Fprintln(w)
		t := newTable(of.name, ">prompts", ">mean", ">of all others", ">difference in deviations")
		for _, g := range of.groups[:min(10, len(of.groups))] {
			t.add(nil, g.Name, g.Prompts, g.Mean, g.Others, g.Effect)
		}
		t.write(w, s)
	}
	for _, of := range []struct {
		name  string
		texts []kn.Fired
	}{{"fires most", p.Most}, {"fires least", p.Least}} {
		fmt.Fprintln(w)
		t := newTable(of.name, ">activation", "answer")
		for _, f := range of.texts {
			t.add(nil, f.Text, f.Peak, f.Answer)
		}
		t.write(w, s)
	}
}
