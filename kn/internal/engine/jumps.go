package engine

import (
	"context"
	"slices"
)

// jumpy are the activation functions whose derivative jumps, or its
// derivative does, as configurations call them. True: it jumps at 0.
var jumpy = map[string]bool{"relu": true, "relu6": true, "leaky_relu": true, "relu2": false, "gelu_10": false}

// isJumpy says whether paths may have jumps.
func isJumpy(activation string) bool { _, ok := jumpy[activation]; return ok }

// scanned is the number of equal steps in which paths are searched for jumps.
const scanned = 256

// jumps finds where the gradient jumps on the path of each sample in the
// last layer: where a unit of the head's dense layer crosses 0, if its
// activation function is ReLU or the like. The search is cheap, since it stops
// below the vocabulary. Paths in lower layers have jumps as well, from neurons above;
// they are smaller and many, and left to the adaptive rule.
func (p *paths) jumps(ctx context.Context) ([][]float64, error) {
	c := p.e.Model.Config
	found := make([][]float64, len(p.samples))
	if !jumpy[c.HeadAct()] {
		return found, nil
	}
	last := len(p.layers) - 1
	factor := make([]float32, scanned+1)
	for k := range factor {
		factor[k] = float32(k) / scanned
	}
	for i := range found {
		which := slices.Repeat([]int32{int32(p.row[i])}, len(factor))
		out, err := p.local(ctx, units, last, p.layers[last].mid, p.layers[last].added, which, factor)
		if err != nil {
			return nil, err
		}
		values, err := floats(out[0])
		if err != nil {
			return nil, err
		}
		width := c.EmbeddingWidth()
		for unit := range width {
			for k := range scanned {
				at := func(k int) float64 { return float64(values[k*width+unit]) }
				if at(k)*at(k+1) < 0 {
					third := k + 2
					if third > scanned {
						third = k - 1
					}
					found[i] = append(found[i], (float64(k)+crossing(at(k), at(k+1), float64(third-k), at(third)))/scanned)
				}
			}
		}
		slices.Sort(found[i])
	}
	return found, nil
}

// crossing is the zero in (0, 1) of the parabola that is f0 at 0, f1 at 1 and
// f at x. f0 and f1 differ in sign, so there is one.
func crossing(f0, f1, x, f float64) float64 {
	slope := f1 - f0
	bend := ((f-f0)/x - slope) / (x - 1)
	low, high := 0.0, 1.0
	for range 40 {
		middle := (low + high) / 2
		if value := f0 + middle*(slope+bend*(middle-1)); value*f0 > 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}
