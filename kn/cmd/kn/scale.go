package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

type scaleResult struct {
	Factors     []float64 `json:"factors"`
	Probability []float64 `json:"probability"`
}

func (a *app) scale() *cobra.Command {
	var prompt, answer string
	var neurons neuronsFlag
	var everywhere bool
	factors := factorsFlag{0, 0.5, 1, 2}
	cmd := &cobra.Command{
		Use:   "scale --model MODEL --prompt PROMPT --answer ANSWER --neurons L:I,L:I,...",
		Short: "Multiply neurons by factors and watch an answer's probability",
		Long: `Multiply the activation of a set of neurons at [MASK] by each factor and show
the answer's probability: factor 0 suppresses them, 1 leaves the model as it
is, 2 amplifies. The model itself does not change. A neuron is layer:index,
both from 0, as "kn neurons" and "kn attribute" print them.`,
		Example: `  kn scale --model mini --prompt "The capital of France is [MASK]." --answer Paris \
     --neurons 3:130,3:113 --factors 0,0.5,1,2`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			m, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			result := scaleResult{Factors: factors}
			for i, factor := range factors {
				p, err := scaled(m, prompt, answer, neurons, factor, everywhere)
				if err != nil {
					return err
				}
				result.Probability = append(result.Probability, p)
				a.bar.Step(i+1, len(factors), "factors")
			}
			if a.json {
				return a.print(result, nil)
			}
			plain, err := m.Probability(prompt, answer)
			if err != nil {
				return err
			}
			return a.print(nil, func(w *bytes.Buffer) {
				own := kn.Curve{Neurons: neurons, Factors: factors, Probability: result.Probability}
				fmt.Fprintf(w, "%s\nneurons %s\n", prompt, joinNeurons(neurons))
				tableOf(kn.FactorCurves{Prompts: []string{prompt}, Answer: answer, Probability: plain, Own: own}).write(w, a.out)
			})
		}),
	}
	a.modelFlags(cmd)
	cmd.Flags().StringVarP(&prompt, "prompt", "p", "", "`PROMPT` with one [MASK] (required)")
	cmd.Flags().StringVarP(&answer, "answer", "a", "", "`ANSWER` whose probability to show (required)")
	cmd.Flags().VarP(&neurons, "neurons", "n", "neurons to scale, as layer:index (required)")
	cmd.Flags().VarP(&factors, "factors", "f", "factors to multiply them by")
	cmd.Flags().BoolVar(&everywhere, "everywhere", false, "scale at every token instead of only at [MASK]")
	cli.Require(cmd, "prompt", "answer", "neurons")
	return cmd
}

// scaled is the answer's probability when the neurons are multiplied by factor.
func scaled(m *kn.Model, prompt, answer string, neurons []kn.Neuron, factor float64, everywhere bool) (float64, error) {
	edit := kn.Scale(kn.SortNeurons(neurons), factor)
	edit.Everywhere = everywhere
	edited, err := m.With(edit)
	if err != nil {
		return 0, err
	}
	return edited.Probability(prompt, answer)
}
