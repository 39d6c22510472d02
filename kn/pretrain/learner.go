package pretrain

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"github.com/knowledge-neurons/gonb-kn/kn/bert"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// task is what a model is trained on.
type task interface {
	inputs() int                                            // of the training graph
	batch(step int) []any                                   // its inputs, fixed by the seed and the step
	loss(w *bert.Weights, inputs []*graph.Node) *graph.Node // scalar
}

// learner holds a BERT's variables and the compiled training step.
type learner struct {
	config  Config
	bert    bert.Config
	backend compute.Backend
	store   *model.Store
	step    *model.Exec
	recall  *model.Exec
}

// newLearner makes a model with random weights and compiles nothing yet.
func newLearner(c Config, vocabSize int, t task) (*learner, error) {
	b, err := backend.Get()
	if err != nil {
		return nil, err
	}
	l := &learner{config: c, bert: c.bertConfig(vocabSize), backend: b, store: model.NewStore()}
	err = backend.Try(func() error {
		if err := l.initialize(); err != nil {
			return err
		}
		l.step, err = model.NewExec(b, l.store, func(scope *model.Scope, in []*graph.Node) *graph.Node {
			w := l.weights(in[0].Graph())
			return l.update(scope, t.loss(w, in[:t.inputs()]), in[t.inputs()])
		})
		if err != nil {
			return err
		}
		l.recall, err = model.NewExec(b, l.store, func(_ *model.Scope, in []*graph.Node) (*graph.Node, *graph.Node) {
			return recallGraph(l.weights(in[0].Graph()), in)
		})
		return err
	})
	return l, err
}

// Scopes of the trained variables: matrices decay; biases and norms do not.
const (
	decayed   = "decayed"
	undecayed = "undecayed"
)

var groups = []string{decayed, undecayed}

// variablePath is where the store keeps a tensor.
func variablePath(name string, dims []int) string {
	if len(dims) > 1 {
		return "/" + decayed + "/" + name
	}
	return "/" + undecayed + "/" + name
}

// initialize draws the weights: normal matrices, norms 1, biases 0. The
// neurons' value vectors are smaller by √(H/F), so that a layer's output does
// not grow with its width.
func (l *learner) initialize() (err error) {
	rng := rand.New(rand.NewPCG(l.config.Seed, 0x1417))
	bert.NewWeights(l.bert, func(name string, dims ...int) *graph.Node {
		data := make([]float32, product(dims))
		deviation := 0.0
		switch {
		case strings.HasSuffix(name, "LayerNorm.weight"):
			for i := range data {
				data[i] = 1
			}
		case len(dims) > 1 && dims[1] == l.bert.IntermediateSize && strings.HasSuffix(name, ".output.dense.weight"):
			deviation = l.config.Deviation * math.Sqrt(float64(dims[0])/float64(dims[1]))
		case len(dims) > 1:
			deviation = l.config.Deviation
		}
		if deviation > 0 {
			for i := range data {
				data[i] = float32(rng.NormFloat64() * deviation)
			}
		}
		if _, e := l.store.CreateVariable(variablePath(name, dims), tensors.FromFlatDataAndDimensions(data, dims...)); e != nil && err == nil {
			err = fmt.Errorf("pretrain: %w", e)
		}
		return nil
	})
	return err
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// weights are the variables' values in a graph.
func (l *learner) weights(g *graph.Graph) *bert.Weights {
	return bert.NewWeights(l.bert, func(name string, dims ...int) *graph.Node {
		return l.store.GetVariable(variablePath(name, dims)).NodeValue(g)
	})
}

// update takes a step of AdamW down the loss, with the gradient's norm
// clipped, and returns the loss.
func (l *learner) update(scope *model.Scope, loss, rate *graph.Node) *graph.Node {
	g := loss.Graph()
	var values []*graph.Node
	sizes := make([]int, len(groups))
	for i, name := range groups {
		for v := range scope.At("%s", name).IterVariables() {
			if v.Trainable && v.InUseByGraph(g) {
				values = append(values, v.NodeValue(g))
				sizes[i]++
			}
		}
	}
	gradients := clip(graph.Gradient(loss, values...), l.config.Clip)
	for i, name := range groups {
		group := scope.At("%s", name)
		optimizer.LearningRateVar(group, rate.DType(), 0).SetNodeValue(rate)
		adam := optimizer.Adam().Betas(0.9, 0.98).Epsilon(1e-8).Scope("adam")
		if name == decayed {
			adam.WeightDecay(l.config.WeightDecay)
		}
		adam.Done().(gradientOptimizer).UpdateGraphWithGradients(group, gradients[:sizes[i]], rate.DType())
		gradients = gradients[sizes[i]:]
	}
	return loss
}

// gradientOptimizer is an optimizer that takes gradients instead of a loss.
type gradientOptimizer interface {
	UpdateGraphWithGradients(scope *model.Scope, gradients []*graph.Node, dtype dtypes.DType)
}

// clip scales gradients down to a common norm of at most most.
func clip(gradients []*graph.Node, most float64) []*graph.Node {
	squares := graph.ScalarZero(gradients[0].Graph(), gradients[0].DType())
	for _, d := range gradients {
		squares = graph.Add(squares, graph.ReduceAllSum(graph.Square(d)))
	}
	norm := graph.AddScalar(graph.Sqrt(squares), 1e-6)
	factor := graph.MinScalar(graph.MulScalar(graph.Reciprocal(norm), most), 1.0)
	clipped := make([]*graph.Node, len(gradients))
	for i, d := range gradients {
		clipped[i] = graph.Mul(d, factor)
	}
	return clipped
}

// rate is the learning rate at a step: linear warm-up, then half a cosine.
func (c Config) rate(step int) float64 {
	done := float64(step) / float64(c.Steps())
	cosine := math.Max(c.FinalRate, (1+math.Cos(math.Pi*done))/2)
	return c.LearningRate * min(1, float64(step+1)/float64(max(1, c.WarmUp))) * cosine
}

// train takes one step and returns its loss.
func (l *learner) train(step int, inputs []any) (loss float64, err error) {
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
