package kn

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
)

// Probe is a text that [Model.Portrait] reads, with what it asks for, if it asks.
type Probe struct {
	Text     string `json:"text"`
	Relation string `json:"relation,omitempty"` // of the fact
	Answer   string `json:"answer,omitempty"`
}

// Texts makes probes of plain texts, which may have a [MASK] each or none.
func Texts(lines ...string) []Probe {
	probes := make([]Probe, len(lines))
	for i, line := range lines {
		probes[i].Text = line
	}
	return probes
}

// Probes makes probes of facts: of each the first of its prompts, or perFact of
// them. What a model can be asked, and how many facts of each relation, [facts.Usable] and
// [facts.Draw] choose.
func Probes(source facts.Source, perFact int) ([]Probe, error) {
	var probes []Probe
	for b, err := range source {
		if err != nil {
			return nil, err
		}
		for _, prompt := range b.Prompts[:min(max(1, perFact), len(b.Prompts))] {
			probes = append(probes, Probe{prompt, cmp.Or(b.RelationName, b.Relation), b.Answer})
		}
	}
	return probes, nil
}

// PortraitOptions are the options of [Model.Portrait].
type PortraitOptions struct {
	// Words is how many words are listed that the neuron raises, and that it
	// lowers. 0 stands for 10.
	Words int `json:"words"`
	// Texts is how many texts are listed that fire it most, and least. 0 stands for 8.
	Texts int `json:"texts"`
}

// WordScore is a word with its score in a neuron's value vector.
type WordScore struct {
	Word  string  `json:"word"`
	Score float64 `json:"score"`
	// Deviations is the score's distance from the mean of all words, in standard
	// deviations of all words.
	Deviations float64 `json:"deviations"`
}

// Fired is a text with a neuron's activations at its tokens.
type Fired struct {
	Probe
	Tokens []string  `json:"tokens"`
	Values []float64 `json:"values"` // at each token
	Mask   int       `json:"mask"`   // where an answer is predicted; -1 if nothing is asked
	// Peak is what texts are ordered by: the activation where an answer is
	// predicted, or in a text that asks nothing the largest.
	Peak float64 `json:"peak"`
}

// Served is the mean of a neuron's peaks in the prompts of one relation, or with
// one answer, beside that of all other prompts.
type Served struct {
	Name    string  `json:"name"`
	Prompts int     `json:"prompts"`
	Mean    float64 `json:"mean"`
	Others  float64 `json:"others"` // mean of the other prompts: the control
	// Effect is the difference of the two means, in standard deviations of all prompts.
	Effect float64 `json:"effect"`
}

// Portrait is what one neuron says and what fires it: what [Model.Portrait]
// returns.
type Portrait struct {
	Neuron Neuron `json:"neuron"`

	Raised  []WordScore `json:"raised"`  // largest score first
	Lowered []WordScore `json:"lowered"` // smallest first
	// ChanceLargest is how far from the mean the largest of as many normal numbers
	// as there are words is expected, in standard deviations: a neuron whose words
	// are no further off says no more than chance.
	ChanceLargest float64 `json:"chance_largest"`

	Probes    int      `json:"probes"`              // how many texts were read
	Mean      float64  `json:"mean"`                // of their peaks
	Deviation float64  `json:"deviation"`           // standard deviation of their peaks
	Most      []Fired  `json:"most"`                // the texts that fire it most, most first
	Least     []Fired  `json:"least"`               // least first
	Relations []Served `json:"relations,omitempty"` // largest effect first
	Answers   []Served `json:"answers,omitempty"`   // of at least two prompts; largest effect first

	Provenance Provenance `json:"provenance"`
}

// Portrait shows one neuron from both sides: the words that its value vector
// raises and lowers, and the texts that fire it.
//
// The neuron adds its activation times its value vector v, a column of the FFN's
// output matrix, to the residual stream. The words' scores are what v adds to their
// logits, read through the head wherever the neuron's layer is (Geva et al., 2021,
// Transformer Feed-Forward Layers Are Key-Value Memories,
// https://arxiv.org/abs/2012.14913, and 2022, https://arxiv.org/abs/2203.14680):
// what comes between neuron and head is left out. With the words e, the gain γ of
// the head's norm, and in a masked model the matrix T of the head's dense layer,
//
//	causal: e·(γ ∘ (v - mean v)), with RMSNorm e·(γ ∘ v)
//	masked: e·(γ ∘ (T v - mean T v))
//
// which leaves out what the norm divides by, and the masked head's activation
// function. T is what makes the words show: of BERT-base's neuron 10:1122, which
// prompts for capitals fire, they are cities, while e·v alone gives no words beyond
// chance.
// Where the activation is negative the words raised are lowered. A text's peak is
// the activation where it asks, or if it asks nothing the largest at any token.
// Without probes there are the words alone.
func (m *Model) Portrait(n Neuron, probes []Probe, options ...PortraitOptions) (*Portrait, error) {
	o, err := optional(options)
	if err != nil {
		return nil, err
	}
	c := m.Config()
	if err := validateNeurons([]Neuron{n}, c.Layers, c.IntermediateSize); err != nil {
		return nil, err
	}
	if o.Words < 0 || o.Texts < 0 {
		return nil, fmt.Errorf("kn: cannot list %d words and %d texts", o.Words, o.Texts)
	}
	o.Words, o.Texts = min(cmp.Or(o.Words, 10), c.VocabSize), cmp.Or(o.Texts, 8)
	return cached(m, "portrait", []any{n, probes, o}, func() (*Portrait, error) { return m.portrait(n, probes, o) })
}

