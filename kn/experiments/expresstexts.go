package experiments

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// textPlan is what to read for a fact.
type textPlan struct {
	fact    Fact
	random  []kn.Neuron // as many as of both methods, of the first layer
	neurons []kn.Neuron // all of these, and those whose texts are listed; sorted
	texts   []readText
}

// readText is a text as it is read.
type readText struct {
	kind   int    // 0, 1, 2: T1, T2, T3
	text   string // masked, if it is read at [MASK]
	values []float64
}

// planner makes the texts of facts ready.
type planner struct {
	model     *kn.Model
	options   ExpressOptions
	sentences []sentence // of all facts
	counts    *TextCounts
}

// sentence is a text with the fact whose it is, by its number.
type sentence struct {
	text string
	of   int
}

// planTexts chooses and masks the texts of each fact that has neurons, and
// counts what is left out.
func planTexts(m *kn.Model, all []Fact, texts []facts.OpenText, o ExpressOptions, r *ActivationExpression) []*textPlan {
	p := planner{model: m, options: o, counts: &r.Texts}
	of := matchTexts(all, texts)
	for i, t := range of {
		if t != nil {
			for _, text := range slices.Concat(t.T1, t.T2) {
				p.sentences = append(p.sentences, sentence{text, i})
			}
		}
	}
	var plans []*textPlan
	for i, f := range all {
		neurons := slices.Concat(f.Neurons, f.BaselineNeurons)
		if len(neurons) == 0 {
			continue
		}
		var found []readText
		if of[i] != nil {
			found = p.plan(i, f, *of[i])
		}
		if found == nil {
			r.NoTexts++
			continue
		}
		random := firstNeurons(len(neurons), m.Config().IntermediateSize, randomFor(f, o.Seed+1))
		plans = append(plans, &textPlan{fact: f, random: random, neurons: kn.SortNeurons(slices.Concat(neurons, random, o.Neurons)), texts: found})
	}
	return plans
}

// firstNeurons draws n neurons of the first layer.
func firstNeurons(n, intermediateSize int, rng *rand.Rand) (drawn []kn.Neuron) {
	for range n {
		drawn = append(drawn, kn.Neuron{Index: rng.IntN(intermediateSize)})
	}
	return drawn
}

// plan chooses the texts of fact i; none if a type has none.
func (p *planner) plan(i int, f Fact, t facts.OpenText) []readText {
	rng, subject := randomFor(f, p.options.Seed), f.Bag.Subject
	t1 := p.take(0, p.options.Texts, t.T1, func(text string) (string, bool) { return maskAnswer(text, subject, f.Bag.Answer) })
	t2 := p.take(1, p.options.Texts, t.T2, func(text string) (string, bool) { return maskWord(text, subject, rng) })
	if len(t1) == 0 || len(t2) == 0 {
		return nil
	}
	random := slices.Clone(t.T3)
	rng.Shuffle(len(random), func(a, b int) { random[a], random[b] = random[b], random[a] })
	if len(t.T3) == 0 {
		random = p.others(i, 4*len(t1), rng) // more than needed, should some be left out
	}
	t3 := p.take(2, len(t1), random, func(text string) (string, bool) { return maskWord(text, "", rng) })
	if len(t3) == 0 {
		return nil
	}
	p.counts.T1, p.counts.T2, p.counts.T3 = p.counts.T1+len(t1), p.counts.T2+len(t2), p.counts.T3+len(t3)
	return slices.Concat(t1, t2, t3)
}

// others draws at most n different sentences of other facts.
func (p *planner) others(i, n int, rng *rand.Rand) []string {
	var drawn []string
	for range 8 * n {
		if len(drawn) == n {
			break
		}
		if s := p.sentences[rng.IntN(len(p.sentences))]; s.of != i && !slices.Contains(drawn, s.text) {
			drawn = append(drawn, s.text)
		}
	}
	return drawn
}

// take makes the first texts of one type ready that can be read, at most so
// many.
func (p *planner) take(kind, most int, texts []string, mask func(string) (string, bool)) []readText {
	var taken []readText
	t := p.model.Tokenizer()
	for _, text := range texts {
		if len(taken) == most {
			break
		}
		masks := 0
		if p.options.Pooling == AtMask {
			masked, ok := mask(text)
			if !ok {
				p.counts.NoMask++
				continue
			}
			text, masks = masked, 1
		}
		var e tokenizer.Encoding
		found := masks
		if c := p.model.Config(); c.Causal() && masks > 0 {
			// What is behind the answer does not reach the neurons that predict it.
			text = text[:strings.Index(text, facts.Mask)+len(facts.Mask)]
			var err error
			if e, err = t.CausalPrompt(text, 0); err != nil {
				p.counts.NoMask++
				continue
			}
		} else if e = t.Encode(text); !c.Causal() {
			found = 0
			for _, id := range e.IDs {
				if id == t.MaskID() {
					found++
				}
			}
		}
		switch {
		case len(e.IDs) > p.model.Config().MaxPositions:
			p.counts.TooLong++
			continue
		case found != masks || len(e.IDs) < len(t.Encode("").IDs)+1:
			p.counts.NoMask++
			continue
		case len(e.Unknown) > 0:
			p.counts.Unknown++
		}
		taken = append(taken, readText{kind: kind, text: text})
	}
	return taken
}

// matchTexts finds the texts of each fact, nil where there are none. The first
// texts of a fact are its own.
func matchTexts(all []Fact, texts []facts.OpenText) []*facts.OpenText {
	type key struct{ relation, subject string }
	bySubject, byRelation := map[key][]int{}, map[string][]int{}
	for i, f := range all {
		if f.Bag.Subject != "" {
			k := key{f.Bag.Relation, f.Bag.Subject}
			bySubject[k], byRelation[f.Bag.Relation] = append(bySubject[k], i), append(byRelation[f.Bag.Relation], i)
		}
	}
	matched := make([]*facts.OpenText, len(all))
	for k := range texts {
		t := &texts[k]
		candidates := byRelation[t.Relation]
		if t.Subject != "" {
			candidates = bySubject[key{t.Relation, t.Subject}]
		}
		best := -1
		for _, i := range candidates {
			if matched[i] == nil && says(*t, all[i].Bag) && (best < 0 || longer(all[i].Bag, all[best].Bag)) {
				best = i
			}
		}
		if best >= 0 {
			matched[best] = t
		}
	}
	return matched
}

// says tells whether texts may be a fact's: by what the source says, else by
// what is in them.
func says(t facts.OpenText, b facts.Bag) bool {
	if t.Answer != "" && t.Answer != b.Answer {
		return false
	}
	if t.Subject != "" {
		return true
	}
	has := func(texts []string, part string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(text, part) })
	}
	return len(t.T1)+len(t.T2) > 0 && has(t.T1, b.Subject) && has(t.T2, b.Subject) && has(t.T1, b.Answer)
}

// longer orders facts that texts may belong to: the longer subject says more.
func longer(a, b facts.Bag) bool {
	return cmp.Or(cmp.Compare(len(a.Subject), len(b.Subject)), cmp.Compare(len(a.Answer), len(b.Answer))) > 0
}
