package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

type attributeResult struct {
	Prompt            string      `json:"prompt"`
	Answer            string      `json:"answer"`
	Target            kn.Target   `json:"target,omitempty"`
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
	var tokens bool
	var target, against, baseline string
	top := cli.Count(10)
	cmd := &cobra.Command{
		Use:   "attribute --model MODEL --prompt PROMPT --answer ANSWER",
		Short: "Attribute an answer's probability to the neurons at [MASK], or to the prompt's tokens",
		Long: `Compute the integrated gradients of the answer's probability with respect to
every feed-forward neuron at [MASK] (Dai et al., 2022). Within a layer the
scores add up to the probability less what is left of it when the layer's
neurons are 0; by how much they miss it is the completeness error.

The adaptive rule adds nodes until the estimated error of the scores is below
the tolerance, and says so where it does not get there. With --json all scores
are printed, one list a layer; without it the largest.

With --tokens the scores are those of the prompt's tokens instead (Sundararajan et
al., 2017), along the line from a --baseline to their word embeddings, beside what
the answer loses when that token alone is at the baseline. With --against they are
of the difference to another answer.`,
		Example: `  kn attribute --model mini --prompt "The capital of France is [MASK]." --answer Paris
  kn attribute --model mini --prompt "The capital of France is [MASK]." --answer Paris \
     --rule left_riemann --nodes 20 --json > paris.json
  kn attribute --model mini --prompt "The capital of France is [MASK]." --answer Paris --tokens --against London`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			options := kn.AttributeOptions{Target: kn.Target(target)}
			switch {
			case !slices.Contains(targets, target) && target != "":
				return cli.Usagef("--target %s: use %s", target, strings.Join(targets, ", "))
			case !tokens && (against != "" || cmd.Flags().Changed("baseline")):
				return cli.Usagef("--against and --baseline are for --tokens")
			case against != "" && cmd.Flags().Changed("target"):
				return cli.Usagef("--against has a target of its own, the difference; leave out --target")
			case tokens && !slices.Contains(baselines, baseline):
				return cli.Usagef("--baseline %s: use %s", baseline, strings.Join(baselines, ", "))
			case tokens && cmd.Flags().Changed("top"):
				return cli.Usagef("--top is for neurons; all tokens are shown")
			}
			if options.Target == "probability" {
				options.Target = kn.TargetProbability
			}
			if err := integral.apply(cmd, &options); err != nil {
				return err
			}
			if tokens && options.Rule == kn.ActivationBaseline {
				return cli.Usagef("--rule %s is for neurons; tokens take one that integrates", options.Rule)
			}
			m, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			if tokens {
				at, err := m.AttributeTokens(prompt, answer, kn.TokenOptions{
					Baseline: kn.Baseline(baseline), Target: options.Target, Against: against,
					Rule: options.Rule, Nodes: options.Nodes, Tolerance: options.Tolerance,
				})
				if err != nil {
					return err
				}
				err = a.print(at, func(w *bytes.Buffer) { tableOf(at).write(w, a.out) })
				if at.NotConverged {
					a.warnNotConverged(prompt)
				}
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
	cmd.Flags().StringVar(&target, "target", "probability", "`WHAT` to attribute: probability, log_probability")
	cmd.Flags().BoolVar(&tokens, "tokens", false, fmt.Sprintf("attribute to the prompt's tokens instead of neurons (default tolerance %g)", kn.DefaultTokenTolerance))
	cmd.Flags().StringVar(&against, "against", "", "the other `ANSWER`, for the difference of the two log-probabilities (with --tokens)")
	cmd.Flags().StringVar(&baseline, "baseline", string(kn.BaselineZero), "`EMBEDDING` that tokens start from: zero, mask, pad (with --tokens)")
	cli.Complete(cmd, "target", targets...)
	cli.Complete(cmd, "baseline", baselines...)
	cli.Require(cmd, "prompt", "answer")
	return cmd
}

// The values of --target and --baseline.
var (
	targets   = []string{"probability", string(kn.TargetLogProbability)}
	baselines = []string{string(kn.BaselineZero), string(kn.BaselineMask), string(kn.BaselinePad)}
)

func attributionResult(at *kn.Attribution) attributeResult {
	r := attributeResult{
		Prompt: at.Prompt, Answer: at.Answer, Target: at.Target, Probability: at.Probability,
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
	neurons := tableOf(at.TableOf(top))
	neurons.head, neurons.right = append(neurons.head, "of the largest"), append(neurons.right, true) // what --threshold is a share of
	best := at.Top(top)
	for i, n := range best {
		of, largest := "-", at.Scores[best[0].Layer][best[0].Index]
		if largest > 0 {
			of = share(at.Scores[n.Layer][n.Index] / largest)
		}
		neurons.rows[i] = append(neurons.rows[i], of)
	}
	neurons.write(w, s)
	fmt.Fprintln(w)
	layers := newTable(">layer", ">nodes", ">sum of scores", ">probability at zero", ">completeness error", ">estimated error")
	for l, row := range at.Scores {
		sum, estimate := 0.0, any("-")
		for _, score := range row {
			sum += score
		}
		if l < len(at.EstimatedError) {
			estimate = at.EstimatedError[l]
		}
		layers.add(nil, l, at.Nodes[l], sum, at.ProbabilityAtZero[l], at.CompletenessError[l], estimate)
	}
	layers.write(w, s)
}
