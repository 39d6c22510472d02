package quadrature

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func must(r Rule, err error) Rule {
	if err != nil {
		panic(err)
	}
	return r
}

func apply(r Rule, f func(float64) float64) float64 {
	sum := 0.0
	for k, x := range r.Nodes {
		sum += r.Weights[k] * f(x)
	}
	return sum
}

func TestWeightsSumToOne(t *testing.T) {
	for n := 2; n <= 64; n++ {
		rules := map[string]Rule{
			"left": must(LeftRiemann(n)), "linspace": must(LinspaceInclusive(n)),
			"trapezoid": must(Trapezoid(n)), "gauss": must(GaussLegendre(n)),
		}
		if n%2 == 1 {
			rules["clenshaw"] = must(ClenshawCurtis(n))
		}
		for name, r := range rules {
			if s := apply(r, func(float64) float64 { return 1 }); math.Abs(s-1) > 1e-13 {
				t.Errorf("%s with %d nodes: weights sum to %v", name, n, s)
			}
		}
	}
}

// TestDegree checks the degree up to which each rule is exact, and that it
// is not exact beyond.
func TestDegree(t *testing.T) {
	monomial := func(d int) func(float64) float64 {
		return func(x float64) float64 { return math.Pow(x, float64(d)) }
	}
	for n := 3; n <= 9; n += 2 {
		for _, c := range []struct {
			name   string
			rule   Rule
			degree int
		}{
			{"gauss", must(GaussLegendre(n)), 2*n - 1},
			{"clenshaw", must(ClenshawCurtis(n)), n}, // symmetric rules gain one degree
			{"trapezoid", must(Trapezoid(n)), 1},
		} {
			for d := 0; d <= c.degree+1; d++ {
				err := math.Abs(apply(c.rule, monomial(d)) - 1/float64(d+1))
				if exact := err < 1e-13; exact != (d <= c.degree) {
					t.Errorf("%s with %d nodes, degree %d: error %g", c.name, n, d, err)
				}
			}
		}
	}
}

func TestRulesRejectTooFewNodes(t *testing.T) {
	for _, f := range []func(int) (Rule, error){LeftRiemann, LinspaceInclusive, Trapezoid, GaussLegendre, ClenshawCurtis} {
		for _, n := range []int{0, -3} {
			if _, err := f(n); err == nil {
				t.Errorf("no error for %d nodes", n)
			}
		}
	}
	if _, err := ClenshawCurtis(6); err == nil {
		t.Error("Clenshaw-Curtis took an even number of nodes")
	}
}

// run drives an integral of f and returns it.
func run(in Integral, tolerance float64, f func(float64) []float64) Integral {
	return runPath(in, tolerance, f, nil)
}

// runPath is run where s is known, whose derivative is the sum of f's entries.
func runPath(in Integral, tolerance float64, f func(float64) []float64, s func(float64) float64) Integral {
	for {
		nodes := in.Next(tolerance)
		if len(nodes) == 0 {
			return in
		}
		values := make([][]float64, len(nodes))
		var known []float64
		for k, x := range nodes {
			values[k] = f(x)
			if s != nil {
				known = append(known, s(x))
			}
		}
		in.Add(values, known)
	}
}

// TestAdaptiveErrorIsBelowTolerance integrates functions with known
// integrals and checks the true error against tolerance and estimate.
func TestAdaptiveErrorIsBelowTolerance(t *testing.T) {
	integrands := []struct {
		name  string
		f     func(x float64) float64
		exact float64
	}{
		{"exp", math.Exp, math.E - 1},
		{"runge", func(x float64) float64 { return 1 / (1 + 25*(2*x-1)*(2*x-1)) }, math.Atan(5) / 5},
		{"kink", func(x float64) float64 { return math.Abs(x - 0.3) }, (0.09 + 0.49) / 2},
		{"step", func(x float64) float64 {
			if x < 1/math.Pi {
				return 0
			}
			return 1
		}, 1 - 1/math.Pi},
		{"wave", func(x float64) float64 { return math.Sin(25 * x) }, (1 - math.Cos(25)) / 25},
		{"peak", func(x float64) float64 { return math.Exp(-200 * (x - 0.61) * (x - 0.61)) }, math.Sqrt(math.Pi / 200)},
		{"root", math.Sqrt, 2. / 3},
	}
	for _, tolerance := range []float64{1e-2, 1e-4, 1e-6} {
		for _, c := range integrands {
			// Two entries: the error is that of the worse one.
			in := run(NewAdaptive(100_000), tolerance, func(x float64) []float64 { return []float64{c.f(x), x} })
			err := math.Abs(in.Value()[0] - c.exact)
			if in.Error() > tolerance {
				t.Errorf("%s: did not reach %g: estimate %g", c.name, tolerance, in.Error())
			}
			if err > tolerance {
				t.Errorf("%s: tolerance %g but error %g (estimate %g, %d nodes)", c.name, tolerance, err, in.Error(), in.Evaluations())
			}
			if x := in.Value()[1]; math.Abs(x-0.5) > 1e-12 {
				t.Errorf("%s: integral of x is %v", c.name, x)
			}
		}
	}
}

