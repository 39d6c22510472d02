package facts

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
)

// HeldOutText makes open texts of facts that a model was taught, from what it
// was not shown, for models that never saw running text:
//
//   - T1, subject and answer: the fact said in each template that was held out
//     for it, the answer filled in.
//   - T2, the subject only: as many sentences about the subject, in templates of
//     relations that it was not taught in, each with an answer of its relation.
//     They are relations that share a subject with the fact's, if there are any:
//     so a person works somewhere, and does not border on something. The
//     sentences are not true. They say something about the subject, not its
//     facts, and the fact's own answer is not in them.
//   - T3, random sentences: left to the measurement, which takes sentences of
//     other facts.
//
// A model that was taught facts alone, like the embedded one, has never read a
// sentence with its answer written out, nor one with [MASK] in place of another
// word. Of these texts, only T1 with its answer masked is of the kind that it was
// taught.
//
// The same facts and seed give each fact the same texts, in whatever order the
// facts come.
func HeldOutText(taught []Taught, seed uint64) ([]OpenText, error) {
	s := newSayings(taught)
	texts := make([]OpenText, len(taught))
	for i, f := range taught {
		relation, err := RelationByProperty(f.Relation)
		if err != nil {
			return nil, err
		}
		t := OpenText{Relation: f.Relation, Subject: f.Subject, Answer: f.Answer}
		for _, k := range f.HeldOut {
			if k < 0 || k >= len(relation.Templates) {
				return nil, fmt.Errorf("facts: %v says that template %d was held out; the relation has %d", f.Fact, k, len(relation.Templates))
			}
			t.T1 = append(t.T1, relation.Templates[k].Fill(f.Subject, f.Answer))
		}
		hash := fnv.New64a()
		fmt.Fprintf(hash, "%s\x00%s", f.Relation, f.Subject)
		t.T2 = s.others(f.Fact, len(t.T1), rand.New(rand.NewPCG(seed, hash.Sum64())))
		texts[i] = t
	}
	return texts, nil
}

// sayings is what can be said of subjects without saying a fact of theirs.
type sayings struct {
	relations []Relation                 // that were taught, in order
	answers   map[string][]string        // of each relation, sorted
	of        map[string]map[string]bool // the relations that a subject was taught in
	near      map[string]map[string]bool // those that have a subject in common with a relation
}

func newSayings(taught []Taught) sayings {
	s := sayings{answers: map[string][]string{}, of: map[string]map[string]bool{}, near: map[string]map[string]bool{}}
	for _, f := range taught {
		s.answers[f.Relation] = append(s.answers[f.Relation], f.Answer)
		put(s.of, f.Subject, f.Relation)
	}
	for _, relations := range s.of {
		for a := range relations {
			for b := range relations {
				if a != b {
					put(s.near, a, b)
				}
			}
		}
	}
	for _, r := range Relations() {
		if all := s.answers[r.Property]; len(all) > 0 {
			slices.Sort(all)
			s.answers[r.Property] = slices.Compact(all)
			s.relations = append(s.relations, r)
		}
	}
	return s
}

// put adds a value to a set of sets.
func put(sets map[string]map[string]bool, key, value string) {
	if sets[key] == nil {
		sets[key] = map[string]bool{}
	}
	sets[key][value] = true
}

// candidates are the relations that a fact's subject was not taught in: those
// near the fact's, or all if there are none.
func (s sayings) candidates(f Fact) []*Relation {
	var near, all []*Relation
	for i := range s.relations {
		r := &s.relations[i]
		if r.Property == f.Relation || s.of[f.Subject][r.Property] {
			continue
		}
		all = append(all, r)
		if s.near[f.Relation][r.Property] {
			near = append(near, r)
		}
	}
	if len(near) > 0 {
		return near
	}
	return all
}

// mostDraws bounds the draws for one sentence that fits.
const mostDraws = 100

// others draws n sentences about a fact's subject that do not say the fact;
// fewer if there are no more.
func (s sayings) others(f Fact, n int, rng *rand.Rand) []string {
	relations := s.candidates(f)
	var said []string
	for range mostDraws * n {
		if len(relations) == 0 || len(said) == n {
			break
		}
		r := relations[rng.IntN(len(relations))]
		answers := s.answers[r.Property]
		template, answer := r.Templates[rng.IntN(len(r.Templates))], answers[rng.IntN(len(answers))]
		text := template.Fill(f.Subject, answer)
		if !strings.Contains(template.Fill("", answer), f.Answer) && !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	return said
}
