package quadrature

import "math"

// Integral is an integration in progress, driven by whoever can evaluate the
// integrand: ask [Integral.Next] for nodes, evaluate them in whatever batch
// suits, hand the values to [Integral.Add], until no nodes are asked for.
//
// Values are vectors; errors are in the maximum norm over their entries.
type Integral interface {
	// Next returns the nodes in [0, 1] whose values are needed next, none
	// when the integral is done to within the tolerance (in units of the
	// integral) or has given up.
	Next(tolerance float64) []float64
	// Add takes the values at the nodes that Next returned, in their order, and
	// there the values s of a function whose derivative is the sum of the
	// integrand's entries; nil if that is not known. [Checked] needs s.
	Add(values [][]float64, s []float64)
	// Value is the integral so far.
	Value() []float64
	// Error is the estimated error of Value, NaN for rules without an estimate.
	Error() float64
	// Evaluations counts the nodes evaluated so far.
	Evaluations() int
}

// Fixed integrates by one rule.
type Fixed struct {
	rule  Rule
	value []float64
}

// NewFixed starts an integral by the rule's nodes and weights.
func NewFixed(rule Rule) *Fixed { return &Fixed{rule: rule} }

// Next returns all the rule's nodes once.
func (f *Fixed) Next(float64) []float64 {
	if f.value != nil {
		return nil
	}
	return f.rule.Nodes
}

// Add takes the values at all nodes.
func (f *Fixed) Add(values [][]float64, _ []float64) { f.value = weightedSum(f.rule.Weights, values) }

// Value returns the integral, nil before Add.
func (f *Fixed) Value() []float64 { return f.value }

// Error returns NaN: one rule alone has no estimate.
func (f *Fixed) Error() float64 { return math.NaN() }

// Evaluations returns the number of nodes once they were evaluated.
func (f *Fixed) Evaluations() int {
	if f.value == nil {
		return 0
	}
	return len(f.rule.Nodes)
}

// weightedSum is Σ weights[k]·values[k].
func weightedSum(weights []float64, values [][]float64) []float64 {
	sum := make([]float64, len(values[0]))
	for k, v := range values {
		for i, x := range v {
			sum[i] += weights[k] * x
		}
	}
	return sum
}

// distance is the largest difference between entries.
func distance(a, b []float64) float64 {
	d := 0.0
	for i := range a {
		// A NaN must not pass for agreement.
		if diff := math.Abs(a[i] - b[i]); diff > d || math.IsNaN(diff) {
			d = diff
		}
		if math.IsNaN(d) {
			return d
		}
	}
	return d
}
