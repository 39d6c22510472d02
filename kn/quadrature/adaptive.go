package quadrature

import (
	"cmp"
	"math"
	"slices"
)

// DefaultMaxNodes bounds an adaptive integral unless told otherwise.
const DefaultMaxNodes = 4097

// The ladder of nested rules on one interval: 3, 5, 9, 17, 33 nodes.
const (
	firstNodes = 3
	wholeNodes = 17 // the least on the whole of [0, 1]
	lastNodes  = 33
)

// Adaptive integrates by nested Clenshaw-Curtis rules with an estimate of
// the integral's own error.
//
// Let d1, d2, d3 be the distances between successive rules of the ladder 2,
// 3, 5, 9, 17, 33 on an interval, the newest first. The newest rule's error is
// estimated as
//
//	max(2·d1²/d2, 16·c)  from 9 nodes on, if d1 < d2/5 and d2 < d3/5
//	max(d1, d2/4)        otherwise
//	max(d1, e)           for 3 nodes
//
// where e is the distance to what the line through all known values gives. The
// error of an analytic integrand falls like ρ⁻ⁿ with the nodes n, so that the
// error of the newest rule is about d1·(d1/d2)²; the first estimate is more
// careful. c is what the highest Chebyshev coefficients contribute, which is
// large where the integrand is not so smooth as the rules make believe. The
// second estimate holds for a kink, where the error falls four-fold with much
// scatter, and where nothing converges at all; d1 alone would be fooled by two
// rules that agree by chance. On the whole of [0, 1] there are at least 17 nodes,
// unless known jumps cut it up: fewer miss a jump too easily.
//
// Where the values of a function S are given whose derivative is the sum of
// the integrand's entries, an interval's estimate is at least what S shows the
// sum to be off by, if that is more than S's own error, down to intervals of
// 1/16: rules agree as well where all their nodes miss something narrow, or jumps
// cancel. On random sums of waves, poles, peaks, kinks and jumps well below 1 %
// of the integrals are further off than the tolerance.
//
// The integral is done when the intervals' estimates add up to no more than
// the tolerance. Until then the worst intervals get more nodes, or are
// bisected where differences do not fall five-fold or the ladder's top is
// reached. So a jump of the integrand, as ReLU makes them, costs two nodes
// each time its interval is halved, and hardly any where it is known before:
// see [NewAdaptive].
type Adaptive struct {
	maxNodes  int
	intervals []*interval // make up [0, 1]
	asked     []request
	evaluated int
}

// interval is [from, from+length] with the values of its finest rule so far.
type interval struct {
	from, length float64
	inset        [2]float64  // by which the end nodes are moved inwards
	least        int         // nodes
	piece        bool        // lies between known jumps
	parent       float64     // distance of the first two rules on the interval that this is a half of
	values       [][]float64 // of the current rule's nodes
	s            []float64   // S there, if it is known
	value        []float64   // integral over the interval
	err          float64
	before       []sample // what is known inside from the intervals that it was cut out of, in ascending order
	slow         bool     // the last doubling did not help as it would a smooth integrand
}

// sample is a value of the integrand.
type sample struct {
	at    float64
	value []float64
}

// request is what one interval asked for: the nodes of its rule that are new.
type request struct {
	iv    *interval
	nodes int   // size of the rule
	fresh []int // indices of the rule's nodes to be evaluated
}

// jumpWidth is how near to a jump nothing is evaluated. It is far above the
// error with which jumps are located, and so small that the integrand does
// not change over it.
const jumpWidth = 1e-5

// NewAdaptive starts an adaptive integral. maxNodes bounds the evaluations;
// 0 stands for [DefaultMaxNodes]. jumps, if any, are places in (0, 1) in
// ascending order where the integrand may jump, known to 1e-5: the integral
// starts with the intervals between them. That a jump is not among them, or
// is none, costs nodes but no accuracy.
func NewAdaptive(maxNodes int, jumps ...float64) *Adaptive {
	a := &Adaptive{maxNodes: cmp.Or(maxNodes, DefaultMaxNodes)}
	whole := &interval{length: 1, least: wholeNodes}
	for _, x := range jumps {
		// Intervals that are not much longer than their insets, and more of
		// them than the nodes suffice for, are left to bisection.
		if x-whole.from < 4*jumpWidth || 1-x < 4*jumpWidth || firstNodes*(len(a.intervals)+2) > a.maxNodes/2 {
			continue
		}
		piece := *whole
		piece.length, piece.inset[1], piece.least = x-whole.from, jumpWidth, firstNodes
		piece.piece, whole.piece = true, true
		a.intervals = append(a.intervals, &piece)
		whole.from, whole.length, whole.inset[0], whole.least = x, 1-x, jumpWidth, firstNodes
	}
	a.intervals = append(a.intervals, whole)
	return a
}

