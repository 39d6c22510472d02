package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/electra"
)

// electraHelp explains the fields of [electra.Config], by their names in JSON.
var electraHelp = map[string]string{
	"facts":           "at most so many of what the model was taught, drawn at random; 0 for all",
	"seed":            "of weights, masks, draws and the windows' order",
	"gamma":           "of the generator's focal loss; 0 for cross-entropy",
	"bound":           "of the importance weights",
	"weight":          "of the discriminator's loss",
	"hardness_weight": "of what the head that predicts hardness learns",
	"masked_share":    "of a window's tokens",
	"hidden":          "hidden size of the discriminator; 0 for the model's",
	"layers":          "of both models; 0 for the model's",
	"heads":           "of the discriminator; 0 for the model's",
	"ffn":             "neurons in a layer of the discriminator; 0 for the model's",
	"embedding":       "width of the embeddings, which both share; 0 for --hidden",
	"generator_size":  "the generator's width as a share of the discriminator's",
	"deviation":       "of the initial matrices; 0 for what the model's config.json says",
	"steps":           "of the optimizer",
	"batch":           "windows in a step",
	"length":          "tokens in a window, at most the model's positions",
	"learning_rate":   "at its highest",
	"warm_up":         "share of the steps in which the learning rate rises; then it falls to 0",
	"weight_decay":    "of the matrices",
	"clip":            "largest norm of the gradient",
	"measure_every":   "steps between two measurements; 0 for twenty in all, but ten steps at least",
	"held_out":        "windows that are measured on, the text's last; 0 for --batch",
	"resamples":       "how often a measurement draws its windows' replacements",
}

func (a *app) electra() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "electra",
		Short:   "Pre-train ELECTRA, drawing what the discriminator finds hard",
		Example: "  " + electraExample,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return cli.Usagef("say what to do: kn electra train")
		},
	}
	cmd.AddCommand(a.electraTrain())
	return cmd
}

const electraExample = "kn electra train --model mini --sampler hp-loss --gamma 1 --facts 200 --trim --steps 6 --batch 4 --resamples 4 --hidden 32 --heads 2 --ffn 64 --out ./hard"

func (a *app) electraTrain() *cobra.Command {
	var c electra.Config
	var force bool
	var sampler, bounding string
	cmd := &cobra.Command{
		Use:   "train --model MODEL --out DIR [--text FILE]",
		Short: "Pre-train a generator and a discriminator",
		Long: `Pre-train an ELECTRA (Clark et al., ICLR 2020) from random weights: a generator
proposes tokens for the masked ones, a discriminator tells which tokens were
replaced. --sampler says what replacements are drawn from (Hao et al., Findings
of ACL 2021):
  plain     the generator's distribution
  hp-loss   that times the discriminator's loss, which a head predicts
  hp-dist   a distribution that a head gives, trained to be that product
Losses are weighted so that their expectation stays that of plain. --gamma above
0 makes the generator's loss focal. What the paper leaves open, and what differs,
is in the documentation of kn's package electra.

MODEL gives the tokenizer and the sizes, not weights. The text is what it was
taught, in this project's sentences, or FILE.

DIR gets generator and discriminator in Hugging Face format, which transformers
loads as ElectraForMaskedLM and ElectraForPreTraining, and the training's course
with what was measured on the way in ` + electra.RecordFile + `. After Ctrl-C, or a
crash, the same command goes on from there, to the same models.`,
		Example: "  " + electraExample + "\n  kn electra train --model mini --text ./books.txt --steps 20000 --out ./books",
		Args:    cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			c.Sampler, c.Bounding = electra.Sampler(sampler), electra.Bounding(bounding)
			if err := errors.Join(c.Sampler.Validate(), c.Bounding.Validate()); err != nil {
				return cli.Usagef("%w", err)
			}
			if err := checkElectra(c.Out, force); err != nil {
				return err
			}
			record, err := a.trainElectra(cmd.Context(), c)
			if err != nil {
				return err
			}
			return a.print(record, func(w *bytes.Buffer) { writeElectra(w, a.out, c.Out, record) })
		}),
	}
	a.jsonFlag(cmd)
	usual := electra.Config{MeasureEvery: -1}.WithDefaults() // how often to measure depends on the steps
	usual.MeasureEvery, usual.HeldOut = 0, 0                 // and on what, on the batch
	flags := cmd.Flags()
	flags.StringVarP(&c.Model, "model", "m", "", "`MODEL` that gives tokenizer and sizes: mini, a folder, or owner/name on the Hugging Face hub (required)")
	flags.StringVar(&c.Text, "text", "", "text `FILE` to learn from; without it what the model was taught")
	flags.StringSliceVar(&c.Relations, "relations", nil, "of what the model was taught only these relations, Wikidata `PROPERTIES` such as P19,P36")
	flags.StringVarP(&c.Out, "out", "o", "", "`DIR` to write both models to (required)")
	flags.StringVar(&sampler, "sampler", string(usual.Sampler), "what replacements are drawn from: plain, hp-loss or hp-dist")
	flags.StringVar(&bounding, "bounding", string(usual.Bounding), "how the weights are kept in bounds: mixture or clip")
	flags.IntSliceVar(&c.Checkpoints, "checkpoints", nil, "`STEPS` after which both models are kept, such as 0,500,1000")
	flags.DurationVar(&c.SaveEvery, "save-every", usual.SaveEvery, "time between two savings of what the training can go on from")
	flags.BoolVar(&c.Trim, "trim", false, "leave out of the tokenizer what the text has not: smaller models, faster steps")
	flags.BoolVar(&force, "force", false, "train although DIR holds other files; the models in it are replaced")
	fieldFlags(flags, reflect.ValueOf(&c).Elem(), reflect.ValueOf(usual), electraHelp)
	cli.Require(cmd, "model", "out")
	cli.Complete(cmd, "sampler", string(electra.Plain), string(electra.HPLoss), string(electra.HPDist))
	cli.Complete(cmd, "bounding", string(electra.Mixture), string(electra.Clip))
	cli.Known(cmd.MarkFlagDirname("model"))
	cli.Known(cmd.MarkFlagDirname("out"))
	return cmd
}

