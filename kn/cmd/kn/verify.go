package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/verify"
)

// The exit statuses of kn verify besides those that all commands have.
const (
	exitDifferent     = 3
	exitOtherPicture  = 4
	exitNoProvenance  = 5
	exitNoModel       = 6
	exitOtherModel    = 7
	exitOtherVersion  = 8
	exitTakesHours    = 9
	exitDamagedFigure = 10
)

func (a *app) verify() *cobra.Command {
	var models []string
	var o verify.Options
	cmd := &cobra.Command{
		Use:   "verify FIGURE [--model MODEL]...",
		Short: "Compute a figure's numbers again, and say whether they are right",
		Long: `Read what an SVG of this project says about itself (what was asked of which
model, with which options, edits and seed, and the numbers in it), ask the model
again, from nothing in the cache, and compare. The figure is also drawn again from
its own numbers, so that a bar or a label that was moved is noticed.

Charts of one fact can be verified: factor curves, attributions, knowledge neurons
and their overlap, predictions, activation against probability, sensitivity, a
fact's sets in two models, tokens' scores, the logit lens, causal traces, parts of a
logit, and what suppressing and amplifying does to up to ` + fmt.Sprint(experiments.FewFacts) + ` facts. Of charts of sweeps and trainings it names the command that makes them.

The embedded model need not be named. Of any other, say with --model where it is;
it is known by its SHA-256. Nothing is opened or downloaded because a figure says
so. A figure of two models takes two --model.

Exit status
  0   the numbers are equal, up to the tolerance, and the picture is theirs
  3   a number, a set of neurons or a text differs
  4   the numbers are equal, but the picture is not what they give
  5   the file has no provenance to compute from
  6   the figure's model is not at hand
  7   the model at hand is another one
  8   another version made the figure
  9   another command computes it
  10  the figure's data are damaged`,
		Example: `  kn verify fact.svg
  kn verify fact.svg --model google-bert/bert-base-cased --json`,
		Args: cobra.ExactArgs(1),
		RunE: cli.Checked(func(cmd *cobra.Command, args []string) error {
			if !(o.Tolerance > 0 && o.Tolerance < 1) {
				return cli.Usagef("--tolerance %g must lie between 0 and 1", o.Tolerance)
			}
			a.bar, a.noCache = cli.NewBar(a.stderr, a.err), true
			for _, name := range models {
				m, err := cli.Load(name, kn.WithContext(cmd.Context()), kn.WithProgress(a.bar.Step))
				if err != nil {
					return cli.WithStatus(err, exitNoModel)
				}
				o.Models = append(o.Models, m)
			}
			o.Progress = a.bar.Step
			r, err := verify.Open(cmd.Context(), args[0], o)
			if err != nil {
				return verifyError(err)
			}
			if err := a.print(r, func(w *bytes.Buffer) { tableOf(r).write(w, a.out) }); err != nil {
				return err
			}
			switch {
			case r.Different > 0:
				return cli.WithStatus(fmt.Errorf("%s: %d of %d numbers, sets and texts differ", args[0], r.Different, r.Numbers), exitDifferent)
			case r.Picture != "":
				return cli.WithStatus(fmt.Errorf("%s: the picture is not the one that its numbers give", args[0]), exitOtherPicture)
			}
			return nil
		}),
	}
	a.jsonFlag(cmd)
	cmd.Flags().StringArrayVarP(&models, "model", "m", nil, "`MODEL` that the figure is of: a folder, or owner/name on the Hugging Face hub; may\nbe given several times")
	cmd.Flags().Float64Var(&o.Tolerance, "tolerance", verify.DefaultTolerance, "difference that counts as none, as a share of the largest number on an axis")
	cmd.Flags().BoolVar(&o.AnyVersion, "any-version", false, "compare although another version made the figure")
	cli.Known(cmd.MarkFlagDirname("model"))
	return cmd
}

// verifyError adds to an error what to do at the command line, and the exit status.
func verifyError(err error) error {
	for _, c := range []struct {
		is     error
		status int
		advice string
	}{
		{plots.ErrNoProvenance, exitNoProvenance, ""},
		{verify.ErrNoModel, exitNoModel, " with --model"},
		{verify.ErrOtherModel, exitOtherModel, "; give the figure's with --model"},
		{verify.ErrOtherVersion, exitOtherVersion, ", with --any-version"},
		{verify.ErrTakesHours, exitTakesHours, ""},
		{verify.ErrDamaged, exitDamagedFigure, ""},
	} {
		if errors.Is(err, c.is) {
			text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "verify: "), "plots: ")
			return cli.WithStatus(errors.New(text+c.advice), c.status)
		}
	}
	return err
}