// integrand is a function with its antiderivative.
type integrand struct{ f, antiderivative func(x float64) float64 }

// families draw integrands.
var families = map[string]func(rng *rand.Rand) integrand{
	"waves": func(rng *rand.Rand) integrand {
		a, b := 30*rng.Float64(), 6*rng.Float64()
		return integrand{
			func(x float64) float64 { return math.Sin(a*x + b) },
			func(x float64) float64 { return -math.Cos(a*x+b) / a },
		}
	},
	"poles": func(rng *rand.Rand) integrand {
		a, c := 2+8*rng.Float64(), rng.Float64()
		return integrand{
			func(x float64) float64 { return 1 / (1 + a*a*(x-c)*(x-c)) },
			func(x float64) float64 { return math.Atan(a*(x-c)) / a },
		}
	},
	"peaks": func(rng *rand.Rand) integrand {
		a, c := 3+12*rng.Float64(), rng.Float64()
		return integrand{
			func(x float64) float64 { return math.Exp(-a * a * (x - c) * (x - c)) },
			func(x float64) float64 { return math.Sqrt(math.Pi) / (2 * a) * math.Erf(a*(x-c)) },
		}
	},
	"kinks": func(rng *rand.Rand) integrand {
		c := rng.Float64()
		return integrand{
			func(x float64) float64 { return math.Abs(x - c) },
			func(x float64) float64 { return (x - c) * math.Abs(x-c) / 2 },
		}
	},
	"jumps": func(rng *rand.Rand) integrand {
		c := rng.Float64()
		return integrand{
			func(x float64) float64 {
				if x < c {
					return 0
				}
				return 1
			},
			func(x float64) float64 { return max(0, x-c) },
		}
	},
}

// TestRandomIntegrands integrates vectors of random sums of waves, poles,
// peaks, kinks and jumps, whose integrals are known.
func TestRandomIntegrands(t *testing.T) {
	const entries, terms, trials = 4, 3, 300
	for name, rule := range map[string]struct {
		start func() Integral
		most  float64 // share of the integrals that may be further off than the tolerance
	}{
		"adaptive": {func() Integral { return NewAdaptive(100_000) }, 0.01},
		// The few nodes that it begins with are for smooth integrands.
		"checked": {func() Integral { return NewChecked(100_000) }, 0.03},
	} {
		rng := rand.New(rand.NewPCG(7, 7))
		integrals, missed := 0, 0
		for _, family := range slices.Sorted(maps.Keys(families)) {
			for _, tolerance := range []float64{1e-2, 1e-3, 1e-5} {
				nodes, failed, worst := 0, 0, 0.0
				for range trials {
					var g [terms]integrand
					var share [entries][terms]float64
					for k := range terms {
						g[k] = families[family](rng)
						for e := range entries {
							share[e][k] = rng.NormFloat64()
						}
					}
					vector := func(x float64, of func(integrand) func(float64) float64) []float64 {
						y := make([]float64, entries)
						for e := range y {
							for k := range terms {
								y[e] += share[e][k] * of(g[k])(x)
							}
						}
						return y
					}
					antiderivatives := func(x float64) []float64 {
						return vector(x, func(g integrand) func(float64) float64 { return g.antiderivative })
					}
					s := func(x float64) (sum float64) {
						for _, v := range antiderivatives(x) {
							sum += v
						}
						return sum
					}
					in := runPath(rule.start(), tolerance, func(x float64) []float64 {
						return vector(x, func(g integrand) func(float64) float64 { return g.f })
					}, s)
					nodes += in.Evaluations()
					err, at0, at1 := 0.0, antiderivatives(0), antiderivatives(1)
					for e, got := range in.Value() {
						err = max(err, math.Abs(got-(at1[e]-at0[e])))
					}
					if err > tolerance {
						failed++
					}
					worst = max(worst, err/tolerance)
				}
				t.Logf("%s, %s to %g: %d nodes on average, %d of %d above the tolerance, the worst %.1f times",
					name, family, tolerance, nodes/trials, failed, trials, worst)
				integrals, missed = integrals+trials, missed+failed
			}
		}
		// No estimate from samples can be always right.
		if float64(missed) > rule.most*float64(integrals) {
			t.Errorf("%s: %d of %d integrals are further off than the tolerance", name, missed, integrals)
		}
	}
}

