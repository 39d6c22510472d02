package pretrain

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// NeuronStatistics says what knowledge neurons do in a model, as the paper's
// table and figures do (Dai et al. 2022, section 4). Facts are the unit of
// every mean of changes' bootstrap.
type NeuronStatistics struct {
	Facts   int       `json:"facts"`
	Prompts int       `json:"prompts"`
	Recipe  kn.Recipe `json:"recipe"`

	PerFact     stats.Interval `json:"per_fact"`     // refined neurons
	PerPrompt   stats.Interval `json:"per_prompt"`   // coarse neurons
	WithoutAny  int            `json:"without_any"`  // facts with no refined neuron
	PerLayer    []float64      `json:"per_layer"`    // share of the refined neurons in each layer
	SharedIn    stats.Interval `json:"shared_in"`    // neurons shared by two facts of one relation
	SharedCross stats.Interval `json:"shared_cross"` // by two facts of different relations

	// Relative changes of the answer's probability, means over facts' prompts.
	// Facts without neurons count with a change of 0.
	Suppressed       stats.Interval `json:"suppressed"`
	Amplified        stats.Interval `json:"amplified"`
	RandomSuppressed stats.Interval `json:"random_suppressed"` // as many random neurons of the same layers
	RandomAmplified  stats.Interval `json:"random_amplified"`
	// The other neurons of the same layers that are nearest in activation: few
	// neurons fire, so that most random ones have nothing to suppress.
	MatchedSuppressed stats.Interval `json:"matched_suppressed"`
	MatchedAmplified  stats.Interval `json:"matched_amplified"`
	Firing            stats.Interval `json:"firing"` // share of all neurons that are above 0 at [MASK]

	// What suppressing another fact's neurons does to a fact.
	Others []CrossFact `json:"others"`
}

// CrossFact says what suppressing the neurons of facts of one kind does to
// the facts of a draw: how special neurons are to their own fact.
type CrossFact struct {
	Kind       string         `json:"kind"`
	Facts      int            `json:"facts"` // of the draw that had such a partner in it
	Suppressed stats.Interval `json:"suppressed"`
}

// randomDraws is the number of random control sets of each fact.
const randomDraws = 4

// studied is a fact with its neurons and the changes, one a prompt.
type studied struct {
	fact                      facts.Taught
	neurons                   []kn.Neuron
	coarse                    []float64 // sizes
	prompts                   []string
	firing                    float64
	suppressed, amplified     []float64
	randomZero, randomDoubled []float64
	matchedZero, matchedTwice []float64
}

