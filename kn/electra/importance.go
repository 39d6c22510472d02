package electra

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Bounding says how the importance weights p_G(x)/p_S(x) are kept from
// growing without limit where p_S is far too small.
type Bounding string

const (
	// Mixture draws from (1-ε)·p_S + ε·p_G with ε = 1/bound, so that no
	// weight is above the bound and every expectation stays what it is
	// (defensive sampling, Hesterberg, Technometrics 1995,
	// https://doi.org/10.1080/00401706.1995.10484303). The price is that the
	// variance does not fall to 0 even when p_S is exact.
	Mixture Bounding = "mixture"
	// Clip draws from p_S and cuts weights at the bound, which makes the loss
	// of rare tokens too small.
	Clip Bounding = "clip"
)

// Validate reports a name that is neither.
func (b Bounding) Validate() error {
	if b == Mixture || b == Clip {
		return nil
	}
	return fmt.Errorf("electra: importance weights cannot be bounded by %q; choose %s or %s", string(b), Mixture, Clip)
}

// Mix computes what is drawn from, a proposal made safe where the bounding
// asks for it: proposal and generator [..., V] -> [..., V]. The bound is at
// least 1; at 1 a mixture is the generator itself.
func (b Bounding) Mix(proposal, generator *graph.Node, bound float64) *graph.Node {
	if b == Clip {
		return proposal
	}
	return graph.Add(graph.MulScalar(proposal, 1-1/bound), graph.MulScalar(generator, 1/bound))
}

// ImportanceWeights are p_G(x)/q(x), at most the bound, of tokens of
// probability p_G(x) in the generator that were drawn with probability q(x):
// generator and drawn from [...] -> [...]. A mixture's weights are below the
// bound as they are. No gradient passes.
func ImportanceWeights(generator, from *graph.Node, bound float64) *graph.Node {
	w := graph.Div(generator, graph.MaxScalar(from, 1e-30))
	return graph.StopGradient(graph.MinScalar(w, bound))
}

// EffectiveSampleSize is (Σw)²/Σw², the number of samples of equal weight that
// would estimate as well (Kong, 1992): weights [N] -> scalar, from 1 to N.
func EffectiveSampleSize(weights *graph.Node) *graph.Node {
	return graph.Div(graph.Square(graph.ReduceAllSum(weights)), graph.ReduceAllSum(graph.Square(weights)))
}
