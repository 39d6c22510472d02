package kn

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// goldenTokens is a case of testdata/inside/tokens.json, see tokens.py.
type goldenTokens struct {
	Model, Prompt, Answer, Against string
	Baseline                       Baseline
	Target                         Target
	IDs                            []int
	At                             int
	Value                          float64
	ValueAtBaseline                float64 `json:"value_at_baseline"`
	Scores, Occlusion              []float64
}

// TestTokenAttributionEqualsReference compares tokens' scores with those that PyTorch
// computes in float64 with thousands of nodes: by the adaptive rule of encoders,
// decoders with and without position embeddings, answers of one token and several,
// all baselines and targets.
func TestTokenAttributionEqualsReference(t *testing.T) {
	var cases []goldenTokens
	sharedtest.ReadJSON(t, &cases, "testdata", "inside", "tokens.json")
	models := map[string]*Model{} // which keep what they have compiled
	for _, c := range cases {
		m := models[c.Model]
		if m == nil {
			m = MustLoad(filepath.Join("testdata", "inside", filepath.FromSlash(c.Model)), WithCache("off"))
			models[c.Model] = m
		}
		a, err := m.AttributeTokens(c.Prompt, c.Answer, TokenOptions{Baseline: c.Baseline, Target: c.Target, Against: c.Against, Tolerance: DefaultTolerance})
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%s: %s from %s", c.Model, a.TargetName(), c.Baseline)
		s, err := m.sample(Query{c.Prompt, c.Answer})
		if err != nil || !slices.Equal(s.question.Prompt.IDs, c.IDs) || a.Mask != c.At {
			t.Fatalf("%s: %v: tokens %v at %d, want %v at %d", name, err, s.question.Prompt.IDs, a.Mask, c.IDs, c.At)
		}
		if a.NotConverged {
			t.Errorf("%s: not converged", name)
		}
		for what, d := range map[string]float64{
			"value":           difference(t, []float64{a.Value, a.ValueAtBaseline}, []float64{c.Value, c.ValueAtBaseline}),
			"tokens left out": difference(t, a.Occlusion, c.Occlusion),
			"scores":          difference(t, a.Scores, c.Scores),
			"estimated error": max(0, difference(t, a.Scores, c.Scores)*largestOf(c.Scores)-a.EstimatedError) / largestOf(c.Scores),
			"completeness":    math.Abs(a.CompletenessError) / largestOf(c.Scores),
			"sum":             math.Abs(sum(a.Scores)-(a.Value-a.ValueAtBaseline)-a.CompletenessError) / largestOf(c.Scores),
		} {
			bound := 5e-5 // of float32
			if what == "scores" || what == "completeness" {
				bound = DefaultTolerance
			}
			if !(d <= bound) {
				t.Errorf("%s: %s is off by %.1e", name, what, d)
			}
		}
	}
}

