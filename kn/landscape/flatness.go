package landscape

import (
	"errors"
	"fmt"
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// Width says how wide the valley is around a curve's lowest point: the interval
// around it in which the loss does not pass a level. Between the curve's points
// the loss is taken to be linear.
type Width struct {
	Minimum float64 `json:"minimum"` // of the loss, nats
	At      float64 `json:"at"`      // the alpha where it is
	Level   float64 `json:"level"`   // nats
	Low     float64 `json:"low"`     // the interval's ends, as alphas
	High    float64 `json:"high"`
	Width   float64 `json:"width"` // High - Low, in units of |δ1|
	// Distance is Width times |δ1|: what can be compared between trainings that
	// went different distances.
	Distance float64 `json:"distance"`
	// Open says that the valley goes on beyond the end of the curve, so that it
	// is wider than that.
	Open bool `json:"open"`
}

// Width measures the valley in which the loss is at most factor times its minimum.
func (l *Line) Width(factor float64) (*Width, error) {
	if err := checkFactor(factor); err != nil {
		return nil, err
	}
	at, err := l.lowest()
	if err != nil {
		return nil, err
	}
	return l.Below(factor * l.Loss[at])
}

// Below measures the valley in which the loss is at most level, in nats: the same
// for curves whose minima differ.
func (l *Line) Below(level float64) (*Width, error) {
	at, err := l.lowest()
	if err != nil {
		return nil, err
	}
	w := &Width{Minimum: l.Loss[at], At: l.Alphas[at], Level: level}
	if !(level >= w.Minimum) {
		return nil, fmt.Errorf("landscape: the loss is nowhere below %g; its minimum is %g", level, w.Minimum)
	}
	end := func(step int) (alpha float64, open bool) {
		for i := at; ; i += step {
			next := i + step
			if next < 0 || next >= len(l.Loss) {
				return l.Alphas[i], true
			}
			if a, b := l.Loss[i], l.Loss[next]; b > level {
				return l.Alphas[i] + (l.Alphas[next]-l.Alphas[i])*(level-a)/(b-a), false
			}
		}
	}
	var left, right bool
	w.Low, left = end(-1)
	w.High, right = end(1)
	w.Width, w.Open = w.High-w.Low, left || right
	w.Distance = w.Width * l.Norm1
	return w, nil
}

// MustBelow is [Line.Below] for notebook cells: it panics instead of returning an error.
func (l *Line) MustBelow(level float64) *Width {
	return kn.Must(l.Below(level))
}

// lowest is the index of the curve's lowest point.
func (l *Line) lowest() (int, error) {
	if len(l.Loss) == 0 || len(l.Loss) != len(l.Alphas) {
		return 0, fmt.Errorf("landscape: a curve of %d losses at %d alphas has no width", len(l.Loss), len(l.Alphas))
	}
	if err := checkRising("alphas", l.Alphas); err != nil {
		return 0, err
	}
	best := 0
	for i, v := range l.Loss {
		if v < l.Loss[best] {
			best = i
		}
	}
	return best, nil
}

// checkRising refuses axes that no region can be measured on.
func checkRising(name string, values []float64) error {
	for i := 1; i < len(values); i++ {
		if values[i] <= values[i-1] {
			return fmt.Errorf("landscape: %s[%d] is %v, after %v; regions are measured on grids in rising order", name, i, values[i], values[i-1])
		}
	}
	return nil
}

func checkFactor(factor float64) error {
	if !(factor >= 1) || math.IsInf(factor, 0) {
		return fmt.Errorf("landscape: a factor of the minimum must be a number of at least 1, not %g", factor)
	}
	return nil
}

// Area says how wide the basin is around a surface's lowest point: the connected
// region around it in which the loss does not pass a level. Within a rectangle of
// the grid, the loss is taken to be linear on each of the four triangles that meet
// in its middle.
type Area struct {
	Minimum float64 `json:"minimum"` // of the loss, nats
	Alpha   float64 `json:"alpha"`   // where it is
	Beta    float64 `json:"beta"`
	Level   float64 `json:"level"`
	Area    float64 `json:"area"` // in units of the parallelogram of δ1 and δ2
	// Extent is Area times the area of that parallelogram, |δ1| |δ2| sin.
	Extent float64 `json:"extent"`
	// Open says that the basin reaches the edge of the grid, so that it is
	// larger than that.
	Open bool `json:"open"`
}

// Area measures the basin in which the loss is at most factor times its minimum.
func (g *Grid) Area(factor float64) (*Area, error) {
	if err := checkFactor(factor); err != nil {
		return nil, err
	}
	i, j, err := g.lowest()
	if err != nil {
		return nil, err
	}
	return g.Below(factor * g.Loss[i][j])
}

// Below measures the basin in which the loss is at most level, in nats: the same
// for surfaces whose minima differ.
func (g *Grid) Below(level float64) (*Area, error) {
	i, j, err := g.lowest()
	if err != nil {
		return nil, err
	}
	a := &Area{Minimum: g.Loss[i][j], Alpha: g.Alphas[i], Beta: g.Betas[j], Level: level}
	if !(level >= a.Minimum) {
		return nil, fmt.Errorf("landscape: the loss is nowhere below %g; its minimum is %g", level, a.Minimum)
	}
	f := flood{g: g, level: level, seen: map[[2]int]bool{}}
	f.from(i, j)
	a.Area, a.Open = f.area, f.open
	a.Extent = a.Area * g.Norm1 * g.Norm2 * math.Sqrt(max(0, 1-g.Cosine*g.Cosine))
	return a, nil
}

// lowest is the index of the surface's lowest point.
func (g *Grid) lowest() (int, int, error) {
	if len(g.Alphas) < 2 || len(g.Betas) < 2 {
		return 0, 0, errors.New("landscape: a surface with fewer than two alphas or betas has no area")
	}
	if len(g.Loss) != len(g.Alphas) {
		return 0, 0, fmt.Errorf("landscape: the surface has %d rows of losses for %d alphas", len(g.Loss), len(g.Alphas))
	}
	if err := errors.Join(checkRising("alphas", g.Alphas), checkRising("betas", g.Betas)); err != nil {
		return 0, 0, err
	}
	a, b := 0, 0
	for i, row := range g.Loss {
		if len(row) != len(g.Betas) {
			return 0, 0, fmt.Errorf("landscape: row %d of the surface has %d losses for %d betas", i, len(row), len(g.Betas))
		}
		for j, v := range row {
			if v < g.Loss[a][b] {
				a, b = i, j
			}
		}
	}
	return a, b, nil
}

// flood gathers the rectangles of a grid that a basin reaches, from one to the
// next over edges that are not wholly above the level.
type flood struct {
	g     *Grid
	level float64
	seen  map[[2]int]bool // rectangles, by their lower corner
	area  float64
	open  bool
}

// from starts at a grid point, in all rectangles around it.
func (f *flood) from(i, j int) {
	var todo [][2]int
	reach := func(i, j int) {
		switch {
		case i < 0 || j < 0 || i >= len(f.g.Alphas)-1 || j >= len(f.g.Betas)-1:
			f.open = true
		case !f.seen[[2]int{i, j}]:
			f.seen[[2]int{i, j}] = true
			todo = append(todo, [2]int{i, j})
		}
	}
	for _, di := range []int{-1, 0} {
		for _, dj := range []int{-1, 0} {
			reach(i+di, j+dj)
		}
	}
	for len(todo) > 0 {
		i, j := todo[len(todo)-1][0], todo[len(todo)-1][1]
		todo = todo[:len(todo)-1]
		f.area += f.rectangle(i, j)
		z := f.g.Loss
		for _, edge := range []struct {
			low  float64 // the lower of its ends
			i, j int     // the rectangle beyond
		}{
			{min(z[i][j], z[i][j+1]), i - 1, j},
			{min(z[i+1][j], z[i+1][j+1]), i + 1, j},
			{min(z[i][j], z[i+1][j]), i, j - 1},
			{min(z[i][j+1], z[i+1][j+1]), i, j + 1},
		} {
			if edge.low <= f.level {
				reach(edge.i, edge.j)
			}
		}
	}
}

// rectangle is the area of a rectangle's part below the level.
func (f *flood) rectangle(i, j int) float64 {
	z := f.g.Loss
	corners := [4]float64{z[i][j], z[i+1][j], z[i+1][j+1], z[i][j+1]}
	middle := (corners[0] + corners[1] + corners[2] + corners[3]) / 4
	share := 0.0
	for k, a := range corners {
		share += below(a, corners[(k+1)%4], middle, f.level) / 4
	}
	return share * (f.g.Alphas[i+1] - f.g.Alphas[i]) * (f.g.Betas[j+1] - f.g.Betas[j])
}

// below is the share of a triangle in which a linear function, with the given
// values at the corners, is at most level.
func below(a, b, c, level float64) float64 {
	a, b, c = min(a, b, c), max(min(a, b), min(max(a, b), c)), max(a, b, c) // sorted
	switch {
	case level >= c:
		return 1
	case level < a:
		return 0
	case level < b: // the corner at a is cut off
		return (level - a) * (level - a) / ((b - a) * (c - a))
	}
	return 1 - (c-level)*(c-level)/((c-a)*(c-b))
}
