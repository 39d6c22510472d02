package plots_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// sensitivity is a set of 6 neurons over a grid of ten by ten.
func sensitivity() *kn.Sensitivity {
	s := &kn.Sensitivity{Prompts: prompts, Answer: "Paris", Threshold: 0.2, Share: 0.7, Provenance: charttest.MadeUp}
	for i := range 6 {
		s.Default = append(s.Default, kn.Neuron{Layer: 9 + i%3, Index: 100 * i})
	}
	for i := range 10 {
		s.Thresholds, s.Shares = append(s.Thresholds, float64(i+1)/20), append(s.Shares, float64(i+1)/10)
		var neurons, kept []int
		for j := range 10 {
			n := max(1, int(40*math.Exp(-0.45*float64(i)-0.09*float64(j))))
			if (i == 3 || i == 2) && j > 3 && j < 8 {
				n = 6
			}
			neurons, kept = append(neurons, n), append(kept, min(n, 6, max(1, 12-i-j/3)))
		}
		s.Neurons, s.Kept = append(s.Neurons, neurons), append(s.Kept, kept)
	}
	return s
}

// twoSets are of two models that share three neurons of eight.
func twoSets() *kn.SetComparison {
	of := func(name, answer string, neurons int) kn.SetOf {
		return kn.SetOf{Name: name, Answer: answer, Neurons: neurons, Probability: []float64{0.5, 0.4, 0.3, 0.6, 0.5}, Provenance: charttest.MadeUp}
	}
	return &kn.SetComparison{
		Prompts: prompts, A: of("bert-base-cased", "Paris", 6), B: of("bert-base-cased, edited", "Rome", 5), Layers: 12, FFN: 3072,
		Neurons: []kn.ComparedNeuron{
			{Neuron: kn.Neuron{Layer: 8, Index: 17}, InB: true, ScoreA: 0.02, ScoreB: 0.31},
			{Neuron: kn.Neuron{Layer: 9, Index: 2141}, InA: true, InB: true, ScoreA: 0.62, ScoreB: 0.91},
			{Neuron: kn.Neuron{Layer: 9, Index: 2556}, InA: true, ScoreA: 0.41, ScoreB: -2.4},
			{Neuron: kn.Neuron{Layer: 10, Index: 9}, InA: true, InB: true, ScoreA: 0.35, ScoreB: 0.4},
			{Neuron: kn.Neuron{Layer: 10, Index: 1122}, InA: true, InB: true, ScoreA: 1, ScoreB: 0.55},
			{Neuron: kn.Neuron{Layer: 11, Index: 77}, InB: true, ScoreA: -0.3, ScoreB: 0.24},
			{Neuron: kn.Neuron{Layer: 11, Index: 808}, InA: true, ScoreA: 0.27, ScoreB: 0.12},
			{Neuron: kn.Neuron{Layer: 11, Index: 2000}, InA: true, ScoreA: 0.21, ScoreB: 0.19},
		},
		Chance: kn.ChanceOverlap{Expected: 0.0026, AtLeast: 2.1e-9},
		Others: []kn.OtherSet{
			{Fact: facts.Bag{Answer: "Warsaw"}, Neurons: 4, Shared: 1},
			{Fact: facts.Bag{Answer: "Bern"}, Neurons: 5},
			{Fact: facts.Bag{Answer: "Oslo"}, Neurons: 3, Shared: 2},
		},
	}
}

// attention is made up: heads that look back, ahead, at one token, at all.
func attention(layers, heads int) *plots.Attention {
	a := &plots.Attention{Tokens: strings.Fields("[CLS] The capital of France is [MASK] . [SEP]"), Provenance: charttest.MadeUp}
	n := len(a.Tokens)
	for l := range layers {
		var layer [][][]float64
		for h := range heads {
			var head [][]float64
			for i := range n {
				at := []int{max(0, i-1), min(n-1, i+1), n - 1, i, (i + h) % n}[(l+h)%5]
				row, sum := make([]float64, n), 0.0
				for j := range row {
					row[j] = math.Exp(-math.Abs(float64(j-at)) * (0.4 + 0.25*float64(h%4)))
					sum += row[j]
				}
				for j := range row {
					row[j] /= sum
				}
				head = append(head, row)
			}
			layer = append(layer, head)
		}
		a.Weights = append(a.Weights, layer)
	}
	return a
}

