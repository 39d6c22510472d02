package kn

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// Neuron is one entry of a feed-forward layer's intermediate activation,
// after the activation function. It marshals to JSON as [layer, index].
type Neuron struct {
	Layer int // 0 is the layer next to the embeddings
	Index int // in [0, intermediate size)
}

// String returns "layer:index", the form that the command line takes.
func (n Neuron) String() string { return fmt.Sprintf("%d:%d", n.Layer, n.Index) }

// Compare orders neurons by layer, then by index.
func (n Neuron) Compare(m Neuron) int {
	return cmp.Or(cmp.Compare(n.Layer, m.Layer), cmp.Compare(n.Index, m.Index))
}

// MarshalJSON writes the neuron as [layer, index].
func (n Neuron) MarshalJSON() ([]byte, error) { return json.Marshal([2]int{n.Layer, n.Index}) }

// UnmarshalJSON reads [layer, index].
func (n *Neuron) UnmarshalJSON(data []byte) error {
	var pair []int
	if err := json.Unmarshal(data, &pair); err != nil || len(pair) != 2 {
		return fmt.Errorf("kn: a neuron is [layer, index], not %s", data)
	}
	n.Layer, n.Index = pair[0], pair[1]
	return nil
}

// SortNeurons sorts neurons by layer, then by index, and drops duplicates.
func SortNeurons(neurons []Neuron) []Neuron {
	neurons = slices.Clone(neurons)
	slices.SortFunc(neurons, Neuron.Compare)
	return slices.Compact(neurons)
}
