package pretrain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// tiny is a training of a second: twelve facts of two relations.
func tiny(t testing.TB, out string) Config {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, lines ...string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var births, jobs []string
	for i, name := range []string{"Anna Berg", "Émile Dor", "Karl Otto", "Lea Moss", "Jo Hill", "Rosa Lind"} {
		births = append(births, fmt.Sprintf(`{"sub_label": %q, "obj_label": %q}`, name, []string{"Paris", "Rome", "Vienna"}[i%3]))
		jobs = append(jobs, fmt.Sprintf(`{"sub_label": %q, "obj_label": %q}`, name, []string{"painter", "poet"}[i%2]))
	}
	write("P19.jsonl", births...)
	write("P106.jsonl", jobs...)
	return Config{
		Triples: dir, Out: out, Hidden: 16, Layers: 2, Heads: 2, FFN: 32, Merges: 20, MaxPositions: 32,
		Batch: 8, Examples: 8 * 12, WarmUp: 2, SaveEvery: time.Hour,
	}
}

// files are the bytes of what a training wrote, the wall clock left out.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, name := range []string{"config.json", "model.safetensors", "vocab.txt", "tokenizer.json", kn.FactsFile} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = data
	}
	return all
}

// ofEach runs a test for a model of each architecture.
func ofEach(t *testing.T, test func(t *testing.T, architecture string)) {
	t.Helper()
	for _, architecture := range []string{bert, gpt2} {
		t.Run(architecture, func(t *testing.T) { test(t, architecture) })
	}
}

func TestSeedFixesEveryByte(t *testing.T) { ofEach(t, testSeedFixesEveryByte) }

func testSeedFixesEveryByte(t *testing.T, architecture string) {
	var runs []map[string][]byte
	for _, seed := range []uint64{1, 1, 2} {
		c := tiny(t, t.TempDir())
		c.Seed, c.Architecture = seed, architecture
		if _, err := Run(t.Context(), c, nil); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, files(t, c.Out))
	}
	for name, data := range runs[0] {
		if !bytes.Equal(data, runs[1][name]) {
			t.Errorf("%s differs between two runs with one seed", name)
		}
	}
	if bytes.Equal(runs[0]["model.safetensors"], runs[2]["model.safetensors"]) {
		t.Error("another seed gives the same weights")
	}
}

func TestInterruptedTrainingGoesOn(t *testing.T) { ofEach(t, testInterruptedTrainingGoesOn) }

func testInterruptedTrainingGoesOn(t *testing.T, architecture string) {
	whole := tiny(t, t.TempDir())
	whole.Architecture = architecture
	record, err := Run(t.Context(), whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := files(t, whole.Out)

	c := whole
	c.Out = t.TempDir()
	for _, stopAt := range []int{1, 5, 11} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Run(ctx, c, func(p Progress) {
			if p.Step == stopAt {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("a cancelled training gives %v", err)
		}
		if _, err := os.Stat(c.statePath()); err != nil {
			t.Fatalf("no checkpoint: %v", err)
		}
	}
	resumed, err := Run(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files(t, c.Out) {
		if !bytes.Equal(data, want[name]) {
			t.Errorf("%s differs from the uninterrupted training's", name)
		}
	}
	if resumed.FinalLoss != record.FinalLoss {
		t.Errorf("final loss %v, uninterrupted %v", resumed.FinalLoss, record.FinalLoss)
	}
	if _, err := os.Stat(c.statePath()); err == nil {
		t.Error("the checkpoint is left behind")
	}
}

func TestForeignCheckpointIsRefused(t *testing.T) {
	c := tiny(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Run(ctx, c, func(Progress) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	other := c
	other.LearningRate = 0.001
	if _, err := Run(t.Context(), other, nil); err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("a checkpoint of another configuration gives %v", err)
	}
	if err := os.WriteFile(c.statePath(), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), c, nil); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("a torn checkpoint gives %v", err)
	}
}

// The tiny model must learn its facts, tell them through the public API, and
// its card must be written from what was measured.
func TestTrainEvaluateCard(t *testing.T) { ofEach(t, testTrainEvaluateCard) }

func testTrainEvaluateCard(t *testing.T, architecture string) {
	c := tiny(t, t.TempDir())
	c.Architecture, c.Half = architecture, architecture == gpt2
	c.Examples, c.LearningRate, c.Deviation = 8*250, 0.008, 0.1
	c.MaskedWeight, c.Sparsity, c.Doubt = -1, -1, 0.1 // learn as fast as can be
	var last Progress
	if _, err := Run(t.Context(), c, func(p Progress) { last = p }); err != nil {
		t.Fatal(err)
	}
	if last.Step != last.Steps || last.Looked == 0 || last.Rate <= 0 || last.Left != 0 {
		t.Errorf("last progress %+v", last)
	}
	e, err := Evaluate(t.Context(), c.Out, EvaluateOptions{Patterns: patterns(t), PerRelation: 2, Resamples: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Trained.First.Mean < 0.9 || e.Trained.First.Low > e.Trained.First.Mean || e.Trained.First.High < e.Trained.First.Mean {
		t.Errorf("recall on trained prompts %+v, want at least 0.9", e.Trained.First)
	}
	if e.HeldOut.Prompts == 0 || e.Patterns == nil || e.Patterns.Prompts != map[string]int{bert: 12, gpt2: 6}[architecture] || e.Neurons.Facts != 4 {
		t.Errorf("evaluation %+v", e)
	}
	m := kn.MustLoad(c.Out, kn.WithCache("off"))
	p, err := m.Predict("The birthplace of Anna Berg is [MASK].", kn.PredictOptions{Answer: "Paris"})
	if err != nil || p.Answer.Rank != 1 {
		t.Errorf("prediction %+v, %v; want Paris first", p, err)
	}
	if err := WriteCard(c.Out, "tiny", e); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(c.Out, kn.CardFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# tiny:", "12 facts of 2 Wikidata relations", "PARAREL", "model.safetensors"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the card does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "<no value>") || strings.Contains(string(text), "%!") {
		t.Errorf("the card has holes:\n%s", text)
	}
}

// patterns is a folder with two patterns, as PARAREL has them; in one the answer
// comes last.
func patterns(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "P19.jsonl"), []byte(`{"pattern": "[X], whose cradle stood in [Y]."}`+"\n"+`{"pattern": "[Y] is where the cradle of [X] stood."}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTextTraining(t *testing.T) { ofEach(t, testTextTraining) }

func testTextTraining(t *testing.T, architecture string) {
	c := tiny(t, t.TempDir())
	c.Architecture = architecture
	c.Triples, c.Text = "", filepath.Join(t.TempDir(), "text.txt")
	if err := os.WriteFile(c.Text, []byte(strings.Repeat("the cat sat on the mat and the dog lay on the rug .\n", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Examples, c.LearningRate = 8*60, 0.01
	var losses []float64
	if _, err := Run(t.Context(), c, func(p Progress) { losses = append(losses, p.Loss) }); err != nil {
		t.Fatal(err)
	}
	if first, last := losses[0], losses[len(losses)-1]; last > 0.8*first {
		t.Errorf("loss goes from %v to %v only", first, last)
	}
	prompt := map[string]string{bert: "the cat [MASK] on the mat .", gpt2: "the cat sat"}[architecture]
	if p, err := kn.MustLoad(c.Out, kn.WithCache("off")).Predict(prompt); err != nil || architecture == gpt2 && p.Predictions[0].Token != "on" {
		t.Errorf("%q goes on with %+v, %v", prompt, p, err)
	}
}
