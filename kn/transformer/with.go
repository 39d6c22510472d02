package transformer

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// Projected is a word embedding [E] as it enters the residual stream, but for
// what all tokens have in common: the embedding itself, or the projection's
// weight [H, E] times it where there is one. weights returns a tensor's numbers.
func Projected(c Config, embedding []float32, weights func(name string) ([]float32, error)) ([]float32, error) {
	if c.EmbeddingWidth() == c.HiddenSize {
		return embedding, nil
	}
	matrix, err := weights(projection + ".weight")
	if err != nil {
		return nil, err
	}
	out := make([]float32, c.HiddenSize)
	for j := range out {
		sum := 0.0
		for i, x := range embedding {
			sum += float64(matrix[j*len(embedding)+i]) * float64(x)
		}
		out[j] = float32(sum)
	}
	return out, nil
}

// Words is the name of the tensor [V, E] whose rows stand for the words that a
// model predicts: the word embeddings, or in a decoder whose head has its own, those.
func Words(c Config) string {
	if c.Causal() && !c.TieWordEmbeddings {
		return ownWords
	}
	return c.WordEmbeddings()
}

// Embedding is a token's row of [Words] as [Projected] gives it [H].
func (m *Model) Embedding(token int) ([]float32, error) {
	row, err := m.Row(Words(m.Config), token)
	if err != nil {
		return nil, err
	}
	return Projected(m.Config, row, func(name string) (values []float32, err error) {
		err = backend.Try(func() (err error) {
			values, err = tensors.CopyFlatData[float32](m.tensors[name])
			return err
		})
		return values, err
	})
}

// With returns a model in which some tensors, by their Hugging Face names, are
// changed copies and which shares all others with m. m itself does not
// change. A change is given the tensor's numbers, row by row. Graphs that were
// compiled for m run on the result, see [Exec.CallOn]. What is not shared is
// freed by [Model.Free].
func (m *Model) With(changes map[string]func(values []float32)) (*Model, error) {
	n := &Model{Config: m.Config, Backend: m.Backend, tensors: make(map[string]*tensors.Tensor, len(m.tensors))}
	for name, t := range m.tensors {
		n.tensors[name] = t
	}
	for name, change := range changes {
		err := n.change(name, change)
		if err == nil && n.tensors[name+transposedSuffix] != nil {
			err = n.transpose(name)
		}
		if err != nil {
			n.Free()
			return nil, fmt.Errorf("transformer: changing tensor %s: %w", name, err)
		}
	}
	return n, nil
}

// change puts a changed copy in the place of a tensor.
func (m *Model) change(name string, change func(values []float32)) error {
	original, ok := m.tensors[name]
	if !ok {
		return fmt.Errorf("the model has no such tensor")
	}
	shape := original.Shape().Dimensions
	if !m.Backend.HasSharedBuffers() {
		values, err := tensors.CopyFlatData[float32](original)
		if err != nil {
			return err
		}
		change(values)
		return m.upload(name, checkpoint.Tensor{Shape: shape, Data: values})
	}
	place, err := m.place(name, shape)
	if err != nil {
		return err
	}
	if err := tensors.ConstFlatData(original, func(values []float32) { copy(place, values) }); err != nil {
		return err
	}
	change(place)
	return nil
}

// place makes a tensor in the backend's own memory and returns that.
func (m *Model) place(name string, shape []int) (place []float32, err error) {
	buffer, flat, err := m.Backend.NewSharedBuffer(0, shapes.Make(dtypes.Float32, shape...))
	if err != nil {
		return nil, err
	}
	t, err := tensors.FromBuffer(buffer)
	if err != nil {
		return nil, err
	}
	m.put(name, t)
	place, _ = flat.([]float32)
	return place, nil
}

// Row returns a copy of one row of a tensor [rows, columns].
func (m *Model) Row(name string, row int) (values []float32, err error) {
	t, ok := m.tensors[name]
	if !ok {
		return nil, fmt.Errorf("transformer: the model has no tensor %s", name)
	}
	dims := t.Shape().Dimensions
	if len(dims) != 2 || row < 0 || row >= dims[0] {
		return nil, fmt.Errorf("transformer: tensor %s %v has no row %d", name, dims, row)
	}
	err = backend.Try(func() error {
		return tensors.ConstFlatData(t, func(flat []float32) {
			values = append(values, flat[row*dims[1]:(row+1)*dims[1]]...)
		})
	})
	return values, err
}
