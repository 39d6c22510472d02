package experiments

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// Fact is a fact with the neurons that each method says hold it. The sets of
// prompts are in the order of Bag.Prompts.
type Fact struct {
	Bag facts.Bag

	Coarse         [][]kn.Neuron // of each prompt, by integrated gradients
	CoarseBaseline [][]kn.Neuron // by the activation

	Neurons         []kn.Neuron // refined: what the prompts have in common
	BaselineNeurons []kn.Neuron
	// Strength[k] is the mean over prompts of Neurons[k]'s score as a share of
	// the prompt's largest.
	Strength []float64
	// Undecided are the neurons, chosen or not, whose choice is within the
	// integrals' error, see [GatherOptions.Error]; sorted.
	Undecided []kn.Neuron

	Probability []float64 // of the answer in each prompt, model unmodified

	shares map[kn.Neuron][]float64 // of the prompts' largest scores, while prompts come in
}

// Strongest returns the n neurons of the fact that stand in the most prompts'
// coarse sets; of those in equally many, the stronger ones.
func (f Fact) Strongest(n int) []kn.Neuron {
	count := map[kn.Neuron]int{}
	for _, set := range f.Coarse {
		for _, neuron := range set {
			count[neuron]++
		}
	}
	order := make([]int, len(f.Neurons))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(count[f.Neurons[j]], count[f.Neurons[i]]), cmp.Compare(f.Strength[j], f.Strength[i]))
	})
	var first []kn.Neuron
	for _, i := range order[:min(n, len(order))] {
		first = append(first, f.Neurons[i])
	}
	return first
}

// GatherOptions say how a fact's neurons are chosen. The zero value is the
// authors' choice.
type GatherOptions struct {
	// Threshold t of the coarse sets, 0: 0.2, and of the baseline's, 0: 0.5.
	Threshold, BaselineThreshold float64
	// Share p to start from, 0: 0.7. MinPrompts is the least number of
	// prompts of a refined neuron, 0: 3.
	Share      float64
	MinPrompts int
	// Error of the scores, as a share of the prompt's largest: the sweep's
	// tolerance. It says which neurons are undecided. 0: 0.01.
	Error float64
	// Tuning moves the p of each relation in steps of 0.05, at most 5 of them,
	// until its facts have 2 to 5 neurons on average. Fixed turns it off.
	Fixed bool
}

func (o GatherOptions) filled() GatherOptions {
	o.Threshold, o.BaselineThreshold = cmp.Or(o.Threshold, 0.2), cmp.Or(o.BaselineThreshold, 0.5)
	o.Share, o.MinPrompts, o.Error = cmp.Or(o.Share, 0.7), cmp.Or(o.MinPrompts, 3), cmp.Or(o.Error, 0.01)
	return o
}

// Gathered are the facts of a sweep with their neurons.
type Gathered struct {
	Facts               []Fact
	Gradients, Baseline Selection // how the two methods' neurons were chosen
}

// Gather reads a sweep's records (see [sweep.Read]) and chooses each fact's
// neurons by both methods, p tuned relation by relation for each of them, as
// the authors' code does. Records hold no scores below a share of the largest one,
// so thresholds below it would find too little: see the sweep's header.
func Gather(records iter.Seq2[sweep.Record, error], o GatherOptions) (*Gathered, error) {
	o = o.filled()
	g := &Gathered{}
	index := map[string]int{}
	for r, err := range records {
		if err != nil {
			return nil, err
		}
		i, known := index[r.Fact]
		if !known {
			i = len(g.Facts)
			index[r.Fact] = i
			g.Facts = append(g.Facts, newFact(r))
		}
		if err := g.Facts[i].add(r, o); err != nil {
			return nil, err
		}
	}
	if len(g.Facts) == 0 {
		return nil, fmt.Errorf("experiments: the sweep has no records")
	}
	for i := range g.Facts {
		if err := g.Facts[i].complete(); err != nil {
			return nil, err
		}
	}
	g.refine(o)
	return g, nil
}

func newFact(r sweep.Record) Fact {
	return Fact{
		Bag: facts.Bag{
			Relation: r.Relation, RelationName: r.RelationName, Subject: r.Subject, Answer: r.Answer,
			Prompts: make([]string, r.Prompts),
		},
		Coarse: make([][]kn.Neuron, r.Prompts), CoarseBaseline: make([][]kn.Neuron, r.Prompts),
		Probability: make([]float64, r.Prompts),
		shares:      map[kn.Neuron][]float64{},
	}
}

