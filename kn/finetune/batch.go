package finetune

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Encoded is an example as the model reads it.
type Encoded struct {
	IDs, Types []int32
	Label      int32
}

// Encode spells examples as [CLS] a [SEP] or [CLS] a [SEP] b [SEP], cut to
// maxLen tokens from the longer sentence. unknown are the words that the
// vocabulary cannot spell, and that the model sees as [UNK].
func Encode(tok *tokenizer.Tokenizer, examples []Example, maxLen int) (encoded []Encoded, unknown []string) {
	encoded = make([]Encoded, len(examples))
	for i, x := range examples {
		var e tokenizer.Encoding
		if x.Sentence2 == "" {
			e = tok.EncodeUpTo(x.Sentence1, maxLen)
		} else {
			e = tok.EncodePairUpTo(x.Sentence1, x.Sentence2, maxLen)
		}
		encoded[i] = Encoded{int32s(e.IDs), int32s(e.TypeIDs), int32(x.Label)}
		unknown = append(unknown, e.Unknown...)
	}
	slices.Sort(unknown)
	return encoded, slices.Compact(unknown)
}

func int32s(x []int) []int32 {
	y := make([]int32, len(x))
	for i, v := range x {
		y[i] = int32(v)
	}
	return y
}

// Batch is some examples, padded to one length, as a graph takes them.
type Batch struct {
	Indices []int           // of the examples among those that were batched
	IDs     *tensors.Tensor // [B, n] int32
	Types   *tensors.Tensor // [B, n] int32
	Mask    *tensors.Tensor // [B, n] float32: 1 for tokens, 0 for padding
	Labels  *tensors.Tensor // [B] int32
}

// NumInputs is the number of [Batch.Inputs].
const NumInputs = 4

// Inputs are the batch as arguments of a graph: IDs, Types, Mask, Labels. See [GraphInputs].
func (b *Batch) Inputs() []any { return []any{b.IDs, b.Types, b.Mask, b.Labels} }

// ToDevice moves the batch to where it is computed. GoMLX does so when a graph
// first takes it, and goes wrong where two take it at the same moment.
func (b *Batch) ToDevice(on compute.Backend) error {
	for _, t := range []*tensors.Tensor{b.IDs, b.Types, b.Mask, b.Labels} {
		if err := t.ToDevice(on, 0); err != nil {
			return fmt.Errorf("finetune: moving a batch to %s: %w", on.Name(), err)
		}
	}
	return nil
}

// GraphInputs are the nodes of [Batch.Inputs] as BERT's inputs, and the labels [B] int32.
func GraphInputs(in []*graph.Node) (inputs transformer.Inputs, labels *graph.Node) {
	return transformer.Inputs{IDs: in[0], Types: in[1], Mask: in[2]}, in[3]
}

// padded is the length to which sequences of n tokens are padded: the next
// multiple of 8 up to 32 tokens, of 16 up to 64, of 32 up to 128 and so on, so
// that there are few distinct shapes, and few graphs to compile.
func padded(n int) int {
	step := 8
	for 4*step < n {
		step *= 2
	}
	return (n + step - 1) / step * step
}

// Batches puts all examples, shortest first, into batches of at most size.
// Padding changes no result.
func Batches(tok *tokenizer.Tokenizer, encoded []Encoded, size int) []Batch {
	order := make([]int, len(encoded))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return len(encoded[i].IDs) - len(encoded[j].IDs) })
	var batches []Batch
	for some := range slices.Chunk(order, size) {
		batches = append(batches, newBatch(tok, encoded, some))
	}
	return batches
}

// newBatch pads the examples with the given indices.
func newBatch(tok *tokenizer.Tokenizer, encoded []Encoded, indices []int) Batch {
	b, n := len(indices), 0
	for _, i := range indices {
		n = max(n, len(encoded[i].IDs))
	}
	n = padded(n)
	ids, types, mask := make([]int32, b*n), make([]int32, b*n), make([]float32, b*n)
	labels := make([]int32, b)
	for k, i := range indices {
		e := encoded[i]
		row := ids[k*n : (k+1)*n]
		for j := copy(row, e.IDs); j < n; j++ {
			row[j] = int32(tok.PadID())
		}
		copy(types[k*n:], e.Types)
		for j := range e.IDs {
			mask[k*n+j] = 1
		}
		labels[k] = e.Label
	}
	return Batch{
		Indices: indices,
		IDs:     tensors.FromFlatDataAndDimensions(ids, b, n), Types: tensors.FromFlatDataAndDimensions(types, b, n),
		Mask: tensors.FromFlatDataAndDimensions(mask, b, n), Labels: tensors.FromFlatDataAndDimensions(labels, b),
	}
}
