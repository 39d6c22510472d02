package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

type neuronsResult struct {
	Coarse  [][]kn.Neuron `json:"coarse"`
	Refined []kn.Neuron   `json:"refined"`
}

// presets are the recipes that --preset takes, by name.
var presets = map[string]kn.Recipe{
	"dai2022":        kn.Dai2022,
	"eleutherai2021": kn.EleutherAI2021,
}

// presetFlag is the value of --preset.
type presetFlag string

func (p *presetFlag) Type() string   { return "PRESET" }
func (p *presetFlag) String() string { return string(*p) }

func (p *presetFlag) Set(text string) error {
	if _, ok := presets[strings.ToLower(text)]; !ok {
		return fmt.Errorf("unknown preset; use dai2022 or eleutherai2021")
	}
	*p = presetFlag(strings.ToLower(text))
	return nil
}

// recipeFlags are the flags that a recipe is made of.
type recipeFlags struct {
	preset           presetFlag
	integral         integral
	threshold, share shareFlag
}

func (f *recipeFlags) flags(cmd *cobra.Command) {
	cmd.Flags().Var(&f.preset, "preset", "published recipe, dai2022 or eleutherai2021: its rule, nodes, threshold and\nshare, each of which its own flag replaces")
	f.integral.flags(cmd)
	f.threshold, f.share = kn.DefaultThreshold, kn.DefaultShare
	cmd.Flags().Var(&f.threshold, "threshold", "keep a prompt's neurons with at least this share of its largest score")
	cmd.Flags().Var(&f.share, "share", "keep the neurons that at least this share of the prompts have in common")
	cli.Complete(cmd, "preset", "dai2022", "eleutherai2021")
}

func (f *recipeFlags) recipe(cmd *cobra.Command) (kn.Recipe, error) {
	recipe := presets[string(f.preset)]
	if f.preset == "" || cmd.Flags().Changed("threshold") {
		recipe.Threshold = positive(f.threshold)
	}
	if f.preset == "" || cmd.Flags().Changed("share") {
		recipe.Share = positive(f.share)
	}
	return recipe, f.integral.apply(cmd, &recipe.Attribute)
}

// positive is the share as recipes take it, where 0 stands for the default:
// the least number in the place of 0 makes no difference to any comparison.
func positive(s shareFlag) float64 { return max(float64(s), math.SmallestNonzeroFloat64) }

func (a *app) neurons() *cobra.Command {
	var file, answer string
	var flags recipeFlags
	cmd := &cobra.Command{
		Use:   "neurons --model MODEL --prompts FILE --answer ANSWER",
		Short: "Find the neurons that prompts about one fact have in common",
		Long: `Attribute the answer in every prompt of a file (one a line, - for standard
input), keep each prompt's neurons with a large score (its coarse set), and of
these the ones that most prompts share (the refined set): the knowledge neurons
of the fact. The prompts should say the same thing in different words.`,
		Example: `  printf '%s\n' "The seat of government of France is [MASK]." "In France the main city and capital is [MASK]." "The capital of France is [MASK]." > france.txt
  kn neurons --model mini --prompts france.txt --answer Paris
  kn neurons --model mini --prompts france.txt --answer Paris --preset dai2022 --share 0.5 --json`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			recipe, err := flags.recipe(cmd)
			if err != nil {
				return err
			}
			m, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			prompts, err := a.readPrompts(cmd.Context(), m, file)
			if err != nil {
				return err
			}
			found, err := m.KnowledgeNeurons(prompts, answer, recipe)
			if err != nil {
				return err
			}
			err = a.print(neuronsResult{found.Coarse, found.Refined}, func(w *bytes.Buffer) { writeNeurons(w, a.out, found) })
			for _, i := range found.NotConverged {
				a.warnNotConverged(found.Prompts[i])
			}
			return err
		}),
	}
	a.modelFlags(cmd)
	cmd.Flags().StringVar(&file, "prompts", "", "`FILE` with one prompt a line, - for standard input (required)")
	cmd.Flags().StringVarP(&answer, "answer", "a", "", "`ANSWER` that answers all prompts (required)")
	flags.flags(cmd)
	cli.Require(cmd, "prompts", "answer")
	return cmd
}

// readPrompts reads a file of prompts and checks each, so that an error names its line.
func (a *app) readPrompts(ctx context.Context, m *kn.Model, file string) ([]string, error) {
	lines, err := a.readLines(ctx, file)
	if err != nil {
		return nil, err
	}
	prompts := make([]string, len(lines))
	for i, line := range lines {
		if _, _, err := m.Tokenizer().Prompt(line.text, m.Config().MaxPositions); err != nil {
			return nil, fmt.Errorf("%s: %w", line.at, err)
		}
		prompts[i] = line.text
	}
	return prompts, nil
}

func writeNeurons(w *bytes.Buffer, s cli.Style, found *kn.KnowledgeNeurons) {
	t := newTable(">neurons", "prompt")
	for i, set := range found.Coarse {
		t.add(nil, len(set), found.Prompts[i])
	}
	t.write(w, s)
	fmt.Fprintln(w)
	tableOf(found).write(w, s)
	if len(found.Refined) == 0 {
		fmt.Fprintf(w, "No neurons of %s are shared by enough prompts; try a smaller --share or --threshold.\n", found.Answer)
		return
	}
	fmt.Fprintln(w, s.Faint("\nfor kn scale: --neurons "+joinNeurons(found.Refined)))
}
