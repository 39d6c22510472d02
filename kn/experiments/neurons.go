package experiments

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// relationShare is the share of a relation's facts that its neurons must be
// in, as the authors' code has it.
const relationShare = 0.1

// Neurons says which neurons hold the facts of a sweep: how many a fact has, in
// which layers they are, how many two facts share, and which are common in a
// relation.
func Neurons(m *kn.Model, g *Gathered, o stats.Options) (*NeuronTable, error) {
	if len(g.Facts) == 0 {
		return nil, errNoFacts
	}
	layers := m.Config().Layers
	t := &NeuronTable{
		Facts:     len(g.Facts),
		Gradients: methodNeurons(g.Facts, g.Gradients, layers, o, byGradients),
		Baseline:  methodNeurons(g.Facts, g.Baseline, layers, o, byActivation),
	}
	for _, f := range g.Facts {
		if len(f.Undecided) > 0 {
			t.Gradients.Undecided++
		}
	}
	groups := byRelation(g.Facts)
	t.Relations = len(groups)
	for _, r := range sortedRelations(groups) {
		t.ByRelation = append(t.ByRelation, relationNeurons(groups[r]))
	}
	for _, f := range g.Facts {
		t.Prompts += len(f.Bag.Prompts)
	}
	var err error
	t.Provenance, err = m.Provenance(map[string]any{"gradients": g.Gradients, "baseline": g.Baseline, "resamples": o.Resamples}, o.Seed)
	return t, err
}

var errNoFacts = errors.New("experiments: no facts to look at; is the sweep empty?")

// NothingLeft is the error of an experiment that has nothing to measure, given
// the facts and the model. It says why.
type NothingLeft string

func (e NothingLeft) Error() string { return "experiments: " + string(e) }

// byGradients and byActivation are a fact's sets by the two methods.
func byGradients(f Fact) (refined []kn.Neuron, coarse [][]kn.Neuron) { return f.Neurons, f.Coarse }

func byActivation(f Fact) (refined []kn.Neuron, coarse [][]kn.Neuron) {
	return f.BaselineNeurons, f.CoarseBaseline
}

func methodNeurons(facts []Fact, s Selection, layers int, o stats.Options, sets func(Fact) ([]kn.Neuron, [][]kn.Neuron)) MethodNeurons {
	n := MethodNeurons{Selection: s, PerLayer: make([]float64, layers)}
	perPrompt, top := map[int][]float64{}, map[int][]float64{}
	inLayer := make([]map[int][]float64, layers)
	for l := range inLayer {
		inLayer[l] = map[int][]float64{}
	}
	total := 0
	for i, f := range facts {
		refined, coarse := sets(f)
		for _, set := range coarse {
			perPrompt[i] = append(perPrompt[i], float64(len(set)))
		}
		for _, neuron := range refined {
			n.PerLayer[neuron.Layer]++
			total++
			top[i] = append(top[i], oneIf(neuron.Layer >= layers-(layers+2)/3))
			for l := range inLayer {
				inLayer[l][i] = append(inLayer[l][i], oneIf(neuron.Layer == l))
			}
		}
		if len(refined) == 0 {
			n.WithoutAny++
		}
	}
	for l := range n.PerLayer {
		n.PerLayer[l] /= float64(max(1, total))
		n.PerLayerIntervals = append(n.PerLayerIntervals, stats.Bootstrap(inLayer[l], o))
	}
	n.PerPrompt, n.Top = stats.Bootstrap(perPrompt, o), stats.Bootstrap(top, o)
	n.PerFact, n.Shared = tunedAnew(facts, s, o, sets)
	return n
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func relationNeurons(facts []Fact) RelationNeurons {
	r := RelationNeurons{Relation: facts[0].Bag.Relation, Name: facts[0].Bag.RelationName, Facts: len(facts)}
	for _, f := range facts {
		r.Gradients += float64(len(f.Neurons)) / float64(len(facts))
		r.Baseline += float64(len(f.BaselineNeurons)) / float64(len(facts))
	}
	for _, c := range Commonest(facts) {
		if float64(c.Facts) >= relationShare*float64(len(facts)) {
			r.Common = append(r.Common, c)
		}
	}
	return r
}

// Commonest lists the neurons of facts, those that most facts have first.
func Commonest(of []Fact) []NeuronCount {
	count := map[kn.Neuron]int{}
	for _, f := range of {
		for _, n := range f.Neurons {
			count[n]++
		}
	}
	all := make([]NeuronCount, 0, len(count))
	for n, c := range count {
		all = append(all, NeuronCount{n, c})
	}
	slices.SortFunc(all, func(a, b NeuronCount) int {
		return cmp.Or(cmp.Compare(b.Facts, a.Facts), a.Neuron.Compare(b.Neuron))
	})
	return all
}

// byRelation groups facts by their relations.
func byRelation(facts []Fact) map[string][]Fact {
	groups := map[string][]Fact{}
	for _, f := range facts {
		groups[f.Bag.Relation] = append(groups[f.Bag.Relation], f)
	}
	return groups
}

// sortedRelations are a map's keys in order of the properties' numbers.
func sortedRelations[V any](m map[string]V) []string {
	number := func(r string) int {
		n, err := strconv.Atoi(strings.TrimPrefix(r, "P"))
		if err != nil {
			return -1
		}
		return n
	}
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(number(a), number(b)), cmp.Compare(a, b))
	})
}
