package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// editOps are what kn edit can do, each with the flags that only it has.
var editOps = map[string][]string{
	"update":   {"new", "lambda1", "lambda2"},
	"erase":    nil,
	"suppress": {"everywhere"},
	"amplify":  {"everywhere"},
	"scale":    {"value", "everywhere"},
	"set":      {"value", "everywhere"},
}

var editOpNames = []string{"update", "erase", "suppress", "amplify", "scale", "set"}

// opFlag is the value of --op.
type opFlag string

func (o *opFlag) Type() string   { return "OP" }
func (o *opFlag) String() string { return string(*o) }

func (o *opFlag) Set(text string) error {
	if !slices.Contains(editOpNames, text) {
		return fmt.Errorf("unknown operation; use one of %s", strings.Join(editOpNames, ", "))
	}
	*o = opFlag(text)
	return nil
}

// editFlags say what to do to which neurons, and where to look at it.
type editFlags struct {
	op               opFlag
	where            whereFlags
	new              string
	lambda1, lambda2 float64
	value            float64
	everywhere       bool
	files, prompts   []string
	out              string
}

func (a *app) edit() *cobra.Command {
	var f editFlags
	cmd := &cobra.Command{
		Use:   "edit --model MODEL [--op OP] [--edits FILE]",
		Short: "Update a fact, erase a relation, scale neurons, and see what becomes of prompts",
		Long: `Edit a model by its neurons and show what prompts are answered before and after.
The operations are those of Dai et al. (2022):
  update    turn the neurons' weights from a fact's answer to the answer --new
  erase     set the neurons' weights to 0
  suppress  set the neurons' activations to 0, at [MASK] or --everywhere
  amplify   double them
  scale     multiply them by --value
  set       set them to --value

The neurons are those of --neurons; or of the fact that the prompts in a file
ask for, with its --answer; or of a fact of the data set, --relation and
--subject; or, with --relation alone, the commonest ones of that relation.

No model is changed. --out saves the edits, and --edits reads them to apply them
before others: edits are saved all together, in order. "kn export --edits"
writes a model that has them in its weights.`,
		Example: `  kn edit --model mini --op update --relation P103 --subject "Hugo von Hofmannsthal" --new French --lambda2 2 --out french.json
  kn edit --model mini --op erase --relation P36 --limit 3 --tolerance 0.05 --edits french.json --out both.json
  kn edit --model mini --edits both.json --prompt "The capital of France is [MASK]." --json
  kn edit --model mini --op scale --value 0.5 --neurons 3:130,3:113 --prompt "The capital of France is [MASK]."`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			m, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			result, err := f.run(a, cmd, m)
			if err != nil {
				return err
			}
			err = a.print(result, func(w *bytes.Buffer) { result.write(w, a.out) })
			for _, prompt := range f.where.notConverged {
				a.warnNotConverged(prompt)
			}
			return err
		}),
	}
	a.modelFlags(cmd)
	cmd.Flags().Var(&f.op, "op", "what to do: "+strings.Join(editOpNames, ", "))
	cmd.Flags().StringVar(&f.new, "new", "", "`ANSWER` that an update makes the answer")
	cmd.Flags().Float64Var(&f.lambda1, "lambda1", kn.DefaultLambda1, "an update's strength of forgetting the old answer")
	cmd.Flags().Float64Var(&f.lambda2, "lambda2", kn.DefaultLambda2, "an update's strength of learning the new answer")
	cmd.Flags().Float64Var(&f.value, "value", 0, "`NUMBER` to scale by or to set to")
	cmd.Flags().BoolVar(&f.everywhere, "everywhere", false, "edit activations at every token instead of only at [MASK]; weights act there anyway")
	cmd.Flags().StringArrayVarP(&f.prompts, "prompt", "p", nil, "`PROMPT` to look at besides the fact's, with one [MASK]; may be given several times")
	cmd.Flags().StringArrayVar(&f.files, "edits", nil, "`FILE` of edits to apply first; may be given several times")
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "`FILE` to save all edits in, as JSON")
	f.where.flags(cmd)
	cli.Complete(cmd, "op", editOpNames...)
	return cmd
}

