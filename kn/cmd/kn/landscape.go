package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/plots/landscapeplots"
)

// landscapeCall is what the command is asked for.
type landscapeCall struct {
	theta0, theta1, theta2 string
	data, plot, run        string
	back                   bool
	options                landscape.Options
}

func (a *app) landscape() *cobra.Command {
	var c landscapeCall
	var alphas, betas factorsFlag
	var group []string
	cmd := &cobra.Command{
		Use:   "landscape --theta0 A --theta1 B [--theta2 C] --data FILE",
		Short: "Measure loss and error on the line, or plane, between classifiers",
		Long: `Measure the loss (mean cross-entropy, nats) and the error (1 - accuracy) of the
classifiers whose parameters, every one of them, are A + alpha (B - A) + beta (C -
A), as in Hao et al., Visualizing and Understanding the Effectiveness of BERT
(2019). A is the start of a fine-tuning with its untrained classifier, the
checkpoint of step 0 ("kn finetune --checkpoints 0"); B is its end, and C that of
another one. At (0, 0), (1, 0) and (0, 1) stand the checkpoints themselves. Without
C the result is a curve over alpha. Where C has another number of labels than A
and B, its classifier stays out: beta moves all parameters but the classifier's.

With --group only some of the parameters move, the others staying B's. With
--reset one group after another has A's values again in B: the embeddings,
the bottom, middle and top layers, and the classifier, or the --group alone.

FILE is a TSV file with a header that names label
and sentence, or label, sentence1 and sentence2; labels are B's.

Points are kept in the cache as they are measured: after Ctrl-C, or a crash, the
same command goes on, and a finer grid uses those of a coarse one.`,
		Example: `  kn finetune --model mini --task paraphrase --train 96 --dev 40 --test 40 --epochs 1 --checkpoints 0,2 --out ./pairs
  printf 'label\tsentence1\tsentence2\nsame\tParis is the capital of France.\tThe capital of France is Paris.\n' | \
     kn landscape --theta0 ./pairs/checkpoints/step-000000 --theta1 ./pairs --data /dev/stdin --alphas -1,0,1,2 --plot curve.svg
  printf 'label\tsentence1\tsentence2\nsame\tParis is the capital of France.\tThe capital of France is Paris.\n' | \
     kn landscape --theta0 ./pairs/checkpoints/step-000000 --theta1 ./pairs --data /dev/stdin --reset --plot groups.svg
  kn landscape --theta0 ./rte/checkpoints/step-000000 --theta1 ./rte --data dev.tsv --group 8,9,10,11
  kn landscape --theta0 ./rte/checkpoints/step-000000 --theta1 ./rte --theta2 ./mrpc --data dev.tsv --trajectory ./rte --plot surface.png
  kn landscape --theta0 ./a0 --theta1 ./a --theta2 ./b --data dev.tsv --alphas 0,0.5,1 --betas 0,0.5,1 --json > surface.json`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("alphas") {
				c.options.Alphas = alphas
			}
			if cmd.Flags().Changed("betas") {
				c.options.Betas = betas
			}
			for i, part := range group {
				group[i] = tensorName(part)
			}
			if group != nil {
				c.options.Group = &landscape.Group{Name: strings.Join(group, ", "), Tensors: group}
			}
			if err := c.check(); err != nil {
				return err
			}
			a.bar = cli.NewBar(a.stderr, a.err)
			c.options.NoCache, c.options.Progress = a.noCache, a.bar.Step
			examples, err := a.examples(cmd.Context(), c)
			if err != nil {
				return err
			}
			if c.back {
				return a.groupResets(cmd.Context(), c, examples)
			}
			if c.theta2 == "" {
				return a.lossCurve(cmd.Context(), c, examples)
			}
			return a.lossSurface(cmd.Context(), c, examples)
		}),
	}
	a.jsonFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.theta0, "theta0", "", "classifier `A` that fine-tuning started from (required)")
	flags.StringVar(&c.theta1, "theta1", "", "classifier `B` that came of it (required)")
	flags.StringVar(&c.theta2, "theta2", "", "classifier `C` that came of another fine-tuning, for a surface")
	flags.StringVarP(&c.data, "data", "d", "", "TSV `FILE` of labelled examples (required)")
	flags.Var(&alphas, "alphas", "places on the way from A to B (default -4 to 4 by 0.2, with C -1 to 2 by 0.25)")
	flags.Var(&betas, "betas", "places on the way from A to C (default -1 to 2 by 0.25)")
	flags.StringSliceVar(&group, "group", nil, "`PARTS` that move, or are reset: layers by number, embeddings, pooler, classifier, or tensors by name")
	flags.BoolVar(&c.back, "reset", false, "measure B with groups of its parameters reset to A's values")
	flags.StringVar(&c.run, "trajectory", "", "`DIR` of the fine-tuning whose checkpoints are projected onto the plane")
	flags.StringVar(&c.plot, "plot", "", "`FILE` to draw the result to: .svg, .png or .pdf, or .html for a surface to turn")
	flags.BoolVar(&a.noCache, "no-cache", false, "neither look points up in the cache nor keep them")
	cli.Require(cmd, "theta0", "theta1", "data")
	return cmd
}

