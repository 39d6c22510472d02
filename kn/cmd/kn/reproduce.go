package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/berteffectiveness"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/electrasampling"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/knowledgeneurons"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/learningdynamics"
)

func (a *app) reproduce() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reproduce PAPER",
		Short: "Make every table and figure of a paper, and say which of its claims hold",
		Long: `Run all experiments of a paper and write a report: its tables and figures, the
paper's numbers beside those measured, and each of its claims with the verdict
that a stated rule gives, "holds here" or "does not hold here".

Every stage's result is kept in the report's folder. After Ctrl-C, or a crash,
the same command goes on from there; with an option changed it computes anew
what the option concerns.`,
		Example: "  kn reproduce knowledge-neurons --model mini --out ./report",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var papers []string
			for _, paper := range cmd.Commands() {
				papers = append(papers, paper.Name())
			}
			return cli.Usagef("say which paper: kn reproduce %s", strings.Join(papers, " | "))
		},
	}
	cmd.AddCommand(a.reproduceKnowledgeNeurons(), a.reproduceLearningDynamics(), a.reproduceEffectiveness(), a.reproduceElectraSampling())
	return cmd
}

// making makes a report in a folder.
type making func(ctx context.Context, out string, watch reproduce.Watch) (*reproduce.Outcome, error)

// paper completes the command of a paper by what all have in common. prepare
// reads the flags, and returns what makes the report by them.
func (a *app) paper(cmd *cobra.Command, prepare func(command string) (making, error)) *cobra.Command {
	var out string
	cmd.Args = cobra.NoArgs
	cmd.RunE = cli.Checked(func(cmd *cobra.Command, _ []string) error {
		make, err := prepare(cmd.CommandPath() + " " + shellWords(givenFlags(cmd, "json", "no-cache", "jobs")...))
		if err != nil {
			return err
		}
		a.noCache, a.bar = true, cli.NewBar(a.stderr, a.err)
		step := func(done, total int, what string) { a.bar.Step(done, total, what) } // loading a model makes another bar
		outcome, err := make(cmd.Context(), out, reproduce.Watch{Stage: a.stage, Step: step, Plan: a.planned})
		a.bar.Finish()
		if errors.Is(err, context.Canceled) {
			fmt.Fprintf(a.stderr, "the reproduction can go on: %s keeps what was computed, and the same command resumes it\n", out)
		}
		if err != nil {
			return err
		}
		return a.print(outcome, func(w *bytes.Buffer) { writeOutcome(w, a.out, outcome) })
	})
	a.modelFlags(cmd)
	cli.Known(cmd.Flags().MarkHidden("no-cache")) // the stages' results are kept in DIR
	cmd.Flags().StringVarP(&out, "out", "o", "", "`DIR` to write the report to (required)")
	cli.Require(cmd, "out")
	cli.Known(cmd.MarkFlagDirname("out"))
	return cmd
}

// jobsFlag is for papers that need trainings.
func jobsFlag(cmd *cobra.Command, jobs *int) {
	cmd.Flags().Var((*cli.Count)(jobs), "jobs", "trainings side by side")
	cmd.Flags().Lookup("jobs").DefValue = "one a core, up to 8; 1 for models of 20 million parameters or more"
}

// taskFlags are for papers that train classifiers.
func taskFlags(cmd *cobra.Command, tasks *[]string, folder *string, help string) {
	cmd.Flags().StringSliceVar(tasks, "tasks", nil, help)
	cmd.Flags().StringVar(folder, "data", "", "`DIR` of the tasks that are not made of facts: GLUE's MNLI, RTE, SST-2 and others as published, or folders of your own with train.tsv and dev.tsv")
	cli.Known(cmd.MarkFlagDirname("data"))
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error { return checkTasks(cmd, *tasks) }
}

// checkTasks refuses what concerns tasks that are read from files where all are
// made of facts; no task named are the usual ones, which are.
func checkTasks(cmd *cobra.Command, tasks []string) error {
	if !reproduce.NamesOfFacts(tasks) {
		return nil
	}
	for _, flag := range []string{"data", "max-length"} {
		if cmd.Flags().Changed(flag) {
			return cli.Usagef("--%s concerns tasks that are read from files, and all tasks here are made of facts; name others, such as --tasks RTE,SST-2 with --data DIR, or leave --%s out", flag, flag)
		}
	}
	return nil
}

