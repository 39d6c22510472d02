package engine

import (
	"context"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// scanned is the number of equal steps in which a path is searched for jumps.
const scanned = 256

// jumps finds where the gradient jumps on each sample's path in the last layer.
// If the activation function is ReLU or the like, it jumps where a unit of the
// head's dense layer crosses 0. The search is cheap, since it does not compute
// the vocabulary. On paths in lower layers the neurons above cause jumps. These
// are many and smaller, and are left to the adaptive rule.
func (ib *integrationBatch) jumps(ctx context.Context) ([][]float64, error) {
	c := ib.e.Model.Config
	found := make([][]float64, len(ib.samples))
	if c.Causal() || !transformer.SlopeJumps(c.HeadAct()) { // a decoder's head has no such layer
		return found, nil
	}
	last := len(ib.layers) - 1
	factor := make([]float32, scanned+1)
	for k := range factor {
		factor[k] = float32(k) / scanned
	}
	for i := range found {
		for j := range ib.form.answers { // all rows of a sample are scaled by one factor
			row := int32(ib.slot[i]*ib.form.answers + j)
			out, err := ib.local(ctx, headUnits, last, ib.layers[last].mid, ib.layers[last].added, slices.Repeat([]int32{row}, len(factor)), factor)
			if err != nil {
				return nil, err
			}
			values, err := floats(out[0])
			if err != nil {
				return nil, err
			}
			found[i] = append(found[i], crossings(values, c.EmbeddingWidth())...)
		}
		slices.Sort(found[i])
	}
	return found, nil
}

// crossings are the factors at which units cross 0, from their values at equal
// steps [scanned+1, width].
func crossings(values []float32, width int) (found []float64) {
	for unit := range width {
		for k := range scanned {
			at := func(k int) float64 { return float64(values[k*width+unit]) }
			if at(k)*at(k+1) < 0 {
				third := k + 2
				if third > scanned {
					third = k - 1
				}
				found = append(found, (float64(k)+crossing(at(k), at(k+1), float64(third-k), at(third)))/scanned)
			}
		}
	}
	return found
}

// crossing finds the zero in (0, 1) of the parabola that is f0 at 0, f1 at 1
// and f at x. f0 and f1 must differ in sign.
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
