package dynamics

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// CKADistance is one minus linear centred kernel alignment (Kornblith et al.
// 2019, https://arxiv.org/abs/1905.00414): with X and Y centred,
//
//	1 - ‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖)    in Frobenius norms
//
// Rows are samples, columns features: x [N, H], y [N, K]. The distance is in
// [0, 1], and orthogonal maps and scaling of either side leave it as it is. Below
// 1e-12 it is rounding and given as 0.
func CKADistance(x, y mat.Matrix) (float64, error) {
	n, _ := x.Dims()
	if m, _ := y.Dims(); n != m || n == 0 {
		return 0, fmt.Errorf("dynamics: %d and %d samples cannot be compared", n, m)
	}
	cxx, cyy, cxy := covariances(x, y)
	return ckaDistance(cxx.norm(), cyy.norm(), cxy.norm())
}

// ckaResolution is what rounding leaves of a distance of 0: norms are exact to
// about 1e-15 of themselves for each product summed up.
const ckaResolution = 1e-12

// ckaDistance is the distance by the norms of XᵀX, YᵀY and XᵀY.
func ckaDistance(x, y, both float64) (float64, error) {
	if !(x > 0 && y > 0) {
		return 0, fmt.Errorf("dynamics: %w", errNoVariance)
	}
	distance := 1 - both/x*(both/y)
	if distance < ckaResolution {
		return 0, nil
	}
	return distance, nil
}
