package main

import (
	"fmt"
	"slices"
	"strings"
)

// comparison is what a row says of its contenders and the last of them.
type comparison int

const (
	alone       comparison = iota
	memoryAlone            // and nothing of their times
	faster
	secondsMore
)

// sameRule is the group of rows whose contenders all use one rule.
const sameRule = "20 nodes"

// benchRow is a row of the table: contenders that are measured side by side.
type benchRow struct {
	name, title string
	help        string
	group       string   // rows of one group are measured together
	contenders  []string // keys of benchEntries
	compare     comparison
}

// benchRows are in the order in which they are measured.
var benchRows = []benchRow{
	{
		name: "xla-adaptive", title: "XLA, default rule", group: "adaptive",
		help:       "the default (adaptive) rule on XLA's CPU plug-in, against\nknowledge-neurons 0.0.2 with 20 steps, which is less exact",
		contenders: []string{"xla", "knowledge-neurons"},
		compare:    faster,
	},
	{
		name: "go-adaptive", title: "Go backend, default rule", group: "adaptive",
		help:       "the same on the Go backend",
		contenders: []string{"go", "knowledge-neurons"},
		compare:    faster,
	},
	{
		name: "memory", title: "peak memory", group: "adaptive",
		help:       "the most memory that a process of these two has held, from its start",
		contenders: []string{"xla", "go"},
		compare:    memoryAlone,
	},
	{
		name: "xla-20", title: "XLA, 20 nodes", group: sameRule,
		help:       "a left Riemann sum of 20 nodes on XLA, against the same in PyTorch,\nwritten for speed",
		contenders: []string{"xla-20", "pytorch-20"},
		compare:    faster,
	},
	{
		name: "go-20", title: "Go backend, 20 nodes", group: sameRule,
		help:       "the same on the Go backend",
		contenders: []string{"go-20", "pytorch-20"},
		compare:    faster,
	},
	{
		name: "batch", title: "XLA, nine prompts of one fact", group: "batch",
		help:       "nine prompts of 8 to 16 tokens in one call on XLA, against one after\nthe other, default rule",
		contenders: []string{"xla-batched", "xla-singly"},
		compare:    faster,
	},
	{
		name: "new-cell", title: "a new cell, XLA", group: "new-cell",
		help:       "a fresh process on XLA, as a notebook cell is, after another one has\nused the model: they share a worker; against a warm process",
		contenders: []string{"xla-cell", "xla"},
		compare:    secondsMore,
	},
	{
		name: "cold-start", title: "process start to result", group: "cold-start",
		help:       "whole processes that load, compile and attribute once, default rule,\nagainst knowledge-neurons, its imports included",
		contenders: []string{"xla-process", "go-process", "knowledge-neurons-process"},
		compare:    faster,
	},
	{
		name: "cached", title: "the same again, from the cache", group: "cached",
		help:       "the whole process of kn attribute --json for what is in the cache",
		contenders: []string{"cached"},
	},
	{
		name: "prediction", title: "process start to prediction", group: "prediction",
		help:       "the whole process of kn predict, Go backend, nothing from the cache",
		contenders: []string{"prediction"},
	},
	{
		name: "mini", title: "kn-mini, Go backend, default rule", group: "mini",
		help:       "one prompt with the embedded model, Go backend, default rule",
		contenders: []string{"mini"},
	},
}

// benchRowNames lists the rows' names.
func benchRowNames() []string {
	var names []string
	for _, row := range benchRows {
		names = append(names, row.name)
	}
	return names
}

// rowsFlag is the value of --rows.
type rowsFlag []string

func (r *rowsFlag) Type() string   { return "ROW,ROW,..." }
func (r *rowsFlag) String() string { return strings.Join(*r, ",") }

func (r *rowsFlag) Set(text string) error {
	*r = nil
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(benchRowNames(), name) {
			return fmt.Errorf("there is no row %q; use some of %s", name, strings.Join(benchRowNames(), ", "))
		}
		*r = append(*r, name)
	}
	return nil
}
