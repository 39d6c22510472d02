package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/pretrain"
)

func (a *app) pretrain() *cobra.Command {
	var c pretrain.Config
	var force, noCard bool
	var options pretrain.EvaluateOptions
	cmd := &cobra.Command{
		Use:   "pretrain --out DIR (--triples DIR | --text FILE)",
		Short: "Teach a small BERT or GPT-2 facts, or let it read a text",
		Long: `Pre-train a BERT, or with --architecture gpt2 a causal model, from nothing: on
the facts in a folder of T-REx triples, said in this project's own sentences, or
on a text file, masked as BERT's was or told from left to right as GPT-2's was. The
defaults are the recipe of the embedded model; kn's package pretrain explains
the objective. The model is written to DIR in Hugging Face format, with the
facts that it was taught, a record of the training, and a model card of what it
measures: recall, and what its knowledge neurons do (see kn evaluate).

A checkpoint is kept in DIR meanwhile. After Ctrl-C, or a crash, the same
command goes on from there, to the same model. One seed always gives one model
on one kind of machine. KN_BACKEND chooses what computes, as go or xla:cuda.`,
		Example: `  kn pretrain --triples ./trex_lms_vocab --out ./mini
  kn pretrain --triples ./trex_lms_vocab --out ./tiny --facts 2000 --examples 200000
  kn pretrain --triples ./trex_lms_vocab --out ./gpt --architecture gpt2 --facts 4000 --examples 260000
  kn pretrain --text ./books.txt --out ./reader --layers 6 --hidden 256 --ffn 1024 --activation gelu`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			if err := checkTraining(c.Out, force); err != nil {
				return err
			}
			record, err := a.train(cmd.Context(), c)
			if err != nil {
				return err
			}
			if c.Triples != "" && !noCard {
				if _, err := a.measure(cmd.Context(), c.Out, options, true); err != nil {
					return fmt.Errorf("the model is in %s, without a card: %w; kn evaluate --card makes up for it", c.Out, err)
				}
			}
			return a.print(record, func(w *bytes.Buffer) {
				fmt.Fprintf(w, "%s: %d parameters, %d tokens in the vocabulary, %d steps in %.0f s, loss %.3f\n",
					a.out.Good(c.Out), record.Parameters, record.Vocabulary, record.Steps, record.Seconds, record.FinalLoss)
			})
		}),
	}
	a.jsonFlag(cmd)
	cmd.Flags().StringVarP(&c.Out, "out", "o", "", "`DIR` to write the model to (required)")
	cmd.Flags().StringVar(&c.Triples, "triples", "", "`DIR` of T-REx triples, a file such as P19.jsonl for each relation")
	cmd.Flags().StringVar(&c.Text, "text", "", "text `FILE` to read instead")
	cmd.Flags().BoolVar(&force, "force", false, "train although DIR holds files that are no checkpoint; the model in it is replaced")
	cmd.Flags().DurationVar(&c.SaveEvery, "save-every", pretrain.Config{}.WithDefaults().SaveEvery, "time between checkpoints")
	cmd.Flags().BoolVar(&c.Half, "half", false, "store the weights as 16-bit numbers: half the size, three digits")
	cmd.Flags().BoolVar(&noCard, "no-card", false, "neither measure the model nor write its card")
	cmd.Flags().StringVar(&options.Patterns, "patterns", "", "`DIR` of PARAREL's patterns, to measure recall on them for the card")
	configFlags(cmd.Flags(), &c)
	cli.Require(cmd, "out")
	cmd.MarkFlagsOneRequired("triples", "text")
	cmd.MarkFlagsMutuallyExclusive("triples", "text")
	for _, name := range []string{"out", "triples", "patterns"} {
		cli.Known(cmd.MarkFlagDirname(name))
	}
	return cmd
}

// train runs the training under a line of progress.
func (a *app) train(ctx context.Context, c pretrain.Config) (*pretrain.Record, error) {
	line := newTrainingLine(a.stderr, a.err.Terminal)
	record, err := pretrain.Run(ctx, c, line.show)
	line.end()
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(a.stderr, "the training can go on: %s keeps its checkpoint, and the same command resumes it\n", c.Out)
	}
	return record, err
}

// checkTraining refuses to train in a folder that is in use, unless it has
// the checkpoint of a training.
func checkTraining(dir string, force bool) error {
	if _, err := os.Stat(filepath.Join(dir, pretrain.StateFile)); err == nil {
		return nil
	}
	return checkEmpty(dir, force)
}
