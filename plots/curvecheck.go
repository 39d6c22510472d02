package plots

import (
	"errors"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// checkCurves says what is wrong with curves that cannot be drawn.
func checkCurves(c *kn.FactorCurves) error {
	if len(c.Own.Factors) == 0 {
		return errors.New("plots: the factor curves have no factors for the fact's own neurons")
	}
	if err := probabilities("the unmodified model's probability", []float64{c.Probability}); err != nil {
		return err
	}
	for _, s := range curveStyles(c) {
		if err := checkCurve(s.label, s.curve); err != nil {
			return err
		}
	}
	return nil
}

func checkCurve(name string, c kn.Curve) error {
	factors := name + ": factors"
	if err := finite(factors, c.Factors); err != nil {
		return err
	}
	if err := sameLength(name+": probability", len(c.Probability), factors, len(c.Factors)); err != nil {
		return err
	}
	if err := probabilities(name+": probability", c.Probability); err != nil {
		return err
	}
	if len(c.Low) == 0 && len(c.High) == 0 {
		return nil
	}
	for _, bound := range []struct {
		name   string
		values []float64
	}{{name + ": low", c.Low}, {name + ": high", c.High}} {
		if err := sameLength(bound.name, len(bound.values), factors, len(c.Factors)); err != nil {
			return err
		}
		if err := probabilities(bound.name, bound.values); err != nil {
			return err
		}
	}
	return nil
}
