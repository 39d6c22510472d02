package main

import (
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

// TestWrongUsage: exit status 2, nothing on standard output, and one line on
// standard error with the words that lead to the cure.
func TestWrongUsage(t *testing.T) {
	predict := []string{"predict", "--model", "m", "--prompt", "p"}
	attribute := []string{"attribute", "--model", "m", "--prompt", "p", "--answer", "a"}
	neurons := []string{"neurons", "--model", "m", "--prompts", "f", "--answer", "a"}
	slurm := []string{"sweep", "--model", "mini", "--out", "o", "--slurm"}
	scale := []string{"scale", "--model", "m", "--prompt", "p", "--answer", "a"}
	edit := []string{"edit", "--model", "m"}
	for _, c := range []struct {
		base, args []string
		words      string
	}{
		{nil, []string{"bogus"}, `unknown command "bogus"`},
		{nil, []string{"predcit"}, "predict"},
		{nil, []string{"--bogus"}, "--bogus"},
		{nil, []string{"cache"}, "kn cache clear"},
		{nil, []string{"cache", "bogus"}, "bogus"},
		{nil, []string{"version", "extra"}, "extra"},
		{nil, []string{"tokenize", "text"}, `"model"`},
		{nil, []string{"tokenize", "--model", "m"}, "1 arg"},
		{nil, []string{"tokenize", "--model", "m", "two", "words"}, "1 arg"},
		{nil, []string{"predict"}, `"model", "prompt"`},
		{nil, []string{"predict", "--model"}, "--model"},
		{nil, []string{"export", "--model", "m"}, `"out"`},
		{nil, []string{"facts"}, `"model"`},
		{nil, []string{"evaluate", "--model", "mini", "--card"}, "folder"},
		{nil, []string{"exactness"}, `"model"`},
		{nil, []string{"verify"}, "1 arg"},
		{nil, []string{"verify", "a.svg", "--tolerance", "2"}, "--tolerance"},
		{nil, []string{"compare-neurons", "--model", "m"}, `"facts", "published"`},
		{nil, []string{"exactness", "--model", "mini", "--prompts", "0"}, "at least 1"},
		{nil, []string{"pretrain", "--out", "o"}, "triples text"},
		{nil, []string{"pretrain", "--out", "o", "--triples", "t", "--text", "f"}, "triples text"},
		{nil, []string{"finetune", "--model", "mini", "--task", "true"}, `"out"`},
		{nil, []string{"finetune", "--model", "mini", "--task", "true", "--out", "o", "--train", "0"}, "at least 1"},
		{nil, []string{"finetune", "--model", "mini", "--task", "true", "--out", "o", "--batch", "-1"}, "whole number"},
		{nil, []string{"electra"}, "kn electra train"},
		{nil, []string{"electra", "train", "--model", "mini"}, `"out"`},
		{nil, []string{"electra", "train", "--model", "mini", "--out", "o", "--sampler", "best"}, "choose plain, hp-loss, hp-dist"},
		{nil, []string{"sweep", "--model", "mini"}, `"out"`},
		{nil, []string{"sweep", "--model", "mini", "--out", "o", "--shard", "5/4"}, "1/4 to 4/4"},
		{nil, []string{"sweep", "--model", "mini", "--out", "o", "--limit", "0"}, "at least 1"},
		{slurm, []string{"tasks=4", "--shard", "1/4"}, "one of the two"},
		{slurm, []string{""}, "tasks=4"},
		{slurm, []string{"time=1:00"}, "how many tasks"},
		{slurm, []string{"4"}, `"4" is no option of sbatch`},
		{slurm, []string{"tasks=0"}, "at least 1"},
		{slurm, []string{"tasks=2,tasks=3"}, "tasks=3: give one"},
		{slurm, []string{"tasks=1%2"}, "tasks=1%2"},
		{slurm, []string{"tasks=4,--time=1"}, "without dashes"},
		{slurm, []string{"tasks=4,t=1"}, "long names"},
		{slurm, []string{"tasks=4,array=1-4"}, "array is for the scripts to set"},
		{slurm, []string{"tasks=4,time=1,time=2"}, "time is given twice"},
		{slurm, []string{"tasks=4,cpus=1,cpus-per-task=2"}, "cpus-per-task is given twice"},
		{slurm, []string{"tasks=4,comment=a\nb"}, "line break"},
		{slurm, []string{"tasks=4,exclude=a,b\n#SBATCH --x"}, "line break"},
		{nil, []string{"merge", "--model", "mini"}, `"out"`},
		{nil, []string{"bench"}, `unknown command "bench"`}, // a program of its own
		{nil, []string{"reproduce"}, "knowledge-neurons"},
		{nil, []string{"reproduce", "knowledge-neurons", "--model", "mini"}, `"out"`},
		{nil, []string{"reproduce", "electra-sampling", "--model", "mini"}, `"out"`},
		{nil, []string{"reproduce", "electra-sampling", "--model", "mini", "--out", "o", "--seeds", "0"}, "at least 1"},
		{nil, []string{"reproduce", "knowledge-neurons", "--model", "mini", "--out", "o", "--tolerance", "0"}, "--tolerance"},
		{nil, []string{"reproduce", "fine-tuning-dynamics", "--model", "mini"}, `"out"`},
		{nil, []string{"reproduce", "fine-tuning-dynamics", "--model", "mini", "--out", "o", "--learning-rate", "-1"}, "--learning-rate"},
		{nil, []string{"reproduce", "fine-tuning-dynamics", "--model", "mini", "--out", "o", "--max-length", "64"}, "leave --max-length out"},
		{nil, []string{"reproduce", "bert-effectiveness", "--model", "mini", "--out", "o", "--tasks", "true,relation", "--max-length", "64"}, "leave --max-length out"},
		{nil, []string{"reproduce", "bert-effectiveness", "--model", "mini", "--out", "o", "--data", "glue"}, "leave --data out"},
		{nil, []string{"reproduce", "bert-effectiveness", "--model", "mini"}, `"out"`},
		{nil, []string{"reproduce", "bert-effectiveness", "--model", "mini", "--out", "o", "--learning-rate", "-1"}, "--learning-rate"},
		{nil, []string{"compare", "--texts", "f", "b"}, `"models"`},
		{nil, []string{"compare", "--models", "a", "--texts", "f"}, "1 arg"},
		{predict, []string{"extra"}, "extra"},
		{predict, []string{"--bogus"}, "--bogus"},
		{predict, []string{"--top", "0"}, "at least 1"},
		{predict, []string{"--top", "many"}, "many"},
		{predict, []string{"--json=perhaps"}, "perhaps"},
		{attribute, []string{"--rule", "simpson"}, "gauss_legendre"},
		{attribute, []string{"--nodes", "0"}, "at least 1"},
		{attribute, []string{"--nodes", "-3"}, "-3"},
		{attribute, []string{"--nodes", "1.5"}, "1.5"},
		{attribute, []string{"--tolerance", "0"}, "--tolerance"},
		{attribute, []string{"--tolerance", "NaN"}, "--tolerance"},
		{attribute, []string{"--tolerance", "0.1", "--rule", "trapezoid"}, "adaptive"},
		{neurons, []string{"--threshold", "1.5"}, "from 0 to 1"},
		{neurons, []string{"--threshold", "NaN"}, "from 0 to 1"},
		{neurons, []string{"--share", "-0.1"}, "from 0 to 1"},
		{neurons, []string{"--preset", "dai1922"}, "dai2022 or eleutherai2021"},
		{edit, nil, "nothing to do"},
		{edit, []string{"--op", "forget"}, "update, erase"},
		{edit, []string{"--op", "erase"}, "which neurons"},
		{edit, []string{"--op", "erase", "--neurons", "0:1", "--value", "2"}, "--value does not go with --op erase"},
		{edit, []string{"--op", "update", "--neurons", "0:1", "--new", "b"}, "--answer"},
		{edit, []string{"--op", "update", "--relation", "P36", "--new", "b"}, "of one fact"},
		{edit, []string{"--op", "update", "--relation", "P36", "--subject", "s"}, "--new"},
		{edit, []string{"--op", "scale", "--neurons", "0:1"}, "--value"},
		{edit, []string{"--op", "erase", "--neurons", "0:1", "--everywhere"}, "--everywhere does not go"},
		{edit, []string{"--op", "erase", "--prompts", "f"}, "--answer"},
		{edit, []string{"--op", "erase", "--prompts", "f", "--answer", "a", "--relation", "P36"}, "not by both"},
		{edit, []string{"--op", "erase", "--neurons", "0:1", "--subject", "s"}, "--relation"},
		{edit, []string{"--op", "erase", "--neurons", "0:1", "--limit", "3"}, "--relation"},
		{edit, []string{"--op", "erase", "--relation", "P36", "--subject", "s", "--limit", "3"}, "whole relation"},
		{edit, []string{"--op", "erase", "--relation", "P36", "--answer", "a"}, "--subject"},
		{edit, []string{"--edits", "f"}, "nothing to look at"},
		{edit, []string{"--edits", "f", "--prompt", "p", "--new", "b"}, "--new does not go with --op left out"},
		{scale, nil, `"neurons"`},
		{scale, []string{"--neurons", ""}, "layer:index"},
		{scale, []string{"--neurons", "1"}, "layer:index"},
		{scale, []string{"--neurons", "1:"}, "layer:index"},
		{scale, []string{"--neurons", "1:2:3"}, "layer:index"},
		{scale, []string{"--neurons", "-1:2"}, "layer:index"},
		{scale, []string{"--neurons", "1:2,,1:3"}, "layer:index"},
		{scale, []string{"--neurons", "1:99999999999999999999"}, "layer:index"},
		{scale, []string{"--neurons", "0:1", "--factors", ""}, "finite number"},
		{scale, []string{"--neurons", "0:1", "--factors", "1,"}, "finite number"},
		{scale, []string{"--neurons", "0:1", "--factors", "one"}, "finite number"},
		{scale, []string{"--neurons", "0:1", "--factors", "NaN"}, "finite number"},
		{scale, []string{"--neurons", "0:1", "--factors", "1e999"}, "finite number"},
	} {
		args := append(append([]string{}, c.base...), c.args...)
		o := within(args...)
		if o.code != cli.ExitUsage || o.stdout != "" || !isOneLine(o.stderr) || !strings.Contains(o.stderr, c.words) || !strings.Contains(o.stderr, "--help") {
			t.Errorf("kn %q: exit status %d, stdout %q, stderr %q without %q", args, o.code, o.stdout, o.stderr, c.words)
		}
	}
}

// isOneLine says whether there is one line of text, and not two.
func isOneLine(s string) bool {
	return strings.HasPrefix(s, "error: ") && strings.Count(s, "\n") == 1 && strings.HasSuffix(s, "\n")
}

// TestStatusOfTheProgram: what run returns is the program's exit status.
func TestStatusOfTheProgram(t *testing.T) {
	for code, args := range map[int][]string{
		0: {"version"}, cli.ExitFailure: {"facts", "--model", "./no/such"}, cli.ExitUsage: {"bogus"},
	} {
		if o := finished(t, command(t, args...)); o.code != code {
			t.Errorf("kn %q: exit status %d, want %d", args, o.code, code)
		}
	}
}

// TestHelp: every command explains itself with an example, and the examples
// are command lines that the program takes.
func TestHelp(t *testing.T) {
	root := (&app{}).root()
	for _, cmd := range append(root.Commands(), root) {
		if cmd.Name() == "help" || cmd.Name() == "completion" || cmd.Hidden {
			continue
		}
		help := within(append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		if cmd.Name() == "cache" {
			cmd, _, _ = root.Find([]string{"cache", "clear"})
		}
		if help.code != 0 || !strings.Contains(help.stdout, "Usage:") || cmd.Example == "" || cmd.Short == "" {
			t.Errorf("%s has no help or no example: %+v", cmd.CommandPath(), help)
		}
		for _, args := range examples(cmd.Example) {
			if err := takes(args); err != nil {
				t.Errorf("%s: example %q: %v", cmd.CommandPath(), args, err)
			}
		}
	}
}

var words = regexp.MustCompile(`"[^"]*"|\S+`)

// examples finds the calls of kn in an example.
func examples(text string) (all [][]string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for _, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, ">")
		fields := words.FindAllString(line, -1)
		for len(fields) > 0 && strings.Contains(fields[0], "=") { // environment
			fields = fields[1:]
		}
		if len(fields) == 0 || fields[0] != "kn" {
			continue
		}
		for i := range fields {
			fields[i] = strings.Trim(fields[i], `"`)
		}
		all = append(all, fields[1:])
	}
	return all
}