// check finds flags that do not go together.
func (f *editFlags) check(cmd *cobra.Command) error {
	changed := func(name string) bool { return cmd.Flags().Changed(name) }
	if err := f.where.check(cmd); err != nil {
		return err
	}
	for _, name := range []string{"new", "lambda1", "lambda2", "value", "everywhere"} {
		if changed(name) && !slices.Contains(editOps[string(f.op)], name) {
			return cli.Usagef("--%s does not go with --op %s", name, cmp.Or(string(f.op), "left out"))
		}
	}
	w := f.where
	oneFact := w.file != "" || w.subject != ""
	switch {
	case f.op == "" && len(f.files) == 0:
		return cli.Usagef("nothing to do; give an operation with --op, or saved edits with --edits")
	case f.op != "" && len(w.neurons) == 0 && w.file == "" && w.relation == "":
		return cli.Usagef("say which neurons: --neurons, --prompts with --answer, or --relation with or without --subject")
	case changed("value") != slices.Contains(editOps[string(f.op)], "value"):
		return cli.Usagef("--op %s needs a --value", f.op)
	case f.op == "update" && f.new == "":
		return cli.Usagef("--op update needs the answer to come, --new")
	case f.op == "update" && !oneFact && w.answer == "":
		return cli.Usagef("--op update is of one fact; give its --subject, or its --answer")
	case f.op == "" && w.file == "" && w.relation == "" && len(f.prompts) == 0 && f.out == "":
		return cli.Usagef("nothing to look at; give a --prompt, or a --relation")
	}
	return nil
}

// run edits and looks at the effect.
func (f *editFlags) run(a *app, cmd *cobra.Command, m *kn.Model) (*editResult, error) {
	edited, err := withEdits(m, f.files)
	if err != nil {
		return nil, err
	}
	bags, err := f.where.bags(a, cmd.Context(), m)
	if err != nil {
		return nil, err
	}
	if f.op != "" {
		// They are looked for where the edit acts, in the model as it is by then.
		neurons, err := f.where.find(cmd, edited, bags)
		if err != nil {
			return nil, err
		}
		if edited, err = edited.With(f.edit(neurons, bags)); err != nil {
			return nil, err
		}
	}
	result := &editResult{Edits: edited.Edits(), Out: f.out}
	if result.Effects, err = effects(m, edited, f.questions(bags)); err != nil {
		return nil, err
	}
	if f.out != "" {
		err = edited.SaveEdits(f.out)
	}
	return result, err
}

// withEdits is the model with the edits of files, in order.
func withEdits(m *kn.Model, files []string) (*kn.Model, error) {
	for _, file := range files {
		edits, err := kn.LoadEdits(file)
		if err != nil {
			return nil, err
		}
		if m, err = m.With(edits...); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return m, nil
}

// edit is the operation that was asked for.
func (f *editFlags) edit(neurons []kn.Neuron, bags []facts.Bag) kn.Edit {
	var e kn.Edit
	switch f.op {
	case "update":
		old := f.where.answer
		if old == "" {
			old = bags[0].Answer
		}
		return kn.Update(neurons, old, f.new).WithLambdas(f.lambda1, f.lambda2)
	case "erase":
		return kn.Erase(neurons)
	case "set":
		e = kn.SetTo(neurons, f.value)
	case "scale":
		e = kn.Scale(neurons, f.value)
	case "amplify":
		e = kn.Amplify(neurons)
	default:
		e = kn.Suppress(neurons)
	}
	e.Everywhere = f.everywhere
	return e
}

// questions are the prompts to look at: all of one fact, one of each of several,
// and those that were given.
func (f *editFlags) questions(bags []facts.Bag) []question {
	var all []question
	for _, b := range bags {
		prompts := b.Prompts
		if len(bags) > 1 {
			prompts = prompts[:1]
		}
		for _, prompt := range prompts {
			all = append(all, newQuestion(prompt, b.Answer, f.new))
		}
	}
	answer := f.where.answer
	if len(bags) > 0 {
		answer = "" // is the fact's
	}
	for _, prompt := range f.prompts {
		all = append(all, newQuestion(prompt, answer, f.new))
	}
	return all
}
