package kn

import (
	"cmp"
	"fmt"
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
)

// DefaultTolerance is the adaptive rule's tolerance unless told otherwise. For
// sets of neurons 0.01 does as well, which sweeps take: of 50 facts of mini in
// 694 prompts all refined sets were the same and all coarse ones but two, with
// 43 nodes a layer instead of 61 and in two thirds of the time.
const DefaultTolerance = 1e-3

// AttributeOptions are the options of [Model.Attribute].
type AttributeOptions struct {
	// Rule integrates over the activation's path. "" stands for [Adaptive].
	Rule Rule `json:"rule"`
	// Nodes is the number of nodes of a fixed rule, and the largest number
	// of nodes a layer of the adaptive one. 0 stands for 20 (fixed) and
	// [quadrature.DefaultMaxNodes] (adaptive).
	Nodes int `json:"nodes,omitempty"`
	// Tolerance is the largest error of a score that the adaptive rule
	// accepts, as a share of the prompt's largest score. 0 stands for
	// [DefaultTolerance].
	Tolerance float64 `json:"tolerance,omitempty"`
	// LayerNormEps replaces the configuration's epsilon when it is not 0.
	LayerNormEps float64 `json:"layer_norm_eps,omitempty"`
	// Target is what is attributed. "" stands for the answer's probability.
	Target Target `json:"target,omitempty"`
}

// Target is what of an answer's prediction is attributed to neurons or tokens.
type Target string

// The targets. Scores are in their units.
const (
	TargetProbability    Target = ""                // as in the paper
	TargetLogProbability Target = "log_probability" // its natural logarithm: a long answer's does not vanish
	// TargetLogitDifference is the logarithm of the answer's probability less that
	// of another's: of two tokens in one place the difference of their logits. It
	// is for [Model.AttributeTokens] alone.
	TargetLogitDifference Target = "logit_difference"
)

// filled returns the options with the defaults in the place of zero values.
func (o AttributeOptions) filled() AttributeOptions {
	o.Rule = cmp.Or(o.Rule, Adaptive)
	switch o.Rule {
	case Adaptive:
		o.Nodes = cmp.Or(o.Nodes, quadrature.DefaultMaxNodes)
		o.Tolerance = cmp.Or(o.Tolerance, DefaultTolerance)
	case ActivationBaseline:
		o.Nodes, o.Tolerance = 0, 0
	default:
		o.Nodes, o.Tolerance = cmp.Or(o.Nodes, 20), 0
	}
	return o
}

// Rules lists the names that [AttributeOptions] takes.
func Rules() []Rule {
	return []Rule{Adaptive, GaussLegendre, LeftRiemann, LinspaceInclusive, Trapezoid, ActivationBaseline}
}

// fixedRules are the rules whose nodes do not depend on the integrand.
var fixedRules = map[Rule]func(nodes int) (quadrature.Rule, error){
	GaussLegendre:     quadrature.GaussLegendre,
	LeftRiemann:       quadrature.LeftRiemann,
	LinspaceInclusive: quadrature.LinspaceInclusive,
	Trapezoid:         quadrature.Trapezoid,
}

// engine checks the options and returns them in the engine's form.
func (o AttributeOptions) engine() (engine.Options, error) {
	e := engine.Options{Tolerance: o.Tolerance, LayerNormEps: o.LayerNormEps}
	if o.Tolerance < 0 || o.LayerNormEps < 0 || o.Nodes < 0 {
		return e, fmt.Errorf("kn: nodes %d, tolerance %v and LayerNorm epsilon %v must not be negative", o.Nodes, o.Tolerance, o.LayerNormEps)
	}
	switch o.Target {
	case TargetProbability:
	case TargetLogProbability:
		e.Logarithm = true
	case TargetLogitDifference:
		return e, fmt.Errorf("kn: the difference of two answers is not attributed to neurons in one go; attribute the %s of each, and subtract the scores: of answers of as many tokens they are those of the difference", TargetLogProbability)
	default:
		return e, fmt.Errorf("kn: unknown target %q; leave it out for the probability, or use %q", o.Target, TargetLogProbability)
	}
	switch fixed := fixedRules[o.Rule]; {
	case fixed != nil:
		rule, err := fixed(o.Nodes)
		e.Rule = &rule
		return e, err
	case o.Rule == Adaptive && o.Nodes < quadrature.LeastCheckedNodes:
		return e, fmt.Errorf("kn: the adaptive rule takes at least %d nodes a layer, not %d", quadrature.LeastCheckedNodes, o.Nodes)
	case o.Rule == Adaptive:
		e.MaxNodes = o.Nodes
	case o.Rule != ActivationBaseline:
		return e, fmt.Errorf("kn: unknown integration rule %q; use one of %v", o.Rule, Rules())
	}
	return e, nil
}

