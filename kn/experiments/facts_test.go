package experiments_test

import (
	"fmt"
	"iter"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// records makes the records of facts with the given prompts' scores: neuron i
// of prompt j of a fact has scores[fact][j][i].
func records(scores [][][]float64) []sweep.Record {
	var all []sweep.Record
	for f, prompts := range scores {
		for j, values := range prompts {
			s := sweep.Scores{Largest: slices.Max(values)}
			for i, v := range values {
				if v >= 0.1*s.Largest {
					s.Neurons, s.Values = append(s.Neurons, kn.Neuron{Index: i}), append(s.Values, v)
				}
			}
			all = append(all, sweep.Record{
				Fact: fmt.Sprint("fact ", f), Index: j, Prompts: len(prompts), Relation: fmt.Sprint("P", f%2), Answer: "a",
				Prompt: fmt.Sprintf("prompt %d of %d", j, f), Probability: 0.5, Gradients: s, Activations: s,
			})
		}
	}
	return all
}

func stream(all []sweep.Record) iter.Seq2[sweep.Record, error] {
	return func(yield func(sweep.Record, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestGather(t *testing.T) {
	// Neuron 0 is in all prompts, 1 in three of four, 2 is large in one only,
	// 3 is above t = 0.2 but below the baseline's 0.5.
	all := records([][][]float64{{
		{1, 0.6, 0.9, 0.3},
		{1, 0.6, 0, 0.3},
		{2, 1.2, 0, 0.6},
		{1, 0.1, 0, 0.3},
	}})
	slices.Reverse(all) // order does not matter
	g, err := experiments.Gather(stream(all), experiments.GatherOptions{Fixed: true})
	if err != nil {
		t.Fatal(err)
	}
	f := g.Facts[0]
	if want := []kn.Neuron{{Index: 0}, {Index: 1}, {Index: 3}}; !reflect.DeepEqual(f.Neurons, want) {
		t.Errorf("neurons %v, want %v", f.Neurons, want)
	}
	if want := []kn.Neuron{{Index: 0}, {Index: 1}}; !reflect.DeepEqual(f.BaselineNeurons, want) {
		t.Errorf("the baseline's neurons are %v, want %v", f.BaselineNeurons, want)
	}
	if got := f.Strongest(2); !reflect.DeepEqual(got, []kn.Neuron{{Index: 0}, {Index: 3}}) {
		t.Errorf("the strongest two are %v: 3 is in more prompts than 1", got)
	}
	for k, want := range []float64{1, (0.6 + 0.6 + 0.6 + 0.1) / 4, 0.3} {
		if math.Abs(f.Strength[k]-want) > 1e-12 {
			t.Errorf("the strength of neuron %v is %v, want %v", f.Neurons[k], f.Strength[k], want)
		}
	}
	// Three of four prompts are asked for: 3's third score is 0.3, 1's 0.6, 2's 0.
	for tolerance, want := range map[float64][]kn.Neuron{0: nil, 0.11: {{Index: 3}}, 0.45: {{Index: 1}, {Index: 3}}} {
		g, err := experiments.Gather(stream(all), experiments.GatherOptions{Fixed: true, Error: tolerance})
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Facts[0].Undecided; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("with an error of %v the neurons %v are undecided, want %v", tolerance, got, want)
		}
	}
	if by := g.Gradients.ByRelation; len(by) != 1 || by[0].Share != 0.7 || by[0].Moves != 0 {
		t.Errorf("p was tuned: %+v", by)
	}
}

// TestGatherTunesEachRelation: one relation's facts have enough neurons at the
// start, the other's too many, which must not move the first one's p.
func TestGatherTunesEachRelation(t *testing.T) {
	few, many := records([][][]float64{{{1, 1, 1}, {1, 1, 1}, {1, 1, 0}, {1, 1, 1}}}), records([][][]float64{{{1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}, {1, 1, 0, 0, 0, 0}}})
	for i := range many {
		many[i].Relation, many[i].Fact = "P999", "another"
	}
	g, err := experiments.Gather(stream(append(few, many...)), experiments.GatherOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []experiments.RelationShare{{Relation: g.Facts[0].Bag.Relation, Share: 0.7}, {Relation: "P999", Share: 0.8, Moves: 2}}
	for k, of := range g.Gradients.ByRelation {
		if of.Relation != want[k].Relation || math.Abs(of.Share-want[k].Share) > 1e-12 || of.Moves != want[k].Moves {
			t.Errorf("p came to %+v, want %+v", of, want[k])
		}
	}
	// Neurons in three of four prompts fall at 0.8.
	if len(g.Facts[0].Neurons) != 3 || len(g.Facts[1].Neurons) != 2 {
		t.Errorf("the facts have the neurons %v and %v", g.Facts[0].Neurons, g.Facts[1].Neurons)
	}
}

func TestGatherRefusesWhatIsNotWhole(t *testing.T) {
	whole := records([][][]float64{{{1}, {1}, {1}}})
	other := whole[2]
	other.Answer = "b"
	for want, all := range map[string][]sweep.Record{
		"lacks prompt 2": whole[:2],
		"stands twice":   append(slices.Clone(whole), whole[0]),
		"does not fit":   {whole[0], whole[1], other},
		"no records":     nil,
	} {
		if _, err := experiments.Gather(stream(all), experiments.GatherOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
