package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

// Count is the value of a flag: a whole number of at least 1.
type Count int

// Type is what the help calls it.
func (c *Count) Type() string   { return "N" }
func (c *Count) String() string { return strconv.Itoa(int(*c)) }

// Set reads it.
func (c *Count) Set(text string) error {
	value, err := strconv.ParseUint(text, 10, 31)
	if err != nil || value == 0 {
		return fmt.Errorf("must be a whole number of at least 1")
	}
	*c = Count(value)
	return nil
}

// Require makes flags required.
func Require(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		Known(cmd.MarkFlagRequired(name))
	}
}

// Complete lets a shell complete a flag by a list of words.
func Complete(cmd *cobra.Command, flag string, words ...string) {
	Known(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)))
}

// Known panics over a flag that was never defined: a mistake in the program.
func Known(err error) {
	if err != nil {
		panic(err)
	}
}
