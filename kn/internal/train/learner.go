// Package train holds what trainings of a BERT have in common: the weights as
// variables, a step of AdamW with clipped gradients, and the state on disk
// from which a training goes on as if it had not stopped.
package train

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Learner holds a BERT's weights as variables, and later the optimizer's.
type Learner struct {
	Config transformer.Config
	Store  *model.Store
}

// New makes variables of the weights that initial gives for each tensor.
// Those that frozen says yes to, if it is not nil, are never changed.
func New(c transformer.Config, initial func(name string, dims []int) []float32, frozen func(name string) bool) (*Learner, error) {
	l := &Learner{Config: c, Store: model.NewStore()}
	var err error
	transformer.NewWeights(c, func(name string, dims ...int) *graph.Node {
		v, e := l.Store.CreateVariable(variablePath(name, dims), tensors.FromFlatDataAndDimensions(initial(name, dims), dims...))
		switch {
		case e != nil && err == nil:
			err = fmt.Errorf("train: tensor %s: %w", name, e)
		case e == nil && frozen != nil && frozen(name):
			v.SetTrainable(false)
		}
		return nil
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

// Free gives back what the variables and graphs hold of the backend's memory, which
// Go's collector does not see: gigabytes, for a BERT-base. The learner cannot be
// used any more. Graphs that are nil are passed over.
func (l *Learner) Free(graphs ...*model.Exec) {
	for _, g := range graphs {
		if g != nil {
			g.Finalize()
		}
	}
	if l != nil {
		l.Store.Finalize()
	}
}

// Weights are the variables' values in a graph.
func (l *Learner) Weights(g *graph.Graph) *transformer.Weights {
	return transformer.NewWeights(l.Config, l.Lookup(g))
}

// AdamW is the optimizer of Loshchilov and Hutter (ICLR 2019,
// https://arxiv.org/abs/1711.05101): with m and v the running means of the
// gradient and its square, corrected for their start at 0,
//
//	w ← w - rate·(m/(√v + Epsilon) + WeightDecay·w)
type AdamW struct {
	Beta1, Beta2 float64 // of the running means
	Epsilon      float64
	WeightDecay  float64 // of matrices; biases and norms do not decay
	Clip         float64 // largest norm of the whole gradient
}

// Update takes a step down the loss, a scalar, at a rate, a scalar too.
func (l *Learner) Update(scope *model.Scope, loss, rate *graph.Node, o AdamW) {
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
	gradients := clip(graph.Gradient(loss, values...), o.Clip)
	for i, name := range groups {
		if sizes[i] == 0 {
			continue
		}
		group := scope.At("%s", name)
		optimizer.LearningRateVar(group, rate.DType(), 0).SetNodeValue(rate)
		adam := optimizer.Adam().Betas(o.Beta1, o.Beta2).Epsilon(o.Epsilon).Scope("adam")
		if name == decayed {
			adam.WeightDecay(o.WeightDecay)
		}
		adam.Done().(gradientOptimizer).UpdateGraphWithGradients(group, gradients[:sizes[i]], rate.DType())
		gradients = gradients[sizes[i]:]
	}
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

// Tensors are the weights under their Hugging Face names.
func (l *Learner) Tensors() (map[string]checkpoint.Tensor, error) {
	all, err := l.Of(l.Config.Expected())
	if err != nil {
		return nil, err
	}
	return TensorsOf(all, l.Config.Expected()), nil
}