// TestKnownJumpsCostLittle integrates steps between smooth pieces, with jumps
// that are known, known wrongly, and not known.
func TestKnownJumpsCostLittle(t *testing.T) {
	at := []float64{1 / math.Pi, 0.5, math.Sqrt(0.5)}
	f := func(x float64) []float64 {
		steps := 0.0
		for _, jump := range at {
			if x > jump {
				steps++
			}
		}
		return []float64{math.Exp(x) * steps, math.Exp(x)}
	}
	exact := 0.0
	for _, jump := range at {
		exact += math.E - math.Exp(jump)
	}
	const tolerance = 1e-4
	nodes := map[string]int{}
	for _, c := range []struct {
		name  string
		jumps []float64
	}{
		{"unknown", nil},
		{"known", at},
		{"known to 1e-6", []float64{at[0] + 1e-6, at[1] - 1e-6, at[2] + 1e-6}},
		{"not there", []float64{0.1, 0.2, 0.9}},
		{"at the ends and twice", []float64{1e-7, at[1], at[1] + 1e-6, 1 - 1e-7}},
	} {
		in := run(NewAdaptive(0, c.jumps...), tolerance, f)
		nodes[c.name] = in.Evaluations()
		if in.Error() > tolerance {
			t.Errorf("%s: estimate %g after %d nodes", c.name, in.Error(), in.Evaluations())
		}
		if err := math.Abs(in.Value()[0] - exact); err > tolerance {
			t.Errorf("%s: error %g with %d nodes", c.name, err, in.Evaluations())
		}
		if err := math.Abs(in.Value()[1] - (math.E - 1)); err > tolerance {
			t.Errorf("%s: error %g in the smooth entry", c.name, err)
		}
	}
	if nodes["known"] > 40 || nodes["known to 1e-6"] > 40 || nodes["unknown"] < 2*nodes["known"] {
		t.Errorf("nodes used: %v", nodes)
	}
}

// TestManyJumpsLeaveNodes: more jumps than the nodes suffice for are not an error.
func TestManyJumpsLeaveNodes(t *testing.T) {
	var jumps []float64
	for k := 1; k < 500; k++ {
		jumps = append(jumps, float64(k)/500)
	}
	in := run(NewAdaptive(50, jumps...), 1e-3, func(x float64) []float64 { return []float64{x} })
	if in.Evaluations() > 50 || math.Abs(in.Value()[0]-0.5) > 1e-4 {
		t.Errorf("%v with %d nodes", in.Value(), in.Evaluations())
	}
}

func TestAdaptiveSmoothIsCheap(t *testing.T) {
	in := run(NewAdaptive(0), 1e-6, func(x float64) []float64 { return []float64{math.Exp(x)} })
	if in.Evaluations() > 17 {
		t.Errorf("%d nodes for the exponential function", in.Evaluations())
	}
}

func TestAdaptiveGivesUp(t *testing.T) {
	rough := func(x float64) []float64 { return []float64{math.Sin(1e6 * x * x)} }
	in := run(NewAdaptive(200), 1e-9, rough)
	if in.Evaluations() > 200 {
		t.Errorf("%d evaluations of at most 200", in.Evaluations())
	}
	if in.Error() <= 1e-9 {
		t.Errorf("claims convergence: estimate %g", in.Error())
	}
	nan := run(NewAdaptive(0), 1e-3, func(x float64) []float64 { return []float64{math.NaN()} })
	if nan.Error() <= 1e-3 {
		t.Errorf("a NaN integrand passes as converged")
	}
}

func TestAdaptiveEvaluatesNoNodeTwice(t *testing.T) {
	seen := map[float64]bool{}
	run(NewAdaptive(0), 1e-5, func(x float64) []float64 {
		if seen[x] {
			t.Errorf("node %v evaluated twice", x)
		}
		seen[x] = true
		return []float64{math.Abs(x - 0.3)}
	})
}

func ExampleGaussLegendre() {
	rule, err := GaussLegendre(3)
	if err != nil {
		panic(err)
	}
	sum := 0.0
	for k, x := range rule.Nodes {
		sum += rule.Weights[k] * x * x * x * x * x
	}
	fmt.Printf("%.6f\n", sum)
	// Output: 0.166667
}

func ExampleAdaptive() {
	in := NewAdaptive(0)
	for nodes := in.Next(1e-6); len(nodes) > 0; nodes = in.Next(1e-6) {
		values := make([][]float64, len(nodes))
		for k, x := range nodes {
			values[k] = []float64{math.Exp(x)}
		}
		in.Add(values, nil)
	}
	fmt.Printf("%.6f with %d nodes\n", in.Value()[0], in.Evaluations())
	// Output: 1.718282 with 17 nodes
}

// TestGraded: an integrand that does all it does near 0 takes few nodes, and the
// ends stay in place.
func TestGraded(t *testing.T) {
	const width = 1e-7 // f = S', S = a/√(a² + width²)
	f := func(a float64) float64 { return width * width / math.Pow(a*a+width*width, 1.5) }
	s := func(a float64) float64 { return a / math.Sqrt(a*a+width*width) }
	in := Graded(NewChecked(0), 4)
	for {
		nodes := in.Next(1e-6)
		if len(nodes) == 0 {
			break
		}
		var values [][]float64
		var sums []float64
		for _, a := range nodes {
			if a < 0 || a > 1 {
				t.Fatalf("a node at %v", a)
			}
			values, sums = append(values, []float64{f(a)}), append(sums, s(a))
		}
		in.Add(values, sums)
	}
	if got := in.Value()[0]; math.Abs(got-s(1)) > 1e-6 || in.Evaluations() > 200 {
		t.Errorf("%v with %d nodes, want %v", got, in.Evaluations(), s(1))
	}
}