func largestOf(values []float64) (largest float64) {
	for _, v := range values {
		largest = max(largest, math.Abs(v))
	}
	return largest
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// tokenModels are models of every family.
func tokenModels(t *testing.T) map[string]*Model {
	models := seeInside(t)
	for _, family := range insideFamilies {
		models[family], _ = openInside(t, family)
	}
	for _, family := range []string{"qwen2", "qwen3", "mistral"} {
		models[family] = Must(Load(filepath.Join("testdata", "families", family, "model"), WithCache("off"), WithBackend("go")))
	}
	return models
}

// TestTokenScoresAddUp: of every family and target, and after edits of neurons and
// of weights, the scores add up to what lies between the ends, the upper of which is
// the prediction.
func TestTokenScoresAddUp(t *testing.T) {
	for family, plain := range tokenModels(t) {
		n := []Neuron{{1, 3}, {0, 2}}
		for _, m := range []*Model{plain, plain.MustWith(Scale(n, 5)), plain.MustWith(Erase(n))} {
			p, rival := m.MustProbability(insidePrompt, insideAnswer), m.MustProbability(insidePrompt, "London")
			for want, o := range map[float64]TokenOptions{
				p:                             {},
				math.Log(p):                   {Target: TargetLogProbability},
				math.Log(p) - math.Log(rival): {Against: "London"},
			} {
				a := m.MustAttributeTokens(insidePrompt, insideAnswer, o)
				unit := largestOf(append(a.Scores, a.Value))
				if math.Abs(a.Value-want) > 2e-5*unit || math.Abs(sum(a.Scores)-(a.Value-a.ValueAtBaseline)) > 0.01*unit || len(a.Scores) != len(a.Tokens) {
					t.Errorf("%s, %d edits: %s is %v, want %v; the scores %v are off by %v", family, len(m.Edits()), a.TargetName(), a.Value, want, a.Scores, a.CompletenessError)
				}
			}
		}
	}
}

// TestTokensOfLongAnswers: what the model reads of the answer is given, in every
// order, so that the scores are the prompt's tokens' alone; fixed rules have the
// ends that they do not evaluate.
func TestTokensOfLongAnswers(t *testing.T) {
	const prompt, answer = "The capital of France is [MASK].", "Mary Anna"
	roberta := filepath.Join("testdata", "families", "roberta", "model")
	for name, m := range map[string]*Model{
		"at once":       Must(Load(roberta, WithCache("off"), WithBackend("go"))),
		"left to right": Must(Load(roberta, WithCache("off"), WithBackend("go"), WithOrder(LeftToRight))),
		"causal":        Must(Load(filepath.Join("testdata", "inside", "gpt2", "model"), WithCache("off"), WithBackend("go"))),
	} {
		p := m.MustPredict(prompt, PredictOptions{Answer: answer}).Answer
		a := m.MustAttributeTokens(prompt, answer, TokenOptions{Rule: GaussLegendre, Nodes: 200})
		if len(p.IDs) < 2 || math.Abs(a.Value-p.Probability) > 1e-5*p.Probability || len(a.Scores) != len(a.Tokens) || a.Nodes != 200 || a.EstimatedError != 0 {
			t.Errorf("%s: %d tokens, %d scores of %d, attributed %v, predicted %v", name, len(p.IDs), len(a.Scores), len(a.Tokens), a.Value, p.Probability)
		}
		// The ReLUs of the RoBERTa make jumps, which the rule does not know of.
		if !(math.Abs(a.CompletenessError) < 0.02*largestOf(a.Scores)) {
			t.Errorf("%s: the scores %v are off by %v", name, a.Scores, a.CompletenessError)
		}
		between, err := m.AttributeTokens(prompt, answer, TokenOptions{Against: "Anna", Tolerance: 0.05})
		switch {
		case name == "causal":
			if err != nil || math.Abs(between.Value-math.Log(p.Probability/m.MustProbability(prompt, "Anna"))) > 1e-4 {
				t.Errorf("%s: the difference of two answers is %+v, %v", name, between, err)
			}
		case err == nil || !strings.Contains(err.Error(), "have 2 and 1 tokens"):
			t.Errorf("%s: answers of two lengths: %v", name, err)
		}
	}
}

// TestTokensThatStay: with [MASK] or [PAD] for the baseline, the tokens around the
// text and the mask have no scores; a token that is at the baseline already has none.
func TestTokensThatStay(t *testing.T) {
	m, prompt, answer := small(t)
	for _, b := range []Baseline{BaselineMask, BaselinePad} {
		a := m.MustAttributeTokens(prompt, answer, TokenOptions{Baseline: b})
		for i, score := range a.Scores {
			if stays := i == 0 || i == a.Mask || i == len(a.Tokens)-1; stays != (score == 0) || stays && a.Occlusion[i] != 0 {
				t.Errorf("%s: token %q has the score %v, and its loss is %v", b, a.Tokens[i], score, a.Occlusion[i])
			}
		}
	}
}

func TestTokenAttributionErrors(t *testing.T) {
	m, want := openInside(t, "gpt2")
	for words, o := range map[string]TokenOptions{
		"no mask token":        {Baseline: BaselineMask},
		"no pad token":         {Baseline: BaselinePad},
		"unknown baseline":     {Baseline: "x"},
		"unknown target":       {Target: "x"},
		"needs the other":      {Target: TargetLogitDifference},
		"the answer itself":    {Against: want.Answer},
		"leave out the target": {Target: TargetLogProbability, Against: "London"},
		"is for neurons":       {Rule: ActivationBaseline},
		"unknown integration":  {Rule: "x"},
		"must not be negative": {Nodes: -1},
		"at least 9 nodes":     {Nodes: 3},
	} {
		if _, err := m.AttributeTokens(want.prompt(), want.Answer, o); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("want an error with %q, got %v", words, err)
		}
	}
	if _, err := m.LogitParts(want.prompt(), want.Answer, LogitOptions{Against: want.Answer}); err == nil || !strings.Contains(err.Error(), "the answer itself") {
		t.Errorf("logit parts against the answer itself: %v", err)
	}
	if _, err := m.AttributeTokens(want.prompt(), ""); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("without an answer: %v", err)
	}
	if _, err := m.Attribute(want.prompt(), want.Answer, AttributeOptions{Target: TargetLogitDifference}); err == nil || !strings.Contains(err.Error(), "subtract the scores") {
		t.Errorf("a difference of neurons: %v", err)
	}
}

// TestTokenTable: the table has every token, the sum, and what a score is.
func TestTokenTable(t *testing.T) {
	m, prompt, answer := small(t)
	text := m.MustAttributeTokens(prompt, answer, TokenOptions{Target: TargetLogProbability}).String()
	for _, words := range []string{"log P(" + answer + ")", "[MASK]", "sum", "100.0 %", "nats", "baseline: zero", "by estimate"} {
		if !strings.Contains(text, words) {
			t.Errorf("no %q in\n%s", words, text)
		}
	}
}
