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

type traceResult struct {
	Lens  *kn.LogitLens   `json:"lens"`
	Logit *kn.LogitParts  `json:"logit"`
	Trace *kn.CausalTrace `json:"trace"` // null without a subject
}

// restored are the values of --restore.
var restored = []string{string(kn.RestoreState), string(kn.RestoreAttention), string(kn.RestoreFFN)}

func (a *app) trace() *cobra.Command {
	var prompt, subject, answer, restore string
	var window cli.Count
	var noise float64
	var seed uint64
	draws := cli.Count(10)
	cmd := &cobra.Command{
		Use:   "trace --model MODEL --prompt PROMPT --answer TOKEN",
		Short: "Follow an answer through the layers",
		Long: `Show where in the model an answer comes from, in two ways, and with --subject in
a third.

The logit lens applies the model's head to the residual stream after every
layer, where the answer is predicted. Then the answer's logit is taken apart
into what each layer's attention and FFN add to it, beside what they add to the
mean word.

With --subject the fact is traced (causal tracing, Meng et al., 2022): noise is
added to the embeddings of these words of the prompt, one state at a time is put
back, and the answer's probability is shown for each layer and token, beside
the mean of the tokens that are neither these words nor where the answer is predicted.`,
		Example: `  kn trace --model mini --prompt "The capital of France is [MASK]." --answer Paris
  kn trace --model mini --prompt "The capital of France is [MASK]." --answer Paris --subject France --draws 2
  kn trace --model gpt2 --prompt "The capital of France is" --answer Paris --subject France --restore ffn --json`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			if subject == "" {
				for _, name := range []string{"restore", "window", "noise", "draws", "seed"} {
					if cmd.Flags().Changed(name) {
						return cli.Usagef("--%s needs a --subject, whose words get the noise", name)
					}
				}
			}
			if !slices.Contains(restored, restore) {
				return cli.Usagef("--restore %s: use %s", restore, strings.Join(restored, ", "))
			}
			if cmd.Flags().Changed("window") && restore == string(kn.RestoreState) {
				return cli.Usagef("--window is for --restore attention and ffn; a state is restored in one layer")
			}
			if !(noise > 0 && noise < 1e6) {
				return cli.Usagef("--noise %g must be above 0", noise)
			}
			m, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			var r traceResult
			if r.Lens, err = m.LogitLens(prompt, answer); err != nil {
				return err
			}
			if r.Logit, err = m.LogitParts(prompt, answer); err != nil {
				return err
			}
			if subject != "" {
				o := kn.TraceOptions{Restore: kn.Restored(restore), Window: int(window), Noise: noise, Draws: int(draws), Seed: seed}
				if r.Trace, err = m.CausalTrace(prompt, subject, answer, o); err != nil {
					return err
				}
			}
			return a.print(r, func(w *bytes.Buffer) { r.write(w, a.out) })
		}),
	}
	a.modelFlags(cmd)
	cmd.Flags().StringVarP(&prompt, "prompt", "p", "", "`PROMPT` with one [MASK] (required)")
	cmd.Flags().StringVarP(&answer, "answer", "a", "", "`TOKEN` to follow (required)")
	cmd.Flags().StringVarP(&subject, "subject", "s", "", "`WORDS` of the prompt that say what is asked about")
	cmd.Flags().StringVar(&restore, "restore", string(kn.RestoreState), "`WHAT` to restore: state, attention, ffn")
	cmd.Flags().Var(&window, "window", "layers in which attention or ffn is restored together (default: a fifth, at least 3)")
	cmd.Flags().Float64Var(&noise, "noise", kn.DefaultNoise, "standard deviation of the noise, in `DEVIATIONS` of the word embeddings")
	cmd.Flags().Var(&draws, "draws", "draws of the noise")
	cmd.Flags().Uint64Var(&seed, "seed", 0, "`SEED` of the noise")
	cli.Require(cmd, "prompt", "answer")
	cli.Complete(cmd, "restore", restored...)
	return cmd
}

func (r traceResult) write(w *bytes.Buffer, s cli.Style) {
	lens := tableOf(r.Lens)
	for k, row := range r.Lens.Cells {
		if row[r.Lens.Mask].Rank == 1 {
			lens.paint[k] = s.Good
		}
	}
	lens.write(w, s)
	fmt.Fprintln(w)
	tableOf(r.Logit).write(w, s)
	if r.Trace != nil {
		fmt.Fprintln(w)
		tableOf(r.Trace).write(w, s)
		fmt.Fprintln(w)
		writeTrace(w, s, r.Trace)
	}
}

// writeTrace writes what is restored at each token and layer, of which the
// result's own table has the best.
func writeTrace(w *bytes.Buffer, s cli.Style, c *kn.CausalTrace) {
	heads := []string{"P by token and layer"}
	for l := range c.Probability {
		heads = append(heads, fmt.Sprint(">", l))
	}
	t := newTable(heads...)
	for i, token := range c.Tokens {
		paint, row := (func(a ...any) string)(nil), []any{token}
		if slices.Contains(c.Noisy, i) {
			paint, row[0] = s.Good, token+" *"
		}
		for _, p := range c.Probability {
			row = append(row, fmt.Sprintf("%.3f", p[i]))
		}
		t.add(paint, row...)
	}
	t.notes = []string{"* had the noise"}
	t.write(w, s)
}
