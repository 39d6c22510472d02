package experiments

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// ExactnessOptions are the options of [Exactness].
type ExactnessOptions struct {
	// Prompts is how many are drawn, as evenly as possible over relations and,
	// within a relation, over facts. 0: 300.
	Prompts int `json:"prompts"`
	// Tolerances of the adaptive rule that are put to the test. Empty: 0.01
	// and 0.001, those of sweeps and of single attributions.
	Tolerances []float64 `json:"tolerances"`
	// Reference is the tolerance of the reference, at most a tenth of the
	// smallest one tested. 0: 1e-5.
	Reference float64 `json:"reference"`
	// CheckNodes are the Gauss-Legendre nodes a layer by which the reference is
	// checked. 0: 64, and 32 for models of 20 million parameters or more, which
	// are slow; but 4096 for small models with a ReLU or another activation function
	// that is not smooth, where the check's own error falls as slowly as 1/nodes.
	CheckNodes int `json:"check_nodes"`
	// CheckEvery: one in so many prompts is checked. 0: 10.
	CheckEvery int    `json:"check_every"`
	Seed       uint64 `json:"seed"`
}

func (o ExactnessOptions) filled(parameters int, activation string) ExactnessOptions {
	o.Prompts, o.Reference, o.CheckEvery = cmp.Or(o.Prompts, 300), cmp.Or(o.Reference, 1e-5), cmp.Or(o.CheckEvery, 10)
	if len(o.Tolerances) == 0 {
		o.Tolerances = []float64{1e-2, 1e-3}
	}
	if o.CheckNodes == 0 {
		switch o.CheckNodes = 64; {
		case backend.Large(parameters):
			o.CheckNodes = 32
		case !transformer.Smooth(activation):
			o.CheckNodes = 4096
		}
	}
	return o
}

func (o ExactnessOptions) check() error {
	switch smallest := slices.Min(o.Tolerances); {
	case o.Prompts < 0 || o.CheckNodes < 0 || o.CheckEvery < 0:
		return fmt.Errorf("experiments: %d prompts, %d nodes and a check of every %d-th must not be negative", o.Prompts, o.CheckNodes, o.CheckEvery)
	case !(o.Reference > 0 && 10*o.Reference <= smallest):
		return fmt.Errorf("experiments: a reference to %g says nothing of a rule to %g; give one to a tenth of it or less", o.Reference, smallest)
	}
	return nil
}

// Exactness tests what the adaptive rule promises: that each score is within
// tolerance times the prompt's largest score, or that the attribution says
// that it did not converge. [PromiseKept] has the rule by which it is judged.
//
// The true error is that against a reference: the same rule at a tolerance far
// below. If the rule were deceived at both tolerances alike, the reference would
// not show it. So every tenth prompt is integrated by Gauss-Legendre nodes as
// well, which know no tolerance. With a smooth activation function these agree
// with the reference to the precision of float32. ReLU's gradient jumps, and
// Gauss-Legendre converges slowly there: it takes thousands of nodes.
//
// No attribution is held for longer than its prompt takes. Those in the
// model's cache are not computed again, so that an experiment that was cut
// short goes on where it was.
func Exactness(ctx context.Context, m *kn.Model, of []Fact, o ExactnessOptions, progress kn.Progress) (*ExactnessTable, error) {
	o = o.filled(m.Config().Parameters(), m.Config().HiddenAct)
	if err := o.check(); err != nil {
		return nil, err
	}
	t := &ExactnessTable{
		Layers: m.Config().Layers, Activation: m.Config().HiddenAct,
		Each: drawPrompts(of, o.Prompts, o.Seed),
	}
	if len(t.Each) == 0 {
		return nil, errNoFacts
	}
	err := sideBySide(ctx, len(t.Each), "prompts to every tolerance", progress, func(ctx context.Context, i int) error {
		return t.Each[i].measure(silent(ctx, m), o, i%o.CheckEvery == 0)
	})
	if err != nil {
		return nil, err
	}
	t.summarize(o)
	t.Provenance, err = m.Provenance(o, o.Seed)
	return t, err
}