// MustPortrait is [Model.Portrait] for notebook cells: it panics instead of returning an error.
func (m *Model) MustPortrait(n Neuron, probes []Probe, options ...PortraitOptions) *Portrait {
	return Must(m.Portrait(n, probes, options...))
}

func (m *Model) portrait(n Neuron, probes []Probe, o PortraitOptions) (*Portrait, error) {
	edits, err := m.composed()
	if err != nil {
		return nil, err
	}
	readings := make([]Reading, len(probes))
	for i, p := range probes {
		readings[i] = Reading{Text: p.Text, Neurons: []Neuron{n}}
	}
	read, err := m.TokenActivations(readings)
	if err != nil {
		return nil, err
	}
	words, err := m.compute(engine.Words, []engine.Row{{Edits: edits, Neurons: []int{n.Layer*m.Config().IntermediateSize + n.Index}}}, "")
	if err != nil {
		return nil, err
	}
	p := &Portrait{Neuron: n, Probes: len(probes), ChanceLargest: largestOfNormal(m.Config().VocabSize)}
	p.Raised, p.Lowered = m.wordScores(words[0].Distribution, o.Words)
	all := make([]Fired, len(probes))
	for i, r := range read {
		f := Fired{Probe: probes[i], Tokens: r.Tokens, Values: r.Values[0], Mask: r.Mask}
		if f.Mask >= 0 {
			f.Peak = f.Values[f.Mask]
		} else {
			f.Peak = slices.Max(f.Values)
		}
		all[i] = f
	}
	p.fire(all, o.Texts)
	p.Provenance, err = m.provenance(o)
	return p, err
}

// wordScores are the n words with the largest and those with the smallest scores.
func (m *Model) wordScores(scores []float32, n int) (raised, lowered []WordScore) {
	ids, all := make([]int, len(scores)), make([]float64, len(scores))
	for id, s := range scores {
		ids[id], all[id] = id, float64(s)
	}
	average, deviation := meanAndDeviation(all)
	slices.SortStableFunc(ids, func(a, b int) int { return cmp.Compare(all[b], all[a]) })
	score := func(id int) WordScore {
		return WordScore{m.Tokenizer().Shown(id, true), all[id], (all[id] - average) / cmp.Or(deviation, 1)}
	}
	for k := range n {
		raised, lowered = append(raised, score(ids[k])), append(lowered, score(ids[len(ids)-1-k]))
	}
	return raised, lowered
}

// meanAndDeviation are the mean and the standard deviation of some numbers.
func meanAndDeviation(x []float64) (average, deviation float64) {
	if len(x) == 0 {
		return 0, 0
	}
	average = mean(x)
	for _, v := range x {
		deviation += (v - average) * (v - average) / float64(len(x))
	}
	return average, math.Sqrt(deviation)
}

// largestOfNormal is the median of the largest of n normal numbers.
func largestOfNormal(n int) float64 {
	return math.Sqrt2 * math.Erfinv(2*math.Pow(0.5, 1/float64(n))-1)
}

// fire puts the texts in order and the prompts in groups.
func (p *Portrait) fire(all []Fired, n int) {
	if len(all) == 0 {
		return
	}
	peaks := make([]float64, len(all))
	for i, f := range all {
		peaks[i] = f.Peak
	}
	p.Mean, p.Deviation = meanAndDeviation(peaks)
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Fired) int { return cmp.Compare(b.Peak, a.Peak) })
	n = min(n, (len(sorted)+1)/2)
	p.Most, p.Least = sorted[:n], slices.Clone(sorted[len(sorted)-min(n, len(sorted)-n):])
	slices.Reverse(p.Least)
	p.Relations = p.served(all, 1, func(f Fired) string { return f.Relation })
	p.Answers = p.served(all, 2, func(f Fired) string { return f.Answer })
}

