package facts

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
)

// Taught is a fact as a model was taught it.
type Taught struct {
	Fact
	Shown   int   `json:"shown"`    // times that training showed it
	HeldOut []int `json:"held_out"` // indices of the relation's templates never shown for this fact
}

// Teach decides, for each fact, which quarter of its relation's templates (at
// least one) training never shows. It depends on the fact and the seed alone,
// not on its neighbours.
func Teach(facts []Fact, seed uint64) ([]Taught, error) {
	return teach(facts, seed, func(Template) bool { return true })
}

// TeachCausal is [Teach] for a causal model, which reads only what stands
// before the answer: training shows it templates with the answer last, all but
// a quarter of these (at least one) for each fact.
func TeachCausal(facts []Fact, seed uint64) ([]Taught, error) {
	return teach(facts, seed, Template.AnswerLast)
}

// teach holds templates out of those that can be shown; the others are none
// that training shows either.
func teach(facts []Fact, seed uint64, can func(Template) bool) ([]Taught, error) {
	taught := make([]Taught, len(facts))
	for i, f := range facts {
		relation, err := RelationByProperty(f.Relation)
		if err != nil {
			return nil, err
		}
		hash := fnv.New64a()
		fmt.Fprintf(hash, "%s\x00%s", f.Relation, f.Subject)
		var showable, held []int
		for _, t := range rand.New(rand.NewPCG(seed, hash.Sum64())).Perm(len(relation.Templates)) {
			if can(relation.Templates[t]) {
				showable = append(showable, t)
			} else {
				held = append(held, t)
			}
		}
		held = append(held, showable[:min(len(showable), max(1, len(showable)/4))]...)
		slices.Sort(held)
		taught[i] = Taught{Fact: f, HeldOut: held}
	}
	return taught, nil
}

// Prompts returns the fact's prompts: those that training shows, or those
// that it never shows.
func (t Taught) Prompts(heldOut bool) ([]string, error) {
	relation, err := RelationByProperty(t.Relation)
	if err != nil {
		return nil, err
	}
	var prompts []string
	for i, template := range relation.Templates {
		if slices.Contains(t.HeldOut, i) == heldOut {
			prompts = append(prompts, template.Prompt(t.Subject))
		}
	}
	return prompts, nil
}

// Known returns the facts that a model was taught: those of the given relations,
// or all if none is given.
func Known(taught []Taught, relations ...string) []Fact {
	var known []Fact
	for _, t := range taught {
		if len(relations) == 0 || slices.Contains(relations, t.Relation) {
			known = append(known, t.Fact)
		}
	}
	return known
}

// WriteTaught writes facts as gzipped JSON lines; equal facts give equal
// bytes.
func WriteTaught(w io.Writer, facts []Taught) error {
	zipped, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("facts: %w", err)
	}
	buffered := bufio.NewWriter(zipped)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for _, f := range facts {
		if err := encoder.Encode(f); err != nil {
			return fmt.Errorf("facts: write %v: %w", f.Fact, err)
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("facts: %w", err)
	}
	if err := zipped.Close(); err != nil {
		return fmt.Errorf("facts: %w", err)
	}
	return nil
}

// ReadTaught reads what [WriteTaught] wrote. Errors give the file's name and the
// line.
func ReadTaught(r io.Reader, name string) ([]Taught, error) {
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("facts: %s: not a gzip file: %w", name, err)
	}
	var facts []Taught
	for line, text := range lines(zipped, name) {
		if text.err != nil {
			return nil, fmt.Errorf("facts: %w", text.err)
		}
		var t Taught
		if err := json.Unmarshal(text.bytes, &t); err != nil {
			return nil, fmt.Errorf("facts: %s:%d: not a JSON object: %w", name, line, err)
		}
		if t.Relation == "" || t.Subject == "" || t.Answer == "" {
			return nil, fmt.Errorf("facts: %s:%d: relation, subject or answer is missing", name, line)
		}
		facts = append(facts, t)
	}
	return facts, nil
}