func ExampleSensitivity() {
	fig := plots.MustSensitivity(sensitivity(), small)
	fig.MustSave(filepath.Join(folder, "sensitivity.png"))
	fmt.Println(fig.Title())
	// Output: Neurons of “Paris” by threshold and share of prompts
}

func ExampleSetComparison() {
	fig := plots.MustSetComparison(twoSets(), small)
	fig.MustSave(filepath.Join(folder, "set_comparison.png"))
	fmt.Println(fig.Description())
	// Output: Neurons of “Paris” and “Rome” in two models. A: bert-base-cased (6, Paris); B: bert-base-cased, edited (5, Rome); Jaccard index 0.38. Prompts: The capital of France is [MASK] . (and 4 more prompts). Layer 11: 0 in both, 2 in A only, 1 in B only. Layer 10: 2 in both, 0 in A only, 0 in B only. Layer 9: 1 in both, 1 in A only, 0 in B only. Layer 8: 0 in both, 0 in A only, 1 in B only. Neurons shared: the two sets: 3; A's and 3 other facts' in B: 1 (0 to 2); random, same layers: 0.0026; 3 or more with P = 2.1e-09.
}

func ExampleAttentionHeads() {
	fig := plots.MustAttentionHeads(attention(3, 4), plots.Options{DPI: 60})
	fig.MustSave(filepath.Join(folder, "attention_heads.png"))
	fmt.Println(fig.Title())
	// Output: Attention of all heads
}

func ExampleAttentionArcs() {
	fig := plots.MustAttentionArcs(attention(4, 4), 1, 2, small)
	fig.MustSave(filepath.Join(folder, "attention_arcs.png"))
	fmt.Println(fig.Title())
	// Output: Attention in layer 1, head 2
}

