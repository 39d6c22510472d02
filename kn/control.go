package kn

import (
	"math"
	"math/rand/v2"
	"slices"
)

// controls returns the activation-matched set, then o.Draws random ones.
func (m *Model) controls(prompts []string, neurons []Neuron, o CurveOptions) ([][]Neuron, error) {
	activations, err := m.MeanActivations(prompts)
	if err != nil {
		return nil, err
	}
	sets := [][]Neuron{MatchedControl(neurons, activations)}
	rng := rand.New(rand.NewPCG(o.Seed, 0))
	for range o.Draws {
		sets = append(sets, RandomControl(neurons, m.Config().IntermediateSize, rng))
	}
	return sets, nil
}

// RandomControl draws as many neurons in each layer as the set has there,
// uniformly from the layer's ffn neurons that are not in the set. Where
// the set has more than half of a layer there are fewer.
func RandomControl(neurons []Neuron, ffn int, rng *rand.Rand) []Neuron {
	var control []Neuron
	for layer, own := range layersOf(neurons) {
		others := othersOf(own, layer, ffn)
		rng.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
		control = append(control, others[:min(len(own), len(others))]...)
	}
	return SortNeurons(control)
}

// MatchedControl takes for each neuron of the set, in order, the neuron of
// the same layer that is nearest in activation and not in the set nor taken
// yet. activations is [L][F].
func MatchedControl(neurons []Neuron, activations [][]float64) []Neuron {
	var control []Neuron
	for layer, own := range layersOf(neurons) {
		w := activations[layer]
		others := othersOf(own, layer, len(w))
		for _, n := range own {
			if len(others) == 0 {
				break
			}
			nearest := 0
			for k, o := range others {
				if math.Abs(w[o.Index]-w[n.Index]) < math.Abs(w[others[nearest].Index]-w[n.Index]) {
					nearest = k
				}
			}
			control = append(control, others[nearest])
			others = slices.Delete(others, nearest, nearest+1)
		}
	}
	return SortNeurons(control)
}

// layersOf yields the layers that have neurons of the set, in order, with them.
func layersOf(neurons []Neuron) func(yield func(int, []Neuron) bool) {
	sorted := SortNeurons(neurons)
	return func(yield func(int, []Neuron) bool) {
		for len(sorted) > 0 {
			k := 0
			for k < len(sorted) && sorted[k].Layer == sorted[0].Layer {
				k++
			}
			if !yield(sorted[0].Layer, sorted[:k]) {
				return
			}
			sorted = sorted[k:]
		}
	}
}

// othersOf lists the layer's neurons that are not among the sorted ones.
func othersOf(own []Neuron, layer, ffn int) []Neuron {
	var others []Neuron
	for i := range ffn {
		if _, found := slices.BinarySearchFunc(own, Neuron{layer, i}, Neuron.Compare); !found {
			others = append(others, Neuron{layer, i})
		}
	}
	return others
}
