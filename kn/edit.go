package kn

import (
	"fmt"
	"maps"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// EditOp says what an [Edit] does.
type EditOp string

// The operations: on a neuron's activation w, and on its value vector v, the
// column of the layer's output matrix by which w is multiplied.
const (
	OpScale  EditOp = "scale"  // w becomes Value·w
	OpSet    EditOp = "set"    // w becomes Value
	OpUpdate EditOp = "update" // v turns from the old answer's embedding to the new one's, see [Update]
	OpErase  EditOp = "erase"  // v becomes 0
)

// Edit changes what a set of neurons does: their activations, by [Scale],
// [Suppress], [Amplify] and [SetTo], or their weights, by [Update] and [Erase].
// It is a value that [Model.With] applies, that marshals to JSON, and that
// changes no model.
type Edit struct {
	Op      EditOp
	Neurons []Neuron

	// Of edits of activations.
	Value float64
	// Everywhere applies the edit at all positions instead of only at [MASK].
	Everywhere bool

	// Of updates: the two answers, and the strengths of forgetting the old
	// one and learning the new one.
	Old, New         string
	Lambda1, Lambda2 float64
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
// Edits of weights apply there anyway.
func (e Edit) AtAllPositions() Edit {
	e.Everywhere = !e.ofWeights()
	return e
}

// ofWeights says whether the edit changes weights, and not activations.
func (e Edit) ofWeights() bool { return e.Op == OpUpdate || e.Op == OpErase }

// validateNeurons checks that the model has all neurons.
func validateNeurons(neurons []Neuron, layers, ffn int) error {
	for _, n := range neurons {
		if n.Layer < 0 || n.Layer >= layers || n.Index < 0 || n.Index >= ffn {
			return fmt.Errorf("kn: the model has no neuron %v: layers are 0 to %d, indices 0 to %d", n, layers-1, ffn-1)
		}
	}
	return nil
}

// finite says whether all numbers are.
func finite(numbers ...float64) bool {
	for _, x := range numbers {
		if x-x != 0 {
			return false
		}
	}
	return true
}

// compose checks edits and works out what they do to the model, applied in
// order. Edits of weights go on the weights as earlier ones left them, those of
// activations on the activations; the two do not meet.
func (m *Model) compose(edits []Edit) (engine.Edits, error) {
	c := m.Config()
	var values []engine.ValueEdit
	for _, e := range edits {
		if err := validateNeurons(e.Neurons, c.Layers, c.IntermediateSize); err != nil {
			return engine.Edits{}, err
		}
		switch {
		case e.Op == OpScale || e.Op == OpSet:
			if !finite(e.Value) {
				return engine.Edits{}, fmt.Errorf("kn: an edit's value must be finite, not %v", e.Value)
			}
		case !e.ofWeights():
			return engine.Edits{}, fmt.Errorf("kn: unknown edit %q; use %q, %q, %q or %q", e.Op, OpScale, OpSet, OpUpdate, OpErase)
		case len(e.Neurons) > 0:
			v, err := m.valueEdit(e)
			if err != nil {
				return engine.Edits{}, err
			}
			values = append(values, v)
		}
	}
	composed := composeActivations(edits, c.IntermediateSize)
	composed.Values = values
	return composed, nil
}

// valueEdit is an edit of weights in the engine's form.
func (m *Model) valueEdit(e Edit) (engine.ValueEdit, error) {
	var v engine.ValueEdit
	for _, n := range SortNeurons(e.Neurons) {
		v.Index = append(v.Index, n.Layer*m.Config().IntermediateSize+n.Index)
	}
	if e.Op == OpErase {
		return v, nil
	}
	if !finite(e.Lambda1, e.Lambda2) {
		return v, fmt.Errorf("kn: an update's lambdas must be finite, not %v and %v", e.Lambda1, e.Lambda2)
	}
	v.Keep = 1
	for _, d := range []struct {
		which, answer string
		factor        float64
	}{{"old", e.Old, -e.Lambda1}, {"new", e.New, e.Lambda2}} {
		if d.answer == "" {
			return v, fmt.Errorf("kn: an update needs the %s answer", d.which)
		}
		ids, err := m.Tokenizer().Answer(tokenizer.Encoding{AfterSpace: true}, d.answer)
		if err != nil {
			return v, fmt.Errorf("kn: the update's %s answer: %w", d.which, err)
		}
		for _, id := range ids {
			v.Toward = append(v.Toward, engine.Direction{Token: int32(id), Factor: d.factor / float64(len(ids))})
		}
	}
	return v, nil
}

// composeActivations works out what the edits do to each neuron's activation.
func composeActivations(edits []Edit, ffn int) engine.Edits {
	// scale and offset at [MASK], scale and offset elsewhere
	changed := map[int]*[4]float32{}
	for _, e := range edits {
		if e.ofWeights() {
			continue
		}
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
