package kn

import (
	"fmt"
	"slices"
	"strconv"
)

// SensitivityOptions are the options of [Model.Sensitivity].
type SensitivityOptions struct {
	// Recipe is what is varied. Its t and p are the default that the others are
	// compared with; its integrals, MinPrompts and Strict hold for all.
	Recipe Recipe `json:"recipe"`
	// Thresholds t and Shares p to try, each from 0 to 1. Empty stands for 0.05
	// to 0.5 in steps of 0.05, and for 0.1 to 1 in steps of 0.1. The recipe's own
	// are added.
	Thresholds []float64 `json:"thresholds,omitempty"`
	Shares     []float64 `json:"shares,omitempty"`
}

// Sensitivity says how far a fact's set of neurons depends on the threshold t
// of the coarse sets and the share p of the prompts: what [Model.Sensitivity]
// computes. T is the number of thresholds, P that of shares.
type Sensitivity struct {
	Prompts []string `json:"prompts"`
	Answer  string   `json:"answer"`

	Thresholds []float64 `json:"thresholds"` // [T], ascending
	Shares     []float64 `json:"shares"`     // [P], ascending
	// Neurons[i][j] is the size of the refined set by Thresholds[i] and Shares[j].
	Neurons [][]int `json:"neurons"` // [T][P]
	// Kept[i][j] is how many neurons of Default are in that set.
	Kept [][]int `json:"kept"` // [T][P]

	// Threshold, Share and Default are the recipe's own t, p and refined set.
	Threshold float64  `json:"threshold"`
	Share     float64  `json:"share"`
	Default   []Neuron `json:"default"`

	// NotConverged lists the prompts, from 0, whose attribution did not reach
	// the adaptive rule's tolerance in every layer.
	NotConverged []int      `json:"not_converged,omitempty"`
	Provenance   Provenance `json:"provenance"`
}

// Sensitivity varies the two numbers by which a fact's prompts are refined to
// its knowledge neurons (Dai et al., 2022, section 3.2): the threshold t, as a
// share of a prompt's largest score, and the share p of the prompts that have a
// neuron in common. With S(t, p) the set that they give, which is what
// [Refine] makes of the prompts' coarse sets, it counts
//
//	|S(t, p)|  and  |S(t, p) ∩ S(t₀, p₀)|
//
// at each point of a grid, t₀ and p₀ being the recipe's. A prompt is attributed
// once, whatever the grid, and not at all if it is in the cache.
//
// It fails where [Model.KnowledgeNeurons] does, and when a number of the grid
// is not between 0 and 1.
func (m *Model) Sensitivity(prompts []string, answer string, options ...SensitivityOptions) (*Sensitivity, error) {
	o, err := optional(options)
	if err != nil {
		return nil, err
	}
	if err := o.Recipe.check(prompts, answer); err != nil {
		return nil, err
	}
	threshold, share := o.Recipe.bounds()
	if o.Thresholds, err = gridOf("threshold", o.Thresholds, 20, threshold); err != nil {
		return nil, err
	}
	if o.Shares, err = gridOf("share", o.Shares, 10, share); err != nil {
		return nil, err
	}
	found, attributions, err := m.attributedNeurons(prompts, answer, o.Recipe)
	if err != nil {
		return nil, err
	}
	s := &Sensitivity{
		Prompts: prompts, Answer: answer,
		Thresholds: o.Thresholds, Shares: o.Shares, Threshold: threshold, Share: share,
		Default: found.Refined, NotConverged: found.NotConverged,
	}
	for _, t := range s.Thresholds {
		neurons, kept := o.Recipe.sizes(attributions, t, s.Shares, s.Default)
		s.Neurons, s.Kept = append(s.Neurons, neurons), append(s.Kept, kept)
	}
	o.Recipe.Threshold, o.Recipe.Share, o.Recipe.Attribute = threshold, share, o.Recipe.Attribute.filled()
	s.Provenance, err = m.provenance(o)
	return s, err
}

// MustSensitivity is [Model.Sensitivity] for notebook cells: it panics instead of returning an error.
func (m *Model) MustSensitivity(prompts []string, answer string, options ...SensitivityOptions) *Sensitivity {
	return Must(m.Sensitivity(prompts, answer, options...))
}

// gridOf is the grid of one of the two numbers, sorted, with the default in it:
// the values that were given, or ten of so many to 1.
func gridOf(name string, values []float64, toOne, own float64) ([]float64, error) {
	for _, v := range values {
		if !within(v) {
			return nil, fmt.Errorf("kn: a %s of %v is none; give numbers from 0 to 1", name, v)
		}
	}
	values = slices.Clone(values)
	if len(values) == 0 {
		for k := range 10 {
			values = append(values, float64(k+1)/toOne)
		}
	}
	values = append(values, own)
	slices.Sort(values)
	return slices.Compact(values), nil
}

// sizes are the sizes of the refined sets by a threshold and each of some
// shares, and of what they have in common with the default set.
func (r Recipe) sizes(attributions []*Attribution, threshold float64, shares []float64, own []Neuron) (neurons, kept []int) {
	prompts := map[Neuron]int{} // that have the neuron in their coarse sets
	for _, a := range attributions {
		for _, n := range a.coarse(threshold, r.Strict) {
			prompts[n]++
		}
	}
	neurons, kept = make([]int, len(shares)), make([]int, len(shares))
	for n, count := range prompts {
		_, isOwn := slices.BinarySearchFunc(own, n, Neuron.Compare)
		for j, share := range shares {
			if count < r.MinPrompts || !atLeast(float64(count)/float64(len(attributions)), share, r.Strict) {
				continue
			}
			neurons[j]++
			if isOwn {
				kept[j]++
			}
		}
	}
	return neurons, kept
}

// Same counts the points of the grid whose set is the default one.
func (s Sensitivity) Same() int {
	same := 0
	for i, row := range s.Neurons {
		for j, n := range row {
			if n == len(s.Default) && s.Kept[i][j] == n {
				same++
			}
		}
	}
	return same
}

// Table lists, for each t and p, how many of the default set's neurons remain
// of how many in all.
func (s Sensitivity) Table() Table {
	t := Table{
		Title:   fmt.Sprintf("Neurons of %s by threshold t and share p, from %s: of the default set, of all", s.Answer, counted(len(s.Prompts), "prompt")),
		Columns: []string{"t \\ p"},
	}
	for _, share := range s.Shares {
		t.Columns = append(t.Columns, plain(share))
	}
	for i, threshold := range s.Thresholds {
		row := []string{plain(threshold)}
		for j, n := range s.Neurons[i] {
			cell := fmt.Sprintf("%d of %d", s.Kept[i][j], n)
			if threshold == s.Threshold && s.Shares[j] == s.Share {
				cell = "[" + cell + "]"
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	points := len(s.Thresholds) * len(s.Shares)
	t.Notes = append(t.Notes, fmt.Sprintf("[ ] the default: t = %s, p = %s; %d of %d points give the same set", plain(s.Threshold), plain(s.Share), s.Same(), points))
	if len(s.NotConverged) > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("not converged: prompts %v, counted from 0", s.NotConverged))
	}
	return t
}

// String returns [Sensitivity.Table] as text.
func (s Sensitivity) String() string { return s.Table().String() }

// plain writes a number of a grid as a person would.
func plain(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