// takes checks a command line as cobra does before it runs the command.
func takes(args []string) error {
	root := (&app{}).root()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err
	}
	return cmd.ValidateRequiredFlags()
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if o := within("completion", shell); o.code != 0 || len(o.stdout) < 1000 {
			t.Errorf("%s: exit status %d, %d bytes", shell, o.code, len(o.stdout))
		}
	}
	if o := within(cobra.ShellCompNoDescRequestCmd, "attribute", "--rule", ""); !strings.Contains(o.stdout, "left_riemann\n") {
		t.Errorf("completing --rule gives %q", o.stdout)
	}
	if o := within(cobra.ShellCompNoDescRequestCmd, "neurons", "--preset", ""); !strings.Contains(o.stdout, "dai2022\n") {
		t.Errorf("completing --preset gives %q", o.stdout)
	}
}

// TestInterruptedWait: nothing on standard input and Ctrl-C ends the program.
func TestInterruptedWait(t *testing.T) {
	never, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	var stdout, stderr strings.Builder
	code := run(ctx, []string{"neurons", "--model", small(t), "--prompts", "-", "--answer", "Paris"}, never, &stdout, &stderr)
	if code != cli.ExitInterrupted || stdout.String() != "" || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit status %d, stdout %q, stderr %q", code, &stdout, &stderr)
	}
}
