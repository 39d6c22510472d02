package cli

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
	ExitFailure     = 1
	ExitUsage       = 2
	ExitInterrupted = 130 // as shells report a program that Ctrl-C ended
)

// Execute executes a program's command line, reports an error on stderr, which
// has the style s, and returns the exit status. finish is called before anything
// is reported.
func Execute(ctx context.Context, root *cobra.Command, stderr io.Writer, s Style, finish func()) int {
	command, err := root.ExecuteContextC(ctx)
	finish()
	if err == nil {
		return 0
	}
	var failure failure
	switch ran := errors.As(err, &failure); {
	case ran && ctx.Err() != nil:
		fmt.Fprintf(stderr, "%s: interrupted\n", root.Name())
		return ExitInterrupted
	case ran:
		fmt.Fprintln(stderr, s.Bad("error:"), OneLine(err))
		return statusOf(err)
	default:
		fmt.Fprintf(stderr, "%s %s; see %s --help\n", s.Bad("error:"), OneLine(err), command.CommandPath())
		return ExitUsage
	}
}

// failure marks an error of a command that was called correctly. All other
// errors that cobra returns are about the way it was called.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// usageError is a wrong usage that only the command itself can see.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// Usagef is the error of a wrong usage that only the command itself can see.
func Usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Body is what a command does.
type Body func(cmd *cobra.Command, args []string) error

// Checked marks the errors of a command's body that are not about its usage.
func Checked(do Body) Body {
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

// OneLine prints an error on one line.
func OneLine(err error) string {
	text := strings.TrimPrefix(err.Error(), "kn: ")
	return breaks.ReplaceAllString(strings.TrimSpace(text), " ")
}
