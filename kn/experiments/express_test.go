package experiments_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// openTexts are texts of the gathered facts, with what is taught of them.
func openTexts(t testing.TB, m *kn.Model, g *experiments.Gathered) (texts []facts.OpenText, taught []facts.Taught) {
	t.Helper()
	all, err := m.Facts()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if slices.ContainsFunc(g.Facts, func(x experiments.Fact) bool { return x.Bag.Relation == f.Relation && x.Bag.Subject == f.Subject }) {
			taught = append(taught, f)
		}
	}
	texts, err = facts.HeldOutText(taught, 1)
	if err != nil {
		t.Fatal(err)
	}
	return texts, taught
}

// TestExpress holds T1's means against activations at [MASK] read one by one,
// and the types of texts against one another.
func TestExpress(t *testing.T) {
	m := loadMini(t)
	g := gathered(t, m, 1)
	texts, taught := openTexts(t, m, g)
	o := experiments.ExpressOptions{Seed: 1, Resamples: 200, Extremes: 3}
	r, err := experiments.Express(t.Context(), m, g.Facts, texts, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	mean := func(prompts []string, neurons []kn.Neuron) float64 {
		sum := 0.0
		for _, prompt := range prompts {
			w := m.MustActivations(prompt)
			for _, n := range neurons {
				sum += w[n.Layer][n.Index]
			}
		}
		return sum / float64(len(prompts)*len(neurons))
	}
	var own, ofRelations float64
	for _, relation := range []string{"P19", "P36", "P106"} {
		var sum, weights float64
		for _, f := range g.Facts {
			if f.Bag.Relation != relation {
				continue
			}
			i := slices.IndexFunc(taught, func(x facts.Taught) bool { return x.Relation == relation && x.Subject == f.Bag.Subject })
			held, err := taught[i].Prompts(true)
			if err != nil {
				t.Fatal(err)
			}
			v, n := mean(held, f.Neurons), float64(len(f.Neurons))
			own, sum, weights = own+v/3, sum+n*v, weights+n
		}
		ofRelations += sum / weights / 3
	}
	if e := r.Gradients; math.Abs(e.T1.Mean-own) > 1e-5 || math.Abs(e.OfRelations.T1.Mean-ofRelations) > 1e-5 {
		t.Errorf("T1 is %+v and %v over relations, one by one %v and %v", e.T1, e.OfRelations, own, ofRelations)
	}
	if e := r.Gradients; e.T1LessT2.Low <= 0 || e.T1.Mean-e.T2.Mean-e.T1LessT2.Mean > 1e-9 || e.T2.Mean-e.T3.Mean-e.T2LessT3.Mean > 1e-9 {
		t.Errorf("the embedded model's neurons act in T1 no more than in T2: %+v", e)
	}
	if r.Facts != 3 || r.NoTexts != 0 || r.Texts.T1 == 0 || r.Texts.T1 != r.Texts.T2 || r.Texts.T1 != r.Texts.T3 || len(r.ByRelation) != 3 {
		t.Errorf("%d facts, %d without texts, %+v, %d relations", r.Facts, r.NoTexts, r.Texts, len(r.ByRelation))
	}
	for _, x := range r.Extremes {
		if len(x.Most) != 3 || len(x.Least) != 3 || x.Most[0].Activation < x.Most[2].Activation || x.Least[0].Activation > x.Least[2].Activation {
			t.Errorf("texts of %v: %+v", x.Neuron, x)
		}
		if alike := x.AsLow >= 3; x.AsLow < 1 || alike != (x.Least[0].Activation == x.Least[2].Activation) {
			t.Errorf("%d texts activate %v as little as %+v", x.AsLow, x.Neuron, x.Least)
		}
		for _, text := range append(slices.Clone(x.Most), x.Least...) {
			if v := m.MustActivations(text.Text)[x.Neuron.Layer][x.Neuron.Index]; math.Abs(v-text.Activation) > 1e-5 {
				t.Errorf("%v in %q: %v, alone %v", x.Neuron, text.Text, text.Activation, v)
			}
		}
	}
	again, err := experiments.Express(t.Context(), m, g.Facts, texts, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(again) != fmt.Sprint(r) {
		t.Error("the same seed gives another result")
	}
	o.Seed++
	if other, err := experiments.Express(t.Context(), m, g.Facts, texts, o, nil); err != nil || other.Gradients.T2.Mean == r.Gradients.T2.Mean {
		t.Errorf("another seed masks the same words (%v)", err)
	}
	expressScaled(t, m, g, texts, o)
	expressWithoutMask(t, m, g, texts, o)
}

// expressScaled: with the last layer's neurons doubled everywhere, nothing
// before them changes, and so all means double.
func expressScaled(t *testing.T, m *kn.Model, g *experiments.Gathered, texts []facts.OpenText, o experiments.ExpressOptions) {
	t.Helper()
	last := m.Config().Layers - 1
	var all []kn.Neuron
	for i := range m.Config().IntermediateSize {
		all = append(all, kn.Neuron{Layer: last, Index: i})
	}
	inLast := slices.Clone(g.Facts)
	for i := range inLast {
		first := func(n kn.Neuron) bool { return n.Layer != last }
		inLast[i].Neurons = slices.DeleteFunc(slices.Clone(inLast[i].Neurons), first)
		inLast[i].BaselineNeurons = slices.DeleteFunc(slices.Clone(inLast[i].BaselineNeurons), first)
	}
	plain, err := experiments.Express(t.Context(), m, inLast, texts, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	doubled, err := experiments.Express(t.Context(), m.MustWith(kn.Scale(all, 2).AtAllPositions()), inLast, texts, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, pair := range [][2]float64{
		{doubled.Gradients.T1.Mean, plain.Gradients.T1.Mean},
		{doubled.Gradients.T3.High, plain.Gradients.T3.High},
		{doubled.Baseline.T2.Mean, plain.Baseline.T2.Mean},
		{doubled.Gradients.OfRelations.T2.Mean, plain.Gradients.OfRelations.T2.Mean},
	} {
		if math.Abs(pair[0]-2*pair[1]) > 1e-6*(1+math.Abs(pair[0])) {
			t.Errorf("%d: doubled neurons give %v, plain ones %v", k, pair[0], pair[1])
		}
	}
}

// expressWithoutMask reads texts as they stand, and compares with the
// neurons at each of their tokens.
func expressWithoutMask(t *testing.T, m *kn.Model, g *experiments.Gathered, texts []facts.OpenText, o experiments.ExpressOptions) {
	t.Helper()
	for how, pool := range map[experiments.Pooling]func([]float64) float64{
		experiments.MaxOfTokens: slices.Max[[]float64],
		experiments.MeanOfTokens: func(v []float64) float64 {
			sum := 0.0
			for _, x := range v {
				sum += x
			}
			return sum / float64(len(v))
		},
	} {
		o.Pooling = how
		r, err := experiments.Express(t.Context(), m, g.Facts, texts, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		for _, f := range g.Facts {
			i := slices.IndexFunc(texts, func(x facts.OpenText) bool { return x.Relation == f.Bag.Relation && x.Subject == f.Bag.Subject })
			sum, n := 0.0, 0.0
			for _, text := range texts[i].T2 {
				read := m.MustTokenActivations([]kn.Reading{{Text: text, Neurons: f.Neurons}})[0]
				for _, tokens := range read.Values {
					sum, n = sum+pool(tokens[1:len(tokens)-1]), n+1
				}
			}
			want += sum / n / float64(len(g.Facts))
		}
		if math.Abs(r.Gradients.T2.Mean-want) > 1e-5 || strings.Contains(fmt.Sprint(r.Extremes), facts.Mask) {
			t.Errorf("%s: T2 is %v, one by one %v; texts %v", how, r.Gradients.T2.Mean, want, r.Extremes)
		}
	}
}

// TestExpressCounts: texts that cannot be read and facts without texts are
// counted and left out.
func TestExpressCounts(t *testing.T) {
	m := loadMini(t)
	n := []kn.Neuron{{Layer: 1, Index: 3}}
	fact := func(subject string) experiments.Fact {
		return experiments.Fact{Bag: facts.Bag{Relation: "P36", Subject: subject, Answer: "Paris"}, Neurons: n}
	}
	all := []experiments.Fact{fact("France"), fact("Gaul"), fact("Elsewhere"), {Bag: facts.Bag{Relation: "P36", Subject: "Nowhere"}}}
	long := strings.Repeat("France ", 100)
	texts := []facts.OpenText{
		{Relation: "P36", Subject: "France", T1: []string{"France has Paris.", "Paris of " + long, "France without it", "France of Paris [MASK]"}, T2: []string{"in France", "France"}},
		{Relation: "P36", Subject: "Gaul", T1: []string{"Gaul, Paris"}, T2: []string{"Gaul"}},
	}
	r, err := experiments.Express(t.Context(), m, all, texts, experiments.ExpressOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Facts != 1 || r.NoTexts != 2 || r.Gradients.Facts != 1 || r.Baseline.Facts != 0 || r.Texts.T1 != 1 || r.Texts.T2 != 1 || r.Texts.TooLong != 1 {
		t.Errorf("%+v", r)
	}
	if r.Baseline.T1.Mean != 0 || r.Extremes[0].Neuron != n[0] || r.Extremes[0].Facts != 3 {
		t.Errorf("%+v", r)
	}
}

func TestExpressErrors(t *testing.T) {
	m := loadMini(t)
	fact := experiments.Fact{Bag: facts.Bag{Relation: "P36", Subject: "France", Answer: "Paris"}, Neurons: []kn.Neuron{{Index: 1}}}
	texts := []facts.OpenText{{Relation: "P36", Subject: "France", T1: []string{"France has Paris."}, T2: []string{"in France"}, T3: []string{"Rome"}}}
	for want, try := range map[string]func() error{
		"no facts": func() error {
			_, err := experiments.Express(t.Context(), m, nil, texts, experiments.ExpressOptions{}, nil)
			return err
		},
		"both kinds of texts": func() error {
			_, err := experiments.Express(t.Context(), m, []experiments.Fact{fact}, nil, experiments.ExpressOptions{}, nil)
			return err
		},
		`no pooling "sum"`: func() error {
			_, err := experiments.Express(t.Context(), m, []experiments.Fact{fact}, texts, experiments.ExpressOptions{Pooling: "sum"}, nil)
			return err
		},
		"-1 texts": func() error {
			_, err := experiments.Express(t.Context(), m, []experiments.Fact{fact}, texts, experiments.ExpressOptions{Texts: -1}, nil)
			return err
		},
		"no neuron 7:0": func() error {
			_, err := experiments.Express(t.Context(), m, []experiments.Fact{fact}, texts, experiments.ExpressOptions{Neurons: []kn.Neuron{{Layer: 7}}}, nil)
			return err
		},
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := experiments.Express(ctx, m, []experiments.Fact{fact}, texts, experiments.ExpressOptions{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gives %v", err)
	}
}