// sizeFlag is a flag for a number of which 0 stands for the usual one.
type sizeFlag struct {
	name  string
	to    *int
	usual string
	help  string
}

func sizeFlags(cmd *cobra.Command, flags []sizeFlag) {
	for _, f := range flags {
		cmd.Flags().Var((*cli.Count)(f.to), f.name, f.help)
		cmd.Flags().Lookup(f.name).DefValue = f.usual
	}
}

// onModel makes a report about a model.
func (a *app) onModel(make func(ctx context.Context, m *kn.Model, out string, watch reproduce.Watch) (*reproduce.Outcome, error)) making {
	return func(ctx context.Context, out string, watch reproduce.Watch) (*reproduce.Outcome, error) {
		m, err := a.load(ctx)
		if err != nil {
			return nil, err
		}
		return make(ctx, m, out, watch)
	}
}

// stage says on standard error which stage starts.
func (a *app) stage(i, n int, what string, kept bool) {
	a.bar.Finish()
	line := fmt.Sprintf("stage %d of %d: %s", i, n, what)
	if kept {
		line += a.err.Faint(" (kept)")
	}
	fmt.Fprintln(a.stderr, line)
}

// planned says on standard error how long a reproduction takes, if that is long.
func (a *app) planned(p reproduce.Plan) {
	const long = 1. / 60 // hours
	if a.err.Terminal || p.Hours(p.Stages...) >= long {
		a.bar.Finish()
		fmt.Fprint(a.stderr, p)
	}
}

func writeOutcome(w *bytes.Buffer, s cli.Style, o *reproduce.Outcome) {
	t := newTable("verdict", "claim")
	for _, c := range o.Claims {
		var paint func(...any) string
		if c.Verdict == report.Holds {
			paint = s.Good
		}
		t.add(paint, string(c.Verdict), c.Statement)
	}
	t.write(w, s)
	fmt.Fprintf(w, "\n%s, the same as %s; computed in %s\n", s.Good(o.Page), o.Markdown, time.Duration(o.Seconds*float64(time.Second)).Round(time.Second))
}

func (a *app) reproduceKnowledgeNeurons() *cobra.Command {
	var o knowledgeneurons.Options
	var limit, answers cli.Count
	tolerance := 0.01
	cmd := a.paper(&cobra.Command{
		Use:   "knowledge-neurons --model MODEL --out DIR [--facts DATA]",
		Short: "Knowledge Neurons in Pretrained Transformers (Dai et al., ACL 2022)",
		Long: `Reproduce Dai, Dong, Hao, Sui, Chang and Wei, Knowledge Neurons in Pretrained
Transformers (ACL 2022): attribute facts to neurons, suppress and amplify them,
measure their activation in open texts, update facts and erase relations by
them; and measure what the published codes do differently and how exact the
integrals are. DIR gets report.html, report.md, the results as JSON, the tables
as CSV and Markdown, and the figures as SVG and PNG.

Models of this project's pre-training, such as mini, are asked what they were
taught, in a sample of 492 facts; others need --facts.`,
		Example: `  kn reproduce knowledge-neurons --model mini --out ./report
  kn reproduce knowledge-neurons --model google-bert/bert-base-cased --facts ./pararel --limit 1000 --out ./bert`,
	}, func(command string) (making, error) {
		if !(tolerance > 0) || tolerance > 1 {
			return nil, cli.Usagef("--tolerance %v: must be a number above 0, at most 1", tolerance)
		}
		o.Limit, o.Tolerance, o.AnswerTokens = int(limit), tolerance, int(answers)
		o.Command, o.Projected = command, a.projected
		return a.onModel(func(ctx context.Context, m *kn.Model, out string, watch reproduce.Watch) (*reproduce.Outcome, error) {
			return knowledgeneurons.Reproduce(ctx, m, out, o, watch)
		}), nil
	})
	cmd.Flags().StringVar(&o.Facts, "facts", "", "`DATA` set of facts: PARAREL's folder, LAMA's, or a file of facts with prompts")
	cmd.Flags().StringVar(&o.Texts, "texts", "", "open `TEXTS` about the facts, a file or folder in the authors' format")
	cmd.Flags().StringVar(&o.Publish, "publish", "", "`DIR` for a copy of the report to pass on, without the data's sentences and without PNGs")
	cli.Known(cmd.MarkFlagDirname("publish"))
	cmd.Flags().StringSliceVar(&o.Relations, "relations", nil, "only these relations, Wikidata `PROPERTIES` such as P19,P36")
	cmd.Flags().Var(&limit, "limit", "at most so many facts, drawn evenly from the relations")
	cmd.Flags().Var(&answers, "answer-tokens", "longest answer in `TOKENS`; without it 1, and any length for a causal model")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "of all that is drawn")
	cmd.Flags().Float64Var(&tolerance, "tolerance", tolerance, "estimated error of the attributions, as a share of the largest score")
	return cmd
}