// Next implements [Integral]. A NaN in the integrand ends the integral,
// unconverged.
func (a *Adaptive) Next(tolerance float64) []float64 {
	var nodes []float64
	a.asked = a.asked[:0]
	for _, iv := range a.refine(tolerance) {
		r := iv.request()
		if a.evaluated+len(nodes)+len(r.fresh) > a.maxNodes {
			break // the worst came first
		}
		rule, _ := ClenshawCurtis(r.nodes)
		for _, k := range r.fresh {
			nodes = append(nodes, iv.at(rule.Nodes[k]))
		}
		a.asked = append(a.asked, r)
	}
	return nodes
}

// refine returns the intervals to be evaluated next, the worst first: those
// that have too few nodes for an estimate, and as many others as must improve
// to bring the sum of the estimates below the tolerance. Those that more
// nodes would not help are bisected.
func (a *Adaptive) refine(tolerance float64) []*interval {
	slices.SortStableFunc(a.intervals, func(x, y *interval) int { return cmp.Compare(y.err, x.err) })
	var chosen []*interval
	rest := 0.0
	for _, iv := range a.intervals {
		rest += iv.err
		if len(iv.values) < iv.least {
			// Two rules that agree by chance would end it here; on the whole
			// interval there are three.
			chosen = append(chosen, iv)
		}
	}
	if len(chosen) > 0 || rest <= tolerance || math.IsNaN(rest) {
		return chosen
	}
	for i, iv := range slices.Clone(a.intervals) {
		if rest <= tolerance/2 {
			break
		}
		rest -= iv.err
		if !iv.slow && len(iv.values) < lastNodes {
			chosen = append(chosen, iv)
			continue
		}
		if a.evaluated+2*(firstNodes-2) > a.maxNodes {
			break
		}
		halves := iv.halves()
		a.intervals[i] = halves[0]
		a.intervals = append(a.intervals, halves[1])
		chosen = append(chosen, halves...)
	}
	return chosen
}

// halves splits an interval. The halves start at the first rule; what they
// share with the whole are the ends and the middle.
func (iv *interval) halves() []*interval {
	h := iv.length / 2
	n := len(iv.values)
	left := &interval{from: iv.from, length: h, least: firstNodes, values: [][]float64{iv.values[0], iv.values[n/2]}}
	right := &interval{from: iv.from + h, length: h, least: firstNodes, values: [][]float64{iv.values[n/2], iv.values[n-1]}}
	if iv.s != nil {
		left.s, right.s = []float64{iv.s[0], iv.s[n/2]}, []float64{iv.s[n/2], iv.s[n-1]}
	}
	for _, s := range iv.samples() {
		if s.at < right.from {
			left.before = append(left.before, s)
		} else if s.at > right.from {
			right.before = append(right.before, s)
		}
	}
	left.inset[0], right.inset[1] = iv.inset[0], iv.inset[1]
	for _, half := range []*interval{left, right} {
		half.value = make([]float64, len(iv.value))
		for i, v := range iv.value {
			half.value[i] = v / 2 // stands in until the half is evaluated
		}
		half.err = iv.err / 2
		half.parent = distance(iv.by(3), iv.by(2))
	}
	return []*interval{left, right}
}

// request says which nodes of the next rule have no value yet.
func (iv *interval) request() request {
	switch n := len(iv.values); n {
	case 0:
		r := request{iv: iv, nodes: min(iv.least, 5)}
		for k := range r.nodes {
			r.fresh = append(r.fresh, k)
		}
		return r
	case 2: // only the ends, after a bisection
		return request{iv, firstNodes, []int{1}}
	default:
		r := request{iv: iv, nodes: 2*n - 1}
		for k := 1; k < r.nodes; k += 2 {
			r.fresh = append(r.fresh, k)
		}
		return r
	}
}

// Add implements [Integral].
func (a *Adaptive) Add(values [][]float64, s []float64) {
	a.evaluated += len(values)
	for _, r := range a.asked {
		n := len(r.fresh)
		if s == nil {
			r.take(values[:n], nil)
		} else {
			r.take(values[:n], s[:n])
			s = s[n:]
		}
		values = values[n:]
	}
	a.asked = a.asked[:0]
}

// take merges new values into the interval's and estimates its error.
func (r request) take(fresh [][]float64, s []float64) {
	iv := r.iv
	iv.values = merged(r, iv.values, fresh)
	if s != nil {
		iv.s = merged(r, iv.s, s)
	}
	iv.value = iv.by(r.nodes)
	iv.err, iv.slow = iv.estimate()
	iv.err = max(iv.err, iv.contradiction())
}

// What of S can be relied on.
const (
	// noise is the error with which S is known, as a share of S: that of
	// float32 and a BERT's arithmetic.
	noise = 2e-5
	// shortest is the length of intervals below which S says no more than noise.
	shortest = 1. / 16
)

// contradiction is the error for the sum of all entries, if S tells it.
func (iv *interval) contradiction() float64 {
	if iv.s == nil || iv.length < shortest {
		return 0
	}
	at0, at1 := iv.s[0], iv.s[len(iv.s)-1]
	e := at1 - at0
	for _, x := range iv.value {
		e -= x
	}
	if math.Abs(e) <= noise*max(math.Abs(at0), math.Abs(at1)) {
		return 0
	}
	return math.Abs(e)
}

