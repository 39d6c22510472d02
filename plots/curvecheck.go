package plots

import (
	"errors"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// checkCurves says what is wrong with curves that cannot be drawn.
func checkCurves(c *kn.FactorCurves) error {
	if len(c.Own.Factors) == 0 {
		return errors.New("plots: the factor curves have no factors for the fact's own neurons")
	}
	if err := chart.CheckProbabilities("the unmodified model's probability", []float64{c.Probability}); err != nil {
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
	if err := chart.CheckFinite(factors, c.Factors); err != nil {
		return err
	}
	if err := chart.CheckLength(name+": probability", len(c.Probability), factors, len(c.Factors)); err != nil {
		return err
	}
	if err := chart.CheckProbabilities(name+": probability", c.Probability); err != nil {
		return err
	}
	if len(c.Low) == 0 && len(c.High) == 0 {
		return nil
	}
	for _, bound := range []struct {
		name   string
		values []float64
	}{{name + ": low", c.Low}, {name + ": high", c.High}} {
		if err := chart.CheckLength(bound.name, len(bound.values), factors, len(c.Factors)); err != nil {
			return err
		}
		if err := chart.CheckProbabilities(bound.name, bound.values); err != nil {
			return err
		}
	}
	return nil
}