func (a *app) reproduceLearningDynamics() *cobra.Command {
	var o learningdynamics.Options
	cmd := a.paper(&cobra.Command{
		Use:   "fine-tuning-dynamics --model MODEL --out DIR",
		Short: "Investigating Learning Dynamics of BERT Fine-Tuning (Hao et al., AACL 2020)",
		Long: `Reproduce Hao, Dong, Wei and Xu, Investigating Learning Dynamics of BERT
Fine-Tuning (AACL 2020), on tasks made of facts or on GLUE's: fine-tune under
several seeds and measure how far attention (JS divergence) and hidden states
(SVCCA, CKA) of each layer move, and how far seeds and data sets end from each
other; take layers back to their start, freeze others; and follow facts and their
knowledge neurons.
DIR gets report.html, report.md, the results as JSON, the tables as CSV and
Markdown, the figures as SVG and PNG, and the classifiers.`,
		Example: `  kn reproduce fine-tuning-dynamics --model mini --out ./dynamics
  kn reproduce fine-tuning-dynamics --model google-bert/bert-base-cased --data ./glue --tasks RTE,MRPC,SST-2 --train 2000 --out ./bert-dynamics`,
	}, func(command string) (making, error) {
		if o.LearningRate < 0 {
			return nil, cli.Usagef("--learning-rate %v: must be positive", o.LearningRate)
		}
		o.Command = command
		return a.onModel(func(ctx context.Context, m *kn.Model, out string, watch reproduce.Watch) (*reproduce.Outcome, error) {
			return learningdynamics.Reproduce(ctx, m, out, o, watch)
		}), nil
	})
	taskFlags(cmd, &o.Tasks, &o.Data, "two or more `TASKS`: true, relation and paraphrase, which are made of facts, or others with --data; by default these three")
	z := &o.Sizes
	sizeFlags(cmd, []sizeFlag{
		{"seeds", &o.Seeds, "3", "trainings on each task, two or more"},
		{"steps", &z.Steps, "600", "steps of each training"},
		{"train", &z.Train, "as many as the steps show, up to 8000", "examples of each task to learn from"},
		{"batch", &z.Batch, "32", "examples in a step"},
		{"held-out", &z.Dev, "300", "examples of each task to measure on"},
		{"facts", &z.Facts, "41", "facts to follow"},
		{"max-length", &z.MaxLength, "128", "most tokens of an example, of tasks with --data; longer ones are left out"},
	})
	cmd.Flags().Float64Var(&o.LearningRate, "learning-rate", 0, "at its highest; 0 for the default of the model")
	jobsFlag(cmd, &o.Jobs)
	return cmd
}

