package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// report prints a health check and fails if there are faults.
func report(w io.Writer, findings []kernel.Finding) error {
	faults := 0
	for _, f := range findings {
		mark, text := "ok  ", f.Found
		switch {
		case f.Fault != nil:
			mark, text = "FAIL", f.Fault.Error()
			faults++
		case f.Advice != "":
			mark, text = "note", f.Found+": "+f.Advice
		}
		fmt.Fprintf(w, "%s  %-18s %s\n", mark, f.What, strings.ReplaceAll(text, "\n", "\n                          "))
	}
	if faults > 0 {
		return fmt.Errorf("%d of %d checks failed", faults, len(findings))
	}
	return nil
}

// remove takes away what setUp made: our folders and the kernelspec.
func remove(w io.Writer, p kernel.Paths) error {
	for _, dir := range []string{p.Spec(), p.Data, p.Cache} {
		if _, err := os.Lstat(dir); err != nil {
			fmt.Fprintf(w, "not there  %s\n", dir)
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("%w; close notebooks that use the kernel and try again", err)
		}
		fmt.Fprintf(w, "removed    %s\n", dir)
	}
	// Folders that were made for us go too, if they hold nothing else.
	for _, dir := range []string{filepath.Dir(p.Spec()), p.Jupyter} {
		_ = os.Remove(dir)
	}
	fmt.Fprintln(w, "Left alone: the clone, Go's caches, models from the Hugging Face hub, what Jupyter keeps for itself,")
	fmt.Fprintf(w, "and, if tests were run, %s-tests: delete it when you like.\n", p.Cache)
	for _, plugin := range xla.Plugins() {
		fmt.Fprintf(w, "The XLA plug-in %s is not ours and stays: %s names its folder.\n", plugin.Path, xla.EnvVar)
	}
	return nil
}
