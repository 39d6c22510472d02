package kn

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// families are those of testdata/families, whose make.py made them.
var families = []string{"distilbert", "roberta", "electra"}

// goldenFamily is a golden.json, see make.py.
type goldenFamily struct {
	Cases []struct {
		Prompt, Answer       string
		IDs                  []int32
		Mask                 int
		AnswerID             int32 `json:"answer_id"`
		Logits               []float64
		Neurons, Attribution [][]float64
		Probability          float64
		Zero                 []float64
		Coarse               []Neuron
		Suppressed           []float64
		Amplified            []float64
	}
	Update struct {
		New     string
		Updated []float64
	}
}

func openFamily(t *testing.T, family string) (*Model, goldenFamily) {
	t.Helper()
	dir := filepath.Join("testdata", "families", family)
	m, err := Load(filepath.Join(dir, "model"), WithCache("off"), WithBackend("go"))
	if err != nil {
		t.Fatal(err)
	}
	var want goldenFamily
	sharedtest.ReadJSON(t, &want, dir, "golden.json")
	return m, want
}

// difference is the largest between two lists, as a share of what is largest in want.
func difference(t *testing.T, got, want []float64) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d numbers, want %d", len(got), len(want))
	}
	worst, largest := 0.0, 0.0
	for i, w := range want {
		worst, largest = max(worst, math.Abs(got[i]-w)), max(largest, math.Abs(w))
	}
	return worst / largest
}

// probabilities are those of the whole vocabulary by id.
func probabilities(t *testing.T, m *Model, prompt string) []float64 {
	t.Helper()
	p, err := m.Predict(prompt, PredictOptions{Top: m.Config().VocabSize})
	if err != nil {
		t.Fatal(err)
	}
	byID := make([]float64, len(p.Predictions))
	for _, q := range p.Predictions {
		byID[q.ID] = q.Probability
	}
	return byID
}

// TestFamiliesEqualTransformers compares models of each family with what
// transformers computes in float64: tokens, probabilities, neurons,
// attributions, and probabilities under edits of neurons and of weights.
func TestFamiliesEqualTransformers(t *testing.T) {
	for _, family := range families {
		m, golden := openFamily(t, family)
		worst := map[string]float64{}
		check := func(what, prompt string, bound float64, got, want []float64) {
			t.Helper()
			d := difference(t, got, want)
			if worst[what] = max(worst[what], d); d > bound {
				t.Errorf("%s: %s: %s are off by %.2g of the largest", family, prompt, what, d)
			}
		}
		for _, c := range golden.Cases {
			s, err := m.sample(Query{c.Prompt, c.Answer})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(s.IDs, c.IDs) || s.Masks[0] != c.Mask || s.Answers[0] != c.AnswerID {
				t.Fatalf("%s: %s: tokens %v, mask %d, answer %d; want %v, %d, %d", family, c.Prompt, s.IDs, s.Masks[0], s.Answers[0], c.IDs, c.Mask, c.AnswerID)
			}
			check("probabilities", c.Prompt, 1e-4, probabilities(t, m, c.Prompt), sharedtest.Softmax(c.Logits))
			a, err := m.Attribute(c.Prompt, c.Answer, AttributeOptions{Rule: GaussLegendre, Nodes: 64})
			if err != nil {
				t.Fatal(err)
			}
			check("the answer's probability", c.Prompt, 1e-4, []float64{a.Probability}, []float64{c.Probability})
			check("probabilities with a layer's neurons at 0", c.Prompt, 1e-4, a.ProbabilityAtZero, c.Zero)
			for l := range c.Neurons {
				check("neurons", c.Prompt, 1e-4, a.Activations[l], c.Neurons[l])
			}
			check("attributions", c.Prompt, 1e-3, slices.Concat(a.Scores...), slices.Concat(c.Attribution...))
			adaptive, err := m.Attribute(c.Prompt, c.Answer)
			if err != nil {
				t.Fatal(err)
			}
			// Nodes chosen by error. The paths of the RoBERTa, whose neurons are ReLUs,
			// have jumps, at which the 64 nodes are themselves off.
			if family != "roberta" {
				check("attributions by the adaptive rule", c.Prompt, 1e-3, slices.Concat(adaptive.Scores...), slices.Concat(c.Attribution...))
			}
			if got := a.Coarse(0.2); !reflect.DeepEqual(got, c.Coarse) {
				t.Errorf("%s: %s: coarse set %v, want %v", family, c.Prompt, got, c.Coarse)
			}
			check("probabilities after suppressing", c.Prompt, 1e-4, probabilities(t, m.MustWith(Suppress(c.Coarse)), c.Prompt), c.Suppressed)
			check("probabilities after amplifying", c.Prompt, 1e-4, probabilities(t, m.MustWith(Amplify(c.Coarse)), c.Prompt), c.Amplified)
		}
		first := golden.Cases[0]
		updated := m.MustWith(Update(first.Coarse, first.Answer, golden.Update.New))
		check("probabilities after an update", first.Prompt, 1e-4, probabilities(t, updated, first.Prompt), golden.Update.Updated)
		for what, d := range worst {
			t.Logf("%s: %s: %.1e", family, what, d)
		}
	}
}

