package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// edited runs kn edit and reads what it prints.
func edited(t *testing.T, args ...string) editResult {
	t.Helper()
	var r editResult
	out := succeeds(t, append([]string{"edit", "--json"}, args...)...)
	keys := []string{"edits", "effects"}
	if slices.Contains(args, "--out") {
		keys = append(keys, "out")
	}
	object(t, out, &r, keys...)
	return r
}

// TestEditEqualsReference: updating and erasing on the command line, in a file,
// and in an exported checkpoint, all give PyTorch's probabilities.
func TestEditEqualsReference(t *testing.T) {
	for _, dir := range goldens(t) {
		model := filepath.Join(dir, "model")
		var want struct {
			Prompt, Old, New string
			Neurons          []kn.Neuron
			Lambda1, Lambda2 float64
			Before           []float64
			AfterUpdate      []float64 `json:"after_update"`
			AfterErase       []float64 `json:"after_erase"`
		}
		sharedtest.ReadJSON(t, &want, dir, "editing.json")
		number := func(f float64) string { data, _ := json.Marshal(f); return string(data) }
		look := []string{"--model", model, "--prompt", want.Prompt, "--answer", want.Old}
		for _, c := range []struct {
			args  []string
			after []float64
		}{
			{[]string{"--op", "update", "--new", want.New, "--lambda1", number(want.Lambda1), "--lambda2", number(want.Lambda2)}, want.AfterUpdate},
			{[]string{"--op", "erase"}, want.AfterErase},
		} {
			file, exported := filepath.Join(t.TempDir(), "edits.json"), filepath.Join(t.TempDir(), "edited")
			first := edited(t, slices.Concat(look, c.args, []string{"--neurons", joinNeurons(want.Neurons), "--out", file})...)
			again := edited(t, slices.Concat(look, []string{"--edits", file})...)
			succeeds(t, "export", "--model", model, "--edits", file, "--out", exported)
			for name, r := range map[string]editResult{"edited": first, "from the file": again} {
				for _, token := range r.Effects[0].Tokens {
					if !near(token.Before.Probability, want.Before[token.ID]) || !near(token.After.Probability, c.after[token.ID]) {
						t.Errorf("%s %v, %s: %+v, want %v, then %v", dir, c.args, name, token, want.Before[token.ID], c.after[token.ID])
					}
				}
			}
			var p predictResult
			object(t, succeeds(t, "predict", "--model", exported, "--prompt", want.Prompt, "--top", "1000", "--json"), &p, "prompt", "mask_position", "predictions", "answer")
			if len(p.Predictions) != len(c.after) {
				t.Errorf("%d predictions", len(p.Predictions))
			}
			for _, q := range p.Predictions {
				if !near(q.Probability, c.after[q.ID]) {
					t.Errorf("%s %v, exported: %s has %v, want %v", dir, c.args, q.Token, q.Probability, c.after[q.ID])
				}
			}
		}
	}
}

// TestEditsOfFactsAndRelations finds the neurons itself, and adds edits to those of a file.
func TestEditsOfFactsAndRelations(t *testing.T) {
	dir := t.TempDir()
	one, both := filepath.Join(dir, "one.json"), filepath.Join(dir, "both.json")
	fact := []string{"--model", "mini", "--relation", "P36", "--subject", "France", "--tolerance", "0.05"}
	first := edited(t, append(fact, "--op", "suppress", "--out", one)...)
	if len(first.Edits) != 1 || len(first.Edits[0].Neurons) == 0 || len(first.Effects) < 10 {
		t.Fatalf("%+v", first)
	}
	for _, e := range first.Effects {
		if p := e.Tokens[0]; p.Token != "Paris" || p.Before.Rank != 1 || p.After.Probability > p.Before.Probability/2 {
			t.Errorf("suppressed: %+v", e)
		}
	}
	second := edited(t, "--model", "mini", "--relation", "P103", "--limit", "2", "--commonest", "3", "--tolerance", "0.05", "--op", "erase",
		"--edits", one, "--prompt", first.Effects[0].Prompt, "--out", both)
	if len(second.Edits) != 2 || second.Edits[0].Op != kn.OpScale || len(second.Edits[1].Neurons) > 3 || len(second.Effects) != 3 {
		t.Errorf("%+v", second)
	}
	last := second.Effects[2]
	if last.FirstBefore.Token != "Paris" || last.Tokens[0].Token != "Paris" || last.Tokens[0].After.Probability > last.Tokens[0].Before.Probability/2 {
		t.Errorf("the file's edit is not in effect: %+v", last)
	}
	looked := edited(t, append(fact, "--edits", both)...)
	if len(looked.Edits) != 2 || len(looked.Effects) != len(first.Effects) {
		t.Errorf("looked at: %+v", looked)
	}
	text := succeeds(t, append([]string{"edit"}, append(fact, "--op", "set", "--value", "0", "--everywhere")...)...)
	if !strings.Contains(text, "to 0 everywhere") || !strings.Contains(text, "first in 14 of 14 prompts before, in ") {
		t.Errorf("printed %s", text)
	}
}

// TestExportForgetsEarlierEdits: a folder that held an edited model does not
// say so of another one.
func TestExportForgetsEarlierEdits(t *testing.T) {
	out := t.TempDir()
	succeeds(t, "export", "--model", small(t), "--edits", written(t, `{"edits": [{"op": "erase", "neurons": [[0, 1]]}]}`), "--out", out)
	if _, err := os.Stat(filepath.Join(out, kn.EditsFile)); err != nil {
		t.Error(err)
	}
	succeeds(t, "export", "--model", small(t), "--out", out, "--force")
	if _, err := os.Stat(filepath.Join(out, kn.EditsFile)); err == nil {
		t.Error("the unedited model has edits")
	}
}
