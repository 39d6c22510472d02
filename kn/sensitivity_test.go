package kn_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
)

// seats ask mini for the capital of France.
var seats = []string{
	"The seat of government of France is [MASK].",
	"France has its capital at [MASK].",
	"In France the main city and capital is [MASK].",
	"The capital of France is [MASK].",
}

// tiny is a reference checkpoint that is part of the project; its weights
// are random.
var tiny = filepath.Join("internal", "sharedtest", "testdata", "golden", "model")

// TestSensitivityIsThePlainRecipe: at each point of the grid as many neurons
// as KnowledgeNeurons finds with that t and p, and as many of the default's.
func TestSensitivityIsThePlainRecipe(t *testing.T) {
	m := kn.MustLoad(mini.Name, kn.WithCache(t.TempDir()))
	for name, base := range map[string]kn.Recipe{
		"the default":        {},
		"strict":             {Strict: true, Threshold: 0.3, Share: 0.5, Attribute: kn.EleutherAI2021.Attribute},
		"at least 3 prompts": {MinPrompts: 3, Threshold: 0.15},
		"the baseline":       kn.ActivationBaseline2022,
	} {
		s, err := m.Sensitivity(seats, "Paris", kn.SensitivityOptions{Recipe: base})
		if err != nil {
			t.Fatal(err)
		}
		own := m.MustKnowledgeNeurons(seats, "Paris", base)
		if !slices.Equal(s.Default, own.Refined) {
			t.Errorf("%s: the default set is %v, want %v", name, s.Default, own.Refined)
		}
		sizes, same := map[int]bool{}, 0
		for i, threshold := range s.Thresholds {
			for j, share := range s.Shares {
				r := base
				r.Threshold, r.Share = threshold, share
				set := m.MustKnowledgeNeurons(seats, "Paris", r).Refined
				kept := 0
				for _, n := range set {
					if slices.Contains(own.Refined, n) {
						kept++
					}
				}
				if s.Neurons[i][j] != len(set) || s.Kept[i][j] != kept {
					t.Errorf("%s, t = %v, p = %v: %d neurons and %d kept, want %d and %d", name, threshold, share, s.Neurons[i][j], s.Kept[i][j], len(set), kept)
				}
				sizes[len(set)] = true
				if slices.Equal(set, own.Refined) {
					same++
				}
			}
		}
		if len(sizes) < 3 || s.Same() != same {
			t.Errorf("%s: sets of %d sizes, %d the same, want %d", name, len(sizes), s.Same(), same)
		}
	}
}

// TestSensitivityGrid: the recipe's own t and p are in the grid, once.
func TestSensitivityGrid(t *testing.T) {
	m := kn.MustLoad(tiny, kn.WithCache(t.TempDir()))
	s := m.MustSensitivity(seats, "Paris", kn.SensitivityOptions{
		Recipe:     kn.Recipe{Attribute: kn.Dai2022.Attribute, Share: 0.6},
		Thresholds: []float64{0.9, 0, 0.2, 0.9}, Shares: []float64{1},
	})
	if !slices.Equal(s.Thresholds, []float64{0, 0.2, 0.9}) || !slices.Equal(s.Shares, []float64{0.6, 1}) {
		t.Errorf("the grid is %v by %v", s.Thresholds, s.Shares)
	}
	// All neurons that score 0 or more in all prompts, at t = 0 and p = 1.
	positive := 0
	for l := range 2 {
		for i := range 32 {
			in := true
			for _, prompt := range seats {
				a := m.MustAttribute(prompt, "Paris", kn.Dai2022.Attribute)
				in = in && a.Scores[l][i] >= 0
			}
			if in {
				positive++
			}
		}
	}
	if s.Neurons[0][1] != positive {
		t.Errorf("%d neurons at t = 0 and p = 1, want %d", s.Neurons[0][1], positive)
	}
}

// TestSensitivityAttributesOnce: a grid takes no integrals of its own.
func TestSensitivityAttributesOnce(t *testing.T) {
	var total int
	m := kn.MustLoad(tiny, kn.WithCache("off"), kn.WithProgress(func(done, all int, what string) {
		if strings.Contains(what, "attributed") && done == all {
			total += all
		}
	}))
	m.MustSensitivity(seats, "Paris")
	if want := 2 * len(seats); total != want {
		t.Errorf("%d layers were attributed, want %d", total, want)
	}
}

func TestSensitivityOfBadInput(t *testing.T) {
	m := kn.MustLoad(tiny, kn.WithCache("off"))
	for _, c := range []struct {
		prompts []string
		options kn.SensitivityOptions
		names   string
	}{
		{nil, kn.SensitivityOptions{}, "no prompts"},
		{seats, kn.SensitivityOptions{Thresholds: []float64{0.1, 1.5}}, "threshold of 1.5"},
		{seats, kn.SensitivityOptions{Shares: []float64{-0.1}}, "share of -0.1"},
		{seats, kn.SensitivityOptions{Recipe: kn.Recipe{Share: 2}}, "share 2"},
		{seats, kn.SensitivityOptions{Recipe: kn.Recipe{MinPrompts: 5}}, "5 prompts"},
	} {
		if _, err := m.Sensitivity(c.prompts, "Paris", c.options); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%+v: %v, want an error that names %q", c.options, err, c.names)
		}
	}
}

func ExampleModel_Sensitivity() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	s, err := model.Sensitivity(seats, "Paris", kn.SensitivityOptions{
		Thresholds: []float64{0.1, 0.2, 0.3, 0.4}, Shares: []float64{0.5, 0.75, 1},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(s)
	// Output:
	// Neurons of Paris by threshold t and share p, from 4 prompts: of the default set, of all
	//   t \ p      0.5       0.7    0.75       1
	//   0.1    4 of 10    4 of 9  4 of 9  4 of 8
	//   0.2     4 of 4  [4 of 4]  4 of 4  4 of 4
	//   0.3     3 of 3    2 of 2  2 of 2  2 of 2
	//   0.4     2 of 2    2 of 2  2 of 2  2 of 2
	// [ ] the default: t = 0.2, p = 0.7; 4 of 16 points give the same set
}