// neuronStatistics draws facts and studies them with the paper's thresholds
// and the exact integral.
func neuronStatistics(ctx context.Context, m *kn.Model, taught []facts.Taught, o EvaluateOptions, progress kn.Progress) (NeuronStatistics, error) {
	recipe := kn.Dai2022
	recipe.Name, recipe.Attribute = "Dai2022's thresholds, exact integral", kn.AttributeOptions{Rule: kn.Adaptive, Tolerance: o.Tolerance}
	rng := rand.New(rand.NewPCG(o.Seed, 0x4e04))
	drawn := rng.Perm(len(taught))[:min(o.Facts, len(taught))]
	slices.Sort(drawn)
	all := make([]studied, len(drawn))
	// Facts are studied side by side: the graphs are small and leave cores idle.
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	inGroup := m.WithContext(groupCtx)
	var mu sync.Mutex
	done := 0
	for i, at := range drawn {
		group.Go(func() (err error) {
			if all[i], err = study(inGroup, taught[at], recipe, o.Seed); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			progress(done, len(drawn), "facts' neurons")
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return NeuronStatistics{}, err
	}
	n := summarize(all, recipe, m.Config().Layers, o)
	var err error
	n.Others, err = crossFacts(m.WithContext(ctx), all, o)
	return n, err
}

// study finds one fact's neurons over all templates of its relation, and
// suppresses and amplifies them in each.
func study(m *kn.Model, f facts.Taught, recipe kn.Recipe, seed uint64) (studied, error) {
	s := studied{fact: f}
	trained, err := f.Prompts(false)
	if err != nil {
		return s, err
	}
	held, err := f.Prompts(true)
	if err != nil {
		return s, err
	}
	prompts := append(trained, held...)
	found, err := m.KnowledgeNeurons(prompts, f.Answer, recipe)
	if err != nil {
		return s, fmt.Errorf("pretrain: neurons of %v: %w", f.Fact, err)
	}
	s.neurons = found.Refined
	for _, set := range found.Coarse {
		s.coarse = append(s.coarse, float64(len(set)))
	}
	s.prompts = prompts
	activations, err := m.Activations(prompts[0])
	if err != nil {
		return s, err
	}
	s.firing = firing(activations)
	return s, s.intervene(m, seed)
}

// firing is the share of activations above 0.
func firing(activations [][]float64) float64 {
	above, total := 0, 0
	for _, layer := range activations {
		total += len(layer)
		for _, w := range layer {
			if w > 0 {
				above++
			}
		}
	}
	return float64(above) / float64(total)
}

// negligible is a probability that float32 cannot tell changes of; prompts
// with less are left out of the relative changes.
const negligible = 1e-12

// intervene measures the relative changes in every prompt. A fact without
// neurons changes nothing.
func (s *studied) intervene(m *kn.Model, seed uint64) error {
	// Each fact draws random neurons of its own.
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s\x00%s", s.fact.Relation, s.fact.Subject)
	options := kn.CurveOptions{Factors: []float64{0, 2}, Draws: randomDraws, Seed: seed ^ hash.Sum64()}
	for _, prompt := range s.prompts {
		changes := [6]float64{}
		if len(s.neurons) > 0 {
			c, err := m.FactorCurves([]string{prompt}, s.fact.Answer, s.neurons, options)
			if err != nil {
				return fmt.Errorf("pretrain: %w", err)
			}
			if c.Probability < negligible {
				continue
			}
			for i, curve := range []kn.Curve{c.Own, c.Random, c.Matched} {
				changes[2*i] = curve.Probability[0]/c.Probability - 1
				changes[2*i+1] = curve.Probability[1]/c.Probability - 1
			}
		}
		s.suppressed, s.amplified = append(s.suppressed, changes[0]), append(s.amplified, changes[1])
		s.randomZero, s.randomDoubled = append(s.randomZero, changes[2]), append(s.randomDoubled, changes[3])
		s.matchedZero, s.matchedTwice = append(s.matchedZero, changes[4]), append(s.matchedTwice, changes[5])
	}
	return nil
}

// summarize turns facts into means and intervals.
func summarize(all []studied, recipe kn.Recipe, layers int, o EvaluateOptions) NeuronStatistics {
	n := NeuronStatistics{Facts: len(all), Recipe: recipe, PerLayer: make([]float64, layers)}
	mean := func(values func(s studied) []float64) stats.Interval {
		clusters := map[int][]float64{}
		for i, s := range all {
			clusters[i] = values(s)
		}
		return stats.Bootstrap(clusters, o.bootstrap())
	}
	total := 0
	for _, s := range all {
		n.Prompts += len(s.coarse)
		total += len(s.neurons)
		if len(s.neurons) == 0 {
			n.WithoutAny++
		}
		for _, neuron := range s.neurons {
			n.PerLayer[neuron.Layer]++
		}
	}
	for l := range n.PerLayer {
		n.PerLayer[l] /= float64(max(1, total))
	}
	n.PerFact = mean(func(s studied) []float64 { return []float64{float64(len(s.neurons))} })
	n.PerPrompt = mean(func(s studied) []float64 { return s.coarse })
	n.Suppressed = mean(func(s studied) []float64 { return s.suppressed })
	n.Amplified = mean(func(s studied) []float64 { return s.amplified })
	n.RandomSuppressed = mean(func(s studied) []float64 { return s.randomZero })
	n.RandomAmplified = mean(func(s studied) []float64 { return s.randomDoubled })
	n.MatchedSuppressed = mean(func(s studied) []float64 { return s.matchedZero })
	n.MatchedAmplified = mean(func(s studied) []float64 { return s.matchedTwice })
	n.Firing = mean(func(s studied) []float64 { return []float64{s.firing} })
	n.SharedIn, n.SharedCross = shared(all, o)
	return n
}

// sortedRelations are a map's keys in order of the relations' numbers.
func sortedRelations[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}
