package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report/reporttest"
)

// TestExactness: the table of a model with random weights, as JSON and as
// text, of the facts in a file that it can be asked.
func TestExactness(t *testing.T) {
	var lines []string
	for _, country := range []string{"France", "Italy", "Germany"} {
		line, err := json.Marshal(map[string]any{
			"relation": "P36", "answer": "Paris",
			"prompts": []string{"The capital of " + country + " is [MASK] .", "[MASK] is the capital of " + country + " .", "no mask"},
		})
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	lines = append(lines, `{"relation": "P19", "answer": "not one token", "prompts": ["[MASK] is ."]}`)
	file := filepath.Join(t.TempDir(), "facts.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"exactness", "--model", small(t), "--facts", file, "--check-nodes", "16"}
	var got experiments.ExactnessTable
	object(t, succeeds(t, append(args, "--json")...), &got,
		"prompts", "relations", "layers", "activation", "reference", "check", "tolerances", "each", "provenance")
	if got.Prompts != 6 || got.Relations != 1 || got.Check.Nodes != 16 || got.Check.Prompts != 1 || len(got.Tolerances) != 2 || got.Tolerances[1].Verdict != experiments.PromiseKept {
		t.Errorf("%+v", got)
	}
	text := succeeds(t, append(args, "--prompts", "2")...)
	for _, words := range []string{"2 of 2", "100.0 %", "kept", "Gauss-Legendre with 16 nodes a layer", "in 1 of the prompts", "The worst prompts to 0.1 %", "Paris"} {
		if !strings.Contains(text, words) {
			t.Errorf("%q is not in\n%s", words, text)
		}
	}
	if strings.Contains(text, "ReLU") {
		t.Errorf("a model with GELU is warned of ReLU:\n%s", text)
	}
	if err := os.WriteFile(file, []byte(lines[3]), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := finished(t, command(t, args...)); o.code != cli.ExitFailure || o.stdout != "" || !strings.Contains(o.stderr, "no fact that") {
		t.Errorf("nothing to ask: %+v", o)
	}
}

// TestCompareNeurons: a fact's neurons published as they are, and others.
func TestCompareNeurons(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, lines ...string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	prompts := []string{"The capital of France is [MASK] .", "[MASK] is the capital of France ."}
	data := write("facts.jsonl", `{"relation": "P36", "subject": "France", "answer": "Paris", "uuid": "u", "prompts": ["`+strings.Join(prompts, `", "`)+`"]}`)
	var found neuronsResult
	object(t, succeeds(t, "neurons", "--model", small(t), "--prompts", write("prompts.txt", prompts...), "--answer", "Paris", "--preset", "eleutherai2021", "--share", "0.3", "--json"), &found, "coarse", "refined")
	same, err := json.Marshal(map[string]any{"uuid": "u", "neurons": found.Refined})
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"compare-neurons", "--model", small(t), "--facts", data, "--preset", "eleutherai2021", "--share", "0.3", "--published"}
	var got experiments.PublishedComparison
	object(t, succeeds(t, append(args, write("same.jsonl", string(same)), "--json")...), &got,
		"recipe", "facts", "relations", "prompts", "identical", "narrow", "share", "overlap", "differences", "provenance")
	if got.Facts != 1 || got.Identical != 1 || got.Prompts != 2 {
		t.Errorf("%+v", got)
	}
	text := succeeds(t, append(args, write("other.jsonl", `{"relation": "P36", "subject": "France", "answer": "Paris", "neurons": [[0, 0]]}`))...)
	for _, words := range []string{"1 facts of 1 relations, 2 prompts", "the same neurons", "The facts that differ most", "France", "Paris", "+ is chosen here"} {
		if !strings.Contains(text, words) {
			t.Errorf("%q is not in\n%s", words, text)
		}
	}
	out := filepath.Join(dir, "report")
	text = succeeds(t, append(args, write("wrong.jsonl", `{"uuid": "u", "neurons": [[0, 0]]}`), "--out", out)...)
	if words := "By the recipe's rule 0 of the facts that differ have the same neurons, of 1\nSo by"; !strings.Contains(text, words) || strings.Contains(text, "control") {
		t.Errorf("%q is not in\n%s", words, text)
	}
	if n := reporttest.Traced(t, out); n < 20 {
		t.Errorf("only %d numbers are traced to the result file", n)
	}
	page, err := os.ReadFile(filepath.Join(out, "report.md"))
	if err != nil || !strings.Contains(string(page), "| P36 | France | Paris | 1 | ") || !strings.Contains(string(page), "| not explained |") {
		t.Errorf("the report does not list the fact, with its cause: %v\n%s", err, page)
	}
	if o := finished(t, command(t, append(args, write("stranger.jsonl", `{"uuid": "v", "neurons": [[0, 0]]}`))...)); o.code != cli.ExitFailure || !strings.Contains(o.stderr, "none of the 1 published sets") {
		t.Errorf("no fact in common: %+v", o)
	}
}
