package main

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

type attributeResult struct {
	Prompt            string      `json:"prompt"`
	Answer            string      `json:"answer"`
	Probability       float64     `json:"probability"`
	ProbabilityAtZero []float64   `json:"probability_at_zero"`
	CompletenessError []float64   `json:"completeness_error"`
	Rule              kn.Rule     `json:"rule"`
	Nodes             []int       `json:"nodes"`
	Scores            [][]float64 `json:"scores"`
	// What only the adaptive rule knows.
	EstimatedError []float64 `json:"estimated_error,omitzero"`
	NotConverged   []int     `json:"not_converged,omitzero"`
}

// integral are the flags that say how to integrate.
type integral struct {
	rule      ruleFlag
	nodes     cli.Count
	tolerance float64
}

func (i *integral) flags(cmd *cobra.Command) {
	cmd.Flags().Var(&i.rule, "rule", "integration rule: adaptive (default), gauss_legendre, left_riemann,\nlinspace_inclusive, trapezoid, or activation_baseline for no integral")
	cmd.Flags().Var(&i.nodes, "nodes", "nodes of a fixed rule (default 20), or the most that the adaptive one\nmay spend on a layer")
	cmd.Flags().Float64Var(&i.tolerance, "tolerance", kn.DefaultTolerance, "largest `ERROR` of a score that the adaptive rule accepts, as a share of\nthe prompt's largest score")
	cli.Complete(cmd, "rule", ruleNames()...)
}

// apply puts the flags that were given in the place of o's fields.
func (i *integral) apply(cmd *cobra.Command, o *kn.AttributeOptions) error {
	if i.rule != "" && kn.Rule(i.rule) != o.Rule {
		o.Rule, o.Nodes = kn.Rule(i.rule), 0
	}
	if i.nodes != 0 {
		o.Nodes = int(i.nodes)
	}
	if cmd.Flags().Changed("tolerance") {
		if !(i.tolerance > 0 && i.tolerance < 1) {
			return cli.Usagef("--tolerance %g must lie between 0 and 1", i.tolerance)
		}
		if o.Rule != "" && o.Rule != kn.Adaptive {
			return cli.Usagef("--tolerance is for the adaptive rule, not for %s", o.Rule)
		}
		o.Tolerance = i.tolerance
	}
	return nil
}

func (a *app) attribute() *cobra.Command {
	var prompt, answer string
	var integral integral
	top := cli.Count(10)
	cmd := &cobra.Command{
		Use:   "attribute --model MODEL --prompt PROMPT --answer ANSWER",
		Short: "Attribute an answer's probability to the neurons at [MASK]",
		Long: `Compute the integrated gradients of the answer's probability with respect to
every feed-forward neuron at [MASK] (Dai et al., 2022). Within a layer the
scores add up to the probability less what is left of it when the layer's
neurons are 0; by how much they miss it is the completeness error.

The adaptive rule adds nodes until the estimated error of the scores is below
the tolerance, and says so where it does not get there. With --json all scores
are printed, one list a layer; without it the largest.`,
		Example: `  kn attribute --model mini --prompt "The capital of France is [MASK]." --answer Paris
  kn attribute --model mini --prompt "The capital of France is [MASK]." --answer Paris \
     --rule left_riemann --nodes 20 --json > paris.json`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			var options kn.AttributeOptions
			if err := integral.apply(cmd, &options); err != nil {
				return err
			}
			m, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			at, err := m.Attribute(prompt, answer, options)
			if err != nil {
				return err
			}
			err = a.print(attributionResult(at), func(w *bytes.Buffer) { writeAttribution(w, a.out, at, int(top)) })
			if len(at.NotConverged) > 0 {
				a.warnNotConverged(prompt)
			}
			return err
		}),
	}
	a.modelFlags(cmd)
	cmd.Flags().StringVarP(&prompt, "prompt", "p", "", "`PROMPT` with one [MASK] (required)")
	cmd.Flags().StringVarP(&answer, "answer", "a", "", "`ANSWER` whose probability to attribute (required)")
	integral.flags(cmd)
	cmd.Flags().Var(&top, "top", "how many neurons to show without --json")
	cli.Require(cmd, "prompt", "answer")
	return cmd
}

func attributionResult(at *kn.Attribution) attributeResult {
	r := attributeResult{
		Prompt: at.Prompt, Answer: at.Answer, Probability: at.Probability,
		ProbabilityAtZero: at.ProbabilityAtZero, CompletenessError: at.CompletenessError,
		Rule: at.Rule, Nodes: at.Nodes, Scores: at.Scores,
	}
	if at.Rule == kn.Adaptive {
		r.EstimatedError, r.NotConverged = at.EstimatedError, append([]int{}, at.NotConverged...)
	}
	return r
}

// warnNotConverged says that a prompt's scores are less exact than asked for.
func (a *app) warnNotConverged(prompt string) {
	fmt.Fprintf(a.stderr, "%s the scores of %q did not converge; give more --nodes, or a larger --tolerance\n", a.err.Bad("warning:"), prompt)
}

func writeAttribution(w *bytes.Buffer, s cli.Style, at *kn.Attribution, top int) {
	fmt.Fprintf(w, "%s\n%s has probability %s; rule %s\n\n", at.Prompt, s.Good(at.Answer), number(at.Probability), at.Rule)
	layers := newTable(">layer", ">nodes", ">sum of scores", ">probability at zero", ">completeness error", ">estimated error")
	for l, row := range at.Scores {
		sum := 0.0
		for _, score := range row {
			sum += score
		}
		estimate := "-"
		if l < len(at.EstimatedError) {
			estimate = number(at.EstimatedError[l])
		}
		if slices.Contains(at.NotConverged, l) {
			estimate += " not converged"
		}
		layers.add(nil, l, at.Nodes[l], sum, at.ProbabilityAtZero[l], at.CompletenessError[l], estimate)
	}
	layers.write(w, s)
	fmt.Fprintln(w)
	neurons := newTable("neuron", ">score", ">of the largest", ">activation")
	best := at.Top(top)
	for _, n := range best {
		score, largest := at.Scores[n.Layer][n.Index], at.Scores[best[0].Layer][best[0].Index]
		share := "-"
		if largest > 0 {
			share = fmt.Sprintf("%.1f %%", 100*score/largest)
		}
		neurons.add(nil, n, score, share, at.Activations[n.Layer][n.Index])
	}
	neurons.write(w, s)
}
