package experiments

import (
	"cmp"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// textTypes are the names of the types of texts.
var textTypes = [3]string{"T1", "T2", "T3"}

// extremes lists the texts that activate the chosen neurons most and least,
// of all that were read for any fact; one that was read twice stands once.
func extremes(all []Fact, plans []*textPlan, o ExpressOptions) []NeuronTexts {
	var lists []NeuronTexts
	for _, n := range o.Neurons {
		list := NeuronTexts{Neuron: n}
		for _, f := range all {
			if _, has := slices.BinarySearchFunc(f.Neurons, n, kn.Neuron.Compare); has {
				list.Facts++
			}
		}
		texts := textsOf(n, plans)
		list.Most = slices.Clone(texts[:min(o.Extremes, len(texts))])
		slices.Reverse(texts)
		for list.AsLow < len(texts) && texts[list.AsLow].Activation == texts[0].Activation {
			list.AsLow++
		}
		list.Least = slices.Clone(texts[:min(o.Extremes, len(texts))])
		lists = append(lists, list)
	}
	return lists
}

// textsOf are all texts with a neuron's activation, the largest first.
func textsOf(n kn.Neuron, plans []*textPlan) []NeuronText {
	var texts []NeuronText
	seen := map[string]bool{}
	for _, p := range plans {
		k, _ := slices.BinarySearchFunc(p.neurons, n, kn.Neuron.Compare)
		for _, text := range p.texts {
			if !seen[text.text] {
				seen[text.text] = true
				texts = append(texts, NeuronText{text.values[k], text.text, textTypes[text.kind], p.fact.name()})
			}
		}
	}
	slices.SortFunc(texts, func(a, b NeuronText) int {
		return cmp.Or(cmp.Compare(b.Activation, a.Activation), cmp.Compare(a.Text, b.Text))
	})
	return texts
}