// check finds what cannot work before anything is computed.
func (c landscapeCall) check() error {
	if c.back && (c.theta2 != "" || c.options.Alphas != nil || c.options.Betas != nil) {
		return cli.Usagef("--reset measures no line or plane; leave out --theta2, --alphas and --betas")
	}
	if c.theta2 == "" && c.options.Betas != nil {
		return cli.Usagef("--betas needs --theta2")
	}
	if c.theta2 == "" && c.run != "" {
		return cli.Usagef("--trajectory needs --theta2: a way is drawn on a surface")
	}
	if c.plot == "" {
		return nil
	}
	kinds := []string{".svg", ".png", ".pdf"}
	if c.theta2 != "" {
		kinds = append(kinds, ".html")
	}
	if !slices.Contains(kinds, strings.ToLower(filepath.Ext(c.plot))) {
		return cli.Usagef("--plot %s: end its name in one of %s", c.plot, strings.Join(kinds, ", "))
	}
	if c.theta2 != "" && (c.options.Alphas != nil && len(c.options.Alphas) < 2 || c.options.Betas != nil && len(c.options.Betas) < 2) {
		return cli.Usagef("--plot: a surface is drawn on two alphas and two betas or more")
	}
	if !slices.IsSorted(c.options.Alphas) || !slices.IsSorted(c.options.Betas) {
		return cli.Usagef("--plot: a chart needs --alphas and --betas in rising order")
	}
	return nil
}

