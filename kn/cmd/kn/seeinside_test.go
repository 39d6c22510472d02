package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

// TestTrace: what is printed is what the library computes.
func TestTrace(t *testing.T) {
	args := []string{"trace", "--model", small(t), "--prompt", "The capital of France is [MASK] .", "--answer", "Paris"}
	var r traceResult
	object(t, succeeds(t, append(args, "--subject", "France", "--draws", "2", "--restore", "ffn", "--window", "1", "--json")...), &r, "lens", "logit", "trace")
	m := kn.MustLoad(small(t), kn.WithCache("off"))
	want := m.MustCausalTrace("The capital of France is [MASK] .", "France", "Paris", kn.TraceOptions{Draws: 2, Restore: kn.RestoreFFN, Window: 1})
	if len(r.Trace.Probability) != 2 || !near(r.Trace.Probability[1][4], want.Probability[1][4]) || !near(r.Trace.Corrupted, want.Corrupted) {
		t.Errorf("traced %v, want %v", r.Trace.Probability, want.Probability)
	}
	if d := r.Logit.Answers.Sum - r.Logit.Answers.Logit; math.Abs(d) > 1e-4 || len(r.Lens.Cells) != 3 {
		t.Errorf("logit %+v, %d rows of the lens", r.Logit.Answers, len(r.Lens.Cells))
	}
	text := succeeds(t, args...)
	for _, words := range []string{"logit lens on Paris", "layer 1", "mean word"} {
		if !strings.Contains(text, words) || strings.Contains(text, "restored") {
			t.Errorf("no %q, or a trace, in %s", words, text)
		}
	}
	if text := succeeds(t, append(args, "--subject", "France", "--draws", "1")...); !strings.Contains(text, "France *") || !strings.Contains(text, "mean P at other tokens") {
		t.Errorf("no trace in %s", text)
	}
}

// TestNeuron: of facts, of a file of texts, and of words alone.
func TestNeuron(t *testing.T) {
	file := filepath.Join(t.TempDir(), "texts")
	if err := os.WriteFile(file, []byte("The capital of France is [MASK] .\nParis is the capital .\n\nLondon is [MASK] .\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var p kn.Portrait
	args := []string{"neuron", "--model", small(t), "--neuron", "1:14"}
	out := succeeds(t, append(args, "--texts", file, "--words", "3", "--json")...)
	object(t, out, &p, "neuron", "raised", "lowered", "chance_largest", "probes", "mean", "deviation", "most", "least", "provenance")
	if p.Probes != 3 || len(p.Raised) != 3 || p.Neuron != (kn.Neuron{Layer: 1, Index: 14}) || len(p.Most)+len(p.Least) != 3 {
		t.Errorf("portrait %+v", p)
	}
	if text := succeeds(t, append(args, "--texts", file)...); !strings.Contains(text, "fires most") || !strings.Contains(text, "London is [MASK] .") {
		t.Errorf("printed %s", text)
	}
	o := finished(t, command(t, args...))
	if o.code != 0 || !strings.Contains(o.stderr, "without facts") || !strings.Contains(o.stdout, "raises") || strings.Contains(o.stdout, "fires") {
		t.Errorf("without facts: %+v", o)
	}
}

// TestAttributeTokens: what is printed is what the library computes.
func TestAttributeTokens(t *testing.T) {
	const prompt = "The capital of France is [MASK] ."
	args := []string{"attribute", "--model", small(t), "--prompt", prompt, "--answer", "Paris", "--tokens"}
	m := kn.MustLoad(small(t), kn.WithCache("off"))
	for _, c := range []struct {
		args []string
		o    kn.TokenOptions
	}{
		{nil, kn.TokenOptions{}},
		{[]string{"--against", "Rome", "--baseline", "pad"}, kn.TokenOptions{Against: "Rome", Baseline: kn.BaselinePad}},
		{[]string{"--target", "log_probability", "--rule", "gauss_legendre", "--nodes", "7"}, kn.TokenOptions{Target: kn.TargetLogProbability, Rule: kn.GaussLegendre, Nodes: 7}},
	} {
		var got kn.TokenAttribution
		if err := json.Unmarshal([]byte(succeeds(t, append(append([]string{}, args...), append(c.args, "--json")...)...)), &got); err != nil {
			t.Fatal(err)
		}
		want := m.MustAttributeTokens(prompt, "Paris", c.o)
		if len(got.Scores) != len(want.Scores) || math.Abs(got.Scores[4]-want.Scores[4]) > 1e-7 || math.Abs(got.Value-want.Value) > 1e-7 || got.Target != want.Target || got.Nodes != want.Nodes {
			t.Errorf("%v: %+v, want %+v", c.args, got, want)
		}
		text := succeeds(t, append(append([]string{}, args...), c.args...)...)
		for _, words := range []string{want.TargetName(), "France", "lost without it", "the sum misses"} {
			if !strings.Contains(text, words) {
				t.Errorf("%v: no %q in %s", c.args, words, text)
			}
		}
	}
}

// TestAttributeTarget: the JSON names a target that is not the default.
func TestAttributeTarget(t *testing.T) {
	var got attributeResult
	args := []string{"attribute", "--model", small(t), "--prompt", "The capital of France is [MASK] .", "--answer", "Paris", "--target", "log_probability", "--json"}
	if err := json.Unmarshal([]byte(succeeds(t, args...)), &got); err != nil || got.Target != kn.TargetLogProbability {
		t.Errorf("target %q, %v", got.Target, err)
	}
}

// TestSeeInsideUsage: flags that do not go together.
func TestSeeInsideUsage(t *testing.T) {
	trace := []string{"trace", "--model", "m", "--prompt", "p", "--answer", "a"}
	neuron := []string{"neuron", "--model", "m"}
	attribute := []string{"attribute", "--model", "m", "--prompt", "p", "--answer", "a"}
	for _, c := range []struct {
		base, args []string
		words      string
	}{
		{nil, []string{"trace", "--model", "m"}, `"answer", "prompt"`},
		{trace, []string{"--draws", "3"}, "--subject"},
		{trace, []string{"--subject", "s", "--draws", "0"}, "at least 1"},
		{trace, []string{"--subject", "s", "--restore", "all"}, "state, attention, ffn"},
		{trace, []string{"--subject", "s", "--window", "3"}, "one layer"},
		{trace, []string{"--subject", "s", "--noise", "0"}, "above 0"},
		{neuron, nil, `"neuron"`},
		{attribute, []string{"--target", "all"}, "probability, log_probability"},
		{attribute, []string{"--against", "b"}, "for --tokens"},
		{attribute, []string{"--tokens", "--against", "b", "--target", "log_probability"}, "leave out --target"},
		{attribute, []string{"--tokens", "--baseline", "one"}, "zero, mask, pad"},
		{attribute, []string{"--tokens", "--rule", "activation_baseline"}, "for neurons"},
		{attribute, []string{"--tokens", "--top", "3"}, "for neurons"},
		{neuron, []string{"--neuron", "1"}, "layer:index"},
		{neuron, []string{"--neuron", "1:2,1:3"}, "one neuron"},
		{neuron, []string{"--neuron", "1:2", "--texts", "f", "--limit", "3"}, "not both"},
	} {
		args := append(append([]string{}, c.base...), c.args...)
		o := within(args...)
		if o.code != cli.ExitUsage || o.stdout != "" || !isOneLine(o.stderr) || !strings.Contains(o.stderr, c.words) {
			t.Errorf("kn %q: exit status %d, stdout %q, stderr %q without %q", args, o.code, o.stdout, o.stderr, c.words)
		}
	}
}
