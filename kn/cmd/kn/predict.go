package main

import (
	"bytes"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

type predictResult struct {
	Prompt       string                `json:"prompt"`
	MaskPosition int                   `json:"mask_position"`
	Predictions  []kn.TokenProbability `json:"predictions"`
	Answer       *answerResult         `json:"answer"` // null when none was asked about
}

type answerResult struct {
	Token       string  `json:"token"`
	ID          int     `json:"id"`
	Probability float64 `json:"probability"`
	Rank        int     `json:"rank"`
}

func (a *app) predict() *cobra.Command {
	var prompt, answer string
	top := cli.Count(10)
	cmd := &cobra.Command{
		Use:   "predict --model MODEL --prompt PROMPT",
		Short: "Show the most probable tokens at [MASK]",
		Long: `Show the most probable tokens at the prompt's [MASK], or behind the prompt of a
causal model, and with --answer an answer's probability and its rank in the whole
vocabulary, 1 being best. An answer of several tokens has the product of their
probabilities, and the worst of their ranks.`,
		Example: `  kn predict --model mini --prompt "The capital of France is [MASK]." --answer Paris --top 5
  kn predict --model google-bert/bert-base-cased --prompt "The capital of France is [MASK]." --json`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			m, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			p, err := m.Predict(prompt, kn.PredictOptions{Top: int(top), Answer: answer})
			if err != nil {
				return err
			}
			result := predictResult{Prompt: p.Prompt, MaskPosition: p.MaskPosition, Predictions: p.Predictions}
			if p.Answer != nil {
				result.Answer = &answerResult{p.Answer.Token, p.Answer.ID, p.Answer.Probability, p.Answer.Rank}
			}
			return a.print(result, func(w *bytes.Buffer) { writePrediction(w, a.out, p) })
		}),
	}
	a.modelFlags(cmd)
	cmd.Flags().StringVarP(&prompt, "prompt", "p", "", "`PROMPT` with one [MASK] (required)")
	cmd.Flags().StringVarP(&answer, "answer", "a", "", "`ANSWER` to report probability and rank of")
	cmd.Flags().Var(&top, "top", "how many tokens to show")
	cli.Require(cmd, "prompt")
	return cmd
}

func writePrediction(w *bytes.Buffer, s cli.Style, p *kn.Prediction) {
	t := tableOf(p)
	for i, row := range t.rows {
		if p.Answer != nil && row[0] == p.Answer.Token {
			t.paint[i] = s.Good
		}
	}
	t.write(w, s)
}
