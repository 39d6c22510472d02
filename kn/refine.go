package kn

import (
	"cmp"
	"fmt"
	"slices"
)

// DefaultThreshold and DefaultShare are the paper's t and p, the zero values
// of a [Recipe].
const (
	DefaultThreshold = 0.2
	DefaultShare     = 0.7
)

// Coarse returns the neurons whose score is at least threshold times the
// largest score of all layers, sorted. It is empty when no score is positive.
func (a *Attribution) Coarse(threshold float64) []Neuron { return a.coarse(threshold, false) }

func (a *Attribution) coarse(threshold float64, strict bool) []Neuron {
	largest := a.largest()
	kept := []Neuron{}
	if largest <= 0 {
		return kept
	}
	for l, row := range a.Scores {
		for i, score := range row {
			if atLeast(score, threshold*largest, strict) {
				kept = append(kept, Neuron{l, i})
			}
		}
	}
	return kept
}

// largest is the largest score of all layers, 0 if none is positive.
func (a *Attribution) largest() float64 {
	largest := 0.0
	for _, row := range a.Scores {
		largest = max(largest, slices.Max(row))
	}
	return largest
}

// Top returns the n neurons with the largest scores, largest first.
func (a *Attribution) Top(n int) []Neuron {
	var all []Neuron
	for l, row := range a.Scores {
		for i := range row {
			all = append(all, Neuron{l, i})
		}
	}
	slices.SortStableFunc(all, func(x, y Neuron) int {
		return cmp.Compare(a.Scores[y.Layer][y.Index], a.Scores[x.Layer][x.Index])
	})
	return all[:max(0, min(n, len(all)))]
}

// Refine returns the neurons that are in at least the given share of the
// coarse sets, sorted: what a fact's prompts have in common.
func Refine(coarse [][]Neuron, share float64) []Neuron { return refine(coarse, share, 0, false) }

// RefineAtLeast is [Refine] for neurons that are in no fewer than minPrompts
// of the coarse sets, whatever the share.
func RefineAtLeast(coarse [][]Neuron, share float64, minPrompts int) []Neuron {
	return refine(coarse, share, minPrompts, false)
}

func refine(coarse [][]Neuron, share float64, fewest int, strict bool) []Neuron {
	count := map[Neuron]int{}
	for _, set := range coarse {
		for _, n := range SortNeurons(set) {
			count[n]++
		}
	}
	kept := []Neuron{}
	for n, c := range count {
		if c >= fewest && atLeast(float64(c)/float64(len(coarse)), share, strict) {
			kept = append(kept, n)
		}
	}
	return SortNeurons(kept)
}

func atLeast(x, bound float64, strict bool) bool {
	if strict {
		return x > bound
	}
	return x >= bound
}

// KnowledgeNeurons is what [Refine] makes of a fact's prompts.
type KnowledgeNeurons struct {
	Prompts []string   `json:"prompts"`
	Answer  string     `json:"answer"`
	Coarse  [][]Neuron `json:"coarse"`  // per prompt
	Refined []Neuron   `json:"refined"` // kept by the share of prompts
	// Scores[i][k] is the score of Refined[k] in prompt i, in units of the
	// recipe's target.
	Scores [][]float64 `json:"scores"` // [len(Prompts)][len(Refined)]
	// NotConverged lists the prompts, from 0, whose attribution did not reach
	// the adaptive rule's tolerance in every layer.
	NotConverged []int `json:"not_converged,omitempty"`
	// Layers and FFN are the model's sizes, for charts per layer.
	Layers int `json:"layers"`
	FFN    int `json:"ffn"`

	Provenance Provenance `json:"provenance"`
}

// KnowledgeNeurons attributes the answer in every prompt and keeps what the
// prompts have in common. Without a recipe: the adaptive rule, t = 0.2, p = 0.7.
func (m *Model) KnowledgeNeurons(prompts []string, answer string, recipe ...Recipe) (*KnowledgeNeurons, error) {
	r, err := optional(recipe)
	if err != nil {
		return nil, err
	}
	result, _, err := m.attributedNeurons(prompts, answer, r)
	return result, err
}

// attributedNeurons is [Model.KnowledgeNeurons] that also returns the prompts'
// attributions.
func (m *Model) attributedNeurons(prompts []string, answer string, r Recipe) (*KnowledgeNeurons, []*Attribution, error) {
	if err := r.check(prompts, answer); err != nil {
		return nil, nil, err
	}
	queries := make([]Query, len(prompts))
	for i, p := range prompts {
		queries[i] = Query{p, answer}
	}
	attributions, err := m.AttributeAll(queries, r.Attribute)
	if err != nil {
		return nil, nil, err
	}
	result, err := m.chosen(prompts, answer, r, attributions)
	return result, attributions, err
}

