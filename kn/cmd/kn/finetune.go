package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
)

// finetuneHelp explains the fields of [finetune.Config], by their names in JSON.
var finetuneHelp = map[string]string{
	"seed":              "of new weights, the order of examples and dropout",
	"epochs":            "rounds through the training part",
	"steps":             "steps of the optimizer; 0 for as many as --epochs has",
	"batch":             "examples in a step",
	"max_length":        "tokens; the longer sentence is cut first",
	"learning_rate":     "at its highest; 0 for 5e-5 x 768 / hidden size, from scratch three times as much",
	"warm_up":           "share of the steps in which the learning rate rises; then it falls to 0",
	"weight_decay":      "of the matrices",
	"clip":              "largest norm of the gradient",
	"hidden_dropout":    "0 for what the model's config.json says",
	"attention_dropout": "0 for what the model's config.json says",
	"evaluate_every":    "steps between evaluations; 0 for ten in all",
}

func (a *app) finetune() *cobra.Command {
	var c finetune.Config
	var task string
	var freeze []string
	var sizes finetune.Sizes
	var force bool
	cmd := &cobra.Command{
		Use:   "finetune --model MODEL --task TASK --out DIR",
		Short: "Fine-tune a model to classify sentences, or pairs of them",
		Long: `Fine-tune a model, or with --from-scratch random weights of the same
configuration, to classify sentences or pairs of sentences. TASK is
  true, relation, paraphrase   made of facts: is a statement true, which relation
                               does it state, do two statements say the same
  MNLI, RTE, SST-2 or MRPC     a folder of that name, with GLUE's files as published
  another folder               with train.tsv, dev.tsv and perhaps test.tsv
  a file                       a TSV file, of which a tenth is kept to measure on
TSV files have columns label and sentence, or label, sentence1 and sentence2.
The built-in tasks are made of what the model was taught, or the embedded one.

The classifier is written to DIR in Hugging Face format, as transformers loads
it, with its course and what it measures in ` + finetune.RecordFile + `; with --checkpoints
also the classifiers after those steps, 0 being the start. After Ctrl-C, or a crash,
the same command goes on from there, to the same classifier. KN_BACKEND chooses
what computes, go or xla:cpu.`,
		Example: `  kn finetune --model mini --task relation --train 256 --dev 64 --test 64 --epochs 1 --out ./relations
  kn finetune --model mini --task true --from-scratch --steps 5 --dev 50 --test 50 --checkpoints 0,5 --out ./true
  kn finetune --model google-bert/bert-base-cased --task ./glue/MNLI --freeze embeddings,0,1 --out ./mnli`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) (err error) {
			for _, f := range freeze {
				c.Freeze = append(c.Freeze, tensorName(f))
			}
			if err := checkFineTuning(c.Out, force); err != nil {
				return err
			}
			sizes.Seed = c.Seed
			if c.Data, err = openTask(cmd.Context(), c.Model, task, sizes); err != nil {
				return err
			}
			a.tellUnread(c.Data)
			record, err := a.fineTune(cmd.Context(), c)
			if err != nil {
				return err
			}
			return a.print(record, func(w *bytes.Buffer) { writeFineTuned(w, a.out, c.Out, record) })
		}),
	}
	a.jsonFlag(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&c.Model, "model", "m", "", "`MODEL` to start from: mini, a folder, or owner/name on the Hugging Face hub (required)")
	flags.StringVarP(&task, "task", "t", "", "`TASK`: true, relation, paraphrase, a folder or a TSV file (required)")
	flags.StringVarP(&c.Out, "out", "o", "", "`DIR` to write the classifier to (required)")
	flags.BoolVar(&c.FromScratch, "from-scratch", false, "draw all weights; take only configuration and tokenizer of the model")
	flags.StringSliceVar(&freeze, "freeze", nil, "`PARTS` that keep their values: layers by number, embeddings, pooler, or tensors by name")
	flags.IntSliceVar(&c.Checkpoints, "checkpoints", nil, "`STEPS` after which the classifier is kept, such as 0,50,100")
	flags.StringSliceVar(&c.Evaluate, "evaluate", nil, "`PARTS` to measure while training; without it all but train and test")
	for name, size := range map[string]*int{"train": &sizes.Train, "dev": &sizes.Dev, "test": &sizes.Test} {
		flags.Var((*cli.Count)(size), name, "examples in the part "+name+" of a built-in task")
		flags.Lookup(name).DefValue = map[string]string{"train": "4000", "dev": "500", "test": "500"}[name]
	}
	flags.DurationVar(&c.SaveEvery, "save-every", finetune.Config{}.WithDefaults().SaveEvery, "time between two savings of what the training can go on from")
	flags.BoolVar(&force, "force", false, "train although DIR holds other files; the classifier in it is replaced")
	usual := finetune.Config{EvaluateEvery: -1}.WithDefaults() // how often to evaluate depends on the steps
	usual.EvaluateEvery = 0
	fieldFlags(flags, reflect.ValueOf(&c).Elem(), reflect.ValueOf(usual), finetuneHelp)
	cli.Require(cmd, "model", "task", "out")
	cli.Complete(cmd, "task", finetune.BuiltInTasks...)
	cli.Known(cmd.MarkFlagDirname("model"))
	cli.Known(cmd.MarkFlagDirname("out"))
	return cmd
}