// Attribute computes integrated gradients of the answer's probability with
// respect to every neuron where it is predicted, as the authors of Dai et al.
// (2022) compute them:
//
//	Attr(l, i) = w_i · ∫₀¹ ∂P(a·w)/∂w_i da
//
// with w [F] layer l's activation at [MASK], or at the last token of a causal
// model's prompt, and P(v) the probability when v takes its place. The path
// scales the whole layer at once, one layer at a time. An answer of k tokens is
// predicted in k places, all scaled by the one factor; P is then the product of the
// tokens' probabilities, and a neuron's score the sum over the places. Gradients
// are GoMLX's; nothing below the scaled layer is computed again for each node.
func (m *Model) Attribute(prompt, answer string, options ...AttributeOptions) (*Attribution, error) {
	o, err := optional(options)
	if err != nil {
		return nil, err
	}
	all, err := m.AttributeAll([]Query{{prompt, answer}}, o)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// MustAttribute is [Model.Attribute] for notebook cells: it panics instead of returning an error.
func (m *Model) MustAttribute(prompt, answer string, options ...AttributeOptions) *Attribution {
	return Must(m.Attribute(prompt, answer, options...))
}

// AttributeAll attributes a batch of queries. Queries of one length are
// computed together; those in the cache are not computed at all. Each result
// goes into the cache as soon as it is there: what an interrupt or a kill
// loses is what is being computed.
func (m *Model) AttributeAll(queries []Query, options AttributeOptions) ([]*Attribution, error) {
	o := options.filled()
	how, err := o.engine()
	if err != nil {
		return nil, err
	}
	results, keys := make([]*Attribution, len(queries)), make([]string, len(queries))
	var missing []int
	for i, q := range queries {
		if keys[i], err = m.key("attribute", q, o); err != nil {
			return nil, err
		}
		if hit := new(cachedAttribution); m.cache.Get(keys[i], hit) {
			results[i] = hit.attribution()
		} else {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return results, nil
	}
	edits, err := m.composed()
	if err != nil {
		return nil, err
	}
	rows := make([]engine.Row, len(missing))
	for k, i := range missing {
		s, err := m.answerSample(queries[i])
		if err != nil {
			return nil, err
		}
		rows[k] = engine.Row{Sample: s.Sample, Edits: edits}
	}
	layers, found, told := m.Config().Layers, len(queries)-len(missing), -1
	tell := func(share float64) {
		if done := found*layers + int(math.Round(share*float64(len(missing)*layers))); done > told {
			told = done
			m.step(done, len(queries)*layers, countedLayers(len(queries)))
		}
	}
	err = m.computeEach(engine.Request{Operation: engine.Attribution, Rows: rows, Options: how}, func(r engine.Result) error {
		i := missing[r.Row]
		if results[i], err = m.attribution(r, queries[i], o); err != nil {
			return err
		}
		m.store(keys[i], &cachedAttribution{*results[i], results[i].Scores, results[i].Activations})
		return nil
	}, tell)
	if err == nil {
		tell(1)
	}
	return results, err
}

// countedLayers is what the progress of attributing n prompts counts.
func countedLayers(n int) string {
	if n == 1 {
		return "layers attributed"
	}
	return fmt.Sprintf("layers of %d prompts attributed", n)
}

// attribution makes an attribution of the engine's result.
func (m *Model) attribution(r engine.Result, q Query, o AttributeOptions) (*Attribution, error) {
	provenance, err := m.provenance(o)
	return &Attribution{
		Prompt: q.Prompt, Answer: q.Answer, Target: o.Target, Rule: o.Rule,
		Probability:       r.Probability,
		ProbabilityAtZero: r.ProbabilityAtZero,
		CompletenessError: r.CompletenessError,
		Nodes:             r.Nodes,
		EstimatedError:    r.EstimatedError,
		NotConverged:      r.NotConverged,
		Scores:            r.Scores,
		Activations:       r.Activations,
		Provenance:        provenance,
	}, err
}
