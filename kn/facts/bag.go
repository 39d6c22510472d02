package facts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
)

// Bag is a fact with all the prompts that ask for it, each with [Mask] once in
// the answer's place ("bag" in Dai et al. 2022). Prompts is empty if the data set
// has too few patterns for the relation.
type Bag struct {
	Relation     string   `json:"relation"`                // Wikidata property, "P19"
	RelationName string   `json:"relation_name,omitempty"` // "place of birth", where the source says it
	Subject      string   `json:"subject,omitempty"`       // where the source says it
	Answer       string   `json:"answer"`
	UUID         string   `json:"uuid,omitempty"` // of its T-REx triple, where the source says it
	Prompts      []string `json:"prompts"`
}

// Key identifies the bag by its content.
func (b Bag) Key() string {
	data, err := json.Marshal([]any{b.Relation, b.Subject, b.Answer, b.Prompts})
	if err != nil {
		panic(err) // strings always marshal
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// String returns the bag as "P19(Mozart) = Salzburg, 9 prompts".
func (b Bag) String() string {
	return fmt.Sprintf("%s(%s) = %s, %d prompts", b.Relation, b.Subject, b.Answer, len(b.Prompts))
}

// Source streams bags, so that the size of a data set does not matter. It can
// be run through more than once, gives the same bags in the same order each
// time, and ends at its first error, which names file and line.
type Source iter.Seq2[Bag, error]

// Bags is the source of what a model was taught, each fact with all templates
// of its relation, those first that training showed.
func Bags(taught []Taught) Source {
	return func(yield func(Bag, error) bool) {
		for _, f := range taught {
			b, err := f.bag()
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// bag is the fact with all templates of its relation, those first that
// training showed.
func (t Taught) bag() (Bag, error) {
	relation, err := RelationByProperty(t.Relation)
	if err != nil {
		return Bag{}, err
	}
	b := Bag{Relation: t.Relation, RelationName: relation.Name, Subject: t.Subject, Answer: t.Answer}
	for _, heldOut := range []bool{false, true} {
		prompts, err := t.Prompts(heldOut)
		if err != nil {
			return Bag{}, err
		}
		b.Prompts = append(b.Prompts, prompts...)
	}
	return b, nil
}
