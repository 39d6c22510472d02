package main

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

type factsResult struct {
	Facts []factResult `json:"facts"`
}

type factResult struct {
	Relation  string   `json:"relation"`
	Subject   string   `json:"subject"`
	Answer    string   `json:"answer"`
	Frequency *float64 `json:"frequency,omitempty"` // these three with --long
	Shown     *int     `json:"shown,omitempty"`
	HeldOut   []int    `json:"held_out,omitempty"`
}

func (a *app) facts() *cobra.Command {
	var relation string
	var long bool
	cmd := &cobra.Command{
		Use:   "facts --model MODEL",
		Short: "List the facts that a model was taught",
		Long: `List the facts that a model of this project's pre-training was taught. A
relation is a Wikidata property: P19 is the place of birth. The list is stored
with the model, in ` + kn.FactsFile + `; other models have none.`,
		Example: `  kn facts --model mini --relation P36
  kn facts --model mini --json > facts.json`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			m, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			taught, err := m.Facts()
			if err != nil {
				return err
			}
			result, err := selectFacts(taught, relation, long)
			if err != nil {
				return err
			}
			return a.print(result, func(w *bytes.Buffer) { result.write(w, a.out, taught, long) })
		}),
	}
	a.modelFlags(cmd)
	cmd.Flags().StringVarP(&relation, "relation", "r", "", "only the facts of this relation, a Wikidata `PROPERTY` such as P19")
	cmd.Flags().BoolVarP(&long, "long", "l", false, "also how often training showed each fact (1 is the average), the number of\ntimes, and which of the relation's templates it never showed it in")
	return cmd
}

// selectFacts keeps the facts of a relation, or all of them.
func selectFacts(taught []facts.Taught, relation string, long bool) (factsResult, error) {
	result := factsResult{Facts: []factResult{}}
	for _, f := range taught {
		if relation != "" && f.Relation != relation {
			continue
		}
		r := factResult{Relation: f.Relation, Subject: f.Subject, Answer: f.Answer}
		if long {
			r.Frequency, r.Shown, r.HeldOut = &f.Frequency, &f.Shown, f.HeldOut
		}
		result.Facts = append(result.Facts, r)
	}
	if len(result.Facts) == 0 {
		return result, fmt.Errorf("none of the %d facts is of the relation %q; run without --relation to see which there are", len(taught), cmp.Or(relation, "any"))
	}
	return result, nil
}

func (r factsResult) write(w *bytes.Buffer, s cli.Style, taught []facts.Taught, long bool) {
	heads := []string{"relation", "subject", "answer"}
	if long {
		heads = append(heads, ">frequency", ">shown", "held-out templates")
	}
	t := newTable(heads...)
	for _, f := range r.Facts {
		cells := []any{f.Relation, f.Subject, f.Answer}
		if long {
			cells = append(cells, *f.Frequency, *f.Shown, fmt.Sprint(f.HeldOut))
		}
		t.add(nil, cells...)
	}
	t.write(w, s)
	fmt.Fprintln(w, s.Faint(fmt.Sprintf("%d of %d facts", len(r.Facts), len(taught))))
}
