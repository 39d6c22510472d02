package pretrain

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// task is what a model is trained on.
type task interface {
	inputs() int                                                   // of the training graph
	batch(step int) []any                                          // its inputs, fixed by the seed and the step
	loss(w *transformer.Weights, inputs []*graph.Node) *graph.Node // scalar
}

// learner holds a model's variables and the compiled training step.
type learner struct {
	*train.Learner
	config Config
	step   *model.Exec
	recall *model.Exec
}

// newLearner makes a model with random weights and compiles nothing yet.
func newLearner(c Config, vocabSize int, t task) (*learner, error) {
	b, err := backend.Get()
	if err != nil {
		return nil, err
	}
	l := &learner{config: c}
	err = backend.Try(func() error {
		config := c.modelConfig(vocabSize)
		if l.Learner, err = train.New(config, c.initial(), nil); err != nil {
			return err
		}
		l.step, err = model.NewExec(b, l.Store, func(scope *model.Scope, in []*graph.Node) *graph.Node {
			loss := t.loss(l.Weights(in[0].Graph()), in[:t.inputs()])
			l.Update(scope, loss, in[t.inputs()], train.AdamW{
				Beta1: 0.9, Beta2: 0.98, Epsilon: 1e-8, WeightDecay: c.WeightDecay, Clip: c.Clip,
			})
			return loss
		})
		if err != nil {
			return err
		}
		l.recall, err = model.NewExec(b, l.Store, func(_ *model.Scope, in []*graph.Node) (*graph.Node, *graph.Node) {
			return recallGraph(l.Weights(in[0].Graph()), in)
		})
		return err
	})
	return l, err
}

// free gives the memory back; there may be none yet.
func (l *learner) free() {
	if l != nil {
		l.Free(l.step, l.recall)
	}
}

// headTransform is the matrix between the last layer and the decoder.
const headTransform = "cls.predictions.transform.dense.weight"

// initial draws the weights: normal matrices, norms 1, biases 0. The head's
// transform begins at the identity: then a value vector along a word's
// embedding comes out as that word from the first step, as it does in BERT,
// whose long training undoes what was drawn there. A small model's does not, and
// a fact in it could not be updated by its value vectors.
func (c Config) initial() func(name string, dims []int) []float32 {
	rng := rand.New(rand.NewPCG(c.Seed, 0x1417))
	return func(name string, dims []int) []float32 {
		data := make([]float32, product(dims))
		deviation := 0.0
		switch {
		case isNorm(name):
			for i := range data {
				data[i] = 1
			}
		case name == headTransform:
			for i := range dims[0] {
				data[i*dims[1]+i] = 1
			}
		case len(dims) > 1:
			deviation = c.Deviation
		}
		if deviation > 0 {
			for i := range data {
				data[i] = float32(rng.NormFloat64() * deviation)
			}
		}
		return data
	}
}

// isNorm says whether a tensor is the scale of a LayerNorm, an encoder's or a
// decoder's.
func isNorm(name string) bool {
	return strings.HasSuffix(name, "LayerNorm.weight") || strings.HasSuffix(name, "norm.weight")
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// rate is the learning rate at a step: linear warm-up, then half a cosine.
func (c Config) rate(step int) float64 {
	done := float64(step) / float64(c.Steps())
	cosine := math.Max(c.FinalRate, (1+math.Cos(math.Pi*done))/2)
	return c.LearningRate * min(1, float64(step+1)/float64(max(1, c.WarmUp))) * cosine
}

// take takes one step and returns its loss.
func (l *learner) take(step int, inputs []any) (loss float64, err error) {
	err = backend.Try(func() error {
		out, err := l.step.Exec(append(inputs, tensors.FromScalar(float32(l.config.rate(step))))...)
		if err != nil {
			return err
		}
		loss = float64(tensors.ToScalar[float32](out[0]))
		return nil
	})
	if err == nil && (math.IsNaN(loss) || math.IsInf(loss, 0)) {
		err = fmt.Errorf("pretrain: the loss is %v at step %d; try a smaller learning rate", loss, step)
	}
	return loss, err
}
