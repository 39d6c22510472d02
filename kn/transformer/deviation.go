package transformer

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// WordDeviation is the standard deviation of all entries of the word embeddings [V, E].
func (m *Model) WordDeviation() (deviation float64, err error) {
	t, ok := m.tensors[m.Config.WordEmbeddings()]
	if !ok {
		return 0, fmt.Errorf("transformer: the model has no tensor %s", m.Config.WordEmbeddings())
	}
	err = backend.Try(func() error {
		return tensors.ConstFlatData(t, func(flat []float32) {
			mean := 0.0
			for _, v := range flat {
				mean += float64(v)
			}
			mean /= float64(len(flat))
			for _, v := range flat {
				deviation += (float64(v) - mean) * (float64(v) - mean)
			}
			deviation = math.Sqrt(deviation / float64(len(flat)))
		})
	})
	return deviation, err
}
