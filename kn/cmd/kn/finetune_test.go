package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
)

// tinyTask are flags of a fine-tuning that takes a second.
func tinyTask(t *testing.T, out string, more ...string) []string {
	t.Helper()
	file := written(t, "label\tsentence\n"+strings.Repeat("city\tParis is in France\nperson\tMary lives in London\n", 10))
	return append([]string{"finetune", "--model", small(t), "--task", file, "--batch", "6", "--out", out}, more...)
}

// TestFinetune fine-tunes a classifier and finds what it says of itself in its folder.
func TestFinetune(t *testing.T) {
	out := filepath.Join(t.TempDir(), "classifier")
	var record finetune.Record
	object(t, succeeds(t, tinyTask(t, out, "--steps", "4", "--checkpoints", "0,4", "--freeze", "embeddings,1", "--warm-up", "0", "--json")...), &record,
		"config", "task", "labels", "backend", "parameters", "steps", "seconds", "model_sha256", "data_sha256", "history", "evaluations", "checkpoints")
	if record.Steps != 4 || record.Evaluations["dev"].Examples != 2 || record.Config.WarmUp != 0 || record.Config.LearningRate == 0 ||
		!slices.Equal(record.Config.Freeze, []string{"bert.embeddings", "bert.encoder.layer.1"}) {
		t.Errorf("%+v", record)
	}
	kept, err := finetune.ReadRecord(out)
	if err != nil || kept.Seconds != record.Seconds {
		t.Errorf("the folder's record is %+v (%v)", kept, err)
	}
	for _, dir := range []string{out, finetune.CheckpointDir(out, 0), finetune.CheckpointDir(out, 4)} {
		if c := finetune.MustOpen(t.Context(), dir); !slices.Equal(c.Labels(), []string{"city", "person"}) {
			t.Errorf("%s has labels %q", dir, c.Labels())
		}
	}
	text := succeeds(t, tinyTask(t, filepath.Join(t.TempDir(), "again"), "--steps", "2", "--checkpoints", "2")...)
	for _, word := range []string{"2 labels", "accuracy", "commonest", "dev", "step-000002"} {
		if !strings.Contains(text, word) {
			t.Errorf("%q is missing in\n%s", word, text)
		}
	}
	// A folder of that name does not stand in a built-in task's way.
	cmd := command(t, "finetune", "--model", "mini", "--task", "true", "--steps", "1", "--batch", "4", "--train", "8", "--dev", "8", "--test", "8", "--out", "true")
	cmd.Dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(cmd.Dir, "true"), 0o700); err != nil {
		t.Fatal(err)
	}
	if o := finished(t, cmd); o.code != 0 || !strings.Contains(o.stdout, "2 labels") {
		t.Errorf("%+v", o)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"folder in use":    {tinyTask(t, out, "--steps", "4"), "--force"},
		"no such task":     {[]string{"finetune", "--model", small(t), "--task", "truth", "--out", t.TempDir()}, "paraphrase"},
		"nothing to learn": {tinyTask(t, t.TempDir(), "--freeze", "bert,classifier"), "leave something"},
		"no such part":     {tinyTask(t, t.TempDir(), "--evaluate", "test"), `no part "test"`},
	} {
		if o := finished(t, command(t, c.args...)); o.code != cli.ExitFailure || o.stdout != "" || !strings.Contains(o.stderr, c.want) {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// TestForceTrainsAgain: who says --force does not get what stands there,
// although the training is the same.
func TestForceTrainsAgain(t *testing.T) {
	out := filepath.Join(t.TempDir(), "classifier")
	args := tinyTask(t, out, "--steps", "2")
	succeeds(t, args...)
	weights := filepath.Join(out, "model.safetensors")
	want, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(weights, []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	succeeds(t, append(args, "--force")...)
	if got, err := os.ReadFile(weights); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the weights are %d bytes, want the %d of before; %v", len(got), len(want), err)
	}
}

// TestInterruptedFinetuneGoesOn: to the same classifier as without a break.
func TestInterruptedFinetuneGoesOn(t *testing.T) {
	whole, broken := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "broken")
	train := func(out string) []string {
		return tinyTask(t, out, "--steps", "150", "--evaluate-every", "1", "--save-every", "1h")
	}
	succeeds(t, train(whole)...)
	cmd := command(t, train(broken)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(broken, finetune.StateFile)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, err := os.Stat(state); err == nil {
			break
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its status says all
	if code := cmd.ProcessState.ExitCode(); code != cli.ExitInterrupted || !strings.Contains(stderr.String(), "resumes") {
		t.Fatalf("exit status %d, stderr %q", code, &stderr)
	}
	succeeds(t, train(broken)...)
	want, err := os.ReadFile(filepath.Join(whole, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(broken, "model.safetensors")); err != nil || string(got) != string(want) {
		t.Errorf("the classifier differs after an interruption: %v", err)
	}
}
