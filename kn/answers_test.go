package kn

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// goldenAnswers is what answers.py adds to a golden.json.
type goldenAnswers struct {
	Answers []struct {
		Prompt, Answer string
		IDs            []int32
		Masks          []int
		AnswerIDs      []int32      `json:"answer_ids"`
		Together       goldenAnswer `json:"together"`
		LeftToRight    goldenAnswer `json:"left_to_right"`
	}
}

type goldenAnswer struct {
	Probability              float64
	Zero                     []float64
	Activations, Attribution [][]float64
}

// TestLongAnswersEqualTransformers compares masked models' answers of several
// tokens, asked for all at once and from left to right, with what transformers
// computes in float64.
func TestLongAnswersEqualTransformers(t *testing.T) {
	const digits = 2e-5 // float32's, lost in random layers and in a product of up to four tokens
	for _, family := range []string{"bert", "distilbert", "roberta", "electra"} {
		dir := filepath.Join("testdata", "families", family)
		model := filepath.Join(dir, "model")
		if family == "bert" {
			model = filepath.Join("internal", "sharedtest", "testdata", "golden", "model")
		}
		var golden goldenAnswers
		sharedtest.ReadJSON(t, &golden, dir, "golden.json")
		worst := map[string]float64{}
		for _, c := range golden.Answers {
			for order, want := range map[Order]goldenAnswer{AllAtOnce: c.Together, LeftToRight: c.LeftToRight} {
				m := MustLoad(model, WithCache("off"), WithBackend("go"), WithOrder(order))
				s, err := m.sample(Query{c.Prompt, c.Answer})
				if err != nil {
					t.Fatal(err)
				}
				passes := 1
				if order == LeftToRight {
					passes = len(c.Masks)
				}
				if !slices.Equal(s.IDs[:len(c.IDs)], c.IDs) || !slices.Equal(s.Answers, c.AnswerIDs) || max(1, s.Passes) != passes {
					t.Fatalf("%s: %q: tokens %v, answer %v in %d passes; want %v, %v", family, c.Prompt, s.IDs, s.Answers, s.Passes, c.IDs, c.AnswerIDs)
				}
				check := func(what string, bound float64, got, want []float64) {
					t.Helper()
					d := difference(t, got, want)
					if worst[what] = max(worst[what], d); !(d <= bound) {
						t.Errorf("%s, %s: %q: %s are off by %.2g of the largest", family, order, c.Prompt, what, d)
					}
				}
				a, err := m.Attribute(c.Prompt, c.Answer, AttributeOptions{Rule: GaussLegendre, Nodes: 64})
				if err != nil {
					t.Fatal(err)
				}
				check("the answer's probability", digits, []float64{a.Probability}, []float64{want.Probability})
				check("probabilities with a layer's neurons at 0", digits, a.ProbabilityAtZero, want.Zero)
				check("neurons", digits, slices.Concat(a.Activations...), slices.Concat(want.Activations...))
				check("attributions", digits, slices.Concat(a.Scores...), slices.Concat(want.Attribution...))
				p := m.MustProbabilities([]Trial{{Query: Query{c.Prompt, c.Answer}}})
				check("a trial's probability", digits, p, []float64{want.Probability})
				if asked := m.MustPredict(c.Prompt, PredictOptions{Answer: c.Answer}).Answer; len(asked.IDs) != len(c.AnswerIDs) {
					t.Errorf("%s: %q: the answer is %+v", family, c.Prompt, asked)
				} else {
					check("a prediction's probability", digits, []float64{asked.Probability}, []float64{want.Probability})
				}
			}
		}
		t.Logf("%s: largest differences %v", family, worst)
	}
}

// TestOrderOfOneToken: an answer of one token has the same attribution, to the
// bit, in either order.
func TestOrderOfOneToken(t *testing.T) {
	m, prompt, answer := small(t)
	n := *m
	n.order = LeftToRight
	a, b := m.MustAttribute(prompt, answer), n.MustAttribute(prompt, answer)
	for l := range a.Scores {
		if !slices.Equal(a.Scores[l], b.Scores[l]) {
			t.Fatalf("layer %d differs", l)
		}
	}
}

// TestLogProbability: the scores of a layer add up to what the logarithm loses,
// and near a = 1 the two targets' gradients have the ratio P.
func TestLogProbability(t *testing.T) {
	m, prompt, answer := small(t)
	o := AttributeOptions{Target: TargetLogProbability}
	a := m.MustAttribute(prompt, answer, o)
	plain := m.MustAttribute(prompt, answer)
	if d := a.Probability/plain.Probability - 1; d > 1e-5 || d < -1e-5 {
		t.Errorf("probabilities %g and %g", a.Probability, plain.Probability)
	}
	for l, e := range a.CompletenessError {
		if !(e < 1e-3 && e > -1e-3) {
			t.Errorf("layer %d: the scores are off by %g", l, e)
		}
	}
	if slices.Equal(a.Scores[0], plain.Scores[0]) {
		t.Error("the target makes no difference")
	}
	if a.Target != TargetLogProbability || a.Unit() != "nats" || plain.Target != TargetProbability || plain.Unit() != "probability" {
		t.Errorf("targets %q in %s and %q in %s", a.Target, a.Unit(), plain.Target, plain.Unit())
	}
	if _, err := m.Attribute(prompt, answer, AttributeOptions{Target: "logit"}); err == nil {
		t.Error("an unknown target is taken")
	}
}
