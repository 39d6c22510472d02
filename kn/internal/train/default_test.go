package train

import "testing"

func TestOrDefault(t *testing.T) {
	for x, want := range map[float64]float64{0: 0.1, 0.5: 0.5, -1: 0} {
		if got := OrDefault(x, 0.1); got != want {
			t.Errorf("%v gives %v, want %v", x, got, want)
		}
	}
}