// examples reads the file with the fine-tuned classifier's labels.
func (a *app) examples(ctx context.Context, c landscapeCall) ([]finetune.Example, error) {
	folder, err := kn.OpenCheckpoint(c.theta1, kn.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if !folder.Config().Classifies() {
		return nil, fmt.Errorf("%s is no classifier; fine-tune it first", c.theta1)
	}
	data, err := finetune.ReadTSV(c.data, folder.Config().LabelNames())
	if err != nil {
		return nil, err
	}
	a.tellUnread(data)
	return data.Parts[0].Examples, nil
}

// flatFactor is the factor of the minimum within which a region is called flat.
const flatFactor = 2

func (a *app) lossCurve(ctx context.Context, c landscapeCall, examples []finetune.Example) error {
	l, err := landscape.Curve(ctx, c.theta0, c.theta1, examples, c.options)
	if err != nil {
		return err
	}
	if c.plot != "" {
		f, err := landscapeplots.LossCurves([]landscapeplots.LossCurve{{Name: filepath.Base(c.theta1), Line: l}})
		if err != nil {
			return err
		}
		if err := f.Save(c.plot); err != nil {
			return err
		}
	}
	return a.print(l, func(w *bytes.Buffer) {
		t := newTable(">alpha", ">loss", ">error")
		for i, alpha := range l.Alphas {
			t.add(nil, fmt.Sprint(alpha), l.Loss[i], l.Error[i])
		}
		t.write(w, a.out)
		if v, err := l.Width(flatFactor); err == nil {
			fmt.Fprintf(w, "lowest at alpha %g; the loss is within %d times that for a width of %s%s in alpha, %s in parameters\n", v.At, flatFactor, orMore(v.Open), number(v.Width), number(v.Distance))
		}
		writeLandscape(w, a.out, l.Plane, l.Sample)
	})
}

func (a *app) groupResets(ctx context.Context, c landscapeCall, examples []finetune.Example) error {
	var groups []landscape.Group
	if c.options.Group != nil {
		groups, c.options.Group = []landscape.Group{*c.options.Group}, nil
	}
	r, err := landscape.Reset(ctx, c.theta0, c.theta1, groups, examples, c.options)
	if err != nil {
		return err
	}
	if c.plot != "" {
		f, err := landscapeplots.GroupResets(r)
		if err != nil {
			return err
		}
		if err := f.Save(c.plot); err != nil {
			return err
		}
	}
	return a.print(r, func(w *bytes.Buffer) {
		t := newTable("reset", ">loss", ">error", ">moved by")
		t.add(nil, "none: B", r.FineTuned.Loss, r.FineTuned.Error, "")
		for _, g := range r.Groups {
			t.add(nil, g.Name, g.Loss, g.Error, share(g.Moved))
		}
		t.add(nil, "all: A", r.Start.Loss, r.Start.Error, "")
		t.write(w, a.out)
		writeSample(w, a.out, fmt.Sprintf("%d examples; moved by: |B - A| / |A| of the group", r.Examples), r.Sample)
	})
}

// surfaceResult is a surface, with a training's trajectory if one was asked for.
type surfaceResult struct {
	*landscape.Grid
	Trajectory []landscape.PathPoint `json:"trajectory,omitempty"`
}

func (a *app) lossSurface(ctx context.Context, c landscapeCall, examples []finetune.Example) error {
	g, err := landscape.Surface(ctx, c.theta0, c.theta1, c.theta2, examples, c.options)
	if err != nil {
		return err
	}
	result := surfaceResult{Grid: g}
	var path *landscape.Path
	if c.run != "" {
		way, err := landscape.Checkpoints(c.run)
		if err != nil {
			return err
		}
		if path, err = landscape.Trajectory(ctx, c.theta0, c.theta1, c.theta2, way, c.options); err != nil {
			return err
		}
		result.Trajectory = path.Points
	}
	if c.plot != "" {
		if err := saveSurface(c.plot, g, path); err != nil {
			return err
		}
	}
	return a.print(result, func(w *bytes.Buffer) {
		writeGrid(w, a.out, "loss", g, g.Loss)
		writeGrid(w, a.out, "error", g, g.Error)
		if v, err := g.Area(flatFactor); err == nil {
			fmt.Fprintf(w, "lowest at alpha %g, beta %g; the loss is within %d times that on an area of %s%s\n", v.Alpha, v.Beta, flatFactor, orMore(v.Open), number(v.Area))
		}
		if path != nil {
			t := newTable(">step", ">alpha", ">beta", ">distance", ">in the plane")
			for _, p := range path.Points {
				t.add(nil, p.Step, p.Alpha, p.Beta, p.Distance, share(p.Explained))
			}
			t.write(w, a.out)
		}
		writeLandscape(w, a.out, g.Plane, g.Sample)
	})
}

// saveSurface draws a surface, as a page if the file is one.
func saveSurface(file string, g *landscape.Grid, path *landscape.Path) error {
	if strings.ToLower(filepath.Ext(file)) != ".html" {
		f, err := landscapeplots.LossSurface(g, path)
		if err != nil {
			return err
		}
		return f.Save(file)
	}
	fragment, err := landscapeplots.TurnableSurface(g, path)
	if err != nil {
		return err
	}
	return fragment.Save(file)
}

// writeGrid writes one measure of a surface, a row for each alpha.
func writeGrid(w *bytes.Buffer, s cli.Style, name string, g *landscape.Grid, values [][]float64) {
	heads := []string{name + ": alpha, beta"}
	for _, b := range g.Betas {
		heads = append(heads, fmt.Sprintf(">%g", b))
	}
	t := newTable(heads...)
	for i, alpha := range g.Alphas {
		cells := []any{fmt.Sprint(alpha)}
		for _, v := range values[i] {
			cells = append(cells, v)
		}
		t.add(nil, cells...)
	}
	t.write(w, s)
}

// writeLandscape says what was moved, and on what the models were evaluated.
func writeLandscape(w *bytes.Buffer, s cli.Style, p landscape.Plane, sample landscape.Sample) {
	line := fmt.Sprintf("%d examples; |B - A| = %s", sample.Examples, number(p.Norm1))
	if p.Theta2 != "" {
		line += fmt.Sprintf(", |C - A| = %s, cosine %.3f", number(p.Norm2), p.Cosine)
	}
	if p.Group != "" {
		line += "; only " + p.Group + " moves"
	}
	writeSample(w, s, line, sample)
	if p.EncoderOnly {
		fmt.Fprintln(w, s.Bad("note:"), "C has another number of labels; its classifier takes no part")
	}
}

// writeSample says what models were evaluated on, and what of it was not read.
func writeSample(w *bytes.Buffer, s cli.Style, line string, sample landscape.Sample) {
	fmt.Fprintln(w, s.Faint(line))
	if sample.Cut > 0 {
		fmt.Fprintln(w, s.Bad("note:"), sample.Cut, "examples are longer than the models take and lost their end")
	}
	if len(sample.Unknown) > 0 {
		fmt.Fprintf(w, "%s the vocabulary cannot spell %q; the models read [UNK]\n", s.Bad("note:"), sample.Unknown)
	}
}

// orMore goes before a size that the grid cuts off.
func orMore(open bool) string {
	if open {
		return "at least "
	}
	return ""
}
