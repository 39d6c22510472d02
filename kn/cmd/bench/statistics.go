package main

import (
	"fmt"
	"math"
	"slices"
)

// minimum and median of measured seconds; 0 of none.
func minimum(seconds []float64) float64 {
	if len(seconds) == 0 {
		return 0
	}
	return slices.Min(seconds)
}

func median(seconds []float64) float64 {
	n := len(seconds)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(seconds))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// shareOfLargest is the largest difference of two lists of scores as a share
// of the largest of the second.
func shareOfLargest(scores, reference []float64) (float64, error) {
	if len(scores) != len(reference) {
		return 0, fmt.Errorf("%d scores where the reference has %d", len(scores), len(reference))
	}
	var difference, largest float64
	for i, r := range reference {
		difference = math.Max(difference, math.Abs(scores[i]-r)) // NaN if either is
		largest = math.Max(largest, math.Abs(r))
	}
	share := difference / largest
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return 0, fmt.Errorf("the scores hold NaN or infinity, or are all 0")
	}
	return share, nil
}
