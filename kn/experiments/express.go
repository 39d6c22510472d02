package experiments

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// Pooling says which of a neuron's activations at the tokens of a text counts.
type Pooling string

// The ways to pool. The authors' code masks a word of each text and reads the
// neurons there, so AtMask is the default and compares with the paper. The other
// two read a text as it stands, over all its tokens but [CLS] and [SEP]; no
// published code does so.
const (
	AtMask       Pooling = "mask"
	MeanOfTokens Pooling = "mean"
	MaxOfTokens  Pooling = "max"
)

// ExpressOptions are the options of [Express].
type ExpressOptions struct {
	Pooling Pooling `json:"pooling"` // "": AtMask
	// Texts is the most of T1 and of T2 that are read for a fact. 0: 10, as
	// many as the authors' data has.
	Texts int `json:"texts"`
	// Neurons whose texts are listed. Empty: the 5 that most facts have.
	Neurons []kn.Neuron `json:"neurons"`
	// Extremes is how many texts are listed at either end. 0: 5.
	Extremes  int    `json:"extremes"`
	Seed      uint64 `json:"seed"`
	Resamples int    `json:"resamples"` // 0: 2000
}

func (o ExpressOptions) filled(all []Fact) (ExpressOptions, error) {
	o.Pooling, o.Texts, o.Extremes = cmp.Or(o.Pooling, AtMask), cmp.Or(o.Texts, 10), cmp.Or(o.Extremes, 5)
	if !slices.Contains([]Pooling{AtMask, MeanOfTokens, MaxOfTokens}, o.Pooling) {
		return o, fmt.Errorf("experiments: no pooling %q; use %q, %q or %q", o.Pooling, AtMask, MeanOfTokens, MaxOfTokens)
	}
	if o.Texts < 1 || o.Extremes < 1 {
		return o, fmt.Errorf("experiments: cannot read %d texts of a type, or list %d", o.Texts, o.Extremes)
	}
	if len(o.Neurons) == 0 {
		for _, c := range Commonest(all)[:min(5, len(Commonest(all)))] {
			o.Neurons = append(o.Neurons, c.Neuron)
		}
	}
	return o, nil
}

// factsPerCall are read in one call, so that their texts are computed together.
// It does not depend on the cores, since results' last digits depend on it.
const factsPerCall = 16

// Express measures how strongly the facts' neurons act in open texts (the paper's
// table and figure on activation and expression). For the neurons by both methods
// it takes the mean activation over T1, texts that hold subject and answer, T2,
// the subject only, and T3, random ones. It also lists the texts that activate
// some neurons most and least.
//
// As in the authors' code one word of each text is masked and the neurons are
// read there: in T1 the answer, in T2 and T3 a random one of the first 50 words
// outside the subject; there are as many T3 as T1, drawn from the texts of all
// other facts unless the texts have their own. So T1 asks for the fact, and T2
// and T3 for something else; [ExpressOptions] can read texts as they stand
// instead. As a control, as many random neurons of the first layer are read as
// the fact has by both methods. What the paper reports for the baseline's neurons
// is near these; no published code says how it was measured. A fact's activation
// is the mean over its neurons and texts; the paper's numbers are means over
// relations, [MethodExpression.OfRelations].
//
// Texts belong to the fact with their relation, subject and answer. Where the
// source does not name these, like the authors' files without query_pairs.json,
// they belong to the fact whose subject is in all of them and whose answer is in
// all of T1. [facts.HeldOutText] makes texts for models that were taught facts
// alone. Such a model was trained to have its neurons act at [MASK] in the
// answer's place, so it says little that they act in T1. It was not trained to
// have them act less where a subject stands without its fact, and least in random
// texts.
func Express(ctx context.Context, m *kn.Model, of []Fact, texts []facts.OpenText, o ExpressOptions, progress kn.Progress) (*ActivationExpression, error) {
	if len(of) == 0 {
		return nil, errNoFacts
	}
	o, err := o.filled(of)
	if err != nil {
		return nil, err
	}
	r := &ActivationExpression{Pooling: o.Pooling}
	plans := planTexts(m, of, texts, o, r)
	if len(plans) == 0 {
		return nil, NothingLeft("no fact has neurons and both kinds of texts; are the texts of these facts?")
	}
	calls := slices.Collect(slices.Chunk(plans, factsPerCall))
	err = sideBySide(ctx, len(calls), fmt.Sprintf("groups of %d facts' texts", factsPerCall), progress, func(ctx context.Context, i int) error {
		return readPlans(silent(ctx, m), calls[i], o)
	})
	if err != nil {
		return nil, err
	}
	r.Facts = len(plans)
	r.summarize(plans, o)
	r.Extremes = extremes(of, plans, o)
	r.Provenance, err = m.Provenance(o, o.Seed)
	return r, err
}

