package dynamics

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// SVCCAThreshold is the share of the sum of singular values that [SVCCADistance]
// keeps, as published: it takes the fewest leading directions that reach it.
const SVCCAThreshold = 0.99

// Resolution is the least distance that [SVCCADistance] tells from 0. Directions
// kept can have singular values a thousand times below the largest; computed from
// eigenvalues that are exact to 1e-15 of the largest, or from hidden states in
// float32, their correlations are exact to no more than about 1e-9.
const Resolution = 1e-9

// errNoVariance is wrapped by errors about hidden states that are all the same.
var errNoVariance = errors.New("the hidden states of all tokens are the same; compare on more texts")

// SVCCADistance is 1 - ρ̄, with ρ̄ the mean canonical correlation of X and Y
// after each is centred and cut to its leading singular directions, as few as
// have singular values that sum to 0.99 of the total (Raghu et al. 2017,
// https://arxiv.org/abs/1706.05806). With U and V the left singular vectors kept,
// the correlations are the singular values of UᵀV, and ρ̄ the mean of the
// min(|U|, |V|) largest.
//
// Rows are samples, columns features: x [N, H], y [N, K]. The distance is in
// [0, 1], and orthogonal maps and scaling of either side leave it as it is.
// Other linear maps do not: they change which directions lead. A distance below
// [Resolution] is rounding and given as 0, so that a model is at 0 from itself.
func SVCCADistance(x, y mat.Matrix) (float64, error) {
	n, _ := x.Dims()
	if m, _ := y.Dims(); n != m || n == 0 {
		return 0, fmt.Errorf("dynamics: %d and %d samples cannot be compared", n, m)
	}
	cxx, cyy, cxy := covariances(x, y)
	sx, err := leading(cxx.symmetric())
	if err != nil {
		return 0, err
	}
	sy, err := leading(cyy.symmetric())
	if err != nil {
		return 0, err
	}
	return svccaDistance(sx, sy, cxy)
}

// covariances are those of two whole matrices of samples.
func covariances(x, y mat.Matrix) (cxx, cyy, cxy *covariance) {
	centredX, centredY := centre(x), centre(y)
	of := func(a, b *mat.Dense) *covariance {
		var product mat.Dense
		product.Mul(a.T(), b)
		rows, columns := product.Dims()
		return &covariance{rows: rows, columns: columns, sum: product.RawMatrix().Data}
	}
	return of(centredX, centredX), of(centredY, centredY), of(centredX, centredY)
}

// centre subtracts from each column its mean.
func centre(x mat.Matrix) *mat.Dense {
	c := mat.DenseCopyOf(x)
	rows, columns := c.Dims()
	for j := range columns {
		column := mat.Col(nil, j, c)
		floats.AddConst(-floats.Sum(column)/float64(rows), column)
		c.SetCol(j, column)
	}
	return c
}

// subspace are the leading right singular directions of centred samples, each
// divided by its singular value: what makes of samples their left singular vectors.
type subspace struct{ whiten *mat.Dense } // [H, k]

func (s subspace) kept() int {
	_, k := s.whiten.Dims()
	return k
}

// leading finds the directions kept, from a covariance: its eigenvalues are
// the squares of the singular values.
func leading(covariance *mat.SymDense) (subspace, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return subspace{}, errors.New("dynamics: the singular values of hidden states cannot be computed; are they finite?")
	}
	values := eigen.Values(nil) // ascending
	h := len(values)
	total := 0.0
	for i, v := range values {
		values[i] = math.Sqrt(max(0, v))
		total += values[i]
	}
	if !(total > 0) {
		return subspace{}, fmt.Errorf("dynamics: %w", errNoVariance)
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	k, sum := 0, 0.0
	for k < h && (k == 0 || sum < SVCCAThreshold*total && values[h-1-k] > negligible*values[h-1]) {
		sum += values[h-1-k]
		k++
	}
	whiten := mat.NewDense(h, k, nil)
	for j := range k {
		column := mat.Col(nil, h-1-j, &vectors)
		floats.Scale(1/values[h-1-j], column)
		whiten.SetCol(j, column)
	}
	return subspace{whiten}, nil
}

// negligible is the share of the largest singular value below which one is
// rounding: eigenvalues are exact to about 1e-15 of the largest, and their
// square roots to 1e-7.
const negligible = 1e-7

// svccaDistance is the distance of what two models' directions keep.
func svccaDistance(x, y subspace, cxy *covariance) (float64, error) {
	var half, correlation mat.Dense
	half.Mul(x.whiten.T(), cxy.matrix())
	correlation.Mul(&half, y.whiten) // [kx, ky]
	var svd mat.SVD
	if !svd.Factorize(&correlation, mat.SVDNone) {
		return 0, errors.New("dynamics: the canonical correlations cannot be computed; are the hidden states finite?")
	}
	distance := 0.0
	values := svd.Values(nil)
	for _, rho := range values {
		distance += 1 - min(1, rho)
	}
	if distance /= float64(len(values)); distance < Resolution {
		return 0, nil
	}
	return distance, nil
}