func (a *app) reproduceEffectiveness() *cobra.Command {
	var o berteffectiveness.Options
	cmd := a.paper(&cobra.Command{
		Use:   "bert-effectiveness --model MODEL --out DIR",
		Short: "Visualizing and Understanding the Effectiveness of BERT (Hao et al., EMNLP 2019)",
		Long: `Reproduce Hao, Dong, Wei and Xu, Visualizing and Understanding the Effectiveness
of BERT (EMNLP 2019), on tasks made of facts or on GLUE's: train from the model's
weights and from scratch under several seeds; measure loss and error on the lines and planes
between starts and ends, on examples learned from and on held-out ones, and how
wide the regions of low loss are; take groups of layers back to their start; and
train long past convergence. DIR gets report.html, report.md, the results as JSON,
the tables as CSV and Markdown, the figures as SVG and PNG, and the classifiers.

By default the task is relation, which mini learns from a few hundred examples. A verdict
takes six pairs of task and seed.`,
		Example: `  kn reproduce bert-effectiveness --model mini --out ./effectiveness
  kn reproduce bert-effectiveness --model google-bert/bert-base-cased --data ./glue --tasks RTE,MRPC,SST-2 --train 2000 --seeds 2 --out ./bert-effectiveness`,
	}, func(command string) (making, error) {
		if o.LearningRate < 0 {
			return nil, cli.Usagef("--learning-rate %v: must be positive", o.LearningRate)
		}
		o.Command = command
		return a.onModel(func(ctx context.Context, m *kn.Model, out string, watch reproduce.Watch) (*reproduce.Outcome, error) {
			return berteffectiveness.Reproduce(ctx, m, out, o, watch)
		}), nil
	})
	taskFlags(cmd, &o.Tasks, &o.Data, "`TASKS`: true, relation and paraphrase, which are made of facts, or others with --data; by default relation")
	z := &o.Sizes
	sizeFlags(cmd, []sizeFlag{
		{"seeds", &o.Seeds, "6", "trainings of each kind on each task"},
		{"train", &z.Train, "480", "examples to learn each task from"},
		{"steps", &z.Steps, "100", "steps of fine-tuning; from scratch and past convergence see --scratch and --long"},
		{"scratch", &z.Scratch, "3", "times as many steps from scratch"},
		{"long", &z.Long, "4", "times as many steps past convergence"},
		{"batch", &z.Batch, "32", "examples in a step"},
		{"held-out", &z.HeldOut, "200", "examples of the held-out parts"},
		{"sample", &z.Sample, "100", "examples that landscapes are measured on"},
		{"grid", &z.Grid, "3", "points of lines and planes from start to end; curves have 8 times as many and finer ones near the minimum, surfaces 3 times in each direction"},
		{"max-length", &z.MaxLength, "128", "most tokens of an example, of tasks with --data; longer ones are left out"},
	})
	cmd.Flags().Float64Var(&o.LearningRate, "learning-rate", 0, "at its highest, and three times that from scratch; 0 for the default of the model")
	jobsFlag(cmd, &o.Jobs)
	return cmd
}

func (a *app) reproduceElectraSampling() *cobra.Command {
	var o electrasampling.Options
	cmd := a.paper(&cobra.Command{
		Use:   "electra-sampling --model MODEL --out DIR",
		Short: "Learning to Sample Replacements for ELECTRA Pre-Training (Hao et al., Findings of ACL 2021)",
		Long: `Reproduce Hao, Dong, Bao, Xu and Wei, Learning to Sample Replacements for ELECTRA
Pre-Training (Findings of ACL 2021), at a small size: pre-train ELECTRA, HP_Loss
and HP_Dist, each with cross-entropy and with focal loss, on facts that the model
was taught about countries, capitals and languages, with five seeds; then
fine-tune the discriminators on tasks made of these facts, after equal steps and
after equal time. DIR gets report.html, report.md, the results as JSON, the
tables as CSV and Markdown, and the figures as SVG and PNG. What is a
reconstruction, not the authors' code, is in the documentation of kn's package
electra.`,
		Example: "  kn reproduce electra-sampling --model mini --out ./electra",
	}, func(command string) (making, error) {
		o.Command = command
		return func(ctx context.Context, out string, watch reproduce.Watch) (*reproduce.Outcome, error) {
			return electrasampling.Reproduce(ctx, a.model, out, o, watch)
		}, nil
	})
	flags := cmd.Flags()
	flags.StringSliceVar(&o.Relations, "relations", electrasampling.Relations, "whose facts are learned, Wikidata `PROPERTIES`")
	sizeFlags(cmd, []sizeFlag{
		{"seeds", &o.Seeds, "5", "trainings of each variant"},
		{"steps", &o.Steps, "2000", "of pre-training"},
		{"facts", &o.Facts, "120", "to pre-train on, and to make the tasks of"},
		{"train", &o.Train, "45", "examples to fine-tune on, and as many to test on"},
	})
	jobsFlag(cmd, &o.Jobs)
	return cmd
}
