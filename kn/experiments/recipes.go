package experiments

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// DiffOptions are the options of [DiffRecipes].
type DiffOptions struct {
	Facts     int    `json:"facts"` // drawn; 0: 60
	Seed      uint64 `json:"seed"`
	Resamples int    `json:"resamples"` // 0: 2000
}

// knob is one difference between recipes.
type knob struct {
	what string
	turn func(r *kn.Recipe)
}

// The differences on the way from the authors' code over EleutherAI's to the
// default, one at a time. The way passes through all three recipes.
var (
	toEleutherAI = []knob{
		{"LayerNorm ε: 1e-5 → the checkpoint's", func(r *kn.Recipe) { r.Attribute.LayerNormEps = 0 }},
		{"rule: left Riemann → inclusive linspace", func(r *kn.Recipe) { r.Attribute.Rule = kn.LinspaceInclusive }},
		{"threshold t: 0.2 → 0.3", func(r *kn.Recipe) { r.Threshold = 0.3 }},
		{"share p: 0.7 → 0.5", func(r *kn.Recipe) { r.Share = 0.5 }},
		{"at least 3 prompts → no minimum", func(r *kn.Recipe) { r.MinPrompts = 0 }},
		{"comparison: ≥ → >", func(r *kn.Recipe) { r.Strict = true }},
	}
	toDefault = []knob{
		{"rule: inclusive linspace → adaptive", func(r *kn.Recipe) { r.Attribute = kn.AttributeOptions{Rule: kn.Adaptive} }},
		{"threshold t: 0.3 → 0.2", func(r *kn.Recipe) { r.Threshold = 0.2 }},
		{"share p: 0.5 → 0.7", func(r *kn.Recipe) { r.Share = 0.7 }},
		{"comparison: > → ≥", func(r *kn.Recipe) { r.Strict = false }},
	}
	// alone are the differences between the authors' recipe and the exact
	// default, and one more that the codes have.
	alone = []knob{
		{"LayerNorm ε: 1e-5 → the checkpoint's", func(r *kn.Recipe) { r.Attribute.LayerNormEps = 0 }},
		{"rule: left Riemann → inclusive linspace", func(r *kn.Recipe) { r.Attribute.Rule = kn.LinspaceInclusive }},
		{"rule: left Riemann → adaptive", func(r *kn.Recipe) {
			r.Attribute = kn.AttributeOptions{Rule: kn.Adaptive, LayerNormEps: r.Attribute.LayerNormEps}
		}},
		{"threshold t: 0.2 → 0.3", func(r *kn.Recipe) { r.Threshold = 0.3 }},
		{"share p: 0.7 → 0.5", func(r *kn.Recipe) { r.Share = 0.5 }},
		{"at least 3 prompts → no minimum", func(r *kn.Recipe) { r.MinPrompts = 0 }},
	}
)

// DiffRecipes finds the neurons of some facts by the recipes of the published
// codes and by the default, and says how far they agree (Jaccard indices of the
// refined sets, means over facts), and which difference moves how much: one
// after another on the way from [kn.Dai2022] over [kn.EleutherAI2021] to the
// default, and each alone from [kn.Dai2022].
func DiffRecipes(ctx context.Context, m *kn.Model, of []Fact, o DiffOptions, progress kn.Progress) (*RecipeDiff, error) {
	o.Facts = cmp.Or(o.Facts, 60)
	drawn := drawFacts(of, o.Facts, o.Seed)
	if len(drawn) == 0 {
		return nil, errNoFacts
	}
	chain, single := recipesOnTheWay()
	recipes := append(slices.Clone(chain), single...)
	refined := make([][][]kn.Neuron, len(recipes)) // [recipes][facts]
	for i := range refined {
		refined[i] = make([][]kn.Neuron, len(drawn))
	}
	err := sideBySide(ctx, len(drawn), "facts by every recipe", progress, func(ctx context.Context, i int) error {
		attributions := map[kn.AttributeOptions][]*kn.Attribution{}
		for k, r := range recipes {
			if attributions[r.Attribute] == nil {
				var err error
				if attributions[r.Attribute], err = silent(ctx, m).AttributeAll(drawn[i].queries(), r.Attribute); err != nil {
					return fmt.Errorf("experiments: %s: %w", drawn[i].name(), err)
				}
			}
			_, refined[k][i] = r.Choose(attributions[r.Attribute])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d := &RecipeDiff{Facts: len(drawn)}
	d.summarize(recipes, refined, stats.Options{Resamples: o.Resamples, Seed: o.Seed})
	d.Provenance, err = m.Provenance(o, o.Seed)
	return d, err
}

// recipesOnTheWay are those of the chain from Dai2022 on, and those that
// differ from it in one thing.
func recipesOnTheWay() (chain, single []kn.Recipe) {
	chain = []kn.Recipe{kn.Dai2022}
	for _, k := range append(slices.Clone(toEleutherAI), toDefault...) {
		r := chain[len(chain)-1]
		k.turn(&r)
		chain = append(chain, r)
	}
	for _, k := range alone {
		r := kn.Dai2022
		k.turn(&r)
		single = append(single, r)
	}
	return chain, single
}

// summarize compares refined sets [recipes][facts].
func (d *RecipeDiff) summarize(recipes []kn.Recipe, refined [][][]kn.Neuron, o stats.Options) {
	perFact := func(k int) stats.Interval {
		sizes := map[int][]float64{}
		for i, set := range refined[k] {
			sizes[i] = []float64{float64(len(set))}
		}
		return stats.Bootstrap(sizes, o)
	}
	overlap := func(a, b int) stats.Interval {
		shares := map[int][]float64{}
		for i := range refined[a] {
			shares[i] = []float64{jaccard(refined[a][i], refined[b][i])}
		}
		return stats.Bootstrap(shares, o)
	}
	eleuther, last := len(toEleutherAI), len(toEleutherAI)+len(toDefault)
	main := []int{0, eleuther, last}
	for i, name := range []string{kn.Dai2022.Name, kn.EleutherAI2021.Name, "default"} {
		recipe := recipes[main[i]]
		recipe.Name = name
		d.Recipes = append(d.Recipes, RecipeResult{name, recipe, perFact(main[i])})
		var row []stats.Interval
		for _, j := range main {
			row = append(row, overlap(main[i], j))
		}
		d.Overlap = append(d.Overlap, row)
	}
	for i, k := range append(slices.Clone(toEleutherAI), toDefault...) {
		d.Steps = append(d.Steps, RecipeStep{k.what, overlap(i, i+1), perFact(i + 1)})
	}
	for i, k := range alone {
		d.Alone = append(d.Alone, RecipeStep{k.what, overlap(0, last+1+i), perFact(last + 1 + i)})
	}
}
