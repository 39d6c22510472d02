package kn

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// foldEdits puts edits into a checkpoint's weights. Edits of weights change
// them as the backend's are changed, to the bit. An activation w that becomes
// s·w + o at all positions leaves what W w + b adds to the residual stream as it is
// when column i of W becomes s_i·W_i, and b becomes b + Σ o_i·W_i.
func foldEdits(c *checkpoint.Checkpoint, edits engine.Edits) error {
	hidden, width, ffn := c.Config.HiddenSize, c.Config.EmbeddingWidth(), c.Config.IntermediateSize
	words := c.Tensors[transformer.Words(c.Config)].Data
	numbers := func(name string) ([]float32, error) { return c.Tensors[name].Data, nil }
	changes, err := engine.ChangeValues(edits.Values, ffn, func(token int32) ([]float32, error) {
		return transformer.Projected(c.Config, words[int(token)*width:(int(token)+1)*width], numbers)
	})
	if err != nil {
		return err
	}
	for l, change := range changes {
		change(c.Tensors[c.Config.ValueVectors(l)].Data)
	}
	for k, i := range edits.Index {
		if !finite(float64(edits.MaskScale[k]), float64(edits.MaskOffset[k]), float64(edits.RestScale[k]), float64(edits.RestOffset[k])) {
			return fmt.Errorf("kn: the edits of neuron %v come to an infinite factor or value; use smaller ones", Neuron{i / ffn, i % ffn})
		}
		if edits.MaskScale[k] != edits.RestScale[k] || edits.MaskOffset[k] != edits.RestOffset[k] {
			return fmt.Errorf("kn: neuron %v is edited at [MASK] alone, which weights cannot hold; apply the edit at all positions, or save the edits instead", Neuron{i / ffn, i % ffn})
		}
		matrix, bias := c.Tensors[c.Config.ValueVectors(i/ffn)].Data, c.Tensors[c.Config.ValueBias(i/ffn)].Data
		if bias == nil {
			if edits.MaskOffset[k] != 0 {
				return fmt.Errorf("kn: neuron %v is set to a value, which weights cannot hold since the model's FFN has no bias; scale it, or save the edits instead", Neuron{i / ffn, i % ffn})
			}
			bias = make([]float32, hidden) // stays 0
		}
		for j := range hidden {
			at := j*ffn + i%ffn
			v := float64(matrix[at])
			bias[j] = float32(float64(bias[j]) + float64(edits.MaskOffset[k])*v)
			matrix[at] = float32(float64(edits.MaskScale[k]) * v)
			if !finite(float64(bias[j]), float64(matrix[at])) {
				return fmt.Errorf("kn: the edit of neuron %v makes its weights infinite; use a smaller value", Neuron{i / ffn, i % ffn})
			}
		}
	}
	return nil
}