// tensorName is what [finetune.Config.Freeze] and [landscape.Group] call a part
// of a model: a layer by its number, embeddings and pooler by their names.
func tensorName(part string) string {
	part = strings.TrimSpace(part)
	if _, err := strconv.ParseUint(part, 10, 31); err == nil {
		return "bert.encoder.layer." + part
	}
	if part == "embeddings" || part == "pooler" {
		return "bert." + part
	}
	return part
}

// checkFineTuning refuses to train in a folder that is in use, unless a
// training is to go on there.
func checkFineTuning(dir string, force bool) error {
	if _, err := os.Stat(filepath.Join(dir, finetune.StateFile)); err == nil {
		return nil
	}
	return errors.Join(checkEmpty(dir, force), forget(filepath.Join(dir, finetune.RecordFile), force))
}

// tellUnread says what of labelled data was not read.
func (a *app) tellUnread(d *finetune.Data) {
	if len(d.Unread) > 0 {
		fmt.Fprintf(a.stderr, "not read: %s\n", strings.Join(d.Unread, ", "))
	}
}

// openTask reads a task's data. Built-in ones are made of the facts that the
// model was taught, or if it does not say, of the embedded model's.
func openTask(ctx context.Context, model, task string, sizes finetune.Sizes) (*finetune.Data, error) {
	var known []facts.Fact
	if slices.Contains(finetune.BuiltInTasks, task) {
		taught, err := mini.Facts()
		if m, other := kn.Load(model, kn.WithContext(ctx)); other == nil {
			if own, none := m.Facts(); !errors.Is(none, kn.ErrNoFacts) {
				taught, err = own, none
			}
		}
		if err != nil {
			return nil, err
		}
		known = facts.Known(taught)
	}
	return finetune.OpenData(task, known, sizes)
}

// fineTune runs the training under a line of progress.
func (a *app) fineTune(ctx context.Context, c finetune.Config) (*finetune.Record, error) {
	line := newTrainingLine(a.stderr, a.err.Terminal)
	start := time.Now()
	record, err := finetune.Run(ctx, c, func(p finetune.Progress) {
		if time.Since(start) > line.every { // a short training says all at its end
			line.say(fineTuningText(p), p.Step == p.Steps)
		}
	})
	line.end()
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(a.stderr, "the training can go on: %s keeps its state, and the same command resumes it\n", c.Out)
	}
	return record, err
}

// fineTuningText is a training's state in about 80 columns.
func fineTuningText(p finetune.Progress) string {
	text := fmt.Sprintf("step %d/%d", p.Step, p.Steps)
	if n := len(p.History.Training); n > 0 {
		last := p.History.Training[n-1]
		text += fmt.Sprintf("  loss %.3f  accuracy %.1f %%", last.Loss, 100*last.Accuracy)
	}
	if n := len(p.History.Evaluations); n > 0 {
		last := p.History.Evaluations[n-1]
		text += fmt.Sprintf("  %s %.1f %%", last.Part, 100*last.Accuracy)
	}
	return text + fmt.Sprintf("  %.3g steps/s  %s left", p.Rate, p.Left.Round(time.Second))
}

func writeFineTuned(w *bytes.Buffer, s cli.Style, dir string, r *finetune.Record) {
	fmt.Fprintf(w, "%s: %q, %d labels, %d parameters, %d steps in %s (%.3g a second)\n", s.Good(dir), r.Task, len(r.Labels), r.Parameters,
		r.Steps, time.Duration(r.Seconds*float64(time.Second)).Round(100*time.Millisecond), float64(r.Steps)/r.Seconds)
	t := newTable("part", ">examples", ">loss", ">accuracy", ">commonest label")
	if n := len(r.History.Training); n > 0 {
		last := r.History.Training[n-1]
		t.add(s.Faint, "train, last steps", "-", last.Loss, share(last.Accuracy), "-")
	}
	for _, p := range []string{"dev", "dev_matched", "dev_mismatched", "test"} {
		if e, ok := r.Evaluations[p]; ok {
			t.add(nil, p, e.Examples, e.Loss, share(e.Accuracy), share(e.Majority))
		}
	}
	t.write(w, s)
	for _, step := range r.Checkpoints {
		fmt.Fprintln(w, s.Faint("step "+strconv.Itoa(step)+": "+finetune.CheckpointDir(dir, step)))
	}
	if len(r.Unknown) > 0 {
		fmt.Fprintf(w, "%s the vocabulary cannot spell %q; the model reads [UNK]\n", s.Bad("note:"), r.Unknown)
	}
}
