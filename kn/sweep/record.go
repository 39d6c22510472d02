// Package sweep has the records of attributed data sets: what is kept of every
// prompt of every fact, by integrated gradients and by the activation baseline.
package sweep

import "github.com/knowledge-neurons/gonb-kn/kn"

// Record is what a sweep keeps of one prompt: a line of its files.
type Record struct {
	// Key is the digest of all that determines the record: model, prompt,
	// answer and options.
	Key string `json:"key"`
	// Fact is the [facts.Bag.Key] of the bag that the prompt belongs to, and
	// Index its place there, of Prompts.
	Fact         string `json:"fact"`
	Index        int    `json:"index"`
	Prompts      int    `json:"prompts"`
	Relation     string `json:"relation"`
	RelationName string `json:"relation_name,omitempty"`
	Subject      string `json:"subject,omitempty"`
	Answer       string `json:"answer"`
	Prompt       string `json:"prompt"`

	Probability  float64 `json:"probability"` // of the answer, model unmodified
	Nodes        int     `json:"nodes"`       // gradient evaluations, all layers
	NotConverged []int   `json:"not_converged,omitempty"`

	Gradients   Scores `json:"gradients"`   // integrated gradients, in units of probability
	Activations Scores `json:"activations"` // the baseline: the activations themselves
}

// Scores are a prompt's large scores: those of at least the share of the
// largest one that the sweep's header says; smaller ones are not stored, as in
// the authors' code.
type Scores struct {
	Largest float64     `json:"largest"` // of all neurons
	Neurons []kn.Neuron `json:"neurons"` // sorted
	Values  []float64   `json:"values"`  // of these neurons
}

// Coarse returns the neurons that score at least threshold times the largest
// one: the prompt's coarse set, as [kn.Attribution.Coarse] gives it as long as
// the threshold is not below what was stored.
func (s Scores) Coarse(threshold float64) []kn.Neuron {
	kept := []kn.Neuron{}
	if s.Largest <= 0 {
		return kept
	}
	for i, n := range s.Neurons {
		if s.Values[i] >= threshold*s.Largest {
			kept = append(kept, n)
		}
	}
	return kept
}
