package kn_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// TestNeuronsStandByScore: the neuron that carries most of the fact is the
// first, whatever its place in the model.
func TestNeuronsStandByScore(t *testing.T) {
	k := kn.KnowledgeNeurons{
		Refined: []kn.Neuron{{Layer: 0, Index: 1}, {Layer: 1, Index: 2}, {Layer: 1, Index: 3}},
		Coarse:  [][]kn.Neuron{{{Layer: 0, Index: 1}, {Layer: 1, Index: 2}}, {{Layer: 1, Index: 2}, {Layer: 1, Index: 3}}},
		Scores:  [][]float64{{0.1, 0.4, 0}, {0, 0.5, 0.3}},
	}
	var got []string
	for _, row := range k.Table().Rows {
		got = append(got, strings.Join(row, " "))
	}
	if want := []string{"1:2 2 of 2 0.450", "1:3 1 of 2 0.150", "0:1 1 of 2 0.050"}; !slices.Equal(got, want) {
		t.Errorf("the neurons stand as %v, want %v", got, want)
	}
}

// TestAttributionTable: as many neurons as asked for, and shares of the
// probability only of what adds up to it.
func TestAttributionTable(t *testing.T) {
	a := kn.Attribution{Probability: 0.5, Scores: [][]float64{{1, 2, 3}}, Activations: [][]float64{{4, 5, 6}}}
	for _, c := range []struct {
		rule   kn.Rule
		target kn.Target
		want   string
	}{
		{kn.Adaptive, "", "[neuron score of the probability activation] [0:2 3.000 600.0 % 6.000]"},
		{kn.Adaptive, kn.TargetLogProbability, "[neuron score activation] [0:2 3.000 6.000]"},
		{kn.ActivationBaseline, "", "[neuron activation] [0:2 6.000]"},
	} {
		a.Rule, a.Target = c.rule, c.target
		table := a.TableOf(2)
		if got := fmt.Sprint(table.Columns, " ", table.Rows[0]); got != c.want || len(table.Rows) != 2 {
			t.Errorf("%s: %s and %d rows, want %s", c.rule, got, len(table.Rows), c.want)
		}
	}
}

func TestShowRefusesNil(t *testing.T) {
	for _, r := range []kn.Tabler{nil, (*kn.Prediction)(nil), (*kn.Attribution)(nil)} {
		if err := kn.Show(kn.Table{}, r); err == nil || !strings.Contains(err.Error(), "result 1 is nil") {
			t.Errorf("%v", err)
		}
	}
}

// TestResultsSayWhatTheyAre: each result prints as a table with its numbers, by
// value and by pointer, and its HTML has the same cells, escaped.
func TestResultsSayWhatTheyAre(t *testing.T) {
	neurons := []kn.Neuron{{Layer: 1, Index: 7}}
	prediction := kn.Prediction{Prompt: "<b> [MASK]", Predictions: []kn.TokenProbability{{Token: "x", Probability: 0.5}}, Answer: &kn.RankedToken{TokenProbability: kn.TokenProbability{Token: "y", ID: 7, Probability: 1e-6}, Rank: 30}}
	for _, c := range []struct {
		result kn.Tabler
		want   []string
	}{
		{prediction, []string{"<b> [MASK]", "x", "0.500", "y", "30", "1e-06"}},
		// Its first token is listed, but not the whole answer.
		{kn.Prediction{Predictions: prediction.Predictions, Answer: &kn.RankedToken{TokenProbability: kn.TokenProbability{Token: "xz", Probability: 0.125}, Rank: 1, IDs: []int{0, 8}}}, []string{"xz", "0.125"}},
		{kn.Attribution{
			Prompt: "p", Answer: "a", Probability: 0.4, Rule: kn.Adaptive, Nodes: []int{4, 5}, CompletenessError: []float64{0.01, -0.02}, EstimatedError: []float64{0.001, 0.002},
			Scores: [][]float64{{0.1, 0}, {0, 0.2}}, Activations: [][]float64{{1, 2}, {3, 123.45}}, NotConverged: []int{1},
		}, []string{"P(a) = 0.400", "1:1", "0.200", "50.0 %", "123.5", "0:0", "25.0 %", "4.5 nodes a layer", "up to 0.02", "estimated 0.002", "not converged in layers [1]"}},
		// An activation is no share of the probability.
		{kn.Attribution{Prompt: "p", Answer: "a", Probability: 0.4, Rule: kn.ActivationBaseline, Scores: [][]float64{{3, 2}}, Activations: [][]float64{{3, 2}}}, []string{"0:0", "3.000"}},
		// Nor is a score of its logarithm.
		{kn.Attribution{
			Prompt: "p", Answer: "a", Target: kn.TargetLogProbability, Probability: 0.4, Rule: kn.Adaptive, Scores: [][]float64{{3, 2}}, Activations: [][]float64{{1, 2}},
		}, []string{"log P(a), in nats", "3.000"}},
		{kn.KnowledgeNeurons{Prompts: []string{"p", "q"}, Answer: "a", Refined: neurons, Coarse: [][]kn.Neuron{neurons, {{}, {Index: 1}}}, Scores: [][]float64{{0.5}, {0.25}}}, []string{"0.375", "1 knowledge neuron of a, from 2 prompts", "1:7", "1 of 2", "1, 2"}},
		{kn.FactorCurves{
			Prompts: []string{"p"}, Answer: "a", Probability: 0.5,
			Own:    kn.Curve{Label: "own", Neurons: neurons, Factors: []float64{0, 1}, Probability: []float64{0.25, 0.5}},
			Random: kn.Curve{Label: "random", Factors: []float64{1}, Probability: []float64{0.5}},
		}, []string{"× 0", "0.250 (-50.0 %)", "own (1)", "random (0)", "0.500 (0.0 %)", "mean of 1 prompt;"}},
		{kn.ActivationScatter{Neurons: neurons, Pearson: 0.5, Points: []kn.ScatterPoint{{Prompt: "low", Activation: 1}, {Prompt: "high", Activation: 2}}}, []string{"correlation 0.50 over 2 prompts", "high", "low"}},
		{kn.Effect(&prediction, &kn.Prediction{Prompt: "<b> [MASK]", Predictions: []kn.TokenProbability{{Token: "z", Probability: 0.25}}}), []string{"y", "1e-06", "below 0.250", "z", "below 0.500"}},
	} {
		text, html := fmt.Sprint(c.result), c.result.Table().HTML()
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%T does not say %q:\n%s", c.result, want, text)
			}
			escaped := strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(want)
			if !strings.Contains(html, escaped) {
				t.Errorf("the HTML of %T does not say %q:\n%s", c.result, escaped, html)
			}
		}
		if strings.Contains(text, "{") || strings.Contains(html, "<b> ") {
			t.Errorf("%T:\n%s\n%s", c.result, text, html)
		}
	}
	if got := fmt.Sprint(&prediction); got != fmt.Sprint(prediction) {
		t.Errorf("a pointer prints as %s", got)
	}
}
