package electra

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
)

// Sampler names the proposal p_S that replacements are drawn from.
type Sampler string

// The samplers. V is the vocabulary.
const (
	// Plain is ELECTRA: p_S = p_G, at temperature 1.
	Plain Sampler = "plain"
	// HPLoss predicts the detection loss of every token:
	// p_S(x) ∝ p_G(x)·softplus(h(x)), with h [V] the head's output.
	HPLoss Sampler = "hp-loss"
	// HPDist learns the proposal: p_S(x) ∝ p_G(x)·exp(h(x)).
	HPDist Sampler = "hp-dist"
)

// Samplers are all samplers.
var Samplers = []Sampler{Plain, HPLoss, HPDist}

// HasHead says whether the sampler needs the head that predicts hardness.
func (s Sampler) HasHead() bool { return s != Plain }

// Validate reports a name that is none of [Samplers].
func (s Sampler) Validate() error {
	if slices.Contains(Samplers, s) {
		return nil
	}
	var names []string
	for _, known := range Samplers {
		names = append(names, string(known))
	}
	return fmt.Errorf("electra: there is no sampler %q; choose %s", string(s), strings.Join(names, ", "))
}

// Propose computes p_S from the generator's distribution and the head's
// output, which [Plain] does without:
//
//	generator [..., V], head [..., V] or nil -> [..., V]
//
// No gradient passes: a proposal is where samples come from, not something
// that the losses of the samples may change.
func (s Sampler) Propose(generator, head *graph.Node) *graph.Node {
	p := generator
	switch s {
	case HPLoss:
		product := graph.Mul(generator, PredictedLoss(head))                      // [..., V]
		p = graph.Div(product, graph.ReduceAndKeep(product, graph.ReduceSum, -1)) // [..., V]
	case HPDist:
		p = graph.Softmax(tilted(generator, head), -1)
	}
	return graph.StopGradient(p)
}

// Optimal is the proposal that leaves the weighted detection loss without
// variance, p_S(x) = p_G(x)·L_D(x) / Σ_y p_G(y)·L_D(y), for the generator's
// probabilities [V] and the detection losses [V] of one position.
func Optimal(generator, loss []float64) ([]float64, error) { return Tempered(generator, loss, 1) }

// Tempered is the proposal p_S(x) ∝ p_G(x)·L_D(x)^a: plain sampling at a = 0,
// [Optimal] at a = 1, too much of a good thing beyond.
func Tempered(generator, loss []float64, a float64) ([]float64, error) {
	if err := checkTable(generator, loss); err != nil {
		return nil, err
	}
	p := make([]float64, len(generator))
	for x := range p {
		if generator[x] > 0 {
			p[x] = generator[x] * math.Pow(loss[x], a)
		}
	}
	return normalized(p)
}
