// Package quadrature integrates vector-valued functions over [0, 1].
//
// Fixed rules are given by their nodes and weights ([LeftRiemann],
// [LinspaceInclusive], [Trapezoid], [GaussLegendre], [ClenshawCurtis]), and
// evaluated by [Fixed]. Others add nodes until an estimate of the integral's own
// error is small:
//
//   - [Checked] is for smooth integrands whose entries add up to the derivative
//     of a known function, as gradients along a path do. It takes the fewest nodes.
//   - [Adaptive] is for integrands that may jump or have kinks, or of which no such
//     function is known. It doubles nested Clenshaw-Curtis rules, and bisects the
//     interval where that does not help.
//   - [Graded] is either of them with nodes that crowd near 0, for integrands that
//     are large and change fast there.
//
// Clenshaw-Curtis nodes include both ends of the interval and every node of
// the rule with half as many intervals, so nothing is evaluated twice; its
// error falls nearly as fast as Gauss's (L. N. Trefethen, "Is Gauss
// quadrature better than Clenshaw-Curtis?", SIAM Review 50, 2008).
package quadrature

import (
	"fmt"
	"math"
)

// Rule is the nodes of a quadrature rule in [0, 1] with their weights: the
// integral of f is about the sum of Weights[k]·f(Nodes[k]).
type Rule struct {
	Nodes   []float64
	Weights []float64
}

// LeftRiemann has nodes k/n for k = 0..n-1 and weights 1/n, as the authors of
// Knowledge Neurons integrate.
func LeftRiemann(n int) (Rule, error) {
	if err := atLeast("left Riemann", n, 1); err != nil {
		return Rule{}, err
	}
	r := blank(n)
	for k := range n {
		r.Nodes[k], r.Weights[k] = float64(k)/float64(n), 1/float64(n)
	}
	return r, nil
}

// LinspaceInclusive has n evenly spaced nodes with both ends and weights
// 1/n, as EleutherAI's knowledge-neurons integrates. It is not a consistent
// trapezoid: the ends have full weight.
func LinspaceInclusive(n int) (Rule, error) {
	if err := atLeast("inclusive linspace", n, 2); err != nil {
		return Rule{}, err
	}
	r := blank(n)
	for k := range n {
		r.Nodes[k], r.Weights[k] = float64(k)/float64(n-1), 1/float64(n)
	}
	return r, nil
}

// Trapezoid has n evenly spaced nodes with both ends, which have half the
// others' weight 1/(n-1).
func Trapezoid(n int) (Rule, error) {
	if err := atLeast("trapezoid", n, 2); err != nil {
		return Rule{}, err
	}
	r := blank(n)
	for k := range n {
		r.Nodes[k], r.Weights[k] = float64(k)/float64(n-1), 1/float64(n-1)
	}
	r.Weights[0] /= 2
	r.Weights[n-1] /= 2
	return r, nil
}

// GaussLegendre has the n nodes that integrate polynomials of degree up to
// 2n-1 exactly: the roots x_k of the Legendre polynomial P_n, found by
// Newton's method, with weights 2/((1-x_k²)·P_n'(x_k)²), both taken from
// [-1, 1] to [0, 1]. (gonum's quad.Legendre, v0.17, has a wrong weight for
// n = 26.)
func GaussLegendre(n int) (Rule, error) {
	if err := atLeast("Gauss-Legendre", n, 1); err != nil {
		return Rule{}, err
	}
	r := blank(n)
	for k := range n {
		x := -math.Cos(math.Pi * (float64(k) + 0.75) / (float64(n) + 0.5))
		for range 100 {
			p, dp := legendre(n, x)
			step := p / dp
			x -= step
			if math.Abs(step) < 1e-15 {
				break
			}
		}
		_, dp := legendre(n, x)
		r.Nodes[k], r.Weights[k] = (1+x)/2, 1/((1-x*x)*dp*dp)
	}
	return r, nil
}

// legendre returns P_n(x) and its derivative by the three-term recurrence.
func legendre(n int, x float64) (p, derivative float64) {
	p, before := 1.0, 0.0
	for j := range n {
		k := float64(j)
		p, before = ((2*k+1)*x*p-k*before)/(k+1), p
	}
	return p, float64(n) * (x*p - before) / (x*x - 1)
}

// ClenshawCurtis has n nodes (1 - cos(πk/(n-1)))/2 and integrates
// polynomials of degree up to n-1 exactly. Its weights are the closed form
//
//	w_k = c_k/(2m) · (1 - Σ_{j=1..m/2} b_j/(4j²-1) · cos(2πjk/m)),  m = n-1
//
// with c_k = 1 at the ends and 2 elsewhere, b_j = 1 for j = m/2 and 2 elsewhere.
// n-1 must be even.
func ClenshawCurtis(n int) (Rule, error) {
	if n < 3 || n%2 == 0 {
		return Rule{}, fmt.Errorf("quadrature: Clenshaw-Curtis takes an odd number of nodes from 3 on, not %d", n)
	}
	r, m := blank(n), n-1
	for k := range n {
		r.Nodes[k] = (1 - math.Cos(math.Pi*float64(k)/float64(m))) / 2
		sum := 1.0
		for j := 1; j <= m/2; j++ {
			b := 2.0
			if j == m/2 {
				b = 1
			}
			sum -= b / float64(4*j*j-1) * math.Cos(2*math.Pi*float64(j)*float64(k)/float64(m))
		}
		c := 2.0
		if k == 0 || k == m {
			c = 1
		}
		r.Weights[k] = c / float64(2*m) * sum
	}
	return r, nil
}

func blank(n int) Rule { return Rule{make([]float64, n), make([]float64, n)} }

func atLeast(rule string, n, least int) error {
	if n < least {
		return fmt.Errorf("quadrature: the %s rule takes at least %d nodes, not %d", rule, least, n)
	}
	return nil
}
