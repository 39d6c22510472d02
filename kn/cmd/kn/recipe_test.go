package main

import (
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/spf13/cobra"
)

// goldenSets works out coarse and refined sets from reference scores.
func goldenSets(scores [][][]float64, threshold, share float64, strict bool) (coarse []pairs, refined pairs) {
	reaches := func(x, bound float64) bool { return x > bound || !strict && x == bound }
	count := map[[2]int]int{}
	for _, layers := range scores {
		largest := 0.0
		for _, row := range layers {
			largest = max(largest, slices.Max(row))
		}
		set := pairs{}
		for l, row := range layers {
			for i, s := range row {
				if reaches(s, threshold*largest) {
					set = append(set, [2]int{l, i})
					count[[2]int{l, i}]++
				}
			}
		}
		coarse = append(coarse, set)
	}
	refined = pairs{}
	for l := range scores[0] {
		for i := range scores[0][l] {
			if n := [2]int{l, i}; count[n] > 0 && reaches(float64(count[n]), share*float64(len(scores))) {
				refined = append(refined, n)
			}
		}
	}
	return coarse, refined
}

// TestRecipes finds the neurons of an answer over several prompts, by
// presets and flags, and compares with sets made from the reference scores.
func TestRecipes(t *testing.T) {
	for _, dir := range goldens(t) {
		// The reference has one answer for the first two prompts.
		cases := goldenAttributions(t, dir)[:2]
		var linspace, exact [][][]float64
		for _, c := range cases {
			linspace, exact = append(linspace, c.Linspace), append(exact, c.Exact)
		}
		file := written(t, cases[0].Prompt+"\n"+cases[1].Prompt+"\n")
		for _, c := range []struct {
			flags            []string
			scores           [][][]float64
			threshold, share float64
			strict           bool
		}{
			{nil, exact, 0.2, 0.7, false},
			{[]string{"--share", "0.5"}, exact, 0.2, 0.5, false},
			{[]string{"--threshold", "0.05", "--share", "1"}, exact, 0.05, 1, false},
			{[]string{"--share", "0"}, exact, 0.2, 0, false},
			{[]string{"--preset", "eleutherai2021"}, linspace, 0.3, 0.5, true},
			{[]string{"--preset", "EleutherAI2021", "--share", "0.4"}, linspace, 0.3, 0.4, true},
			{[]string{"--preset", "eleutherai2021", "--rule", "gauss_legendre", "--nodes", "64", "--threshold", "0.1"}, exact, 0.1, 0.5, true},
		} {
			args := []string{"neurons", "--model", filepath.Join(dir, "model"), "--prompts", file, "--answer", cases[0].Target, "--json"}
			var got struct {
				Coarse  []pairs
				Refined pairs
			}
			object(t, succeeds(t, append(args, c.flags...)...), &got, "coarse", "refined")
			coarse, refined := goldenSets(c.scores, c.threshold, c.share, c.strict)
			if !reflect.DeepEqual(got.Coarse, coarse) || !reflect.DeepEqual(got.Refined, refined) {
				t.Errorf("%v: got %v, want %v, refined %v", c.flags, got, coarse, refined)
			}
		}
	}
}

// TestDaiPreset: a preset brings what no flag says, and flags replace the rest.
func TestDaiPreset(t *testing.T) {
	var flags recipeFlags
	probe := &cobra.Command{}
	flags.flags(probe)
	if err := probe.ParseFlags([]string{"--preset", "dai2022", "--share", "0.5"}); err != nil {
		t.Fatal(err)
	}
	recipe, err := flags.recipe(probe)
	want := presets["dai2022"]
	want.Share = 0.5
	if err != nil || recipe != want || recipe.Attribute.LayerNormEps != 1e-5 {
		t.Errorf("recipe %+v, %v; want %+v", recipe, err, want)
	}
}
