package kn

import "math"

// chanceOverlap says what sets share that have as many neurons in each layer as
// a and b, drawn uniformly from the layer's ffn: in each layer a hypergeometric
// number, and in all their sum, whose distribution is exact.
func chanceOverlap(a, b []Neuron, layers, ffn, shared int) ChanceOverlap {
	inA, inB := make([]int, layers), make([]int, layers)
	for _, n := range a {
		inA[n.Layer]++
	}
	for _, n := range b {
		inB[n.Layer]++
	}
	c := ChanceOverlap{}
	sum := []float64{1} // the probability of each number shared, in the layers so far
	for l := range layers {
		c.Expected += float64(inA[l]) * float64(inB[l]) / float64(ffn)
		sum = convolved(sum, hypergeometric(ffn, inA[l], inB[l]))
	}
	for _, p := range sum[min(shared, len(sum)):] {
		c.AtLeast += p
	}
	c.AtLeast = min(1, c.AtLeast)
	return c
}

// hypergeometric returns the probabilities that k = 0, 1, ... of n neurons are
// both among a and among b drawn ones:
//
//	C(a, k)·C(n-a, b-k) / C(n, b)
func hypergeometric(n, a, b int) []float64 {
	p := make([]float64, min(a, b)+1)
	for k := range p {
		if b-k <= n-a {
			p[k] = math.Exp(logChoose(a, k) + logChoose(n-a, b-k) - logChoose(n, b))
		}
	}
	return p
}

// logChoose is the logarithm of the number of ways to choose k of n.
func logChoose(n, k int) float64 {
	of := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return of(n) - of(k) - of(n-k)
}

// convolved is the distribution of the sum of two independent numbers.
func convolved(a, b []float64) []float64 {
	sum := make([]float64, len(a)+len(b)-1)
	for i, p := range a {
		for j, q := range b {
			sum[i+j] += p * q
		}
	}
	return sum
}
