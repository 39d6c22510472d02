package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// warmModel opens a copy of a reference model whose computations a worker
// does, and one that computes here. Workers end with the test's process.
func warmModel(t *testing.T, options ...kn.Option) (warm, here *kn.Model, dir string) {
	t.Helper()
	t.Setenv("KN_KERNEL_PID", strconv.Itoa(os.Getpid()))
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(sharedtest.Goldens(t)[0], "model"))); err != nil {
		t.Fatal(err)
	}
	open := func(options ...kn.Option) *kn.Model {
		m, err := kn.Load(dir, append(options, kn.WithCache("off"))...)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	return open(append(options, kn.WithWorker(program))...), open(kn.WithWorker("off")), dir
}

const workerPrompt = "Paris is in [MASK] ."

// TestWorkerComputesTheSame compares everything that a worker computes with
// what this process computes.
func TestWorkerComputesTheSame(t *testing.T) {
	warm, here, _ := warmModel(t)
	answer := here.MustPredict(workerPrompt).Predictions[0].Token
	prompts := []string{workerPrompt, "[MASK] is Paris .", "Paris [MASK] ."}
	neurons := []kn.Neuron{{Layer: 0, Index: 1}, {Layer: 1, Index: 2}}
	edit := kn.Amplify(neurons).AtAllPositions()
	for _, c := range []struct {
		name    string
		compute func(m *kn.Model) any
	}{
		{"predict", func(m *kn.Model) any { return m.MustPredict(workerPrompt) }},
		{"attribute", func(m *kn.Model) any { return m.MustAttribute(workerPrompt, answer) }},
		{"neurons", func(m *kn.Model) any { return m.MustKnowledgeNeurons(prompts, answer) }},
		{"baseline", func(m *kn.Model) any {
			return m.MustAttribute(workerPrompt, answer, kn.AttributeOptions{Rule: kn.ActivationBaseline})
		}},
		{"curves", func(m *kn.Model) any { return m.MustFactorCurves(prompts, answer, neurons) }},
		{"activations", func(m *kn.Model) any { return m.MustActivations(workerPrompt) }},
		{"token activations", func(m *kn.Model) any {
			return m.MustTokenActivations([]kn.Reading{{Text: workerPrompt, Neurons: []kn.Neuron{{Layer: 1, Index: 2}}}, {Text: "No gap in it .", Neurons: []kn.Neuron{{Index: 1}}}})
		}},
		{"updated", func(m *kn.Model) any {
			return m.MustWith(kn.Update(neurons, answer, "Rome"), edit).MustAttribute(workerPrompt, answer)
		}},
		{"outcomes", func(m *kn.Model) any {
			q := kn.Query{Prompt: workerPrompt, Answer: answer}
			return m.MustOutcomes([]kn.Trial{{Query: q}, {Query: q, Edits: []kn.Edit{kn.Erase(neurons)}}})
		}},
		{"edited", func(m *kn.Model) any { return m.MustWith(edit).MustAttribute(workerPrompt, answer) }},
	} {
		if got, want := c.compute(warm), c.compute(here); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the worker says\n%+v\nthis process says\n%+v", c.name, got, want)
		}
	}
}

// TestWorkerOfAChangedModel: a model whose files have changed gets another
// worker, and a handle from before the change says so.
func TestWorkerOfAChangedModel(t *testing.T) {
	before, _, dir := warmModel(t)
	if _, err := before.Digest(); err != nil { // the handle knows the model as it was
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tokenizer_config.json")
	config, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(config, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := before.Predict(workerPrompt); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("a handle on files that have changed: %v", err)
	}
	after, err := kn.Load(dir, kn.WithCache("off"), kn.WithWorker(program))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := after.Predict(workerPrompt); err != nil {
		t.Error(err)
	}
}

// TestWorkerThatCannotStart: the cell computes by itself.
func TestWorkerThatCannotStart(t *testing.T) {
	_, here, dir := warmModel(t)
	m, err := kn.Load(dir, kn.WithCache("off"), kn.WithWorker(filepath.Join(dir, "config.json")))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.MustPredict(workerPrompt), here.MustPredict(workerPrompt); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v instead of %+v", got, want)
	}
}

// TestWorkerIsToldToStop: a context ends the computation, not the worker.
func TestWorkerIsToldToStop(t *testing.T) {
	warm, here, _ := warmModel(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := warm.WithContext(ctx).Predict(workerPrompt); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if got, want := warm.MustPredict(workerPrompt), here.MustPredict(workerPrompt); !reflect.DeepEqual(got, want) {
		t.Errorf("after that %+v instead of %+v", got, want)
	}
}

// TestWorkerUsage: people do not start workers.
func TestWorkerUsage(t *testing.T) {
	if o := within("worker"); o.code != cli.ExitUsage || !strings.Contains(o.stderr, "KN_WORKER") {
		t.Errorf("%+v", o)
	}
}
