package pretrain

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// corpus is the facts in the vocabulary's ids, ready to be put into prompts.
type corpus struct {
	tok       *tokenizer.Tokenizer
	causal    bool // prompts are a causal model's
	facts     []facts.Taught
	stats     facts.Statistics
	relations []facts.Relation
	templates [][]template // by relation and template
	relation  []int32      // of each fact, an index into relations
	subject   [][]int32    // of each fact, its pieces
	answer    []int32      // of each fact
	doubt     []float32    // of each fact, 1 - the answer's target probability
	answers   int          // A: answers are the last A tokens of the vocabulary
	prior     []float32    // [R, A] how common each answer is in a relation; rows of relations with facts sum to 1
}

// newCorpus selects the facts, holds templates out, and makes the vocabulary.
func newCorpus(c Config, triples []facts.Fact) (*corpus, error) {
	kept, stats := c.Selection.Select(triples)
	if len(kept) == 0 {
		return nil, fmt.Errorf("pretrain: none of the %d triples is of use: %+v", len(triples), stats)
	}
	k := &corpus{stats: stats, relations: facts.Relations()}
	vocab, err := k.vocabulary(kept, c.Merges)
	if err != nil {
		return nil, err
	}
	k.tok, err = tokenizer.New(vocab, tokenizer.Options{Cased: true, MaxLength: c.MaxPositions})
	if err != nil {
		return nil, fmt.Errorf("pretrain: %w", err)
	}
	teach := facts.Teach
	if k.causal = c.causal(); k.causal {
		teach = facts.TeachCausal
	}
	if k.facts, err = teach(kept, c.Seed); err != nil {
		return nil, err
	}
	if err := k.spellTemplates(); err != nil {
		return nil, err
	}
	if err := k.spellFacts(c); err != nil {
		return nil, err
	}
	k.setPrior(c.PriorExponent)
	return k, nil
}

// vocabulary has pieces of the subjects' names, so that a name is spelled in
// several and no embedding can hold a fact; templates' words and answers are
// whole.
func (k *corpus) vocabulary(kept []facts.Fact, merges int) ([]string, error) {
	var names []string
	words, answers := map[string]bool{}, map[string]bool{}
	for _, f := range kept {
		names = append(names, f.Subject)
		answers[f.Answer] = true
	}
	k.answers = len(answers)
	for _, r := range k.relations {
		for _, t := range r.Templates {
			for _, word := range strings.FieldsFunc(t.Fill("", ""), func(r rune) bool { return !unicode.IsLetter(r) }) {
				words[word] = true
			}
		}
	}
	return Vocabulary(names, append(slices.Sorted(maps.Keys(words)), slices.Sorted(maps.Keys(answers))...), merges)
}

// spell returns the ids of text, an error if it has an unknown character.
func (k *corpus) spell(text string) ([]int32, error) {
	var ids []int32
	for _, piece := range k.tok.Tokenize(text) {
		id, ok := k.tok.ID(piece)
		if !ok || id == k.tok.UnkID() {
			return nil, fmt.Errorf("pretrain: the vocabulary cannot spell %q", text)
		}
		ids = append(ids, int32(id))
	}
	return ids, nil
}

// template is a sentence in ids around its two slots.
type template struct {
	parts       [3][]int32 // before, between and behind the slots
	answerFirst bool
	answerLast  bool // a causal model can be asked
}

func (k *corpus) spellTemplates() error {
	for _, r := range k.relations {
		var spelled []template
		for _, t := range r.Templates {
			s, err := k.spellTemplate(t)
			if err != nil {
				return err
			}
			spelled = append(spelled, s)
		}
		k.templates = append(k.templates, spelled)
	}
	return nil
}

// spellTemplate cuts a sentence at its slots. Slots are words of their own for
// the tokenizer, so that the parts can be spelled one by one.
func (k *corpus) spellTemplate(t facts.Template) (template, error) {
	const slot = "\x00"
	s := template{answerLast: t.AnswerLast()}
	filled := t.Fill(slot+"X", slot+"Y")
	s.answerFirst = strings.Index(filled, slot+"Y") < strings.Index(filled, slot+"X")
	for i, part := range strings.Split(filled, slot) {
		if i > 0 {
			part = part[1:] // the slot's letter
		}
		var err error
		if s.parts[i], err = k.spell(part); err != nil {
			return s, err
		}
	}
	return s, nil
}

