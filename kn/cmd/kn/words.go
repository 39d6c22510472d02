package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var plainWord = regexp.MustCompile(`^[\w%+,./:@=-]+$`)

// shellWord writes a word so that a shell takes it as it is.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// shellWords writes a command line.
func shellWords(words ...string) string {
	var parts []string
	for _, word := range words {
		parts = append(parts, shellWord(word))
	}
	return strings.Join(parts, " ")
}

// givenFlags returns the flags of a command that were given, each with its
// value, but for some.
func givenFlags(cmd *cobra.Command, except ...string) (words []string) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(except, f.Name) {
			return
		}
		value := f.Value.String()
		if list, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(list.GetSlice(), ",")
		}
		words = append(words, "--"+f.Name, value)
	})
	return words
}
