package kn

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
)

// TestErrorsNameTheCulprit: each wrong input gives an error with the words
// that lead to the cure.
func TestErrorsNameTheCulprit(t *testing.T) {
	t.Setenv("HF_HUB_OFFLINE", "1")
	t.Setenv("HF_HOME", t.TempDir())
	m, prompt, answer := small(t)
	attribute := func(prompt, answer string, o ...AttributeOptions) error {
		_, err := m.Attribute(prompt, answer, o...)
		return err
	}
	with := func(e Edit) error {
		_, err := m.With(e)
		return err
	}
	load := func(name string) error {
		_, err := Load(name)
		return err
	}
	neurons := func(prompts []string, recipe ...Recipe) error {
		_, err := m.KnowledgeNeurons(prompts, answer, recipe...)
		return err
	}
	predict := func(o ...PredictOptions) error {
		_, err := m.Predict(prompt, o...)
		return err
	}
	curve := func(o ...CurveOptions) error {
		_, err := m.FactorCurves([]string{prompt}, answer, []Neuron{{0, 1}}, o...)
		return err
	}
	long := strings.Repeat("Paris ", 100) + "[MASK]"
	for _, c := range []struct {
		name string
		err  error
		want []string
	}{
		{"no mask", attribute("Paris is in France", answer), []string{"[MASK]", "Paris is in France"}},
		{"two masks", attribute("[MASK] is in [MASK]", answer), []string{"more than one", "[MASK]"}},
		{"too long", attribute(long, answer), []string{"64"}},
		{"no answer", attribute(prompt, ""), []string{"answer", prompt}},
		{"unknown characters", attribute(prompt, "日"), []string{"日"}},
		{"unknown rule", attribute(prompt, answer, AttributeOptions{Rule: "simpson"}), []string{"simpson", "trapezoid"}},
		{"too few nodes", attribute(prompt, answer, AttributeOptions{Rule: Trapezoid, Nodes: 1}), []string{"at least 2"}},
		{"too few nodes to adapt", attribute(prompt, answer, AttributeOptions{Nodes: 3}), []string{"at least 9"}},
		{"negative tolerance", attribute(prompt, answer, AttributeOptions{Tolerance: -1}), []string{"negative"}},
		{"options twice", attribute(prompt, answer, AttributeOptions{}, AttributeOptions{Nodes: 20}), []string{"2 kn.AttributeOptions", "give one"}},
		{"recipes twice", neurons([]string{prompt}, Recipe{}, Dai2022), []string{"2 kn.Recipe", "give one"}},
		{"prediction's options twice", predict(PredictOptions{}, PredictOptions{}), []string{"2 kn.PredictOptions"}},
		{"curve's options twice", curve(CurveOptions{}, CurveOptions{}), []string{"2 kn.CurveOptions"}},
		{"options of saving twice", m.Save(t.TempDir(), checkpoint.SaveOptions{}, checkpoint.SaveOptions{}), []string{"2 checkpoint.SaveOptions"}},
		{"more prompts wanted than given", neurons([]string{prompt, prompt}, Dai2022), []string{"3 prompts", "2 are given", "MinPrompts"}},
		{"layer out of range", with(Suppress([]Neuron{{2, 0}})), []string{"2:0", "0 to 1"}},
		{"index out of range", with(Suppress([]Neuron{{0, 32}})), []string{"0:32", "0 to 31"}},
		{"unknown edit", with(Edit{Op: "flip"}), []string{"flip", "scale"}},
		{"infinite value", with(SetTo([]Neuron{{0, 0}}, math.Inf(1))), []string{"finite"}},
		{"unknown name", load("maxi"), []string{"maxi", "there are mini and mini-gpt"}},
		{"name without an owner", load("bert-base-cased"), []string{"google-bert/bert-base-cased", "offline"}},
		{"RoBERTa without an owner", load("roberta-base"), []string{"FacebookAI/roberta-base", "offline"}},
		{"DistilRoBERTa without an owner", load("distilroberta-base@main"), []string{"distilbert/distilroberta-base", "offline"}},
		{"missing folder", load("./no/such/folder"), []string{"./no/such/folder"}},
		{"file instead of folder", load("load.go"), []string{"load.go", "folder"}},
		{"folder without a model", load(t.TempDir()), []string{"config.json"}},
	} {
		if c.err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(c.err.Error(), w) {
				t.Errorf("%s: %q does not say %q", c.name, c.err, w)
			}
		}
	}
}

// TestCacheThatCannotBeWritten: results come all the same.
func TestCacheThatCannotBeWritten(t *testing.T) {
	m, prompt, answer := small(t, WithCache(filepath.Join("load.go", "cache")))
	if _, err := m.Attribute(prompt, answer); err != nil {
		t.Error(err)
	}
}

func TestMustPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("MustLoad of nothing did not panic")
		}
	}()
	MustLoad("nothing of the kind")
}
