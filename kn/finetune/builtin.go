package finetune

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// The tasks that [BuiltIn] makes of facts.
const (
	TrueTask       = "true"       // is this statement true?
	RelationTask   = "relation"   // which relation does it state?
	ParaphraseTask = "paraphrase" // do two statements say the same fact?
)

// BuiltInTasks are the names that [BuiltIn] knows.
var BuiltInTasks = []string{TrueTask, RelationTask, ParaphraseTask}

// Sizes are the numbers of examples of a built-in task.
type Sizes struct {
	Train int    // 0: 4000
	Dev   int    // 0: 500
	Test  int    // 0: 500
	Seed  uint64 // of the draw; 0: 1
}

// BuiltIn makes a task of facts, such as those that the embedded model was
// taught, with this project's own sentences. The parts "train", "dev" and
// "test" share no fact.
//
//   - "true": half of the statements are true. In the others the answer is
//     that of another fact of the same relation and part, so that neither
//     answer nor subject alone tells which is which.
//   - "relation": the label is the relation's name. Dev and test use sentences
//     that train never does.
//   - "paraphrase": two sentences of different form, half of the time about one
//     fact, otherwise about two facts of one relation.
func BuiltIn(task string, known []facts.Fact, sizes Sizes) (*Data, error) {
	n := []int{cmp.Or(sizes.Train, 4000), cmp.Or(sizes.Dev, 500), cmp.Or(sizes.Test, 500)}
	seed := cmp.Or(sizes.Seed, 1)
	m, err := newMaker(known, rand.New(rand.NewPCG(seed, 0x7a58)))
	if err != nil {
		return nil, err
	}
	makers := map[string]func(part []facts.Fact, name string, n int) []Example{
		TrueTask: m.truth, RelationTask: m.relation, ParaphraseTask: m.paraphrase,
	}
	labels := map[string][]string{
		TrueTask: {"false", "true"}, RelationTask: m.names(), ParaphraseTask: {"different", "same"},
	}
	makePart, ok := makers[task]
	if !ok {
		return nil, fmt.Errorf("finetune: there is no built-in task %q; there are %q", task, BuiltInTasks)
	}
	data := &Data{Name: task, Labels: labels[task]}
	for i, part := range m.split(n) {
		name := []string{"train", "dev", "test"}[i]
		examples := makePart(part, name, n[i])
		if len(examples) < n[i] {
			return nil, fmt.Errorf("finetune: %d facts make only %d examples for the part %q of the task %q, not %d; ask for fewer or give more facts",
				len(known), len(examples), name, task, n[i])
		}
		data.Parts = append(data.Parts, Part{name, examples})
	}
	return data, nil
}

// MustBuiltIn is [BuiltIn] for notebook cells: it panics instead of returning an error.
func MustBuiltIn(task string, known []facts.Fact, sizes Sizes) *Data {
	return kn.Must(BuiltIn(task, known, sizes))
}

// maker makes examples of facts.
type maker struct {
	rng       *rand.Rand
	facts     []facts.Fact // shuffled
	true      map[[3]string]bool
	relations map[string]facts.Relation // by property, with sentences that no other relation has
	order     []string                  // properties that have facts, by number
}

func newMaker(known []facts.Fact, rng *rand.Rand) (*maker, error) {
	m := &maker{rng: rng, true: map[[3]string]bool{}, relations: map[string]facts.Relation{}}
	count := map[facts.Template]int{}
	for _, r := range facts.Relations() {
		for _, t := range r.Templates {
			count[t]++
		}
	}
	has := map[string]bool{}
	for _, f := range known {
		m.true[[3]string{f.Relation, f.Subject, f.Answer}], has[f.Relation] = true, true
	}
	for _, r := range facts.Relations() {
		r.Templates = slices.DeleteFunc(slices.Clone(r.Templates), func(t facts.Template) bool { return count[t] > 1 })
		m.relations[r.Property] = r
		if has[r.Property] {
			m.order = append(m.order, r.Property)
		}
	}
	if len(m.order) < len(has) {
		return nil, fmt.Errorf("finetune: some of the facts' relations have no sentences; the relations that do are those of facts.Relations")
	}
	m.facts = slices.Clone(known)
	slices.SortFunc(m.facts, func(a, b facts.Fact) int {
		return cmp.Or(cmp.Compare(a.Relation, b.Relation), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Answer, b.Answer))
	})
	m.facts = slices.CompactFunc(m.facts, func(a, b facts.Fact) bool {
		return a.Relation == b.Relation && a.Subject == b.Subject && a.Answer == b.Answer
	})
	rng.Shuffle(len(m.facts), func(i, j int) { m.facts[i], m.facts[j] = m.facts[j], m.facts[i] })
	return m, nil
}

