package kn

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// TestSaveKeepsModelAndFacts saves a model with facts beside it, and expects
// the same predictions, facts and card of the copy.
func TestSaveKeepsModelAndFacts(t *testing.T) {
	golden := sharedtest.Goldens(t)[0]
	taught := []facts.Taught{{Fact: facts.Fact{Relation: "P19", Subject: "Mozart", Answer: "Paris", Frequency: 1}, HeldOut: []int{1}}}
	var zipped bytes.Buffer
	if err := facts.WriteTaught(&zipped, taught); err != nil {
		t.Fatal(err)
	}
	first, second := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	if err := goldenModel(t, golden).Save(first); err != nil {
		t.Fatal(err)
	}
	m, err := Load(first, WithCache("off"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Facts(); !errors.Is(err, ErrNoFacts) {
		t.Errorf("a model without facts gives %v", err)
	}
	for name, data := range map[string][]byte{FactsFile: zipped.Bytes(), CardFile: []byte("# card\n"), trainFile: []byte("{}\n")} {
		if err := os.WriteFile(filepath.Join(first, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Save(second); err != nil {
		t.Fatal(err)
	}
	saved := MustLoad(second, WithCache("off"))
	if got := saved.MustFacts(); !reflect.DeepEqual(got, taught) {
		t.Errorf("facts of the copy: %v, want %v", got, taught)
	}
	for name, want := range map[string]string{CardFile: "# card\n", trainFile: "{}\n"} {
		if got, err := os.ReadFile(filepath.Join(second, name)); err != nil || string(got) != want {
			t.Errorf("%s of the copy: %q, %v", name, got, err)
		}
	}
	prompt := goldenAttributions(t, golden)[0].Prompt
	got, want := saved.MustPredict(prompt), goldenModel(t, golden).MustPredict(prompt)
	if !reflect.DeepEqual(got.Predictions, want.Predictions) {
		t.Errorf("the copy predicts %v, want %v", got.Predictions, want.Predictions)
	}
}

func TestSaveRefusesEdits(t *testing.T) {
	m := goldenModel(t, sharedtest.Goldens(t)[0]).MustWith(Suppress([]Neuron{{0, 1}}))
	dir := filepath.Join(t.TempDir(), "edited")
	if err := m.Save(dir); err == nil {
		t.Error("a model with edits was saved without them")
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder was made all the same")
	}
}
