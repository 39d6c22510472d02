package electra

import (
	"fmt"
	"math"
)

// Estimate says how well one draw estimates the detection loss of a position. It
// is found by enumerating the vocabulary.
type Estimate struct {
	Mean     float64 `json:"mean"`     // E over q of the weighted loss
	Variance float64 `json:"variance"` // of it
	Bias     float64 `json:"bias"`     // Mean less the expectation under plain sampling
	// EffectiveShare is the effective sample size of many draws, as a share of
	// their number: E[w]²/E[w²].
	EffectiveShare float64 `json:"effective_share"`
}

// Estimate enumerates the estimate w(x)·L_D(x), x drawn from a proposal made
// safe by the bounding, of E over p_G of L_D(x). generator p_G, proposal p_S
// and loss L_D are [V] each. An infinite bound leaves the weights alone.
func (b Bounding) Estimate(generator, proposal, loss []float64, bound float64) (Estimate, error) {
	if err := b.Validate(); err != nil {
		return Estimate{}, err
	}
	if !(bound >= 1) {
		return Estimate{}, fmt.Errorf("electra: weights of mean 1 cannot be bounded by %v; give at least 1", bound)
	}
	if err := checkTable(generator, loss); err != nil {
		return Estimate{}, err
	}
	if err := checkTable(proposal, loss); err != nil {
		return Estimate{}, fmt.Errorf("proposal: %w", err)
	}
	var e Estimate
	var plain, square, weights, squares float64
	for x, p := range generator {
		plain += p * loss[x]
		q := proposal[x]
		if b == Mixture {
			q = (1-1/bound)*q + p/bound
		}
		if q == 0 {
			continue // never drawn: what it would have added is bias
		}
		w := math.Min(p/q, bound)
		e.Mean += q * w * loss[x]
		square += q * w * loss[x] * w * loss[x]
		weights += q * w
		squares += q * w * w
	}
	e.Variance = math.Max(0, square-e.Mean*e.Mean)
	e.Bias = e.Mean - plain
	if squares > 0 {
		e.EffectiveShare = weights * weights / squares
	}
	return e, nil
}

// checkTable reports a distribution p [V] or losses [V] that are none.
func checkTable(p, loss []float64) error {
	if len(p) == 0 || len(p) != len(loss) {
		return fmt.Errorf("electra: %d probabilities and %d losses; give one of each for every token", len(p), len(loss))
	}
	var sum float64
	for x := range p {
		if !(p[x] >= 0) || math.IsInf(p[x], 0) {
			return fmt.Errorf("electra: token %d has probability %v", x, p[x])
		}
		if !(loss[x] >= 0) || math.IsInf(loss[x], 0) {
			return fmt.Errorf("electra: token %d has detection loss %v; a loss is finite and not negative", x, loss[x])
		}
		sum += p[x]
	}
	if math.Abs(sum-1) > 1e-6 {
		return fmt.Errorf("electra: the probabilities sum to %v, not to 1", sum)
	}
	return nil
}

// normalized divides by the sum.
func normalized(p []float64) ([]float64, error) {
	var sum float64
	for _, x := range p {
		sum += x
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return nil, fmt.Errorf("electra: the products of probability and loss sum to %v; no token has both above 0", sum)
	}
	for x := range p {
		p[x] /= sum
	}
	return p, nil
}
