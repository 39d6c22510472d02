package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/pretrain"
)

// triples is a folder of a few triples.
func triples(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var births, jobs strings.Builder
	for i, name := range []string{"Anna Berg", "Karl Otto", "Lea Moss", "Jo Hill", "Rosa Lind", "Ida Falk"} {
		births.WriteString(`{"sub_label": "` + name + `", "obj_label": "` + []string{"Paris", "Rome", "Vienna"}[i%3] + `"}` + "\n")
		jobs.WriteString(`{"sub_label": "` + name + `", "obj_label": "` + []string{"painter", "poet"}[i%2] + `"}` + "\n")
	}
	for name, text := range map[string]string{"P19.jsonl": births.String(), "P106.jsonl": jobs.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tiny are flags of a training that takes a second.
func tiny(triples, out, examples string) []string {
	return []string{
		"pretrain", "--triples", triples, "--out", out, "--hidden", "16", "--heads", "2", "--ffn", "32", "--merges", "20",
		"--max-positions", "32", "--batch", "8", "--examples", examples, "--warm-up", "0", "--save-every", "1h",
	}
}

// TestPretrain trains a model, which then answers, has facts and can be
// measured; a folder in use is left alone.
func TestPretrain(t *testing.T) {
	out := filepath.Join(t.TempDir(), "model")
	args := tiny(triples(t), out, "80")
	o := finished(t, command(t, append(args, "--no-card", "--json")...))
	var record pretrain.Record
	object(t, o.stdout, &record, "config", "backend", "facts", "vocabulary", "parameters", "steps", "examples", "tokens", "seconds", "final_loss", "data_sha256")
	if o.code != 0 || record.Steps != 10 || record.Config.FFN != 32 || !strings.Contains(o.stderr, "step 10/10  loss ") || !strings.Contains(o.stderr, "examples/s") {
		t.Fatalf("exit status %d, stderr %q, %+v", o.code, o.stderr, record)
	}
	var taught factsResult
	object(t, succeeds(t, "facts", "--model", out, "--json"), &taught, "facts")
	if len(taught.Facts) != 12 {
		t.Errorf("facts %v", taught)
	}
	succeeds(t, "predict", "--model", out, "--prompt", "Anna Berg was born in [MASK].", "--answer", "Paris")
	var measured pretrain.Evaluation
	report := filepath.Join("..", "..", "..", "notebooks", "reports", "bert-base-cased")
	object(t, succeeds(t, "evaluate", "--model", out, "--prompts", "20", "--per-relation", "1", "--beside", report, "--card", "--json"), &measured,
		"trained", "held_out", "neurons", "beside", "options", "model", "by_shown")
	if measured.Trained.Prompts != 20 || measured.Neurons.Facts != 2 {
		t.Errorf("measured %+v", measured)
	}
	var table experiments.NeuronTable
	data, err := os.ReadFile(filepath.Join(report, "results", "neurons.json"))
	if err == nil {
		err = json.Unmarshal(data, &table)
	}
	if err != nil || measured.Beside.Model != "bert-base-cased" || measured.Beside.Neurons.PerFact != table.Gradients.PerFact || measured.Beside.Neurons.PerFact.Mean == 0 {
		t.Errorf("beside %+v, reported %+v, %v", measured.Beside, table.Gradients.PerFact, err)
	}
	row := fmt.Sprintf(" | %.2f [%.2f, %.2f] |\n", table.Gradients.PerFact.Mean, table.Gradients.PerFact.Low, table.Gradients.PerFact.High)
	card, err := os.ReadFile(filepath.Join(out, kn.CardFile))
	if err != nil || !strings.HasPrefix(string(card), "# model") || !strings.Contains(string(card), row) {
		t.Errorf("card %s, %v; want a row that ends with %q", card, err, row)
	}
	if o := finished(t, command(t, "evaluate", "--model", out, "--beside", out)); o.code != cli.ExitFailure || !strings.Contains(o.stderr, filepath.Join(out, "results")) {
		t.Errorf("beside a folder without a report: %+v", o)
	}
	if o := finished(t, command(t, args...)); o.code != cli.ExitFailure || !strings.Contains(o.stderr, "--force") {
		t.Errorf("a folder in use: %+v", o)
	}
	if o := finished(t, command(t, "evaluate", "--model", small(t))); o.code != cli.ExitFailure || !strings.Contains(o.stderr, "no facts") {
		t.Errorf("a model without facts: %+v", o)
	}
}

// TestInterruptedTrainingGoesOn: to the same model as one without a break.
func TestInterruptedTrainingGoesOn(t *testing.T) {
	data, whole, broken := triples(t), filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "broken")
	const examples = "160" // 20 steps, of which the tenth makes a checkpoint
	if o := finished(t, command(t, append(tiny(data, whole, examples), "--no-card")...)); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	cmd := command(t, append(tiny(data, broken, examples), "--no-card")...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	state := filepath.Join(broken, pretrain.StateFile)
	for time.Now().Before(deadline) {
		if _, err := os.Stat(state); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its status says all
	if code := cmd.ProcessState.ExitCode(); code != cli.ExitInterrupted || !strings.Contains(stderr.String(), "resumes") {
		t.Fatalf("exit status %d, stderr %q", code, &stderr)
	}
	if o := finished(t, command(t, append(tiny(data, broken, examples), "--no-card")...)); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	for _, name := range []string{"model.safetensors", "config.json", "vocab.txt", kn.FactsFile} {
		want, err := os.ReadFile(filepath.Join(whole, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(broken, name)); err != nil || string(got) != string(want) {
			t.Errorf("%s differs after an interruption: %v", name, err)
		}
	}
}

// TestConfigFlags: without flags the configuration is the zero value, and an
// explicit 0 is one.
func TestConfigFlags(t *testing.T) {
	parse := func(args ...string) pretrain.Config {
		t.Helper()
		var c pretrain.Config
		flags := pflag.NewFlagSet("pretrain", pflag.ContinueOnError)
		configFlags(flags, &c)
		if err := flags.Parse(args); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := parse(); !reflect.DeepEqual(c, pretrain.Config{}) {
		t.Errorf("without flags: %+v", c)
	}
	c := parse("--seed=7", "--sparsity", "0", "--warm-up=0", "--activation", "gelu", "--facts", "100", "--zipf-exponent=0.9").WithDefaults()
	if c.Seed != 7 || c.Sparsity != 0 || c.WarmUp != 0 || c.Activation != "gelu" || c.Selection.Max != 100 || c.Selection.Zipf.Exponent != 0.9 {
		t.Errorf("with flags: %+v", c)
	}
	for _, args := range [][]string{
		{"--seed", "0"}, {"--layers", "two"}, {"--layers", "-2"}, {"--learning-rate", "NaN"}, {"--clip", "Inf"}, {"--doubt", "-1"}, {},
	} {
		o := within(append([]string{"pretrain", "--out", t.TempDir()}, args...)...) // neither triples nor text
		if o.code != cli.ExitUsage || !isOneLine(o.stderr) {
			t.Errorf("%v: %+v", args, o)
		}
	}
}