// spellFacts spells subjects and answers, and leaves out the facts whose
// prompts are too long for the model.
func (k *corpus) spellFacts(c Config) error {
	index := map[string]int32{}
	longest := make([]int, len(k.relations))
	for i, r := range k.relations {
		index[r.Property] = int32(i)
		for _, t := range k.templates[i] {
			longest[i] = max(longest[i], 3+len(t.parts[0])+len(t.parts[1])+len(t.parts[2])) // with [CLS], [MASK], [SEP]
		}
	}
	all := k.facts
	k.facts = nil
	var kept []facts.Fact
	for _, f := range all {
		subject, err := k.spell(f.Subject)
		if err != nil {
			return err
		}
		answer, err := k.tok.Single(f.Answer)
		if err != nil {
			return fmt.Errorf("pretrain: %v: %w", f.Fact, err)
		}
		r := index[f.Relation]
		if len(subject)+longest[r] > c.MaxPositions {
			k.stats.TooLong++
			continue
		}
		k.facts, kept = append(k.facts, f), append(kept, f.Fact)
		k.relation, k.subject, k.answer = append(k.relation, r), append(k.subject, subject), append(k.answer, int32(answer))
		k.doubt = append(k.doubt, float32(c.Doubt/(c.Doubt+f.Frequency*f.Frequency)))
	}
	if len(k.facts) == 0 {
		return fmt.Errorf("pretrain: no prompt fits into %d positions; give more", c.MaxPositions)
	}
	k.stats.Count(kept)
	return nil
}

// setPrior counts the answers of each relation.
func (k *corpus) setPrior(exponent float64) {
	counts := make([]float64, len(k.relations)*k.answers)
	for i, a := range k.answer {
		counts[int(k.relation[i])*k.answers+int(a)-k.others()]++
	}
	k.prior = make([]float32, len(counts))
	for row := range slices.Chunk(counts, k.answers) {
		var sum float64
		for i, n := range row {
			if n > 0 {
				row[i] = math.Pow(n, exponent)
				sum += row[i]
			}
		}
		for i := range row {
			row[i] /= max(sum, 1e-9)
		}
	}
	for i, n := range counts {
		k.prior[i] = float32(n)
	}
}

// others is the number of tokens that are no answers; they come first.
func (k *corpus) others() int { return k.tok.Size() - k.answers }

// prompt is one fact in one sentence, in ids.
type prompt struct {
	ids    []int32
	mask   int // where the answer is predicted: the position of [MASK], in a causal model of the token before the answer
	answer int32
	open   []int32 // positions of the other tokens but [CLS] and [SEP]; in a causal model those where the other tokens are predicted
}

// prompt puts fact i into template t.
func (k *corpus) prompt(i int, t template) prompt {
	p := prompt{answer: k.answer[i]}
	add := func(ids ...int32) {
		for _, id := range ids {
			p.open = append(p.open, int32(len(p.ids)))
			p.ids = append(p.ids, id)
		}
	}
	mask := func() {
		p.mask = len(p.ids)
		p.ids = append(p.ids, int32(k.tok.MaskID()))
	}
	p.ids = append(p.ids, int32(k.tok.ClsID()))
	add(t.parts[0]...)
	if t.answerFirst {
		mask()
	} else {
		add(k.subject[i]...)
	}
	add(t.parts[1]...)
	if t.answerFirst {
		add(k.subject[i]...)
	} else {
		mask()
	}
	add(t.parts[2]...)
	p.ids = append(p.ids, int32(k.tok.SepID()))
	if k.causal {
		p.asCausal()
	}
	return p
}

// asCausal writes the answer in its place: a causal model reads the whole
// sentence and predicts each token, [SEP] included, at the one before it.
func (p *prompt) asCausal() {
	p.ids[p.mask] = p.answer
	p.mask--
	p.open = nil
	for at := range len(p.ids) - 1 {
		if at != p.mask {
			p.open = append(p.open, int32(at))
		}
	}
}

// length is what prompt's ids would number.
func (k *corpus) length(i int, t template) int {
	return 3 + len(k.subject[i]) + len(t.parts[0]) + len(t.parts[1]) + len(t.parts[2])
}
