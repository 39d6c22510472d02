package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// The exit statuses besides 0.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130 // as shells report a program that Ctrl-C ended
)

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, out: newStyle(stdout), err: newStyle(stderr)}
	root := a.root()
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	a.bar.finish()
	if err == nil {
		return 0
	}
	var failure failure
	switch ran := errors.As(err, &failure); {
	case ran && ctx.Err() != nil:
		fmt.Fprintln(stderr, "kn: interrupted")
		return exitInterrupted
	case ran:
		fmt.Fprintln(stderr, a.err.bad("error:"), oneLine(err))
		return exitFailure
	default:
		fmt.Fprintf(stderr, "%s %s; see %s --help\n", a.err.bad("error:"), oneLine(err), command.CommandPath())
		return exitUsage
	}
}

// failure marks an error of a command that was called correctly. All other
// errors that cobra returns are about the way it was called.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// usageError is a wrong usage that only the command itself can see.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// body is what a command does.
type body func(cmd *cobra.Command, args []string) error

// checked marks the errors of a command's body that are not about its usage.
func checked(do body) body {
	return func(cmd *cobra.Command, args []string) error {
		err := do(cmd, args)
		var usage usageError
		if err == nil || errors.As(err, &usage) {
			return err
		}
		return failure{err}
	}
}

var breaks = regexp.MustCompile(`\s*[\n\t]\s*`)

// oneLine prints an error on one line.
func oneLine(err error) string {
	text := strings.TrimPrefix(err.Error(), "kn: ")
	return breaks.ReplaceAllString(strings.TrimSpace(text), " ")
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kn",
		Short: "Knowledge neurons: where a BERT keeps its facts",
		Long: `kn asks a masked language model for a fact (BERT, DistilBERT, RoBERTa or the
generator of an ELECTRA), finds the feed-forward neurons that the answer's
probability comes from (integrated gradients, Dai et al., 2022), and scales
them to see the probability move.

A model is given with --model as
  mini                         the embedded model, where this program has it
  a folder                     in Hugging Face format; never touches the network
  owner/name[@revision]        a repository of the Hugging Face hub

Results are kept in the user's cache folder, or where KN_CACHE says, and found
again when the same is asked; "kn cache clear" empties it.`,
		Example: `  kn predict --model mini --prompt "The capital of France is [MASK]."
  kn attribute --model mini --prompt "The capital of France is [MASK]." --answer Paris --json > paris.json`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.AddCommand(a.tokenize(), a.predict(), a.attribute(), a.neurons(), a.scale(), a.edit(), a.compare(), a.landscape(),
		a.facts(), a.compareNeurons(), a.export(), a.pretrain(), a.evaluate(), a.exactness(), a.finetune(), a.electra(), a.sweep(), a.merge(), a.reproduce(), a.bench(), a.worker(), a.version(), a.cache())
	return root
}
