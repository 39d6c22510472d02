package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// taughtModel is the small model with two facts that it is said to know.
func taughtModel(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var zipped bytes.Buffer
	err := facts.WriteTaught(&zipped, []facts.Taught{
		{Fact: facts.Fact{Relation: "P19", Subject: "Mary <3", Answer: "London", Frequency: 1.5}, Shown: 7, HeldOut: []int{2}},
		{Fact: facts.Fact{Relation: "P36", Subject: "France", Answer: "Paris", Frequency: 0.5}, Shown: 2, HeldOut: []int{0, 1}},
	})
	if err == nil {
		err = os.CopyFS(dir, os.DirFS(small(t)))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, kn.FactsFile), zipped.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFacts(t *testing.T) {
	model := taughtModel(t)
	all := `{"facts":[{"relation":"P19","subject":"Mary <3","answer":"London"},{"relation":"P36","subject":"France","answer":"Paris"}]}` + "\n"
	if got := succeeds(t, "facts", "--model", model, "--json"); got != all {
		t.Errorf("got %s, want %s", got, all)
	}
	one := `{"facts":[{"relation":"P36","subject":"France","answer":"Paris","frequency":0.5,"shown":2,"held_out":[0,1]}]}` + "\n"
	if got := succeeds(t, "facts", "--model", model, "--json", "--long", "--relation", "P36"); got != one {
		t.Errorf("got %s, want %s", got, one)
	}
	text := "  relation  subject  answer\n  P19       Mary <3  London\n  P36       France   Paris\n2 of 2 facts\n"
	if got := succeeds(t, "facts", "--model", model); got != text {
		t.Errorf("got\n%s, want\n%s", got, text)
	}
	if o := within("facts", "--model", model, "--relation", "P999"); o.code != cli.ExitFailure || !strings.Contains(o.stderr, "P999") {
		t.Errorf("unknown relation: %+v", o)
	}
}

// TestExport: the copy answers as the model does and has its facts.
func TestExport(t *testing.T) {
	model, out := taughtModel(t), filepath.Join(t.TempDir(), "new", "copy")
	var got exportResult
	object(t, succeeds(t, "export", "--model", model, "--out", out, "--json"), &got, "out", "files")
	files := []string{"config.json", kn.FactsFile, "model.safetensors", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"}
	if !slices.Equal(got.Files, files) {
		t.Errorf("files %q, want %q", got.Files, files)
	}
	if beside, err := os.ReadDir(filepath.Dir(out)); err != nil || len(beside) != 1 {
		t.Errorf("left beside the folder: %v, %v", beside, err)
	}
	sameAnswers(t, model, out)
	if got, want := succeeds(t, "facts", "--model", out, "--json"), succeeds(t, "facts", "--model", model, "--json"); got != want {
		t.Errorf("facts of the copy: %s, want %s", got, want)
	}
	// Into an empty folder, and with --force into one with a file of the user's.
	empty := t.TempDir()
	succeeds(t, "export", "--model", model, "--out", empty)
	sameAnswers(t, model, empty)
	mine := filepath.Join(empty, "mine.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	succeeds(t, "export", "--model", empty, "--out", empty, "--force")
	sameAnswers(t, model, empty)
	if data, err := os.ReadFile(mine); err != nil || string(data) != "mine" {
		t.Errorf("the user's file: %q, %v", data, err)
	}
	// Half the size, and nearly the same.
	half := filepath.Join(t.TempDir(), "half")
	succeeds(t, "export", "--model", model, "--out", half, "--half")
	var whole, halved predictResult
	keys := []string{"prompt", "mask_position", "predictions", "answer"}
	object(t, succeeds(t, "predict", "--model", model, "--prompt", prompt, "--json"), &whole, keys...)
	object(t, succeeds(t, "predict", "--model", half, "--prompt", prompt, "--json"), &halved, keys...)
	if a, b := whole.Predictions[0], halved.Predictions[0]; a.ID != b.ID || a == b || b.Probability < a.Probability*0.99 || b.Probability > a.Probability*1.01 {
		t.Errorf("best token %+v, in half precision %+v", a, b)
	}
}

func sameAnswers(t *testing.T, model, copied string) {
	t.Helper()
	var want, got predictResult
	args := []string{"predict", "--json", "--prompt", prompt, "--answer", "Paris", "--model"}
	keys := []string{"prompt", "mask_position", "predictions", "answer"}
	object(t, succeeds(t, append(args, model)...), &want, keys...)
	object(t, succeeds(t, append(args, copied)...), &got, keys...)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the copy answers %+v, want %+v", got, want)
	}
}
