package landscapeplots

import (
	"math"
	"testing"
)

// TestField: a plane is met everywhere, corners and middles have their values,
// and contour lines run where the field has their level.
func TestField(t *testing.T) {
	plane := func(x, y float64) float64 { return 1 + 2*x - 3*y }
	f := field{x: []float64{-1, 0, 3}, y: []float64{0, 0.5, 2, 4}}
	for _, x := range f.x {
		var row []float64
		for _, y := range f.y {
			row = append(row, plane(x, y))
		}
		f.z = append(f.z, row)
	}
	for x := -1.0; x <= 3; x += 0.23 {
		for y := 0.0; y <= 4; y += 0.19 {
			if got := f.at(x, y); math.Abs(got-plane(x, y)) > 1e-12 {
				t.Errorf("at (%v, %v) the plane is %v, want %v", x, y, got, plane(x, y))
			}
		}
	}
	f.z[1][1], f.z[2][3] = 9, -20
	for i, x := range f.x {
		for j, y := range f.y {
			if got := f.at(x, y); got != f.z[i][j] {
				t.Errorf("at the grid's point (%v, %v) it is %v, want %v", x, y, got, f.z[i][j])
			}
		}
	}
	segments := f.segments(0.7)
	if len(segments) == 0 {
		t.Error("there is no contour line")
	}
	for _, s := range segments {
		for _, e := range []float64{0, 0.3, 1} {
			x, y := s[0].x+e*(s[1].x-s[0].x), s[0].y+e*(s[1].y-s[0].y)
			if got := f.at(x, y); math.Abs(got-0.7) > 1e-9 {
				t.Errorf("on the contour line, at (%v, %v), the field is %v", x, y, got)
			}
		}
	}
}
