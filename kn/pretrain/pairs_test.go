package pretrain

import "testing"

func TestFiringIsTheShareAboveZero(t *testing.T) {
	if got := firing([][]float64{{0, 1, -1, 2}, {0, 0, 0, 3}}); got != 3./8 {
		t.Errorf("share %v", got)
	}
}
