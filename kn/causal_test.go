package kn

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// causalFamilies are those that causal.py made.
var causalFamilies = []string{"gpt2", "llama", "qwen2", "qwen3", "mistral"}

// goldenCausal is a golden.json, see causal.py.
type goldenCausal struct {
	Cases []struct {
		Prompt, Answer        string
		IDs                   []int32
		AnswerIDs             []int32 `json:"answer_ids"`
		Logits                []float64
		Neurons, Activations  [][]float64
		Attribution           [][]float64
		Probability           float64
		Zero                  []float64
		Coarse                []Neuron
		Suppressed, Amplified []float64
		SuppressedProbability float64 `json:"suppressed_probability"`
		AmplifiedProbability  float64 `json:"amplified_probability"`
	}
	Update struct {
		New     string
		Updated []float64
	}
}

// TestCausalFamiliesEqualReference compares causal models of each family with
// what transformers computes in float64: tokens, probabilities, neurons,
// attributions of answers of one and of several tokens, and edits of neurons and
// of weights.
func TestCausalFamiliesEqualReference(t *testing.T) {
	const digits = 2e-5 // float32's, lost in three layers of random weights
	families, onXLA := causalFamilies, strings.HasPrefix(os.Getenv(backend.EnvVar), "xla")
	if onXLA { // which takes half a minute to compile what a case needs
		families = families[:2]
	}
	for _, family := range families {
		dir := filepath.Join("testdata", "families", family)
		m := MustLoad(filepath.Join(dir, "model"), WithCache("off"))
		var golden goldenCausal
		sharedtest.ReadJSON(t, &golden, dir, "golden.json")
		worst := map[string]float64{}
		check := func(what, prompt string, bound float64, got, want []float64) {
			t.Helper()
			d := difference(t, got, want)
			if worst[what] = max(worst[what], d); !(d <= bound) {
				t.Errorf("%s: %s: %s are off by %.2g of the largest", family, prompt, what, d)
			}
		}
		for i, c := range golden.Cases {
			if onXLA && i != len(golden.Cases)-3 {
				continue
			}
			s, err := m.sample(Query{c.Prompt, c.Answer})
			if err != nil {
				t.Fatal(err)
			}
			ids := append(slices.Clone(c.IDs), c.AnswerIDs[:len(c.AnswerIDs)-1]...)
			if !slices.Equal(s.IDs, ids) || !slices.Equal(s.Answers, c.AnswerIDs) || s.Masks[0] != len(c.IDs)-1 {
				t.Fatalf("%s: %q: tokens %v, asked at %v, answer %v; want %v, %d, %v", family, c.Prompt, s.IDs, s.Masks, s.Answers, ids, len(c.IDs)-1, c.AnswerIDs)
			}
			check("probabilities", c.Prompt, digits, probabilities(t, m, c.Prompt), sharedtest.Softmax(c.Logits))
			atPrompt, err := m.Activations(c.Prompt)
			if err != nil {
				t.Fatal(err)
			}
			a, err := m.Attribute(c.Prompt, c.Answer, AttributeOptions{Rule: GaussLegendre, Nodes: 64})
			if err != nil {
				t.Fatal(err)
			}
			check("the answer's probability", c.Prompt, digits, []float64{a.Probability}, []float64{c.Probability})
			check("probabilities with a layer's neurons at 0", c.Prompt, digits, a.ProbabilityAtZero, c.Zero)
			mean := c.Neurons
			if len(c.AnswerIDs) > 1 {
				mean = c.Activations
			}
			for l := range c.Neurons {
				check("neurons", c.Prompt, digits, atPrompt[l], c.Neurons[l])
				check("neurons over the answer", c.Prompt, digits, a.Activations[l], mean[l])
			}
			check("attributions", c.Prompt, digits, slices.Concat(a.Scores...), slices.Concat(c.Attribution...))
			adaptive, err := m.Attribute(c.Prompt, c.Answer)
			if err != nil {
				t.Fatal(err)
			}
			check("attributions by the adaptive rule", c.Prompt, 1e-3, slices.Concat(adaptive.Scores...), slices.Concat(c.Attribution...))
			if coarse := a.Coarse(0.2); !reflect.DeepEqual(coarse, c.Coarse) {
				t.Errorf("%s: %q: coarse set %v, want %v", family, c.Prompt, coarse, c.Coarse)
			}
			suppressed, amplified := m.MustWith(Suppress(c.Coarse)), m.MustWith(Amplify(c.Coarse))
			check("suppressed probabilities", c.Prompt, digits, probabilities(t, suppressed, c.Prompt), c.Suppressed)
			check("amplified probabilities", c.Prompt, digits, probabilities(t, amplified, c.Prompt), c.Amplified)
			edited := m.MustProbabilities([]Trial{{Query{c.Prompt, c.Answer}, []Edit{Suppress(c.Coarse)}}, {Query{c.Prompt, c.Answer}, []Edit{Amplify(c.Coarse)}}})
			check("the answer under edits", c.Prompt, digits, edited, []float64{c.SuppressedProbability, c.AmplifiedProbability})
		}
		first := golden.Cases[0]
		updated := m.MustWith(Update(first.Coarse, first.Answer, golden.Update.New))
		check("updated probabilities", first.Prompt, digits, probabilities(t, updated, first.Prompt), golden.Update.Updated)
		saved := t.TempDir()
		if err := updated.Save(saved); err != nil {
			t.Fatal(err)
		}
		again := MustLoad(saved, WithCache("off"))
		check("updated probabilities, saved and loaded", first.Prompt, digits, probabilities(t, again, first.Prompt), golden.Update.Updated)
		t.Logf("%s: largest differences %v", family, worst)
	}
}
