package chart

import (
	"errors"
	"fmt"
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// CheckFinite checks the values of a list called name.
func CheckFinite(name string, values []float64) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("plots: %s[%d] is %v, which cannot be drawn", name, i, v)
		}
	}
	return nil
}

// CheckProbabilities checks that all values lie between 0 and 1, up to rounding.
func CheckProbabilities(name string, values []float64) error {
	if err := CheckFinite(name, values); err != nil {
		return err
	}
	for i, v := range values {
		if v < -1e-6 || v > 1+1e-6 {
			return fmt.Errorf("plots: %s[%d] is %v, which is no probability", name, i, v)
		}
	}
	return nil
}

// CheckLength checks that a list has the length of another.
func CheckLength(name string, n int, other string, m int) error {
	if n != m {
		return fmt.Errorf("plots: %s has %d values, but %s has %d", name, n, other, m)
	}
	return nil
}

// CheckInside checks that neurons are of a model of the given sizes.
func CheckInside(name string, neurons []kn.Neuron, layers, ffn int) error {
	for _, n := range neurons {
		if n.Layer < 0 || n.Layer >= layers || n.Index < 0 || n.Index >= ffn {
			return fmt.Errorf("plots: %s has neuron %v, but the model has %d layers of %d neurons", name, n, layers, ffn)
		}
	}
	return nil
}

// Missing is the error for a nil result.
func Missing(what string) error {
	return errors.New("plots: the " + what + " to draw is nil; check the error that came with it")
}

// CheckAxis checks that values can be an axis of a grid.
func CheckAxis(name string, values []float64) error {
	if err := CheckFinite(name, values); err != nil {
		return err
	}
	for i := 1; i < len(values); i++ {
		if values[i] <= values[i-1] {
			return fmt.Errorf("plots: %s[%d] is %v, after %v; the chart needs them in rising order", name, i, values[i], values[i-1])
		}
	}
	return nil
}
