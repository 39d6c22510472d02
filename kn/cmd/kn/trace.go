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
	fmt.Fprintf(w, "%s\n\n%s\n", r.Lens.Prompt, s.Head("Logit lens on "+r.Lens.Token))
	t := newTable("after", "first", ">its probability", ">P("+r.Lens.Token+")", ">rank", ">P at other tokens")
	for k, row := range r.Lens.Cells {
		c, after := row[r.Lens.Mask], "embeddings"
		if k > 0 {
			after = fmt.Sprint("layer ", k-1)
		}
		paint := (func(a ...any) string)(nil)
		if c.Rank == 1 {
			paint = s.Good
		}
		t.add(paint, after, c.Top, c.TopProbability, c.Probability, c.Rank, r.Lens.Control[k])
	}
	t.write(w, s)
	fmt.Fprintf(w, "\n%s\n", s.Head("What adds to the logit of "+r.Logit.Token))
	own, control := r.Logit.Answers, r.Logit.Control
	t = newTable("layer", ">attention", ">to the mean word", ">FFN", ">to the mean word")
	for l := range own.FFN {
		t.add(nil, l, own.Attention[l], control.Attention[l], own.FFN[l], control.FFN[l])
	}
	t.write(w, s)
	fmt.Fprintf(w, "embeddings %s, to the mean word %s; biases %s, %s; in all %s, %s\n",
		number(own.Embeddings), number(control.Embeddings), number(own.Biases), number(control.Biases), number(own.Sum), number(control.Sum))
	if r.Trace != nil {
		writeTrace(w, s, r.Trace)
	}
}

func writeTrace(w *bytes.Buffer, s cli.Style, c *kn.CausalTrace) {
	fmt.Fprintf(w, "\n%s\n", s.Head(fmt.Sprintf("P(%s) with noise on %q and %s restored", c.Answer, c.Subject, c.Restore)))
	fmt.Fprintf(w, "%s without noise, %s with noise alone\n", number(c.Clean), number(c.Corrupted))
	heads := []string{"token"}
	for l := range c.Probability {
		heads = append(heads, fmt.Sprint(">", l))
	}
	t := newTable(heads...)
	line := func(paint func(a ...any) string, name string, at func(l int) float64) {
		row := []any{name}
		for l := range c.Probability {
			row = append(row, fmt.Sprintf("%.3f", at(l)))
		}
		t.add(paint, row...)
	}
	for i, token := range c.Tokens {
		if slices.Contains(c.Noisy, i) {
			line(s.Good, token+" *", func(l int) float64 { return c.Probability[l][i] })
		} else {
			line(nil, token, func(l int) float64 { return c.Probability[l][i] })
		}
	}
	if len(c.Control) > 0 {
		line(nil, "mean of others", func(l int) float64 { return c.Control[l] })
	}
	t.write(w, s)
	columns := "layers"
	if c.Window > 1 {
		columns = fmt.Sprintf("the middle of %d layers restored together", c.Window)
	}
	fmt.Fprintln(w, s.Faint("* had the noise; others are neither that nor where the answer is predicted; columns are "+columns))
	if c.TotalEffect() <= 0 {
		fmt.Fprintln(w, s.Bad("the noise does not lower the probability: the answer does not depend on the subject, so there is nothing to trace"))
	}
}
