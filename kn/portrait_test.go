package kn

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// TestPortraitWordsEqualReference: all words' scores, against float64.
func TestPortraitWordsEqualReference(t *testing.T) {
	for _, family := range insideFamilies {
		m, want := openInside(t, family, WithBackend(""))
		v := m.Config().VocabSize
		p := m.MustPortrait(Neuron{1, 3}, nil, PortraitOptions{Words: v})
		sorted := slices.Sorted(slices.Values(want.Words))
		var up, down []float64
		for k := range v {
			up, down = append(up, p.Raised[v-1-k].Score), append(down, p.Lowered[k].Score)
		}
		for _, got := range [][]float64{up, down} {
			if d := difference(t, got, sorted); d > 1e-5 {
				t.Errorf("%s: the words' scores are off by %.1e", family, d)
			}
		}
		id, sum := slices.Index(want.Words, slices.Max(want.Words)), 0.0
		for _, w := range p.Raised {
			sum += w.Deviations * w.Deviations / float64(v)
		}
		if p.Raised[0].Word != m.Tokenizer().Shown(id, true) || math.Abs(sum-1) > 1e-6 {
			t.Errorf("%s: first %+v, want %q; the mean square deviation is %v", family, p.Raised[0], m.Tokenizer().Shown(id, true), sum)
		}
		if erased := m.MustWith(Erase([]Neuron{{1, 3}})).MustPortrait(Neuron{1, 3}, nil); erased.Raised[0].Score != 0 {
			t.Errorf("%s: an erased neuron says %+v", family, erased.Raised[0])
		}
	}
}

// TestPortraitOfFacts: peaks are the activations where the prompts ask, groups
// have their means, and texts are in order.
func TestPortraitOfFacts(t *testing.T) {
	m, _ := openFamily(t, "distilbert")
	n := Neuron{2, 5}
	bags := func(yield func(facts.Bag, error) bool) {
		for _, b := range []facts.Bag{
			{Relation: "P36", RelationName: "capital", Answer: "Paris", Prompts: []string{"The capital of France is [MASK].", "[MASK] is the capital of France."}},
			{Relation: "P19", Answer: "London", Prompts: []string{"Mary was born in [MASK]"}},
		} {
			if !yield(b, nil) {
				return
			}
		}
	}
	probes := append(Must(Probes(bags, 2)), Texts("John speaks French.")...)
	p := m.MustPortrait(n, probes)
	if len(probes) != 4 || p.Probes != 4 || len(p.Most) != 2 || len(p.Least) != 2 {
		t.Fatalf("%d probes, portrait %+v", len(probes), p)
	}
	peaks := map[string]float64{}
	for _, f := range slices.Concat(p.Most, p.Least) {
		peaks[f.Text] = f.Peak
		if f.Mask >= 0 && f.Values[f.Mask] != f.Peak || f.Mask < 0 && slices.Max(f.Values) != f.Peak {
			t.Errorf("%q peaks at %v of %v", f.Text, f.Peak, f.Values)
		}
	}
	for _, probe := range probes[:3] {
		if w := m.MustActivations(probe.Text)[n.Layer][n.Index]; math.Abs(w-peaks[probe.Text]) > 1e-6 {
			t.Errorf("%q: %v, want %v", probe.Text, peaks[probe.Text], w)
		}
	}
	if p.Most[0].Peak < p.Most[1].Peak || p.Most[1].Peak < p.Least[1].Peak || p.Least[1].Peak < p.Least[0].Peak {
		t.Errorf("not in order: %+v, %+v", p.Most, p.Least)
	}
	if len(p.Relations) != 2 || len(p.Answers) != 1 || p.Answers[0].Name != "Paris" || p.Relations[0].Effect < p.Relations[1].Effect {
		t.Fatalf("relations %+v, answers %+v", p.Relations, p.Answers)
	}
	own := (peaks[probes[0].Text] + peaks[probes[1].Text]) / 2
	others := (peaks[probes[2].Text] + peaks[probes[3].Text]) / 2
	if a := p.Answers[0]; math.Abs(a.Mean-own) > 1e-9 || math.Abs(a.Others-others) > 1e-9 || math.Abs(a.Effect*p.Deviation-(own-others)) > 1e-9 {
		t.Errorf("of Paris %+v, want %v against %v", a, own, others)
	}
	page := p.HTML()
	for _, want := range []string{"fires most", "fires least", "background-color:#", "font-weight:bold", "→ Paris", "speaks"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if _, err := m.Portrait(Neuron{9, 0}, nil); err == nil || !strings.Contains(err.Error(), "no neuron 9:0") {
		t.Errorf("a neuron that is not there gives %v", err)
	}
}

// TestLargestOfNormal: half of all samples' largest numbers lie below it.
func TestLargestOfNormal(t *testing.T) {
	for _, n := range []int{1, 10, 30000} {
		x := largestOfNormal(n)
		if below := math.Pow(0.5*math.Erfc(-x/math.Sqrt2), float64(n)); math.Abs(below-0.5) > 1e-6 {
			t.Errorf("%d numbers are all below %v with probability %v", n, x, below)
		}
	}
}
