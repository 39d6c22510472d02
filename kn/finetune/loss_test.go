package finetune

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// lossAndGradient computes the training loss, dropout included, and its
// gradient with respect to every tensor, in float64.
type lossAndGradient struct {
	names  []string
	values [][]float64
	shapes [][]int
	batch  []any
	exec   *graph.Exec
}

func newLossAndGradient(t *testing.T, c Config) *lossAndGradient {
	t.Helper()
	folder, err := checkpoint.OpenFolder(c.Model)
	if err != nil {
		t.Fatal(err)
	}
	start, err := folder.LoadForClassification(t.Context(), c.Data.Labels, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &lossAndGradient{}
	for _, x := range start.Config.Expected() {
		wide := make([]float64, len(start.Tensors[x.Name].Data))
		for i, v := range start.Tensors[x.Name].Data {
			wide[i] = float64(v)
		}
		l.names, l.values, l.shapes = append(l.names, x.Name), append(l.values, wide), append(l.shapes, x.Shape)
	}
	encoded, _ := Encode(start.Tokenizer, c.Data.Parts[0].Examples, c.MaxLength)
	b := newBatch(start.Tokenizer, encoded, []int{0, 7, 13, 20})
	mask := tensors.MustCopyFlatData[float32](b.Mask)
	wide := make([]float64, len(mask))
	for i, v := range mask {
		wide[i] = float64(v)
	}
	l.batch = []any{b.IDs, b.Types, tensors.FromFlatDataAndDimensions(wide, b.Mask.Shape().Dimensions...), b.Labels, randomState(1, 3)}
	on, err := backend.Get()
	if err != nil {
		t.Fatal(err)
	}
	learner := &learner{config: c}
	l.exec, err = graph.NewExec(on, func(nodes []*graph.Node) []*graph.Node {
		inputs, weights := nodes[:len(l.batch)], nodes[len(l.batch):]
		w := transformer.NewWeights(start.Config, func(name string, _ ...int) *graph.Node { return weights[slices.Index(l.names, name)] })
		loss, _ := learner.loss(w, inputs[:NumInputs], inputs[NumInputs])
		return append([]*graph.Node{loss}, graph.Gradient(loss, weights...)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lossAndGradient) compute(t *testing.T) (loss float64, gradients [][]float64) {
	t.Helper()
	args := slices.Clone(l.batch)
	for i, v := range l.values {
		args = append(args, tensors.FromFlatDataAndDimensions(v, l.shapes[i]...))
	}
	out, err := l.exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range out[1:] {
		gradients = append(gradients, tensors.MustCopyFlatData[float64](g))
	}
	return tensors.ToScalar[float64](out[0]), gradients
}

// TestGradientOfTheLoss compares the derivative of the whole loss, pairs,
// padding and dropout included, along each tensor's gradient with central
// differences.
func TestGradientOfTheLoss(t *testing.T) {
	c := tiny(t, "")
	c.HiddenDropout, c.AttentionDropout, c.MaxLength = 0.2, 0.3, 64
	l := newLossAndGradient(t, c)
	_, gradients := l.compute(t)
	const step = 1e-4
	for i, g := range gradients {
		norm := 0.0
		for _, d := range g {
			norm += d * d
		}
		if norm = math.Sqrt(norm); norm < 1e-9 { // a key's bias has none: softmax does not see it
			continue
		}
		values := l.values[i]
		var at [2]float64
		for k, sign := range []float64{1, -1} {
			moved := slices.Clone(values)
			for j, d := range g {
				moved[j] += sign * step * d / norm
			}
			l.values[i] = moved
			at[k], _ = l.compute(t)
		}
		l.values[i] = values
		if slope := (at[0] - at[1]) / (2 * step); math.Abs(slope-norm) > 1e-5*norm+1e-10 {
			t.Errorf("%s: the slope is %v, the gradient's norm %v", l.names[i], slope, norm)
		}
	}
}

// TestDropout checks that the share asked for is dropped, that the mean stays,
// and that a step has random numbers of its own.
func TestDropout(t *testing.T) {
	on, err := backend.Get()
	if err != nil {
		t.Fatal(err)
	}
	exec, err := graph.NewExec(on, func(state *graph.Node) []*graph.Node {
		d := dropout{state: state}
		ones := graph.Ones(state.Graph(), tensors.FromFlatDataAndDimensions(make([]float32, 1), 1).Shape())
		ones = graph.BroadcastToDims(ones, 100_000)
		return []*graph.Node{d.apply(ones, 0.25), d.apply(ones, 0.25), d.apply(ones, 0)}
	})
	if err != nil {
		t.Fatal(err)
	}
	run := func(step int) (out [3][]float32) {
		all, err := exec.Call(randomState(1, step))
		if err != nil {
			t.Fatal(err)
		}
		for i := range out {
			out[i] = tensors.MustCopyFlatData[float32](all[i])
		}
		return out
	}
	first, again, next := run(0), run(0), run(1)
	zeros, sum := 0, 0.0
	for _, x := range first[0] {
		if x == 0 {
			zeros++
		}
		sum += float64(x)
	}
	if math.Abs(float64(zeros)/100_000-0.25) > 0.01 || math.Abs(sum/100_000-1) > 0.02 {
		t.Errorf("%d of 100,000 are dropped, the mean is %v", zeros, sum/100_000)
	}
	if !slices.Equal(first[0], again[0]) || slices.Equal(first[0], next[0]) || slices.Equal(first[0], first[1]) {
		t.Error("random numbers are not the step's own")
	}
	if slices.Contains(first[2], 0) {
		t.Error("something is dropped though nothing is to be")
	}
}

// TestEpoch: every example comes once a round, in another order each time.
func TestEpoch(t *testing.T) {
	encoded := make([]Encoded, 1003)
	for i := range encoded {
		encoded[i].IDs = make([]int32, 1+i*i%29)
	}
	first, second := epoch(encoded, 1, 0, 16), epoch(encoded, 1, 1, 16)
	for _, batches := range [][][]int{first, second} {
		all := slices.Concat(batches...)
		slices.Sort(all)
		for i := range encoded {
			if all[i] != i {
				t.Fatalf("example %d is missing or comes twice", i)
			}
		}
		if len(batches) != stepsOf(len(encoded), 16) {
			t.Errorf("%d batches", len(batches))
		}
	}
	if slices.Equal(slices.Concat(first...), slices.Concat(second...)) {
		t.Error("the second round has the order of the first")
	}
	if again := epoch(encoded, 1, 0, 16); !slices.Equal(slices.Concat(first...), slices.Concat(again...)) {
		t.Error("a round is not fixed by its number")
	}
}

// TestRate compares the schedule with its definition at its corners.
func TestRate(t *testing.T) {
	c := Config{LearningRate: 2, WarmUp: 0.1, Steps: 100}
	for step, want := range map[int]float64{0: 0.2, 4: 1, 9: 2, 10: 2, 55: 1, 99: 2.0 / 90} {
		if got := c.rate(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("the rate of step %d is %v, want %v", step, got, want)
		}
	}
	c.WarmUp = 0
	if got := c.rate(0); got != 2 {
		t.Errorf("without warm-up the first rate is %v", got)
	}
}
