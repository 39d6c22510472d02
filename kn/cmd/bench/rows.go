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
	spread // the only contender's prompts among each other
)

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
		name: "both-ends", title: "20 nodes with both ends", group: "adaptive",
		help:       "the 20 steps of knowledge-neurons 0.0.2, from 0 to 1 inclusive, on XLA and\non the Go backend: one rule, so the scores must agree",
		contenders: []string{"xla-both-ends", "go-both-ends", "knowledge-neurons"},
		compare:    faster,
	},
	{
		name: "memory", title: "peak memory", group: "adaptive",
		help:       "the most memory that a process has held from its start, default rule",
		contenders: []string{"xla", "go"},
		compare:    memoryAlone,
	},
	{
		name: "xla-20", title: "XLA, 20 nodes", group: "20 nodes",
		help:       "a left Riemann sum of 20 nodes on XLA, against the same in PyTorch,\nwritten for speed",
		contenders: []string{"xla-20", "pytorch-20"},
		compare:    faster,
	},
	{
		name: "go-20", title: "Go backend, 20 nodes", group: "20 nodes",
		help:       "the same on the Go backend",
		contenders: []string{"go-20", "pytorch-20"},
		compare:    faster,
	},
	{
		name: "authors", title: "20 nodes, and the authors' way", group: "20 nodes",
		help: "the left sum on both, against what the code of Dai et al. (2022) does, in\n" +
			"PyTorch: the prompt padded to 128 tokens, and the whole model from its\n" +
			"input for each layer. It takes minutes and is measured once, whatever\n" +
			"--repeats says, after one layer to warm up",
		contenders: []string{"xla-20", "go-20", "authors"},
		compare:    faster,
	},
	{
		name: "batch", title: "XLA, nine prompts of one fact", group: "batch",
		help:       "nine prompts of 8 to 16 tokens in one call on XLA, against one after\nthe other, default rule",
		contenders: []string{"xla-batched", "xla-singly"},
		compare:    faster,
	},
	{
		name: "spread", title: "XLA, nine prompts each by itself", group: "batch",
		help:       "each of the nine prompts by itself: the fastest, the median and the\nslowest of them",
		contenders: []string{"xla-singly"},
		compare:    spread,
	},
	{
		name: "sweep", title: "sweep of nine prompts, to 1 %", group: "sweep",
		help:       "kn sweep of the nine prompts at its tolerance of 0.01, XLA against Go",
		contenders: []string{"xla-sweep", "go-sweep"},
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
