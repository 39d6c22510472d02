package quadrature

import "math"

// Graded integrates in t with a = t^power in the place of a, by the rule of an
// integral:
//
//	∫₀¹ f(a) da = ∫₀¹ f(t^power)·power·t^(power-1) dt
//
// so that nodes crowd near 0, and the integrand there counts little. It is for
// integrands that are large, and change fast, near 0. What it is given and asked
// for is in a.
func Graded(in Integral, power float64) Integral { return &graded{Integral: in, power: power} }

type graded struct {
	Integral
	power float64
	asked []float64 // in t
}

// Next implements [Integral].
func (g *graded) Next(tolerance float64) []float64 {
	g.asked = g.Integral.Next(tolerance)
	nodes := make([]float64, len(g.asked))
	for k, t := range g.asked {
		nodes[k] = math.Pow(t, g.power)
	}
	return nodes
}

// Add implements [Integral].
func (g *graded) Add(values [][]float64, s []float64) {
	scaled := make([][]float64, len(values))
	for k, v := range values {
		slope := g.power * math.Pow(g.asked[k], g.power-1)
		for _, x := range v {
			scaled[k] = append(scaled[k], slope*x)
		}
	}
	g.Integral.Add(scaled, s)
}
