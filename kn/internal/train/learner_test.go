package train

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// small is a learner whose every weight is to shrink: the loss is Σ w²/2, so
// that the gradient is w itself.
func small(t *testing.T, frozen func(string) bool, o AdamW) (*Learner, *model.Exec) {
	t.Helper()
	c := checkpoint.DefaultConfig().ForClassification([]string{"a", "b"})
	c.VocabSize, c.HiddenSize, c.Layers, c.Heads, c.IntermediateSize, c.MaxPositions = 6, 4, 1, 2, 3, 2
	n := 0
	l, err := New(c, func(_ string, dims []int) []float32 {
		size := 1
		for _, d := range dims {
			size *= d
		}
		data := make([]float32, size)
		for i := range data {
			n++
			data[i] = float32(math.Sin(float64(n)))
		}
		return data
	}, frozen)
	if err != nil {
		t.Fatal(err)
	}
	b, err := backend.Get()
	if err != nil {
		t.Fatal(err)
	}
	exec, err := model.NewExec(b, l.Store, func(scope *model.Scope, rate *graph.Node) *graph.Node {
		loss := graph.ScalarZero(rate.Graph(), rate.DType())
		transformer.NewWeights(c, func(name string, dims ...int) *graph.Node {
			w := l.Store.GetVariable(variablePath(name, dims)).NodeValue(rate.Graph())
			loss = graph.Add(loss, graph.MulScalar(graph.ReduceAllSum(graph.Square(w)), 0.5))
			return w
		})
		l.Update(scope, loss, rate, o)
		return loss
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, exec
}

// TestUpdateEqualsAdamW takes steps beside the formula, written out again in float64.
func TestUpdateEqualsAdamW(t *testing.T) {
	o := AdamW{Beta1: 0.8, Beta2: 0.95, Epsilon: 1e-3, WeightDecay: 0.1, Clip: 2}
	frozen := func(name string) bool { return strings.HasPrefix(name, "bert.pooler") }
	l, exec := small(t, frozen, o)
	type numbers = map[string][]float64
	w, m, v := numbers{}, numbers{}, numbers{}
	before, err := l.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range before {
		for _, value := range x.Data {
			w[name] = append(w[name], float64(value))
		}
		m[name], v[name] = make([]float64, len(x.Data)), make([]float64, len(x.Data))
	}
	for step, rate := range []float64{0.1, 0.2, 0.05} {
		if _, err := exec.Exec(tensors.FromScalar(float32(rate))); err != nil {
			t.Fatal(err)
		}
		squares := 0.0
		for name, x := range w {
			for _, value := range x {
				if !frozen(name) {
					squares += value * value
				}
			}
		}
		factor := math.Min(1, o.Clip/math.Sqrt(squares))
		for name, x := range w {
			for i := range x {
				if frozen(name) {
					continue
				}
				g := x[i] * factor
				m[name][i] = o.Beta1*m[name][i] + (1-o.Beta1)*g
				v[name][i] = o.Beta2*v[name][i] + (1-o.Beta2)*g*g
				mean, square := m[name][i]/(1-math.Pow(o.Beta1, float64(step+1))), v[name][i]/(1-math.Pow(o.Beta2, float64(step+1)))
				decay := 0.0
				if len(before[name].Shape) > 1 {
					decay = o.WeightDecay * x[i]
				}
				x[i] -= rate * (mean/(math.Sqrt(square)+o.Epsilon) + decay)
			}
		}
	}
	after, err := l.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range w {
		for i, want := range x {
			if got := float64(after[name].Data[i]); math.Abs(got-want) > 1e-5 {
				t.Fatalf("%s[%d] is %v, want %v", name, i, got, want)
			}
		}
	}
}

// TestFinite finds the value that is no number.
func TestFinite(t *testing.T) {
	all := map[string]Variable{"a": {[]int{2}, []float32{1, 2}, nil}}
	if err := Finite(all); err != nil {
		t.Error(err)
	}
	all["b"] = Variable{[]int{2}, []float32{0, float32(math.NaN())}, nil}
	if err := Finite(all); err == nil || !strings.Contains(err.Error(), "element 1 of b is NaN") {
		t.Errorf("got %v", err)
	}
}

// TestFree: after a step all variables, the optimizer's too, give their memory back.
func TestFree(t *testing.T) {
	l, exec := small(t, nil, AdamW{Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Clip: 1})
	if _, err := exec.Exec(float32(0.1)); err != nil {
		t.Fatal(err)
	}
	var held []*tensors.Tensor
	for v := range l.Store.IterVariables() {
		held = append(held, v.MustValue())
	}
	if weights := len(l.Config.Expected()); len(held) < 3*weights { // and two moments of each
		t.Fatalf("%d variables of %d weights", len(held), weights)
	}
	l.Free(exec, nil)
	for _, x := range held {
		if x.CheckValid() == nil {
			t.Fatalf("a variable of %s is still held", x.Shape())
		}
	}
	(*Learner)(nil).Free(nil)
}
