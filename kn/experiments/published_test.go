package experiments_test

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

func publishedFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "published.jsonl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadPublishedSets(t *testing.T) {
	got, err := experiments.ReadPublishedSets(publishedFile(t, `{"provenance": "somebody"}
{"uuid": "a", "neurons": [[9, 2], [7, 1]]}

{"relation": "P36", "subject": "Ireland", "answer": "Dublin", "neurons": []}
`))
	want := []experiments.PublishedSet{
		{UUID: "a", Neurons: []kn.Neuron{{Layer: 7, Index: 1}, {Layer: 9, Index: 2}}},
		{Relation: "P36", Subject: "Ireland", Answer: "Dublin", Neurons: []kn.Neuron{}},
	}
	for i := range got {
		got[i].Neurons = append([]kn.Neuron{}, got[i].Neurons...)
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for text, words := range map[string]string{
		"":                       "has no set",
		"x":                      ":1: not a set of neurons",
		`{"neurons": [[1]]}`:     ":1: not a set of neurons",
		`{"neurons": [[1, 2]]}`:  ":1: the fact is not named",
		"{}\n" + `{"uuid": "a"}`: ":2: neurons are missing",
	} {
		if _, err := experiments.ReadPublishedSets(publishedFile(t, text)); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v, want an error with %q", text, err, words)
		}
	}
}

// TestWritePublishedSets: what is written is read, and of the same facts.
func TestWritePublishedSets(t *testing.T) {
	g := gathered(t, loadMini(t), 3)
	var file strings.Builder
	if err := experiments.WritePublishedSets(&file, g, kn.Provenance{Model: "mini"}); err != nil {
		t.Fatal(err)
	}
	sets, err := experiments.ReadPublishedSets(publishedFile(t, file.String()))
	if err != nil || len(sets) != len(g.Facts) {
		t.Fatalf("%d sets of %d facts, %v", len(sets), len(g.Facts), err)
	}
	for i, s := range sets {
		f := g.Facts[i]
		if s.Relation != f.Bag.Relation || s.Subject != f.Bag.Subject || s.Answer != f.Bag.Answer || len(s.Strength) != len(f.Strength) || !slices.Equal(s.Neurons, f.Neurons) || !slices.Equal(s.Undecided, f.Undecided) {
			t.Errorf("%+v was written of %v", s, f.Bag)
		}
	}
	if first, _, _ := strings.Cut(file.String(), "\n"); !strings.Contains(first, `"threshold":0.2`) || !strings.Contains(first, "mini") {
		t.Errorf("the first line does not say where they come from: %s", first)
	}
}