func TestBadSets(t *testing.T) {
	nan := math.NaN()
	arcs := func(a *plots.Attention, o ...plots.Options) (*plots.Figure, error) {
		return plots.AttentionArcs(a, 0, 0, o...)
	}
	few := func() *plots.Attention { return attention(2, 2) }
	tests := []charttest.Case{
		charttest.Bad("nil sensitivity", func() (any, error) { return plots.Sensitivity(nil) }, "sensitivity"),
		charttest.Bad("nil comparison", func() (any, error) { return plots.SetComparison(nil) }, "comparison"),
		charttest.Bad("nil attention", func() (any, error) { return plots.AttentionHeads(nil) }, "attention"),
		charttest.Bad("nil attention, arcs", func() (any, error) { return plots.AttentionArcs(nil, 0, 0) }, "attention"),
		charttest.Bad("no such layer", func() (any, error) { return plots.AttentionArcs(few(), 2, 0) }, "layers are 0 to 1"),
		charttest.Bad("no such head", func() (any, error) { return plots.AttentionArcs(few(), 0, -1) }, "heads 0 to 1"),
		charttest.Spoiled("no thresholds", sensitivity, func(s *kn.Sensitivity) { s.Thresholds = nil }, plots.Sensitivity),
		charttest.Spoiled("Neurons has 9 values", sensitivity, func(s *kn.Sensitivity) { s.Neurons = s.Neurons[1:] }, plots.Sensitivity),
		charttest.Spoiled("Kept[3] has 9 values", sensitivity, func(s *kn.Sensitivity) { s.Kept[3] = s.Kept[3][1:] }, plots.Sensitivity),
		charttest.Spoiled("Kept[3][2] is 7", sensitivity, func(s *kn.Sensitivity) { s.Kept[3][2] = 7 }, plots.Sensitivity),
		charttest.Spoiled("Shares[1] is NaN", sensitivity, func(s *kn.Sensitivity) { s.Shares[1] = nan }, plots.Sensitivity),
		charttest.Spoiled("neither of the two sets", twoSets, func(c *kn.SetComparison) { c.Neurons = nil }, plots.SetComparison),
		charttest.Spoiled("12:17", twoSets, func(c *kn.SetComparison) { c.Neurons[0].Neuron.Layer = 12 }, plots.SetComparison),
		charttest.Spoiled("in neither set", twoSets, func(c *kn.SetComparison) { c.Neurons[0].InB = false }, plots.SetComparison),
		charttest.Spoiled("scores of neuron 8:17", twoSets, func(c *kn.SetComparison) { c.Neurons[0].ScoreA = nan }, plots.SetComparison),
		charttest.Spoiled("Chance.AtLeast", twoSets, func(c *kn.SetComparison) { c.Chance.AtLeast = 2 }, plots.SetComparison),
		charttest.Spoiled("no tokens", few, func(a *plots.Attention) { a.Tokens = nil }, plots.AttentionHeads),
		charttest.Spoiled("no layers", few, func(a *plots.Attention) { a.Weights = nil }, plots.AttentionHeads),
		charttest.Spoiled("Weights[1] has 1 values", few, func(a *plots.Attention) { a.Weights[1] = a.Weights[1][1:] }, plots.AttentionHeads),
		charttest.Spoiled("Weights[1][0] has 8 values", few, func(a *plots.Attention) { a.Weights[1][0] = a.Weights[1][0][1:] }, arcs),
		charttest.Spoiled("Weights[1][0][2] has 8 values", few, func(a *plots.Attention) { a.Weights[1][0][2] = a.Weights[1][0][2][1:] }, arcs),
		charttest.Spoiled("Weights[1][0][2][3] is 1.5", few, func(a *plots.Attention) { a.Weights[1][0][2][3] = 1.5 }, plots.AttentionHeads),
		charttest.Spoiled("90 tokens have no room", few, func(a *plots.Attention) {
			a.Tokens = slices.Repeat(a.Tokens, 10)
			row := make([]float64, 90)
			head := slices.Repeat([][]float64{row}, 90)
			a.Weights = [][][][]float64{{head, head}}
		}, arcs),
	}
	charttest.Errors(t, tests)
}

// TestUnusualSets draws what is unusual, but right.
func TestUnusualSets(t *testing.T) {
	empty := sensitivity()
	empty.Default = nil
	for i := range empty.Kept {
		clear(empty.Kept[i])
	}
	fine := &kn.Sensitivity{Prompts: prompts[:1], Answer: "Paris", Threshold: 0.2, Share: 0.7}
	for i := range 60 {
		fine.Thresholds, fine.Shares = append(fine.Thresholds, float64(i)/60), append(fine.Shares, float64(i)/60)
		fine.Neurons, fine.Kept = append(fine.Neurons, make([]int, 60)), append(fine.Kept, make([]int, 60))
	}
	many := twoSets()
	for i := range 100 {
		many.Neurons = append(many.Neurons, kn.ComparedNeuron{Neuron: kn.Neuron{Layer: 5, Index: i}, InA: true, ScoreA: float64(i) / 1000})
	}
	one := &plots.Attention{Tokens: []string{"a"}, Weights: [][][][]float64{{{{1}}}}}
	zero := &plots.Attention{Tokens: []string{"a"}, Weights: [][][][]float64{{{{0}}}}}
	for name, f := range map[string]*plots.Figure{
		"no default": plots.MustSensitivity(empty), "a fine grid": plots.MustSensitivity(fine), "many neurons": plots.MustSetComparison(many),
		"one token": plots.MustAttentionHeads(one), "arcs of one token": plots.MustAttentionArcs(one, 0, 0), "no weights": plots.MustAttentionHeads(zero),
	} {
		svg, err := f.SVG()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "many neurons" && !strings.Contains(string(svg), "40 neurons with the largest scores of 108") {
			t.Errorf("%s: the figure does not say that it leaves some out", name)
		}
	}
}
