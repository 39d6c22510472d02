package electra

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// checkGradient compares the gradient of a sum of losses with respect to x
// with central differences.
func checkGradient(t *testing.T, what string, x []float64, loss func(x *graph.Node) *graph.Node) {
	t.Helper()
	const h = 1e-2
	rows := [][]float64{x} // then both sides of each entry
	for i := range x {
		for _, sign := range []float64{1, -1} {
			row := append([]float64{}, x...)
			row[i] += sign * h
			rows = append(rows, row)
		}
	}
	out := compute(t, func(in []*graph.Node) []*graph.Node {
		l := loss(in[0]) // [1 + 2V]
		return []*graph.Node{l, graph.Gradient(graph.ReduceAllSum(l), in[0])[0]}
	}, matrix(rows))
	want := make([]float64, len(x))
	for i := range x {
		want[i] = (out[0][1+2*i] - out[0][2+2*i]) / (2 * h)
	}
	near(t, what, out[1][:len(x)], want, 2e-3)
}

func TestGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	x := make([]float64, 6)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	repeat := func(of *graph.Node, v float64, kind func(*graph.Node) *graph.Node) *graph.Node { // [N]
		return kind(graph.AddScalar(graph.MulScalar(graph.ReduceSum(of, -1), 0), v))
	}
	float := func(x *graph.Node) *graph.Node { return x }
	whole := func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, tensors.FromScalar(int32(0)).DType()) }
	for _, gamma := range []float64{0, 0.5, 2} {
		checkGradient(t, "focal loss", x, func(x *graph.Node) *graph.Node {
			return FocalLoss(at(graph.LogSoftmax(x, -1), repeat(x, 2, whole)), gamma)
		})
	}
	for _, s := range []Sampler{HPLoss, HPDist} {
		checkGradient(t, string(s), x, func(x *graph.Node) *graph.Node {
			return s.HardnessLoss(graph.Softmax(graph.IotaLike(x, 1), -1), x, repeat(x, 3, whole), repeat(x, 1.7, float), repeat(x, 0.6, float))
		})
	}
	for _, replaced := range []float64{0, 1} {
		checkGradient(t, "detection loss", append(x, 0), func(x *graph.Node) *graph.Node {
			return graph.ReduceSum(DetectionLoss(x, graph.AddScalar(graph.MulScalar(x, 0), replaced)), -1)
		})
	}
}

// Large logits neither overflow nor lose their gradient.
func TestDetectionLossAtExtremes(t *testing.T) {
	logits := []float64{-200, -20, 0, 20, 200}
	for _, replaced := range []float64{0, 1} {
		out := compute(t, func(in []*graph.Node) []*graph.Node {
			l := DetectionLoss(in[0], graph.AddScalar(graph.ZerosLike(in[0]), replaced))
			return []*graph.Node{l, graph.Gradient(graph.ReduceAllSum(l), in[0])[0]}
		}, vector(logits...))
		var loss, slope []float64
		for _, s := range logits {
			loss = append(loss, math.Max(s, 0)+math.Log1p(math.Exp(-math.Abs(s)))-replaced*s)
			slope = append(slope, 1/(1+math.Exp(-s))-replaced)
		}
		near(t, "loss", out[0], loss, 1e-6)
		near(t, "gradient", out[1], slope, 1e-6)
	}
}

// Nothing flows through the draw, the proposal or the weight, nor from what
// the head learns into what it learns from.
func TestWhereNoGradientFlows(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	row := func() []float64 {
		x := make([]float64, 7)
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		return x
	}
	for _, s := range Samplers {
		out := compute(t, func(in []*graph.Node) []*graph.Node {
			logits, head, scores, u := in[0], in[1], in[2], in[3]
			p := graph.Softmax(logits, -1)
			from := Mixture.Mix(s.Propose(p, head), graph.StopGradient(p), 5)
			drawn := Draw(from, u)
			weight := ImportanceWeights(at(p, drawn), at(from, drawn), 5)
			detection := DetectionLoss(at(scores, drawn), graph.OnesLike(u)) // [N]
			weighted := graph.ReduceAllSum(graph.Mul(weight, detection))
			g := graph.Gradient(weighted, logits, head, scores)
			none := graph.ReduceAllSum(graph.Abs(graph.Concatenate(g[:2], 0)))
			some := graph.ReduceAllSum(graph.Abs(g[2]))
			if !s.HasHead() {
				return []*graph.Node{none, some}
			}
			learned := graph.ReduceAllSum(s.HardnessLoss(p, head, drawn, weight, detection))
			g = graph.Gradient(learned, logits, scores, head)
			none = graph.Add(none, graph.ReduceAllSum(graph.Abs(graph.Concatenate(g[:2], 0))))
			return []*graph.Node{none, graph.Mul(some, graph.ReduceAllSum(graph.Abs(g[2])))}
		}, matrix([][]float64{row(), row()}), matrix([][]float64{row(), row()}), matrix([][]float64{row(), row()}), vector(0.3, 0.8))
		if out[0][0] != 0 || out[1][0] == 0 {
			t.Errorf("%s: gradient %v where there is none, %v where there is one", s, out[0][0], out[1][0])
		}
	}
}

// HPDist's expected gradient, over all that can be drawn, vanishes at the
// optimal proposal and nowhere near it, whatever is drawn from.
func TestHPDistLearnsTheOptimum(t *testing.T) {
	c := randomTable(rand.New(rand.NewPCG(9, 9)), 8)
	optimal, err := Optimal(c.generator, c.loss)
	if err != nil {
		t.Fatal(err)
	}
	v := len(c.generator)
	slope := func(head []float64) float64 {
		out := compute(t, func(in []*graph.Node) []*graph.Node {
			head, p, loss := graph.BroadcastToDims(in[0], v, v), in[1], in[2]
			from := Mixture.Mix(HPDist.Propose(in[1], graph.Squeeze(in[0], 0)), p, 3) // [V]
			every := graph.ConvertDType(graph.IotaLike(p, 0), tensors.FromScalar(int32(0)).DType())
			l := HPDist.HardnessLoss(graph.BroadcastToDims(graph.InsertAxes(p, 0), v, v), head, every, ImportanceWeights(p, from, 3), loss)
			expected := graph.ReduceAllSum(graph.Mul(graph.StopGradient(from), l))
			return []*graph.Node{graph.L2Norm(graph.Gradient(expected, in[0])[0])}
		}, matrix([][]float64{head}), vector(c.generator...), vector(c.loss...))
		return out[0][0]
	}
	log := make([]float64, v)
	for x, p := range optimal {
		log[x] = math.Log(p / c.generator[x])
	}
	if s := slope(log); s > 1e-6 {
		t.Errorf("gradient %v at the optimum", s)
	}
	log[2]++
	if s := slope(log); s < 1e-3 {
		t.Errorf("gradient %v off the optimum", s)
	}
}