// TestComparePublished compares facts with sets that are right, that lack a
// neuron, and that have one too many.
func TestComparePublished(t *testing.T) {
	m := loadMini(t)
	recipe := kn.EleutherAI2021
	recipe.Share = 0.3
	var bags []facts.Bag
	var sets []experiments.PublishedSet
	for i, f := range gathered(t, m, 3).Facts[:3] {
		b := f.Bag
		if i == 0 {
			b.UUID = "first"
		}
		bags = append(bags, b)
		sets = append(sets, experiments.PublishedSet{UUID: b.UUID, Relation: b.Relation, Subject: b.Subject, Answer: b.Answer, Neurons: m.MustKnowledgeNeurons(b.Prompts, b.Answer, recipe).Refined})
	}
	stranger := kn.Neuron{Layer: 0, Index: 7}
	missing := sets[1].Neurons[0]
	sets[1].Neurons, sets[2].Neurons = sets[1].Neurons[1:], kn.SortNeurons(append(slices.Clone(sets[2].Neurons), stranger))
	source := func(yield func(facts.Bag, error) bool) {
		for _, b := range append(slices.Clone(bags), facts.Bag{Relation: "P999", Subject: "nobody", Answer: "nothing", Prompts: []string{"[MASK]"}}) {
			if !yield(b, nil) {
				return
			}
		}
	}
	p, err := experiments.MatchPublished(source, sets, 0, 1)
	if err != nil || !reflect.DeepEqual(p.Facts, bags) {
		t.Fatalf("matched %v, %v", p, err)
	}
	c, err := experiments.ComparePublished(t.Context(), m, p, recipe, stats.Options{Resamples: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Facts != 3 || c.Identical != 1 || c.Narrow != 0 || math.Abs(c.Share.Mean-1./3) > 1e-12 || len(c.Differences) != 2 {
		t.Fatalf("%+v", c)
	}
	if low := 1 - math.Cbrt(1-0.025); math.Abs(c.Share.Low-low) > 1e-9 { // P(none of three) = 1 - 0.025
		t.Errorf("one of three is %v, want Clopper and Pearson's lower end %v", c.Share, low)
	}
	n := map[kn.Neuron]experiments.MarginNeuron{}
	for _, d := range c.Differences {
		if len(d.Neurons) != 1 || d.Margin != math.Abs(d.Neurons[0].Margin) {
			t.Errorf("%+v", d)
		}
		n[d.Neurons[0].Neuron] = d.Neurons[0]
	}
	if x := n[missing]; !x.Here || x.Margin <= 0 {
		t.Errorf("chosen here and not published: %+v", x)
	}
	if x := n[stranger]; x.Here || x.Margin >= 0 {
		t.Errorf("published and not chosen here: %+v", x)
	}
	if _, err := experiments.MatchPublished(source, []experiments.PublishedSet{{UUID: "other"}}, 0, 1); err == nil {
		t.Error("a set of no fact was matched")
	}
}

// TestCompareExactFirst publishes what the recipe's rule finds, one set with a
// neuron too many: of the facts that differ by exact integrals, that one alone is
// not explained by the rule.
func TestCompareExactFirst(t *testing.T) {
	m := loadMini(t)
	recipe := kn.EleutherAI2021
	recipe.Share = 0.3
	p := &experiments.Published{}
	for _, f := range gathered(t, m, 8).Facts {
		p.Facts = append(p.Facts, f.Bag)
		p.Sets = append(p.Sets, m.MustKnowledgeNeurons(f.Bag.Prompts, f.Bag.Answer, recipe).Refined)
	}
	stranger := kn.Neuron{Layer: 0, Index: 7}
	p.Sets[1] = kn.SortNeurons(append(slices.Clone(p.Sets[1]), stranger))
	e, err := experiments.CompareExactFirst(t.Context(), m, p, recipe, stats.Options{Resamples: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := len(p.Facts)
	if e.Exact.Facts != n || e.Exact.Identical == 0 || e.Differing.Facts != n-e.Exact.Identical || e.Differing.Identical != e.Differing.Facts-1 {
		t.Fatalf("%d facts, %+v", n, e)
	}
	if e.Differing.Identical == 0 {
		t.Error("the rule makes no difference here: choose other facts")
	}
	if want := (e.Exact.Identical + experiments.ControlEvery - 1) / experiments.ControlEvery; e.Control.Facts != want || e.Control.Identical != want {
		t.Errorf("control %+v, want %d facts, all the same", e.Control, want)
	}
	// All n of n: the share of which so many in a row have a chance of 2.5 %. For 28 it is 87.7 %.
	if s, low := e.Control.Share, math.Pow(0.025, 1/float64(e.Control.Facts)); math.Abs(s.Low-low) > 1e-9 || s.Mean != 1 || s.High != 1 {
		t.Errorf("the control's share is %v, want a lower end of %v", s, low)
	}
	if math.Abs(e.Share.Mean-float64(n-1)/float64(n)) > 1e-12 {
		t.Errorf("share %v, want all but one of %d", e.Share, n)
	}
	if !(e.Share.Low < 0.9*e.Share.Mean) {
		t.Errorf("share %v of %d facts by a control of %d: so few allow far less", e.Share, n, e.Control.Facts)
	}
	for _, d := range e.Exact.Differences {
		again := e.Again(d)
		switch odd := slices.ContainsFunc(d.Neurons, func(x experiments.MarginNeuron) bool { return x.Neuron == stranger }); {
		case !odd && again != nil:
			t.Errorf("%+v differs by the recipe's rule: %+v", d, again)
		case odd && (again == nil || again.Cause() != experiments.CauseUnknown || len(again.Neurons) != 1):
			t.Errorf("%+v: by the recipe's rule %+v, want the stranger", d, again)
		}
	}
	if _, err := experiments.CompareExactFirst(t.Context(), m, p, kn.Recipe{}, stats.Options{}, nil); err == nil || !strings.Contains(err.Error(), "no rule of its own") {
		t.Errorf("an adaptive recipe: %v", err)
	}
}