// names are the relations' names in order.
func (m *maker) names() []string {
	var names []string
	for _, property := range m.order {
		names = append(names, m.relations[property].Name)
	}
	return names
}

// split cuts the facts into parts in proportion to n.
func (m *maker) split(n []int) [][]facts.Fact {
	total, sum := 0, 0
	for _, k := range n {
		total += k
	}
	parts := make([][]facts.Fact, len(n))
	for i, k := range n {
		parts[i] = m.facts[len(m.facts)*sum/total : len(m.facts)*(sum+k)/total]
		sum += k
	}
	return parts
}

// say says a fact in a sentence of its relation drawn at random.
func (m *maker) say(f facts.Fact) string { return m.sayAs(f, m.relations[f.Relation].Templates) }

func (m *maker) sayAs(f facts.Fact, templates []facts.Template) string {
	return templates[m.rng.IntN(len(templates))].Fill(f.Subject, f.Answer)
}

// attempts is how often a random fact is drawn in search of one that will do.
const attempts = 50

// swapped is the fact with the answer of another of the same relation, false
// as far as the facts tell; ok is false when there is none.
func (m *maker) swapped(f facts.Fact, peers []facts.Fact) (facts.Fact, bool) {
	for range attempts {
		other := f
		other.Answer = peers[m.rng.IntN(len(peers))].Answer
		if !m.true[[3]string{f.Relation, f.Subject, other.Answer}] {
			return other, true
		}
	}
	return f, false
}

// byRelation groups facts.
func byRelation(part []facts.Fact) map[string][]facts.Fact {
	groups := map[string][]facts.Fact{}
	for _, f := range part {
		groups[f.Relation] = append(groups[f.Relation], f)
	}
	return groups
}

// truth makes true and false statements.
func (m *maker) truth(part []facts.Fact, _ string, n int) []Example {
	peers := byRelation(part)
	var out []Example
	for _, f := range part {
		if len(out) == n {
			break
		}
		label := len(out) % 2
		if label == 0 {
			var ok bool
			if f, ok = m.swapped(f, peers[f.Relation]); !ok {
				continue
			}
		}
		out = append(out, Example{Sentence1: m.say(f), Label: label})
	}
	return out
}

// relation makes statements to be told apart by their relation. A quarter of
// each relation's sentences is kept for the parts that are not trained on.
func (m *maker) relation(part []facts.Fact, name string, n int) []Example {
	var out []Example
	for _, f := range part[:min(n, len(part))] {
		templates := m.relations[f.Relation].Templates
		cut := len(templates) - max(1, len(templates)/4)
		if name == "train" {
			templates = templates[:cut]
		} else {
			templates = templates[cut:]
		}
		out = append(out, Example{Sentence1: m.sayAs(f, templates), Label: slices.Index(m.order, f.Relation)})
	}
	return out
}

// paraphrase makes pairs of sentences.
func (m *maker) paraphrase(part []facts.Fact, _ string, n int) []Example {
	peers := byRelation(part)
	var out []Example
	for _, f := range part {
		if len(out) == n {
			break
		}
		second, ok := f, true
		label := len(out) % 2
		if label == 0 {
			second, ok = m.other(f, peers[f.Relation])
		}
		if !ok {
			continue
		}
		templates := slices.Clone(m.relations[f.Relation].Templates)
		i := m.rng.IntN(len(templates))
		first := templates[i].Fill(f.Subject, f.Answer)
		templates = slices.Delete(templates, i, i+1)
		out = append(out, Example{first, m.sayAs(second, templates), label})
	}
	return out
}

// other is another fact of the same relation, about another subject; ok is
// false when there is none.
func (m *maker) other(f facts.Fact, peers []facts.Fact) (facts.Fact, bool) {
	for range attempts {
		if g := peers[m.rng.IntN(len(peers))]; g.Subject != f.Subject {
			return g, true
		}
	}
	return f, false
}
