package kn

import (
	"cmp"
	"context"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
)

// DefaultTolerance is the adaptive rule's tolerance unless told otherwise.
const DefaultTolerance = 1e-3

// leastAdaptiveNodes is the smallest bound on the adaptive rule's nodes with
// which it can tell its error: two rules must be there to compare.
const leastAdaptiveNodes = 9

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
}

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

// start returns a function that starts one layer's integral.
func (o AttributeOptions) start() (func() quadrature.Integral, error) {
	if o.Tolerance < 0 || o.LayerNormEps < 0 || o.Nodes < 0 {
		return nil, fmt.Errorf("kn: nodes %d, tolerance %v and LayerNorm epsilon %v must not be negative", o.Nodes, o.Tolerance, o.LayerNormEps)
	}
	fixed := map[Rule]func(int) (quadrature.Rule, error){
		GaussLegendre:     quadrature.GaussLegendre,
		LeftRiemann:       quadrature.LeftRiemann,
		LinspaceInclusive: quadrature.LinspaceInclusive,
		Trapezoid:         quadrature.Trapezoid,
	}
	switch rule := fixed[o.Rule]; {
	case o.Rule == Adaptive && o.Nodes < leastAdaptiveNodes:
		return nil, fmt.Errorf("kn: the adaptive rule takes at least %d nodes a layer, not %d", leastAdaptiveNodes, o.Nodes)
	case o.Rule == Adaptive:
		return func() quadrature.Integral { return quadrature.NewAdaptive(o.Nodes) }, nil
	case o.Rule == ActivationBaseline:
		return nil, nil
	case rule == nil:
		return nil, fmt.Errorf("kn: unknown integration rule %q; use one of %v", o.Rule, Rules())
	default:
		nodes, err := rule(o.Nodes)
		if err != nil {
			return nil, err
		}
		return func() quadrature.Integral { return quadrature.NewFixed(nodes) }, nil
	}
}

// Attribute computes integrated gradients of the answer's probability at
// [MASK] with respect to every neuron there, as the authors of Dai et al. (2022)
// compute them:
//
//	Attr(l, i) = w_i · ∫₀¹ ∂P(a·w)/∂w_i da
//
// with w [F] layer l's activation at [MASK], and P(v) the probability when v
// takes its place. The path scales the whole layer at once, one layer at a
// time. Gradients are GoMLX's; nothing below the scaled layer is computed
// again for each node.
func (m *Model) Attribute(prompt, answer string, options ...AttributeOptions) (*Attribution, error) {
	all, err := m.AttributeAll([]Query{{prompt, answer}}, optional(options))
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// MustAttribute is [Model.Attribute] for notebook cells: it panics instead of returning an error.
func (m *Model) MustAttribute(prompt, answer string, options ...AttributeOptions) *Attribution {
	return must(m.Attribute(prompt, answer, options...))
}

// AttributeAll attributes a batch of queries. Queries of one length are
// computed together; those in the cache are not computed at all, and those
// that were finished when the context is cancelled are kept.
func (m *Model) AttributeAll(queries []Query, options AttributeOptions) ([]*Attribution, error) {
	o := options.filled()
	if _, err := o.start(); err != nil {
		return nil, err
	}
	results, missing, err := m.attributed(queries, o)
	if err != nil || len(missing) == 0 {
		return results, err
	}
	samples := make([]sample, len(missing))
	for k, i := range missing {
		if samples[k], err = m.answerSample(queries[i]); err != nil {
			return nil, err
		}
	}
	e, err := m.loaded()
	if err != nil {
		return nil, err
	}
	done := len(queries) - len(missing)
	m.step(done, len(queries), "prompts attributed")
	err = byLength(samples, func(s sample) int { return len(s.ids) }, func(n int) int { return promptsPerBatch }, func(batch []int) error {
		group := make([]sample, len(batch))
		for k, i := range batch {
			group[k] = samples[i]
		}
		computed, err := e.attribute(m.ctx, group, m.edits, o)
		if err != nil {
			return err
		}
		for k, i := range batch {
			if err := m.keep(computed[k], queries[missing[i]], o); err != nil {
				return err
			}
			results[missing[i]] = computed[k]
		}
		done += len(batch)
		m.step(done, len(queries), "prompts attributed")
		return nil
	})
	return results, err
}

// promptsPerBatch bounds the prompts whose nodes share batches.
const promptsPerBatch = 8

// attributed looks queries up in the cache and lists those that are not there.
func (m *Model) attributed(queries []Query, o AttributeOptions) (found []*Attribution, missing []int, err error) {
	found = make([]*Attribution, len(queries))
	for i, q := range queries {
		key, err := m.key("attribute", q, o)
		if err != nil {
			return nil, nil, err
		}
		a := new(Attribution)
		if m.cache.Get(key, a) {
			found[i] = a
			continue
		}
		missing = append(missing, i)
	}
	return found, missing, nil
}

// keep completes an attribution and puts it into the cache.
func (m *Model) keep(a *Attribution, q Query, o AttributeOptions) (err error) {
	a.Prompt, a.Answer, a.Rule = q.Prompt, q.Answer, o.Rule
	if a.Provenance, err = m.provenance(o); err != nil {
		return err
	}
	key, err := m.key("attribute", q, o)
	if err != nil {
		return err
	}
	if err := m.cache.Put(key, a); err != nil {
		warn(err)
	}
	return nil
}

// attribute computes the attributions of samples of one length.
func (e *engine) attribute(ctx context.Context, samples []sample, edits []Edit, o AttributeOptions) ([]*Attribution, error) {
	paths, err := e.paths(ctx, samples, edits, o.LayerNormEps)
	if err != nil {
		return nil, err
	}
	results := make([]*Attribution, len(samples))
	for i := range results {
		results[i] = paths.blank(i)
	}
	start, err := o.start()
	if err != nil {
		return nil, err
	}
	if start == nil {
		return results, paths.baseline(ctx, results)
	}
	return results, paths.integrate(ctx, results, start, o.Tolerance)
}
