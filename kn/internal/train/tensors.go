package train

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// NewTensors makes variables of any tensors, for models that are not a BERT
// alone. The learner's Config stays empty; [Learner.Lookup] finds the
// variables in a graph.
func NewTensors(want []checkpoint.Expected, initial func(name string, dims []int) []float32) (*Learner, error) {
	l := &Learner{Store: model.NewStore()}
	for _, e := range want {
		if _, err := l.Store.CreateVariable(variablePath(e.Name, e.Shape), tensors.FromFlatDataAndDimensions(initial(e.Name, e.Shape), e.Shape...)); err != nil {
			return nil, fmt.Errorf("train: tensor %s: %w", e.Name, err)
		}
	}
	return l, nil
}

// Lookup finds the variables' values in a graph.
func (l *Learner) Lookup(g *graph.Graph) transformer.Lookup {
	return func(name string, dims ...int) *graph.Node {
		return l.Store.GetVariable(variablePath(name, dims)).NodeValue(g)
	}
}

// TensorsOf picks tensors out of what [Learner.Variables] or [Learner.Of] copied.
func TensorsOf(all map[string]Variable, want []checkpoint.Expected) map[string]checkpoint.Tensor {
	out := map[string]checkpoint.Tensor{}
	for _, e := range want {
		out[e.Name] = checkpoint.Tensor{Shape: e.Shape, Data: all[variablePath(e.Name, e.Shape)].Floats}
	}
	return out
}