// drawPrompts draws n prompts, without results: one of each relation in turn,
// of another fact each time until all had their turn.
func drawPrompts(facts []Fact, n int, seed uint64) []PromptExactness {
	rng := newRandom(seed)
	shuffled := make([]Fact, len(facts))
	for k, i := range rng.Perm(len(facts)) {
		shuffled[k] = facts[i]
	}
	groups := byRelation(shuffled)
	var decks [][]PromptExactness // of each relation
	for _, r := range sortedRelations(groups) {
		decks = append(decks, dealPrompts(groups[r], n, seed))
	}
	var drawn []PromptExactness
	for turn, more := 0, true; more; turn++ {
		more = false
		for _, r := range rng.Perm(len(decks)) { // in one order, every tenth prompt might be of one relation
			if deck := decks[r]; turn < len(deck) && len(drawn) < n {
				drawn, more = append(drawn, deck[turn]), true
			}
		}
	}
	return drawn
}

// dealPrompts are up to n prompts of one relation's facts: a first one of each
// fact, then a second one, and so on.
func dealPrompts(facts []Fact, n int, seed uint64) (deck []PromptExactness) {
	orders := make([][]int, len(facts))
	most := 0
	for i, f := range facts {
		orders[i] = randomFor(f, seed).Perm(len(f.Bag.Prompts))
		most = max(most, len(orders[i]))
	}
	for turn := range most {
		for i, f := range facts {
			if turn < len(orders[i]) && len(deck) < n {
				deck = append(deck, PromptExactness{
					Relation: f.Bag.Relation, Prompt: f.Bag.Prompts[orders[i][turn]], Answer: f.Bag.Answer,
				})
			}
		}
	}
	return deck
}

// measure attributes the prompt by the reference, to each tolerance and, if it
// is to be checked, by Gauss-Legendre nodes.
func (p *PromptExactness) measure(m *kn.Model, o ExactnessOptions, checked bool) error {
	attribute := func(how kn.AttributeOptions) (*kn.Attribution, error) { return m.Attribute(p.Prompt, p.Answer, how) }
	exact, err := attribute(kn.AttributeOptions{Rule: kn.Adaptive, Tolerance: o.Reference, Nodes: referenceNodes})
	if err != nil {
		return err
	}
	if p.Largest = largestScore(exact); p.Largest == 0 {
		return fmt.Errorf("experiments: every score of %q is 0; there is no largest one to be exact to a share of", p.Prompt)
	}
	reference, err := p.layerwise(exact, exact)
	if err != nil {
		return err
	}
	p.Reference = PromptReference{
		Nodes: reference.exactness(o.Reference).Nodes, Estimate: slices.Max(reference.estimates), NotConverged: reference.notConverged,
	}
	for _, tolerance := range o.Tolerances {
		a, err := attribute(kn.AttributeOptions{Rule: kn.Adaptive, Tolerance: tolerance})
		if err != nil {
			return err
		}
		layers, err := p.layerwise(a, exact)
		if err != nil {
			return err
		}
		p.By = append(p.By, layers.exactness(o.Reference))
	}
	if !checked {
		return nil
	}
	gauss, err := attribute(kn.AttributeOptions{Rule: kn.GaussLegendre, Nodes: o.CheckNodes})
	if err != nil {
		return err
	}
	difference := slices.Max(differences(gauss, exact, p.Largest))
	p.Check = &difference
	return p.finite(difference)
}

// layerwise compares an attribution with the reference.
func (p *PromptExactness) layerwise(a, exact *kn.Attribution) (layerwise, error) {
	l := layerwise{
		errors: differences(a, exact, p.Largest), nodes: a.Nodes, referenceNodes: exact.Nodes,
		notConverged: len(a.NotConverged) > 0,
	}
	for _, e := range a.EstimatedError {
		l.estimates = append(l.estimates, e/p.Largest)
	}
	if len(l.estimates) != len(l.errors) { // where it is NaN it is left out
		return l, p.finite(math.NaN())
	}
	return l, p.finite(append(slices.Clone(l.errors), l.estimates...)...)
}

// finite returns an error unless all values are finite numbers.
func (p *PromptExactness) finite(values ...float64) error {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("experiments: the scores of %q, or their estimated errors, are not finite numbers; are the model's weights?", p.Prompt)
		}
	}
	return nil
}

// differences are, for each layer, the largest of a score as a share of the
// largest score.
func differences(a, exact *kn.Attribution, largest float64) []float64 {
	d := make([]float64, len(exact.Scores))
	for l, row := range exact.Scores {
		for i, s := range row {
			d[l] = max(d[l], math.Abs(a.Scores[l][i]-s)/largest) // max keeps a NaN
		}
	}
	return d
}

// largestScore is the largest absolute score of an attribution.
func largestScore(a *kn.Attribution) float64 {
	largest := 0.0
	for _, row := range a.Scores {
		for _, s := range row {
			largest = max(largest, math.Abs(s))
		}
	}
	return largest
}