// TestFamiliesSaved: a model of each family that is saved is read again as the
// same, and saved again as the same bytes; so is an edited one, which says what
// it said as an edit.
func TestFamiliesSaved(t *testing.T) {
	for _, family := range families {
		m, golden := openFamily(t, family)
		c := golden.Cases[0]
		for what, m := range map[string]*Model{"as it is": m, "updated": m.MustWith(Update(c.Coarse, c.Answer, golden.Update.New))} {
			first, second := t.TempDir(), t.TempDir()
			if err := m.Save(first); err != nil {
				t.Fatal(err)
			}
			saved, err := Load(first, WithCache("off"), WithBackend("go"))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(saved.Config(), m.Config()) || !reflect.DeepEqual(saved.Tokenizer(), m.Tokenizer()) {
				t.Errorf("%s, %s: another configuration or tokenizer was read than was saved", family, what)
			}
			if d := difference(t, probabilities(t, saved, c.Prompt), probabilities(t, m, c.Prompt)); d != 0 {
				t.Errorf("%s, %s: the saved model's probabilities are off by %g", family, what, d)
			}
			if err := saved.Save(second); err != nil {
				t.Fatal(err)
			}
			for _, name := range append([]string{"config.json", "model.safetensors"}, tokenizerFiles(t, m)...) {
				one, err1 := os.ReadFile(filepath.Join(first, name))
				two, err2 := os.ReadFile(filepath.Join(second, name))
				if err1 != nil || err2 != nil || !bytes.Equal(one, two) {
					t.Errorf("%s, %s: %s is not the same when saved again: %v", family, what, name, fmt.Sprint(err1, err2))
				}
			}
		}
	}
}

func tokenizerFiles(t *testing.T, m *Model) (names []string) {
	t.Helper()
	files, err := m.Tokenizer().Files()
	if err != nil {
		t.Fatal(err)
	}
	for name := range files {
		names = append(names, name)
	}
	return names
}

// TestRobertaReads: prompts are written for RoBERTa as for BERT, and what is
// shown of its tokens can be read.
func TestRobertaReads(t *testing.T) {
	m, _ := openFamily(t, "roberta")
	p := m.MustPredict("The capital of France is [MASK].", PredictOptions{Top: m.Config().VocabSize, Answer: "Paris"})
	own := m.MustPredict("The capital of France is <mask>.", PredictOptions{Top: m.Config().VocabSize, Answer: "Paris"})
	if !reflect.DeepEqual(p.Predictions, own.Predictions) || p.Answer.Token != "Paris" || p.MaskPosition != own.MaskPosition {
		t.Errorf("[MASK] is not <mask>: %v and %v", p.Answer, own.Answer)
	}
	start := m.MustPredict("[MASK] is the capital of France.", PredictOptions{Top: m.Config().VocabSize, Answer: "Paris"})
	if start.Answer.Token != "Paris" || start.Answer.ID == p.Answer.ID {
		t.Errorf("at the start %+v, inside %+v", start.Answer, p.Answer)
	}
	for _, q := range slices.Concat(p.Predictions, start.Predictions) {
		if strings.ContainsAny(q.Token, "ĠĊ") || q.Token == "" {
			t.Errorf("token %d is shown as %q", q.ID, q.Token)
		}
	}
	o := m.MustOutcomes([]Trial{{Query: Query{"[MASK] is the capital of France.", "Paris"}}, {Query: Query{"The capital of France is [MASK].", "Paris"}}})
	if o[0].Answer.ID != start.Answer.ID || o[1].Answer.ID != p.Answer.ID || o[0].Top.Token != start.Predictions[0].Token || o[1].Top.Token != p.Predictions[0].Token {
		t.Errorf("outcomes %+v", o)
	}
	read := m.MustTokenActivations([]Reading{{Text: "Mary speaks [MASK].", Neurons: []Neuron{{0, 1}}}})[0]
	if want := []string{"<s>", "Mary", "speaks", "<mask>", ".", "</s>"}; !slices.Equal(read.Tokens, want) || read.Mask != 3 {
		t.Errorf("read %q, the mask at %d", read.Tokens, read.Mask)
	}
	if long := m.MustPredict("It is [MASK].", PredictOptions{Answer: "Mary Anna"}).Answer; long.Token != "Mary Anna" || len(long.IDs) != 2 {
		t.Errorf("an answer of two tokens: %+v", long)
	}
	// Inside a text London is one token, at its start two.
	var left []facts.LeftOut
	bag := facts.Bag{Relation: "P36", Subject: "England", Answer: "London", Prompts: []string{"The capital of England is [MASK].", "[MASK] is the capital of England."}}
	source := func(yield func(facts.Bag, error) bool) { yield(bag, nil) }
	for b, err := range facts.Usable(source, m.Reader(), func(l facts.LeftOut) { left = append(left, l) }) {
		if err != nil || len(b.Prompts) != 1 {
			t.Errorf("usable: %v, %v", b, err)
		}
	}
	if len(left) != 1 || left[0].Reason != facts.NotOneToken || !strings.HasPrefix(left[0].Prompt, "[MASK]") {
		t.Errorf("left out: %+v", left)
	}
}
