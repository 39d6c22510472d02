package berteffectiveness_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/report/reporttest"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/berteffectiveness"
)

// quick is a reproduction of trainings of one step.
var quick = berteffectiveness.Options{
	Tasks: []string{"paraphrase"}, Seeds: 1, Jobs: 3, Command: "kn reproduce",
	Sizes: berteffectiveness.Sizes{Train: 8, Batch: 4, Steps: 1, HeldOut: 6, Sample: 4, Grid: 1},
}

func reproduced(t *testing.T, dir string, o berteffectiveness.Options) (*reproduce.Outcome, map[string]bool) {
	t.Helper()
	kept := map[string]bool{}
	var plan reproduce.Plan
	watch := reproduce.Watch{Plan: func(p reproduce.Plan) { plan = p }, Stage: func(_, _ int, what string, again bool) { kept[what] = again }}
	outcome, err := berteffectiveness.Reproduce(t.Context(), kn.MustLoad(mini.Name, kn.WithCache("off")), dir, o, watch)
	if err != nil {
		t.Fatal(err)
	}
	if steps := 2*1 + 2*3 + 4; len(plan.Stages) > 0 && planned(plan) != steps { // fine-tuned twice, from scratch twice, for long
		t.Errorf("%d steps are planned, not %d: %+v", planned(plan), steps, plan)
	}
	if n := 2*6 + 6 + 6; len(plan.Stages) > 0 && plan.Stages[0].Examples != n { // dev at the start and the end, and both parts
		t.Errorf("fine-tuning once is planned to be measured on %d examples, not %d", plan.Stages[0].Examples, n)
	}
	return outcome, kept
}

func planned(p reproduce.Plan) int {
	n := 0
	for _, s := range p.Stages {
		n += s.Steps
	}
	return n
}

// TestReproduce makes a whole report, traces its numbers, and goes on after a
// stage was lost.
func TestReproduce(t *testing.T) {
	dir := t.TempDir()
	outcome, kept := reproduced(t, dir, quick)
	for stage, again := range kept {
		if again {
			t.Errorf("stage %q was found in an empty folder", stage)
		}
	}
	if len(kept) != 5+4+1 {
		t.Errorf("%d stages: %v", len(kept), kept)
	}
	if n := reporttest.Traced(t, dir); n < 130 {
		t.Errorf("only %d numbers are traced to result files", n)
	}
	if len(outcome.Claims) != 7 {
		t.Errorf("claims %+v", outcome.Claims)
	}
	for _, c := range outcome.Claims { // one pair of task and seed is too little
		if c.Verdict != report.Unknown || c.Evidence == "" || c.Rule == "" || len(c.Sources) == 0 {
			t.Errorf("claim %+v", c)
		}
	}
	curves := filepath.Join(dir, report.ResultsDir, "curves-paraphrase-1.json")
	before, err := os.ReadFile(curves)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(curves); err != nil {
		t.Fatal(err)
	}
	_, kept = reproduced(t, dir, quick)
	for stage, again := range kept {
		if lost := strings.HasPrefix(stage, "loss from starts to ends") || stage == "write the report"; again == lost {
			t.Errorf("stage %q kept: %v", stage, again)
		}
	}
	if after, err := os.ReadFile(curves); err != nil || string(after) != string(before) {
		t.Errorf("%s differs when made again: %v", filepath.Base(curves), err)
	}
	alone := quick
	alone.Jobs = 1
	one := t.TempDir()
	reproduced(t, one, alone)
	for _, name := range []string{"curves-paraphrase-1.json", "surfaces-paraphrase-1.json", "reset-paraphrase-1.json", "surfaces.json"} {
		side, err := os.ReadFile(filepath.Join(dir, report.ResultsDir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(one, report.ResultsDir, name))
		if err != nil || strings.ReplaceAll(string(got), one, dir) != string(side) { // classifiers are named by their folders
			t.Errorf("%s differs when one training is made at a time: %v", name, err)
		}
	}
}

// TestShowsPairs stops when the second pair of task and seed begins: the report
// then has the first one. What is measured needs no classifier any more.
func TestShowsPairs(t *testing.T) {
	dir := t.TempDir()
	two := quick
	two.Seeds, two.Jobs = 2, 1
	ctx, cancel := context.WithCancel(t.Context())
	_, err := berteffectiveness.Reproduce(ctx, kn.MustLoad(mini.Name, kn.WithCache("off")), dir, two, reproduce.Watch{Stage: func(_, _ int, what string, _ bool) {
		if strings.HasSuffix(what, "seed 2") {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := reporttest.Traced(t, dir); n < 130 {
		t.Errorf("only %d numbers are traced to result files", n)
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil || !strings.Contains(string(text), "Of 2 pairs of task and seed 1 is measured so far.") {
		t.Errorf("the report does not say how far it is: %v\n%s", err, text)
	}
	for _, name := range []string{"trainings", "cells"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	_, kept := reproduced(t, dir, quick)
	for stage, again := range kept {
		if stage != "write the report" && !again {
			t.Errorf("stage %q was computed again without the classifiers", stage)
		}
	}
}

func TestBadOptions(t *testing.T) {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	for want, o := range map[string]berteffectiveness.Options{
		"name each once":    {Tasks: []string{"true", "true"}},
		"-1 seeds":          {Seeds: -1},
		"are made of facts": {Sizes: berteffectiveness.Sizes{MaxLength: 64}},
		"none of the tasks": {Tasks: []string{"truth"}},
		"long 2 or more":    {Sizes: berteffectiveness.Sizes{Long: 1}},
		"at most 20":        {Sizes: berteffectiveness.Sizes{Scratch: 21}},
	} {
		dir := filepath.Join(t.TempDir(), "report")
		if _, err := berteffectiveness.Reproduce(t.Context(), m, dir, o, reproduce.Watch{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%+v left a folder", o)
		}
	}
}
