package kn

import (
	"fmt"
	"maps"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
)

// EditOp says what an [Edit] does to an activation.
type EditOp string

// The operations on an activation w.
const (
	OpScale EditOp = "scale" // w becomes Value·w
	OpSet   EditOp = "set"   // w becomes Value
)

// Edit changes the activations of a set of neurons. It is a value that
// [Model.With] applies, that marshals to JSON, and that changes no model.
type Edit struct {
	Op      EditOp   `json:"op"`
	Neurons []Neuron `json:"neurons"`
	Value   float64  `json:"value"`
	// Everywhere applies the edit at all positions instead of only at [MASK].
	Everywhere bool `json:"everywhere,omitempty"`
}

// Suppress sets neurons to 0, as the paper does to knock a fact out.
func Suppress(neurons []Neuron) Edit { return Scale(neurons, 0) }

// Amplify doubles neurons, as the paper does to strengthen a fact.
func Amplify(neurons []Neuron) Edit { return Scale(neurons, 2) }

// Scale multiplies neurons by a factor.
func Scale(neurons []Neuron, factor float64) Edit {
	return Edit{Op: OpScale, Neurons: neurons, Value: factor}
}

// SetTo sets neurons to a value.
func SetTo(neurons []Neuron, value float64) Edit {
	return Edit{Op: OpSet, Neurons: neurons, Value: value}
}

// AtAllPositions returns the edit applied at every token, not only at [MASK].
func (e Edit) AtAllPositions() Edit {
	e.Everywhere = true
	return e
}

// validate checks the edit against a model's sizes.
func (e Edit) validate(layers, ffn int) error {
	if e.Op != OpScale && e.Op != OpSet {
		return fmt.Errorf("kn: unknown edit %q; use %q or %q", e.Op, OpScale, OpSet)
	}
	if e.Value-e.Value != 0 {
		return fmt.Errorf("kn: an edit's value must be finite, not %v", e.Value)
	}
	return validateNeurons(e.Neurons, layers, ffn)
}

// validateNeurons checks that the model has all neurons.
func validateNeurons(neurons []Neuron, layers, ffn int) error {
	for _, n := range neurons {
		if n.Layer < 0 || n.Layer >= layers || n.Index < 0 || n.Index >= ffn {
			return fmt.Errorf("kn: the model has no neuron %v: layers are 0 to %d, indices 0 to %d", n, layers-1, ffn-1)
		}
	}
	return nil
}

// compose works out what edits, applied in order, do to each neuron.
func compose(edits []Edit, ffn int) engine.Edits {
	// scale and offset at [MASK], scale and offset elsewhere
	changed := map[int]*[4]float32{}
	for _, e := range edits {
		for _, n := range SortNeurons(e.Neurons) {
			c := changed[n.Layer*ffn+n.Index]
			if c == nil {
				c = &[4]float32{1, 0, 1, 0}
				changed[n.Layer*ffn+n.Index] = c
			}
			e.apply(&c[0], &c[1])
			if e.Everywhere {
				e.apply(&c[2], &c[3])
			}
		}
	}
	var a engine.Edits
	for _, i := range slices.Sorted(maps.Keys(changed)) {
		c := changed[i]
		a.Index = append(a.Index, i)
		a.MaskScale, a.MaskOffset = append(a.MaskScale, c[0]), append(a.MaskOffset, c[1])
		a.RestScale, a.RestOffset = append(a.RestScale, c[2]), append(a.RestOffset, c[3])
	}
	return a
}

// apply composes the edit with what earlier ones do to one activation.
func (e Edit) apply(scale, offset *float32) {
	v := float32(e.Value)
	switch e.Op {
	case OpScale:
		*scale *= v
		*offset *= v
	case OpSet:
		*scale, *offset = 0, v
	}
}
