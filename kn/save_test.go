package kn

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
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
	// What is shared does not say where on its maker's disk the model was.
	if saved.Name() != second || got.Provenance.Model != "copy" {
		t.Errorf("name %q, in results %q", saved.Name(), got.Provenance.Model)
	}
	if want := cmp.Or(os.Getenv(backend.EnvVar), backend.Default); got.Provenance.Backend != want {
		t.Errorf("computed on %q, want %q", got.Provenance.Backend, want)
	}
}

// TestSaveKeepsEdits: a saved model predicts what the edited handle does, to
// the bit where weights are edited.
func TestSaveKeepsEdits(t *testing.T) {
	m, prompt, answer := small(t)
	n := []Neuron{{0, 3}, {1, 5}}
	for _, c := range []struct {
		name  string
		edits []Edit
		exact bool
	}{
		{"none", []Edit{Erase(nil)}, true},
		{"update", []Edit{Update(n, answer, "Rome")}, true},
		{"erase", []Edit{Erase(n)}, true},
		{"two", []Edit{Update(n, answer, "Rome"), Erase(n[:1])}, true},
		{"scale", []Edit{Scale(n, 1.7).AtAllPositions()}, false},
		{"set", []Edit{SetTo(n, -2).AtAllPositions(), Update(n, answer, "Rome"), Scale([]Neuron{{0, 4}}, 3).AtAllPositions()}, false},
		{"at [MASK], then everywhere", []Edit{Scale(n, 3), SetTo(n, 2).AtAllPositions()}, false},
	} {
		dir, edited := t.TempDir(), m.MustWith(c.edits...)
		if err := edited.Save(dir); err != nil {
			t.Fatal(err)
		}
		got, want := MustLoad(dir, WithCache("off")).MustPredict(prompt, PredictOptions{Top: 268}), edited.MustPredict(prompt, PredictOptions{Top: 268})
		byID := map[int]float64{}
		for _, p := range got.Predictions {
			byID[p.ID] = p.Probability
		}
		for _, p := range want.Predictions {
			if d := math.Abs(byID[p.ID] - p.Probability); c.exact && d != 0 || d > 1e-5*p.Probability {
				t.Errorf("%s: %s has %v in the saved model, %v in the edited one", c.name, p.Token, byID[p.ID], p.Probability)
			}
		}
		if edits := MustLoadEdits(filepath.Join(dir, EditsFile)); len(edits) != len(c.edits) {
			t.Errorf("%s: %s holds %+v", c.name, EditsFile, edits)
		}
	}
}

func TestSaveRefusesEditsAtMask(t *testing.T) {
	m := goldenModel(t, sharedtest.Goldens(t)[0])
	for words, edit := range map[string]Edit{
		"[MASK] alone": Suppress([]Neuron{{0, 1}}),
		"infinite":     Scale([]Neuron{{0, 1}}, 1e300).AtAllPositions(),
	} {
		dir := filepath.Join(t.TempDir(), "edited")
		if err := m.MustWith(edit).Save(dir); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%+v gives %v, want %q", edit, err, words)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Error("a folder was made all the same")
		}
	}
}