// checkElectra refuses to train in a folder that is in use, unless a training
// is to go on there.
func checkElectra(dir string, force bool) error {
	if _, err := os.Stat(filepath.Join(dir, electra.StateFile)); err == nil {
		return nil
	}
	return errors.Join(checkEmpty(dir, force), forget(filepath.Join(dir, electra.RecordFile), force))
}

// trainElectra runs the training under a line of progress.
func (a *app) trainElectra(ctx context.Context, c electra.Config) (*electra.Record, error) {
	line := newTrainingLine(a.stderr, a.err.Terminal)
	var start time.Time
	record, err := electra.Run(ctx, c, func(p electra.Progress) {
		if start.IsZero() {
			start = time.Now()
		}
		if time.Since(start) > line.every { // a short training says all at its end
			line.say(electraText(p), p.Step == p.Steps)
		}
	})
	line.end()
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(a.stderr, "the training can go on: %s keeps its state, and the same command resumes it\n", c.Out)
	}
	return record, err
}

// electraText is a training's state in about 80 columns.
func electraText(p electra.Progress) string {
	if p.Step == 0 {
		return fmt.Sprintf("reading the text: %d tokens", p.Tokenized)
	}
	text := fmt.Sprintf("step %d/%d  generator %.3f  discriminator %.4f", p.Step, p.Steps, p.Generator, p.Discriminator)
	if p.Measured != nil {
		text += fmt.Sprintf("  correct %.1f %%", 100*p.Measured.Own.Correct)
	}
	return text + fmt.Sprintf("  %.3g steps/s  %s left", p.Rate, p.Left.Round(time.Second))
}

func writeElectra(w *bytes.Buffer, s cli.Style, dir string, r *electra.Record) {
	fmt.Fprintf(w, "%s: %s and %s of %d and %d parameters, %d steps in %s (%.3g a second) on a text of %d tokens\n", s.Good(dir), electra.GeneratorDir, electra.DiscriminatorDir,
		r.Generator, r.Discriminator, r.Steps, time.Duration(r.Seconds*float64(time.Second)).Round(100*time.Millisecond), float64(r.Steps)/r.Seconds, r.CorpusTokens)
	t := newTable("on windows not trained on", ">at the start", ">at the end")
	first, last := r.Measurements[0], r.Last()
	row := func(name string, of func(electra.Measurement) any) { t.add(nil, name, of(first), of(last)) }
	row("generator's cross-entropy", func(m electra.Measurement) any { return m.CrossEntropy })
	row("generator's confidence", func(m electra.Measurement) any { return share(m.Confidence) })
	row("replacements that are correct", func(m electra.Measurement) any { return share(m.Own.Correct) })
	row("discriminator's loss", func(m electra.Measurement) any { return m.Own.Detection })
	row("its accuracy", func(m electra.Measurement) any { return share(m.Own.Accuracy) })
	row("variance of a masked token's weighted loss", func(m electra.Measurement) any { return m.Own.Variance })
	row("the same, drawn plainly", func(m electra.Measurement) any { return m.Plain.Variance })
	row("effective samples a draw", func(m electra.Measurement) any { return m.Own.EffectiveShare })
	t.write(w, s)
}
