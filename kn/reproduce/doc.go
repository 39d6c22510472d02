// Package reproduce runs the stages of a paper's reproduction, one after another
// or, where they need nothing of each other, side by side, and keeps each one's
// result in a folder. The next run finds what was computed: after Ctrl-C, after a
// crash, or with an option changed that the stage does not depend on.
//
//	run, err := reproduce.Open(dir, 3, reproduce.Watch{})
//	defer run.Close()
//	neurons, err := reproduce.Stage(ctx, run, "neurons", "neurons of facts", key, compute)
//
// The folder has results/NAME.json of each stage and stages.json, a ledger that
// says what each result was computed from. The papers are in packages of their
// own below this one. Data flows one way: checkpoint, model, experiment, table,
// chart. The papers come last, so they may import plots; package kn may not.
package reproduce
