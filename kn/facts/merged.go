package facts

import (
	"fmt"
	"io"
	"iter"
	"strings"
)

// ReadMerged reads the format in which the authors of Dai et al. (2022) keep
// their data set: a JSON list of bags. A bag is a list of
//
//	["[MASK] is the capital of France.", "Paris", "P36(capital)"]
//
// with the same answer and relation in all of its prompts. It names no subject.
// It holds one bag in memory at a time and ends at the first error, which gives
// the file's name, the line and the bag.
func ReadMerged(r io.Reader, name string) iter.Seq2[Bag, error] {
	return func(yield func(Bag, error) bool) {
		for e, err := range elements[[][]string](r, name, "bag") {
			var b Bag
			if err == nil {
				if b, err = merge(e.value); err != nil {
					err = fmt.Errorf("%s: %w", e.at, err)
				}
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// merge makes a bag of its prompts.
func merge(prompts [][]string) (b Bag, err error) {
	if len(prompts) == 0 {
		return b, fmt.Errorf("it has no prompt")
	}
	for i, p := range prompts {
		if len(p) != 3 || p[0] == "" || p[1] == "" || p[2] == "" {
			return Bag{}, fmt.Errorf("prompt %d is %q, not [prompt, answer, relation]", i+1, p)
		}
		if p[1] != prompts[0][1] || p[2] != prompts[0][2] {
			return Bag{}, fmt.Errorf("prompt %d asks for %q of %s, the first one for %q of %s", i+1, p[1], p[2], prompts[0][1], prompts[0][2])
		}
		b.Prompts = append(b.Prompts, p[0])
	}
	b.Answer = prompts[0][1]
	b.Relation, b.RelationName = propertyAndName(prompts[0][2])
	return b, nil
}

// propertyAndName takes "P19(place of birth)" apart.
func propertyAndName(relation string) (property, name string) {
	property, name, _ = strings.Cut(relation, "(")
	if property = strings.TrimSpace(property); property == "" {
		return relation, ""
	}
	return property, strings.TrimSuffix(strings.TrimSpace(name), ")")
}
