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

// Rule names a way to integrate the gradient over the activation's path.
type Rule string

// The integration rules. See package quadrature for nodes and weights.
const (
	// Adaptive takes as many nodes as the tolerance needs: [quadrature.NewChecked],
	// or [quadrature.NewAdaptive] where gradients jump.
	Adaptive Rule = "adaptive"

	GaussLegendre      Rule = "gauss_legendre"      // n nodes, exact for polynomials of degree 2n-1
	LeftRiemann        Rule = "left_riemann"        // nodes k/n for k in 0..n-1, weight 1/n: the paper authors' code
	LinspaceInclusive  Rule = "linspace_inclusive"  // n nodes from 0 to 1 inclusive, weight 1/n: EleutherAI's code
	Trapezoid          Rule = "trapezoid"           // n nodes from 0 to 1 inclusive, the two ends at half weight
	ActivationBaseline Rule = "activation_baseline" // no integral: the activation itself
)

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

// Attribution is what [Model.Attribute] computes for one prompt and answer.
// L is the number of layers, F the size of their feed-forward activation.
type Attribution struct {
	Prompt      string  `json:"prompt"`
	Answer      string  `json:"answer"`
	Target      Target  `json:"target,omitempty"` // what was attributed
	Probability float64 `json:"probability"`      // of the answer, model unmodified

	// ProbabilityAtZero[l] is the answer's probability when the whole
	// activation of layer l is 0 where the answer is predicted.
	ProbabilityAtZero []float64 `json:"probability_at_zero"` // [L]
	// CompletenessError[l] is sum(Scores[l]) minus the change of the target from
	// activation 0 to the unmodified model; 0 for an exact integral. A small one does
	// not prove the scores right: see EstimatedError.
	CompletenessError []float64 `json:"completeness_error"` // [L]

	Rule  Rule  `json:"rule"`
	Nodes []int `json:"nodes"` // [L] gradient evaluations spent on each layer
	// EstimatedError[l] estimates the largest error of any score in layer l,
	// in units of the target. Only the adaptive rule estimates; others
	// leave it empty.
	EstimatedError []float64 `json:"estimated_error,omitempty"` // [L]
	// NotConverged lists the layers whose estimate did not reach the
	// tolerance within the allowed number of nodes.
	NotConverged []int `json:"not_converged,omitempty"`

	// Scores[l][i] is the integrated gradient of neuron (l, i), in the target's [Attribution.Unit].
	Scores [][]float64 `json:"scores"` // [L][F]
	// Activations[l][i] is the neuron's activation where the answer is predicted,
	// in the mean over its tokens: the baseline attribution.
	Activations [][]float64 `json:"activations"` // [L][F]

	Provenance Provenance `json:"provenance"`
}

// Unit is that of the scores: "probability", or "nats" of logarithms. The rule
// [ActivationBaseline] has none: its scores are activations.
func (a Attribution) Unit() string {
	if a.Rule == ActivationBaseline {
		return ""
	}
	return a.Target.unit()
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