// readPlans reads the texts of some facts.
func readPlans(m *kn.Model, plans []*textPlan, o ExpressOptions) error {
	var readings []kn.Reading
	for _, p := range plans {
		for _, text := range p.texts {
			readings = append(readings, kn.Reading{Text: text.text, Neurons: p.neurons})
		}
	}
	read, err := m.TokenActivations(readings)
	if err != nil {
		return fmt.Errorf("experiments: open texts from %s on: %w", plans[0].fact.name(), err)
	}
	first, last := 1, 1 // tokens around a text: [CLS] and [SEP]
	if m.Config().Causal() {
		first, last = len(m.Tokenizer().Encode("").IDs), 0
	}
	for _, p := range plans {
		for k := range p.texts {
			for _, tokens := range read[k].Values {
				p.texts[k].values = append(p.texts[k].values, pool(tokens, read[k].Mask, first, last, o.Pooling))
			}
		}
		read = read[len(p.texts):]
	}
	return nil
}

// pool makes one activation of those at the tokens, of which the first and the
// last are not the text's.
func pool(tokens []float64, mask, first, last int, how Pooling) float64 {
	inner := tokens[first : len(tokens)-last]
	switch {
	case how == AtMask:
		return tokens[mask]
	case how == MaxOfTokens:
		return slices.Max(inner)
	}
	sum := 0.0
	for _, v := range inner {
		sum += v
	}
	return sum / float64(len(inner))
}

// byType are the means of a fact's neurons in T1, T2 and T3; none if it has no neurons.
func (p *textPlan) byType(neurons []kn.Neuron) (means [3]float64, ok bool) {
	var n [3]int
	for _, text := range p.texts {
		for _, neuron := range neurons {
			k, _ := slices.BinarySearchFunc(p.neurons, neuron, kn.Neuron.Compare)
			means[text.kind] += text.values[k]
			n[text.kind]++
		}
	}
	for k := range means {
		means[k] /= float64(max(1, n[k]))
	}
	return means, len(neurons) > 0
}

// summarize takes the means over facts.
func (r *ActivationExpression) summarize(plans []*textPlan, o ExpressOptions) {
	own := func(p *textPlan) []kn.Neuron { return p.fact.Neurons }
	baseline := func(p *textPlan) []kn.Neuron { return p.fact.BaselineNeurons }
	random := func(p *textPlan) []kn.Neuron { return p.random }
	bootstrap := stats.Options{Resamples: o.Resamples, Seed: o.Seed}
	groups := map[string][]*textPlan{}
	for _, p := range plans {
		groups[p.fact.Bag.Relation] = append(groups[p.fact.Bag.Relation], p)
	}
	r.Gradients = methodExpression(plans, groups, own, bootstrap)
	r.Baseline = methodExpression(plans, groups, baseline, bootstrap)
	r.Random = methodExpression(plans, groups, random, bootstrap)
	for _, relation := range sortedRelations(groups) {
		group := groups[relation]
		ofOwn, _ := typeClusters(group, own)
		ofBaseline, _ := typeClusters(group, baseline)
		r.ByRelation = append(r.ByRelation, RelationExpression{
			Relation: relation, Name: group[0].fact.Bag.RelationName, Facts: len(group),
			Gradients: typeMeans(ofOwn, bootstrap), Baseline: typeMeans(ofBaseline, bootstrap),
		})
	}
}

// typeClusters are the facts' means in T1, T2 and T3, and for the authors'
// average the same as sums over neurons.
func typeClusters(plans []*textPlan, of func(*textPlan) []kn.Neuron) (clusters [3]map[int][]float64, ofNeurons [3][]stats.Ratio) {
	for k := range clusters {
		clusters[k] = map[int][]float64{}
	}
	for i, p := range plans {
		neurons := of(p)
		means, ok := p.byType(neurons)
		if !ok {
			continue
		}
		n := float64(len(neurons))
		for k, v := range means {
			clusters[k][i] = []float64{v}
			ofNeurons[k] = append(ofNeurons[k], stats.Ratio{Of: v * n, To: n})
		}
	}
	return clusters, ofNeurons
}

func typeMeans(clusters [3]map[int][]float64, o stats.Options) TypeMeans {
	return TypeMeans{stats.Bootstrap(clusters[0], o), stats.Bootstrap(clusters[1], o), stats.Bootstrap(clusters[2], o)}
}

func methodExpression(plans []*textPlan, groups map[string][]*textPlan, of func(*textPlan) []kn.Neuron, o stats.Options) MethodExpression {
	clusters, _ := typeClusters(plans, of)
	e := MethodExpression{
		Facts: len(clusters[0]), TypeMeans: typeMeans(clusters, o),
		T1LessT2: stats.Difference(clusters[0], clusters[1], o), T2LessT3: stats.Difference(clusters[1], clusters[2], o),
	}
	var ratios [3][][]stats.Ratio
	for _, relation := range sortedRelations(groups) {
		_, ofNeurons := typeClusters(groups[relation], of)
		for k, r := range ofNeurons {
			ratios[k] = append(ratios[k], r)
		}
	}
	e.OfRelations = TypeMeans{stats.MeanOfRatios(ratios[0], o), stats.MeanOfRatios(ratios[1], o), stats.MeanOfRatios(ratios[2], o)}
	return e
}
