package main

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/pretrain"
)

// progressLines are what commands say on a slow machine, after some seconds.
var progressLines = regexp.MustCompile(`(?m)^(step \d+/\d+  |.* prompts a second[,:] |\d+ of \d+ ).*\n`)

// TestExamplesOfHelp runs what the help texts show, where it needs nothing
// but the embedded model.
func TestExamplesOfHelp(t *testing.T) {
	dir, ran := t.TempDir(), 0
	shell := func(script string) {
		cmd := command(t)
		cmd.Path, cmd.Args, cmd.Dir = "/bin/sh", []string{"sh", "-c", `kn() { "$KN" "$@"; }; ` + script}, dir
		cmd.Env = append(cmd.Env, "KN="+program)
		if o := finished(t, cmd); o.code != 0 || progressLines.ReplaceAllString(o.stderr, "") != "" {
			t.Errorf("%s: exit status %d, %s", script, o.code, o.stderr)
		}
		ran++
	}
	root := (&app{}).root()
	for _, cmd := range append(root.Commands(), root) {
		for _, script := range strings.Split(strings.ReplaceAll(cmd.Example, "\\\n", " "), "\n") {
			long := strings.Contains(script, "evaluate") || strings.Contains(script, "reproduce") // minutes
			if strings.Contains(script, "printf ") || strings.Contains(script, "kn ") && strings.Contains(script, "--model mini") && !long {
				shell(script)
			}
		}
	}
	if ran < 10 {
		t.Errorf("only %d examples were found", ran)
	}
}

// TestEmbeddedModel: real facts, a prediction, and a copy that is the same.
func TestEmbeddedModel(t *testing.T) {
	var all factsResult
	object(t, succeeds(t, "facts", "--model", "mini", "--json"), &all, "facts")
	relations := map[string]bool{}
	for _, f := range all.Facts {
		relations[f.Relation] = true
	}
	if len(all.Facts) < 20_000 || len(relations) < 30 {
		t.Errorf("%d facts of %d relations", len(all.Facts), len(relations))
	}
	keys := []string{"prompt", "mask_position", "predictions", "answer"}
	var p, q predictResult
	ask := []string{"predict", "--prompt", "The capital of France is [MASK].", "--answer", "Paris", "--json", "--model"}
	object(t, succeeds(t, append(ask, "mini")...), &p, keys...)
	if p.Answer.Rank != 1 {
		t.Errorf("the capital of France has rank %d: %+v", p.Answer.Rank, p.Predictions)
	}
	copied := t.TempDir()
	files := succeeds(t, "export", "--model", "mini", "--out", copied)
	for _, name := range []string{kn.FactsFile, kn.CardFile, pretrain.RecordFile} {
		if !strings.Contains(files, name) {
			t.Errorf("the copy lacks %s", name)
		}
	}
	object(t, succeeds(t, append(ask, copied)...), &q, keys...)
	if *p.Answer != *q.Answer {
		t.Errorf("the copy answers %+v, want %+v", q.Answer, p.Answer)
	}
}

// TestListIntoHead: a reader that has seen enough ends the program in silence.
func TestListIntoHead(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", `"$0" facts --model mini | head -n 3`, program)
	o := finished(t, cmd)
	if o.code != 0 || o.stderr != "" || strings.Count(o.stdout, "\n") != 3 {
		t.Errorf("exit status %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
}
