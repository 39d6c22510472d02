package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// whereFlags say which neurons are meant, and of which facts.
type whereFlags struct {
	neurons           neuronsFlag
	file, answer      string
	facts             string
	relation, subject string
	limit, commonest  cli.Count
	recipe            recipeFlags

	notConverged []string // prompts, when neurons were looked for
}

func (f *whereFlags) flags(cmd *cobra.Command) {
	f.limit, f.commonest = 20, 20
	cmd.Flags().VarP(&f.neurons, "neurons", "n", "the neurons, as layer:index")
	cmd.Flags().StringVar(&f.file, "prompts", "", "`FILE` with prompts that ask for one fact, one a line, - for standard input")
	cmd.Flags().StringVarP(&f.answer, "answer", "a", "", "`ANSWER` that answers the prompts")
	cmd.Flags().StringVar(&f.facts, "facts", "", "`DATA` set of --relation: PARAREL's folder, LAMA's, or a file of facts with\nprompts; without it what the model was taught")
	cmd.Flags().StringVarP(&f.relation, "relation", "r", "", "relation of the fact, a Wikidata `PROPERTY` such as P19")
	cmd.Flags().StringVarP(&f.subject, "subject", "s", "", "`SUBJECT` of the fact; without it the whole relation")
	cmd.Flags().Var(&f.limit, "limit", "of a relation: facts, drawn, whose neurons are looked for")
	cmd.Flags().Var(&f.commonest, "commonest", "of a relation: how many of its neurons, those that most facts have first")
	f.recipe.flags(cmd)
}

// check finds flags that do not go together.
func (f *whereFlags) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	switch {
	case f.file != "" && f.relation != "":
		return cli.Usagef("give the fact by --prompts or by --relation, not by both")
	case f.file != "" && f.answer == "":
		return cli.Usagef("--prompts needs the --answer of the fact")
	case f.relation == "" && (f.subject != "" || f.facts != ""):
		return cli.Usagef("--subject and --facts need a --relation")
	case f.relation == "" && (changed("limit") || changed("commonest")):
		return cli.Usagef("--limit and --commonest need a --relation")
	case f.subject != "" && (changed("limit") || changed("commonest")):
		return cli.Usagef("--limit and --commonest are for a whole relation; leave --subject out")
	case f.relation != "" && f.subject == "" && f.answer != "":
		return cli.Usagef("--answer is of one fact; give its --subject")
	}
	return nil
}

// bags are the facts that are meant: the one of the prompts, the one of the
// subject, or those drawn of the relation.
func (f *whereFlags) bags(a *app, ctx context.Context, m *kn.Model) ([]facts.Bag, error) {
	if f.file != "" {
		prompts, err := a.readPrompts(ctx, m, f.file)
		return []facts.Bag{{Answer: f.answer, Prompts: prompts}}, err
	}
	if f.relation == "" {
		return nil, nil
	}
	source, err := factSource(m, f.facts)
	if err != nil {
		return nil, err
	}
	source = facts.Usable(facts.OfRelations(source, f.relation), m.Reader(), nil)
	if f.subject == "" {
		source = facts.Draw(source, int(f.limit), 1)
	}
	var bags []facts.Bag
	for b, err := range source {
		if err != nil {
			return nil, err
		}
		if f.subject == "" || b.Subject == f.subject && (f.answer == "" || b.Answer == f.answer) {
			bags = append(bags, b)
		}
	}
	switch {
	case len(bags) == 0 && f.subject == "":
		return nil, fmt.Errorf("there is no fact of the relation %s that the model can be asked", f.relation)
	case len(bags) == 0:
		return nil, fmt.Errorf("there is no fact of %q in the relation %s that the model can be asked; kn edit --relation %s without --subject shows some", f.subject, f.relation, f.relation)
	case len(bags) > 1 && f.subject != "":
		var answers []string
		for _, b := range bags {
			answers = append(answers, b.Answer)
		}
		return nil, fmt.Errorf("%q has %d answers in the relation %s; choose with --answer: %s", f.subject, len(bags), f.relation, strings.Join(slices.Compact(answers), ", "))
	}
	return bags, nil
}

// factSource opens a data set, or what the model was taught.
func factSource(m *kn.Model, path string) (facts.Source, error) {
	if path != "" {
		source, _, err := facts.Open(path)
		return source, err
	}
	taught, err := m.Facts()
	if err != nil {
		return nil, fmt.Errorf("%w; give a data set with --facts", err)
	}
	return facts.Bags(taught), nil
}

// find returns the neurons that are meant, in the model.
func (f *whereFlags) find(cmd *cobra.Command, m *kn.Model, bags []facts.Bag) ([]kn.Neuron, error) {
	if len(f.neurons) > 0 {
		return kn.SortNeurons(f.neurons), nil
	}
	recipe, err := f.recipe.recipe(cmd)
	if err != nil {
		return nil, err
	}
	found := make([]experiments.Fact, len(bags))
	for i, b := range bags {
		of, err := m.KnowledgeNeurons(b.Prompts, b.Answer, recipe)
		if err != nil {
			return nil, err
		}
		found[i] = experiments.Fact{Bag: b, Neurons: of.Refined}
		for _, k := range of.NotConverged {
			f.notConverged = append(f.notConverged, of.Prompts[k])
		}
	}
	common := experiments.Commonest(found)
	if len(bags) > 1 {
		common = common[:min(int(f.commonest), len(common))]
	}
	var neurons []kn.Neuron
	for _, c := range common {
		neurons = append(neurons, c.Neuron)
	}
	if len(neurons) == 0 {
		return nil, errors.New("the prompts have no neurons in common; try a smaller --share or --threshold")
	}
	return kn.SortNeurons(neurons), nil
}
