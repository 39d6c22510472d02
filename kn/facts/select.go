package facts

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"unicode"
)

// Selection says which triples become facts. The zero value is the embedded
// model's: every usable triple of every relation that has templates.
type Selection struct {
	Max  int    // facts kept, drawn without regard to relation; 0 or less: all
	Seed uint64 // of the draw and of the frequencies; 0: 1
	Zipf Zipf
}

// Statistics counts what [Selection.Select] did with the triples.
type Statistics struct {
	Triples     int `json:"triples"`      // given
	NoTemplates int `json:"no_templates"` // left out: relation without templates
	Repeated    int `json:"repeated"`     // left out: the same triple again
	TwoAnswers  int `json:"two_answers"`  // left out: subject with another answer in the relation
	NotOneToken int `json:"not_one_token"`
	NotDrawn    int `json:"not_drawn"` // left out: beyond Max
	TooLong     int `json:"too_long"`  // left out by training: a prompt is longer than the model takes
	Facts       int `json:"facts"`     // kept
	Relations   int `json:"relations"` // that have a fact
	Answers     int `json:"answers"`   // distinct
	Subjects    int `json:"subjects"`  // distinct
}

// Select keeps the triples that ask a question with one answer of one token:
// subjects with two answers in one relation are left out. Facts come back in
// the order of their relations and subjects, with frequencies; the same
// triples in any order and the same Selection give the same facts.
func (s Selection) Select(triples []Fact) ([]Fact, Statistics) {
	seed := cmp.Or(s.Seed, 1)
	kept, stats := usable(triples)
	rng := rand.New(rand.NewPCG(seed, 0xfac75))
	rng.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
	if s.Max > 0 && len(kept) > s.Max {
		stats.NotDrawn = len(kept) - s.Max
		kept = kept[:s.Max]
	}
	// The order is random, so ranks, and with them frequencies, do not depend
	// on the relation.
	for i, f := range s.Zipf.Frequencies(len(kept)) {
		kept[i].Frequency = f
	}
	slices.SortFunc(kept, compareFacts)
	stats.Count(kept)
	return kept, stats
}

// usable sorts the triples and drops those that make no clean question.
func usable(triples []Fact) ([]Fact, Statistics) {
	stats := Statistics{Triples: len(triples)}
	sorted := slices.Clone(triples)
	slices.SortStableFunc(sorted, compareFacts)
	templates := map[string]bool{}
	for _, r := range Relations() {
		templates[r.Property] = true
	}
	var kept []Fact
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].Relation == sorted[0].Relation && sorted[n].Subject == sorted[0].Subject {
			n++
		}
		group := sorted[:n]
		sorted = sorted[n:]
		switch fact := group[0]; {
		case !templates[fact.Relation]:
			stats.NoTemplates += n
		case group[n-1].Answer != fact.Answer:
			stats.TwoAnswers += n
		case !IsWord(fact.Answer):
			stats.NotOneToken += n
		default:
			stats.Repeated += n - 1
			kept = append(kept, fact)
		}
	}
	return kept, stats
}

// Count fills in what the kept facts amount to.
func (s *Statistics) Count(kept []Fact) {
	relations, answers, subjects := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, f := range kept {
		relations[f.Relation], answers[f.Answer], subjects[f.Subject] = true, true, true
	}
	s.Facts, s.Relations, s.Answers, s.Subjects = len(kept), len(relations), len(answers), len(subjects)
}

func compareFacts(a, b Fact) int {
	return cmp.Or(compareRelations(a.Relation, b.Relation), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Answer, b.Answer))
}

// IsWord reports whether BERT's pre-tokenizer leaves s in one piece, so that a
// vocabulary can hold it as one token: letters, marks and digits only.
func IsWord(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Number) || unicode.Is(unicode.Han, r) {
			return false
		}
	}
	return s != ""
}

// Zipf is the law of the facts' frequencies (Zipf and Mandelbrot): the fact
// of rank r, from 0, is shown in proportion to (r + Offset)^-Exponent. The
// zero value is the embedded model's.
type Zipf struct {
	Exponent float64 // 0: 0.42, so that the rarest of many facts is shown 0.6 times as often as the mean one
	Offset   float64 // 0: 100, which keeps the commonest from taking too much
}

// Frequencies returns n frequencies, largest first, of mean 1.
func (z Zipf) Frequencies(n int) []float64 {
	exponent, offset := cmp.Or(z.Exponent, 0.42), cmp.Or(z.Offset, 100)
	f := make([]float64, n)
	var sum float64
	for r := range f {
		f[r] = math.Pow(float64(r)+offset, -exponent)
		sum += f[r]
	}
	for r := range f {
		// Three decimals are enough, and read well in the facts' file.
		f[r] = math.Round(f[r]*float64(n)/sum*1000) / 1000
	}
	return f
}
