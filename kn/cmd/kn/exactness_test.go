package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
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
	if got.Prompts != 6 || got.Relations != 1 || got.Check.Nodes != 16 || got.Check.Prompts != 1 || len(got.Tolerances) != 2 || got.Tolerances[1].Verdict != experiments.Kept {
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
	if o := finished(t, command(t, args...)); o.code != exitFailure || o.stdout != "" || !strings.Contains(o.stderr, "no fact that") {
		t.Errorf("nothing to ask: %+v", o)
	}
}
