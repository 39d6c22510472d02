package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

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

// Scores are a prompt's large scores: those of at least the share [Header.Keep]
// of the largest one. Smaller ones are not stored, as in the authors' code.
type Scores struct {
	Largest float64     `json:"largest"` // of all neurons
	Neurons []kn.Neuron `json:"neurons"` // sorted
	Values  []float64   `json:"values"`  // of these neurons
}

// Coarse returns the neurons that score at least threshold times the largest one:
// the prompt's coarse set, as [kn.Attribution.Coarse] gives it if the threshold
// is not below what was stored.
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

// newRecord keeps the large scores of an attribution. Numbers are rounded to
// six digits, which is more than the model's float32 arithmetic decides.
func newRecord(h Header, bag facts.Bag, index int, a *kn.Attribution) Record {
	nodes := 0
	for _, n := range a.Nodes {
		nodes += n
	}
	fact := bag.Key()
	return Record{
		Key:  h.key(fact, index, a.Prompt, a.Answer),
		Fact: fact, Index: index, Prompts: len(bag.Prompts),
		Relation: bag.Relation, RelationName: bag.RelationName, Subject: bag.Subject, Answer: bag.Answer, Prompt: a.Prompt,
		Probability: rounded(a.Probability), Nodes: nodes, NotConverged: a.NotConverged,
		Gradients: largeScores(a.Scores, h.Keep), Activations: largeScores(a.Activations, h.Keep),
	}
}

// largeScores keeps the scores [L][F] of at least the share keep of the largest.
func largeScores(rows [][]float64, keep float64) Scores {
	s := Scores{Neurons: []kn.Neuron{}, Values: []float64{}}
	for _, row := range rows {
		for _, v := range row {
			s.Largest = max(s.Largest, v)
		}
	}
	if s.Largest > 0 {
		for l, row := range rows {
			for i, v := range row {
				if v >= keep*s.Largest {
					s.Neurons, s.Values = append(s.Neurons, kn.Neuron{Layer: l, Index: i}), append(s.Values, rounded(v))
				}
			}
		}
	}
	s.Largest = rounded(s.Largest)
	return s
}

// rounded keeps six significant digits.
func rounded(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil {
		panic(err) // what was formatted parses
	}
	return r
}

// line is the record as a line of a file.
func (r Record) line() ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("sweep: the prompt %q: %w", r.Prompt, err)
	}
	return append(data, '\n'), nil
}

// digest is a short digest of values that marshal to JSON.
func digest(parts ...any) string {
	data, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}