// check says what is wrong with a recipe for a fact's prompts.
func (r Recipe) check(prompts []string, answer string) error {
	if len(prompts) == 0 {
		return fmt.Errorf("kn: no prompts to find the neurons of %q in", answer)
	}
	if threshold, share := r.bounds(); !within(threshold) || !within(share) {
		return fmt.Errorf("kn: threshold %v and share %v must lie between 0 and 1", threshold, share)
	}
	if r.MinPrompts > len(prompts) {
		return fmt.Errorf("kn: the recipe wants a neuron to be in %d prompts, and %d are given, so none can be; give more prompts, or a recipe with a lower MinPrompts", r.MinPrompts, len(prompts))
	}
	return nil
}

// bounds are the recipe's t and p, with the defaults in the place of zero values.
func (r Recipe) bounds() (threshold, share float64) {
	return cmp.Or(r.Threshold, DefaultThreshold), cmp.Or(r.Share, DefaultShare)
}

// within says whether a number lies between 0 and 1.
func within(x float64) bool { return x >= 0 && x <= 1 }

// chosen are the neurons that the recipe chooses from the prompts' attributions.
func (m *Model) chosen(prompts []string, answer string, r Recipe, attributions []*Attribution) (*KnowledgeNeurons, error) {
	c := m.Config()
	result := &KnowledgeNeurons{Prompts: prompts, Answer: answer, Layers: c.Layers, FFN: c.IntermediateSize}
	result.Coarse, result.Refined = r.Choose(attributions)
	for i, a := range attributions {
		if len(a.NotConverged) > 0 {
			result.NotConverged = append(result.NotConverged, i)
		}
		scores := make([]float64, len(result.Refined))
		for k, n := range result.Refined {
			scores[k] = a.Scores[n.Layer][n.Index]
		}
		result.Scores = append(result.Scores, scores)
	}
	r.Threshold, r.Share = r.bounds()
	r.Attribute = r.Attribute.filled()
	var err error
	result.Provenance, err = m.provenance(r)
	return result, err
}

// Choose applies the recipe's thresholds to the attributions of a fact's
// prompts, however they were made: the coarse sets, and the refined one.
func (r Recipe) Choose(attributions []*Attribution) (coarse [][]Neuron, refined []Neuron) {
	threshold, share := r.bounds()
	for _, a := range attributions {
		coarse = append(coarse, a.coarse(threshold, r.Strict))
	}
	return coarse, refine(coarse, share, r.MinPrompts, r.Strict)
}

// Margin says by how much a neuron is chosen, or not: the k-th highest of its
// scores in the prompts, each in units of the threshold t times the prompt's
// largest, less 1; k is the least number of prompts that the recipe asks for. It
// is positive for the neurons of the refined set, negative for others, and 0 for
// those that are just at the threshold: -0.01 stands for scores that are 1 % too
// small. In prompts without a positive score no neuron is chosen; they count as 0.
func (r Recipe) Margin(attributions []*Attribution, n Neuron) float64 {
	threshold, share := r.bounds()
	var scores []float64
	for _, a := range attributions {
		score := 0.0
		if largest := a.largest(); largest > 0 {
			score = a.Scores[n.Layer][n.Index] / (threshold * largest)
		}
		scores = append(scores, score)
	}
	slices.SortFunc(scores, func(a, b float64) int { return cmp.Compare(b, a) })
	for k := max(1, r.MinPrompts); k <= len(scores); k++ {
		if atLeast(float64(k)/float64(len(scores)), share, r.Strict) {
			return scores[k-1] - 1
		}
	}
	return -1
}

// MustKnowledgeNeurons is [Model.KnowledgeNeurons] for notebook cells: it
// panics instead of returning an error.
func (m *Model) MustKnowledgeNeurons(prompts []string, answer string, recipe ...Recipe) *KnowledgeNeurons {
	return Must(m.KnowledgeNeurons(prompts, answer, recipe...))
}

// optional returns the options, or the zero value where none are given.
func optional[T any](options []T) (T, error) {
	var zero T
	switch len(options) {
	case 0:
		return zero, nil
	case 1:
		return options[0], nil
	}
	return zero, fmt.Errorf("kn: %d %T are given; give one, with all that is wanted in it", len(options), zero)
}