// merged puts what is known at a rule's new nodes between what is known at the
// others.
func merged[T any](r request, old, fresh []T) []T {
	all := make([]T, r.nodes)
	for i, k := range r.fresh {
		all[k] = fresh[i]
	}
	if len(old) == 2 {
		all[0], all[r.nodes-1] = old[0], old[1]
		return all
	}
	for k, v := range old {
		all[2*k] = v
	}
	return all
}

// estimate returns the estimated error of the newest rule, and whether the
// last doubling helped less than it would a smooth integrand.
func (iv *interval) estimate() (err float64, slow bool) {
	n := len(iv.values)
	d := distance(iv.value, iv.by((n+1)/2))
	if n == firstNodes {
		// Two such rules tell nothing of how they converge, and agree by
		// chance where a wave fits the halves. What is known of the place
		// from before must agree as well. Halves come of looking for a
		// jump, and are halved on; pieces between jumps are smooth.
		return max(d, distance(iv.value, iv.piecewise())), !(iv.piece || 5*d < iv.parent)
	}
	before := distance(iv.by((n+1)/2), iv.by((n+3)/4))
	if math.IsNaN(d) || math.IsNaN(before) {
		return math.NaN(), true
	}
	fast := 5*d < before
	if n >= 9 && fast {
		ratio := d / before
		if 5*before < distance(iv.by((n+3)/4), iv.by((n+7)/8)) {
			return max(2*d*ratio, 16*iv.highest(math.Pow(ratio, 4/float64(n-1)))), false
		}
	}
	return max(d, before/4), !fast
}

// highest is what the three highest Chebyshev coefficients of the polynomial
// that the newest rule integrates let its error be: the highest one's share
// is half of what the rule would change by without its first node. Three,
// since one is small by chance; the lower two count as what they fall to,
// by the given ratio from one to the next.
func (iv *interval) highest(fall float64) float64 {
	n := len(iv.values)
	largest := 0.0
	for lower := range 3 {
		weights := make([]float64, n)
		for k := range weights {
			weights[k] = math.Cos(math.Pi * float64(k*(n-1-lower)) / float64(n-1))
		}
		weights[0] /= 2
		weights[n-1] /= 2
		c := distance(weightedSum(weights, iv.values), make([]float64, len(iv.value)))
		largest = max(largest, c*math.Pow(fall, float64(lower)))
	}
	rule, _ := ClenshawCurtis(n)
	return iv.length * rule.Weights[0] * largest
}

// samples are all known values in the interval, in ascending order.
func (iv *interval) samples() []sample {
	all := slices.Clone(iv.before)
	rule, _ := ClenshawCurtis(len(iv.values))
	for k, v := range iv.values {
		all = append(all, sample{iv.at(rule.Nodes[k]), v})
	}
	slices.SortFunc(all, func(x, y sample) int { return cmp.Compare(x.at, y.at) })
	return all
}

// piecewise integrates the line through all known values.
func (iv *interval) piecewise() []float64 {
	samples := iv.samples()
	weights, values := make([]float64, len(samples)), make([][]float64, len(samples))
	for k, s := range samples {
		values[k] = s.value
		if k > 0 {
			h := s.at - samples[k-1].at
			weights[k-1], weights[k] = weights[k-1]+h/2, weights[k]+h/2
		}
	}
	return weightedSum(weights, values)
}

// at is where the interval's rules have the node that they have at x on
// [0, 1]. The middle stays the middle.
func (iv *interval) at(x float64) float64 {
	at := iv.from + iv.length*x
	switch x {
	case 0:
		return at + iv.inset[0]
	case 1:
		return at - iv.inset[1]
	}
	return at
}

// by integrates over the interval with the nested rule of n nodes.
func (iv *interval) by(n int) []float64 {
	rule := Rule{Weights: []float64{0.5, 0.5}} // of two nodes, the ladder's foot
	if n > 2 {
		rule, _ = ClenshawCurtis(n)
	}
	step := (len(iv.values) - 1) / (n - 1)
	picked := make([][]float64, n)
	for k := range picked {
		picked[k] = iv.values[k*step]
		rule.Weights[k] *= iv.length
	}
	return weightedSum(rule.Weights, picked)
}

// Value implements [Integral].
func (a *Adaptive) Value() []float64 {
	var sum []float64
	a.each(func(iv *interval) {
		if iv.value == nil {
			return
		}
		if sum == nil {
			sum = make([]float64, len(iv.value))
		}
		for i, v := range iv.value {
			sum[i] += v
		}
	})
	return sum
}

// Error implements [Integral]: the sum of the intervals' estimates.
func (a *Adaptive) Error() float64 {
	sum := 0.0
	a.each(func(iv *interval) { sum += iv.err })
	return sum
}

// Evaluations implements [Integral].
func (a *Adaptive) Evaluations() int { return a.evaluated }

// each visits the intervals from left to right, so that sums do not depend on
// the order of refinement.
func (a *Adaptive) each(visit func(*interval)) {
	ordered := slices.Clone(a.intervals)
	slices.SortFunc(ordered, func(x, y *interval) int { return cmp.Compare(x.from, y.from) })
	for _, iv := range ordered {
		visit(iv)
	}
}