// add puts a prompt's record in its place.
func (f *Fact) add(r sweep.Record, o GatherOptions) error {
	switch {
	case r.Prompts != len(f.Bag.Prompts) || r.Index < 0 || r.Index >= r.Prompts || r.Answer != f.Bag.Answer:
		return fmt.Errorf("experiments: the record of prompt %q does not fit the fact %v; was the sweep's folder mixed up?", r.Prompt, f.Bag)
	case f.Bag.Prompts[r.Index] != "":
		return fmt.Errorf("experiments: the prompt %q of the fact %v stands twice in the sweep; merge it again", r.Prompt, f.Bag)
	}
	f.Bag.Prompts[r.Index] = r.Prompt
	f.Coarse[r.Index] = r.Gradients.Coarse(o.Threshold)
	f.CoarseBaseline[r.Index] = r.Activations.Coarse(o.BaselineThreshold)
	f.Probability[r.Index] = r.Probability
	for i, n := range r.Gradients.Neurons {
		f.shares[n] = append(f.shares[n], r.Gradients.Values[i]/r.Gradients.Largest)
	}
	return nil
}

// complete reports a prompt that is missing.
func (f *Fact) complete() error {
	for i, prompt := range f.Bag.Prompts {
		if prompt == "" {
			return fmt.Errorf("experiments: the sweep lacks prompt %d of the fact %v; let it finish, then merge it", i, f.Bag)
		}
	}
	return nil
}

// refine chooses the refined sets of both methods.
func (g *Gathered) refine(o GatherOptions) {
	groups := map[string][]int{}
	for i, f := range g.Facts {
		groups[f.Bag.Relation] = append(groups[f.Bag.Relation], i)
	}
	choose := func(threshold float64, coarse func(f *Fact) [][]kn.Neuron, put func(f *Fact, refined []kn.Neuron, share float64)) Selection {
		s := Selection{Threshold: threshold, Start: o.Share, Fixed: o.Fixed, MinPrompts: o.MinPrompts}
		for _, relation := range sortedRelations(groups) {
			var sets [][][]kn.Neuron
			for _, i := range groups[relation] {
				sets = append(sets, coarse(&g.Facts[i]))
			}
			of := RelationShare{Relation: relation, Share: o.Share}
			if !o.Fixed {
				of.Share, of.Moves = tuneShare(sets, o.Share, o.MinPrompts)
			}
			for k, i := range groups[relation] {
				put(&g.Facts[i], kn.RefineAtLeast(sets[k], of.Share, o.MinPrompts), of.Share)
			}
			s.ByRelation = append(s.ByRelation, of)
		}
		return s
	}
	g.Gradients = choose(o.Threshold, func(f *Fact) [][]kn.Neuron { return f.Coarse }, func(f *Fact, refined []kn.Neuron, share float64) {
		f.Neurons = refined
		for _, n := range refined {
			sum := 0.0
			for _, s := range f.shares[n] {
				sum += s
			}
			f.Strength = append(f.Strength, sum/float64(len(f.Bag.Prompts)))
		}
		f.Undecided = f.undecided(share, o)
		f.shares = nil
	})
	g.Baseline = choose(o.BaselineThreshold, func(f *Fact) [][]kn.Neuron { return f.CoarseBaseline }, func(f *Fact, refined []kn.Neuron, _ float64) {
		f.BaselineNeurons = refined
	})
}

// undecided are the neurons whose k-th highest score is within the error of the
// threshold, k being the number of prompts that makes a refined neuron.
func (f *Fact) undecided(share float64, o GatherOptions) (neurons []kn.Neuron) {
	prompts, k := len(f.Bag.Prompts), max(1, o.MinPrompts)
	for float64(k)/float64(prompts) < share {
		k++
	}
	for n, shares := range f.shares {
		if k > prompts || len(shares) < k {
			continue // fewer scores are near the threshold
		}
		slices.SortFunc(shares, func(a, b float64) int { return cmp.Compare(b, a) })
		if math.Abs(shares[k-1]-o.Threshold) <= o.Error {
			neurons = append(neurons, n)
		}
	}
	return kn.SortNeurons(neurons)
}

// The authors' tuning of p.
const (
	shareStep        = 0.05
	mostMoves        = 5 // they look six times
	fewestAvg, upAvg = 2, 5
)

// tuneShare moves the share p as the authors' code does until the facts of a
// relation have 2 to 5 refined neurons on average: up by 0.05 when there are
// more, down when there are fewer, at most 5 times. coarse is
// [facts][prompts]. It returns p and the number of moves.
func tuneShare(coarse [][][]kn.Neuron, start float64, minPrompts int) (share float64, moves int) {
	// Their p is moved by adding up 0.05, whose rounding decides at 0.9.
	for share = start; moves < mostMoves; moves++ {
		total := 0
		for _, sets := range coarse {
			total += len(kn.RefineAtLeast(sets, share, minPrompts))
		}
		switch mean := float64(total) / float64(len(coarse)); {
		case mean > upAvg:
			share += shareStep
		case mean < fewestAvg:
			share -= shareStep
		default:
			return share, moves
		}
	}
	return share, moves
}