// served groups prompts, and leaves out groups of fewer than least.
func (p *Portrait) served(all []Fired, least int, name func(Fired) string) []Served {
	of, order, total := map[string][]float64{}, []string{}, 0.0
	for _, f := range all {
		total += f.Peak
		if n := name(f); n != "" {
			if of[n] == nil {
				order = append(order, n)
			}
			of[n] = append(of[n], f.Peak)
		}
	}
	var groups []Served
	for _, n := range order {
		own := of[n]
		if len(own) < least || len(own) == len(all) {
			continue
		}
		s := Served{Name: n, Prompts: len(own), Mean: mean(own)}
		s.Others = (total - s.Mean*float64(len(own))) / float64(len(all)-len(own))
		s.Effect = (s.Mean - s.Others) / cmp.Or(p.Deviation, 1)
		groups = append(groups, s)
	}
	slices.SortStableFunc(groups, func(a, b Served) int { return cmp.Compare(b.Effect, a.Effect) })
	return groups
}

// Table lists the words that the neuron raises and lowers, and in its notes what
// fires it.
func (p Portrait) Table() Table {
	t := Table{Title: fmt.Sprintf("Neuron %v: what it says", p.Neuron), Columns: []string{"raises", "score", "deviations", "lowers", "score", "deviations"}}
	for k, up := range p.Raised {
		down := p.Lowered[k]
		t.Rows = append(t.Rows, []string{up.Word, signed(up.Score), signed(up.Deviations), down.Word, signed(down.Score), signed(down.Deviations)})
	}
	t.Notes = append(t.Notes, fmt.Sprintf("deviations of a word's score from the mean of all words; the largest by chance is about %.1f", p.ChanceLargest))
	if p.Probes == 0 {
		return t
	}
	t.Notes = append(t.Notes, fmt.Sprintf("in %s its activation is %s on average, with a standard deviation of %s", counted(p.Probes, "text"), significant(p.Mean), significant(p.Deviation)))
	for _, of := range []struct {
		what   string
		groups []Served
	}{{"relations", p.Relations}, {"answers", p.Answers}} {
		var best []string
		for _, g := range of.groups[:min(5, len(of.groups))] {
			best = append(best, fmt.Sprintf("%s %s against %s elsewhere (%s)", g.Name, significant(g.Mean), significant(g.Others), counted(g.Prompts, "prompt")))
		}
		if len(best) > 0 {
			t.Notes = append(t.Notes, "most active "+of.what+": "+strings.Join(best, "; "))
		}
	}
	for _, f := range p.Most[:min(3, len(p.Most))] {
		t.Notes = append(t.Notes, fmt.Sprintf("most: %s  %s", significant(f.Peak), f.Text))
	}
	for _, f := range p.Least[:min(3, len(p.Least))] {
		t.Notes = append(t.Notes, fmt.Sprintf("least: %s  %s", significant(f.Peak), f.Text))
	}
	return t
}

// String returns [Portrait.Table] as text.
func (p Portrait) String() string { return p.Table().String() }

// HTML returns the portrait as a fragment of a page, without scripts or styles of
// its own: the table, and the texts with each token coloured by the neuron's
// activation there, orange where it is positive and blue where it is negative.
// [Show] shows it in a notebook.
func (p Portrait) HTML() string {
	t := p.Table()
	t.Notes = slices.DeleteFunc(t.Notes, func(note string) bool { return strings.HasPrefix(note, "most: ") || strings.HasPrefix(note, "least: ") })
	var b strings.Builder
	b.WriteString(t.HTML())
	largest := 0.0
	for _, f := range slices.Concat(p.Most, p.Least) {
		for _, v := range f.Values {
			largest = max(largest, math.Abs(v))
		}
	}
	for _, part := range []struct {
		title string
		texts []Fired
	}{{"fires most", p.Most}, {"fires least", p.Least}} {
		if len(part.texts) == 0 {
			continue
		}
		fmt.Fprintf(&b, "<p><b>%s</b></p>\n", part.title)
		for _, f := range part.texts {
			fmt.Fprintf(&b, "<p><code>%s</code> ", significant(f.Peak))
			for i, token := range f.Tokens {
				weight := ""
				if i == f.Mask {
					weight = ";font-weight:bold"
				}
				fmt.Fprintf(&b, `<span title="%s" style="background-color:%s;color:#222;padding:1px 2px%s">%s</span> `, significant(f.Values[i]), warmth(f.Values[i]/cmp.Or(largest, 1)), weight, html.EscapeString(token))
			}
			if f.Answer != "" {
				fmt.Fprintf(&b, "→ %s", html.EscapeString(f.Answer))
			}
			b.WriteString("</p>\n")
		}
	}
	fmt.Fprintf(&b, "<p>white is 0, the darkest orange or blue ±%s; bold is where the answer is predicted</p>\n", significant(largest))
	return b.String()
}

// warmth is the colour of a share from -1, blue, over 0, white, to 1, orange.
func warmth(x float64) string {
	full := [3]float64{0xFD, 0x8D, 0x3C}
	if x < 0 {
		full = [3]float64{0x6B, 0xAE, 0xD6}
	}
	var rgb [3]int
	for i, c := range full {
		rgb[i] = int(math.Round(255 + (c-255)*min(1, math.Abs(x))))
	}
	return fmt.Sprintf("#%02x%02x%02x", rgb[0], rgb[1], rgb[2])
}
