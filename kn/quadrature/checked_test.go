package quadrature

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// power is the integrand x^d with its antiderivative.
func power(d int) (f func(float64) []float64, s func(float64) float64) {
	return func(x float64) []float64 { return []float64{math.Pow(x, float64(d))} },
		func(x float64) float64 { return math.Pow(x, float64(d+1)) / float64(d+1) }
}

// TestCheckedDegree checks up to which degree 4, 7 and 13 nodes are exact,
// and that their estimates are not below the error beyond.
func TestCheckedDegree(t *testing.T) {
	for nodes, degree := range map[int]int{4: 5, 7: 9, 13: 17} {
		for d := range degree + 3 {
			f, s := power(d)
			in := NewChecked(nodes) // no node is left for more
			runPath(in, 0, f, s)
			if in.Evaluations() != nodes {
				t.Errorf("%d evaluations of at most %d", in.Evaluations(), nodes)
			}
			err := math.Abs(in.Value()[0] - s(1))
			// With 13 nodes the error beyond is too small to be seen.
			if exact := err < 1e-15; exact != (d <= degree) && (d <= degree || nodes < 13) {
				t.Errorf("%d nodes, x^%d: error %g", nodes, d, err)
			}
			if in.Error()+1e-15 < err {
				t.Errorf("%d nodes, x^%d: estimate %g, error %g", nodes, d, in.Error(), err)
			}
		}
	}
}

// TestCheckedStopsWhereItIsExact: what the polynomial through the nodes is
// costs no nodes to speak of.
func TestCheckedStopsWhereItIsExact(t *testing.T) {
	f, s := power(2)
	if in := runPath(NewChecked(0), 1e-10, f, s); in.Evaluations() != 4 {
		t.Errorf("%d nodes for x²", in.Evaluations())
	}
}

// TestCheckedDoesNotTrustTheSum: two entries that vanish in the sum leave no
// trace in S.
func TestCheckedDoesNotTrustTheSum(t *testing.T) {
	wave := func(x float64) float64 { return math.Sin(9 * x) }
	f := func(x float64) []float64 { return []float64{wave(x), -wave(x), 1e-3} }
	s := func(x float64) float64 { return 1e-3 * x }
	exact := (1 - math.Cos(9)) / 9
	for _, tolerance := range []float64{1e-2, 1e-4} {
		in := runPath(NewChecked(0), tolerance, f, s)
		if err := math.Abs(in.Value()[0] - exact); err > tolerance {
			t.Errorf("tolerance %g: error %g (estimate %g, %d nodes)", tolerance, err, in.Error(), in.Evaluations())
		}
	}
}

// TestCheckedSeesErrorsCancel: entries whose errors mostly cancel in the sum are
// not estimated by the sum's.
func TestCheckedSeesErrorsCancel(t *testing.T) {
	for d := 6; d <= 12; d++ {
		g, integral := power(d)
		f := func(x float64) []float64 { return []float64{g(x)[0], -0.75 * g(x)[0]} }
		in := runPath(NewChecked(4), 0, f, func(x float64) float64 { return 0.25 * integral(x) })
		if err := math.Abs(in.Value()[0] - integral(1)); in.Error() < err {
			t.Errorf("x^%d: estimate %g, error %g", d, in.Error(), err)
		}
	}
}

// TestCheckedSeesWhatNodesMiss: an integrand that is the same at all nodes of
// the first rule is not taken for a constant, since S says otherwise.
func TestCheckedSeesWhatNodesMiss(t *testing.T) {
	bump := func(x float64) float64 { return math.Exp(-2000 * (x - 0.4) * (x - 0.4)) }
	s := func(x float64) float64 { return math.Sqrt(math.Pi/2000) / 2 * math.Erf(math.Sqrt(2000)*(x-0.4)) }
	f := func(x float64) []float64 { return []float64{bump(x)} }
	in := runPath(NewChecked(0), 1e-4, f, s)
	if err := math.Abs(in.Value()[0] - (s(1) - s(0))); err > 1e-4 {
		t.Errorf("error %g (estimate %g, %d nodes)", err, in.Error(), in.Evaluations())
	}
}

func TestCheckedGivesUp(t *testing.T) {
	rough := func(x float64) []float64 { return []float64{math.Sin(1e6 * x * x)} }
	for _, most := range []int{4, 6, 7, 12, 13, 21, 22, 40} {
		in := runPath(NewChecked(most), 1e-9, rough, math.Sin)
		if in.Evaluations() > most {
			t.Errorf("%d evaluations of at most %d", in.Evaluations(), most)
		}
		if in.Error() <= 1e-9 || in.Value() == nil {
			t.Errorf("at most %d nodes: estimate %g, value %v", most, in.Error(), in.Value())
		}
	}
	nan := runPath(NewChecked(0), 1e-3, func(float64) []float64 { return []float64{math.NaN()} }, math.Sin)
	if nan.Error() <= 1e-3 {
		t.Error("a NaN integrand passes as converged")
	}
	nothing := runPath(NewChecked(0), 0, func(float64) []float64 { return []float64{0, 0} }, func(float64) float64 { return 0.5 })
	if nothing.Error() != 0 || nothing.Evaluations() != 4 {
		t.Errorf("zero: estimate %g after %d nodes", nothing.Error(), nothing.Evaluations())
	}
}

// TestLobattoWeights compares with the published weights, 77, 432, 625 and
// 672 in 2940, of seven nodes.
func TestLobattoWeights(t *testing.T) {
	nodes := slices.Concat(lobatto[0], lobatto[1])
	slices.Sort(nodes)
	for k, want := range []float64{77, 432, 625, 672, 625, 432, 77} {
		if w := interpolatory(nodes, 0, 1)[k]; math.Abs(w-want/2940) > 1e-15 {
			t.Errorf("weight %d is %v, want %v", k, w, want/2940)
		}
	}
}

func ExampleChecked() {
	// A path on which the probability is exp(a)/3, the sum of two gradients.
	probability := func(a float64) float64 { return math.Exp(a) / 3 }
	in := NewChecked(0)
	for nodes := in.Next(1e-2); len(nodes) > 0; nodes = in.Next(1e-2) {
		values, s := make([][]float64, len(nodes)), make([]float64, len(nodes))
		for k, a := range nodes {
			values[k], s[k] = []float64{math.Exp(a) / 4, math.Exp(a) / 12}, probability(a)
		}
		in.Add(values, s)
	}
	fmt.Printf("%.4f and %.4f with %d nodes\n", in.Value()[0], in.Value()[1], in.Evaluations())
	// Output: 0.4296 and 0.1432 with 4 nodes
}
