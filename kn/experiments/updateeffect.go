package experiments

import (
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// updated is what a fact's edit does, by prompt.
type updated struct {
	neurons                        int
	changed, success, topFive      []float64
	rank, reciprocal               []float64
	newProbability, oldProbability []float64
	within, across                 []float64 // surprisals of the probes
}

// neurons are the fact's, at most so many; 0 for all.
func (c *updateCase) neurons(most int) []kn.Neuron {
	if most == 0 {
		return c.fact.Neurons
	}
	return c.fact.Strongest(most)
}

// updatedFact is the case in the table.
func (c *updateCase) updatedFact(o UpdateOptions) UpdatedFact {
	b := c.fact.Bag
	return UpdatedFact{
		Relation: b.Relation, Subject: b.Subject, Old: b.Answer, New: c.answer, Neurons: c.neurons(o.MostNeurons), Prompts: len(b.Prompts),
		Changed: average(c.own.changed), Success: average(c.own.success), TopFive: average(c.own.topFive),
	}
}

func average(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// measure measures the fact unmodified, updated, and under the control.
func (c *updateCase) measure(m *kn.Model, o UpdateOptions) (err error) {
	neurons := c.neurons(o.MostNeurons)
	if c.before, err = c.under(m, nil, 0, 0); err != nil {
		return err
	}
	if c.own, err = c.under(m, neurons, o.Lambda1, o.Lambda2); err != nil {
		return err
	}
	random := kn.RandomControl(neurons, m.Config().IntermediateSize, randomFor(c.fact, o.Seed+2))
	c.control, err = c.under(m, random, o.Lambda1, o.Lambda2)
	return err
}

// under measures the fact when neurons are updated; none for the unmodified model.
func (c *updateCase) under(m *kn.Model, neurons []kn.Neuron, lambda1, lambda2 float64) (updated, error) {
	u := updated{neurons: len(neurons)}
	m, err := m.With(kn.Update(neurons, c.fact.Bag.Answer, c.answer).WithLambdas(lambda1, lambda2))
	if err != nil {
		return u, err
	}
	var trials []kn.Trial
	for _, q := range c.fact.queries() {
		trials = append(trials, kn.Trial{Query: q}, kn.Trial{Query: kn.Query{Prompt: q.Prompt, Answer: c.answer}})
	}
	for _, q := range slices.Concat(c.within, c.across) {
		trials = append(trials, kn.Trial{Query: q})
	}
	outcomes, err := m.Outcomes(trials)
	if err != nil {
		return u, fmt.Errorf("experiments: %s: %w", c.fact.name(), err)
	}
	for range c.fact.Bag.Prompts {
		u.add(outcomes[0], outcomes[1])
		outcomes = outcomes[2:]
	}
	for i, out := range outcomes {
		if s := surprisal(out.Answer.Probability); i < len(c.within) {
			u.within = append(u.within, s)
		} else {
			u.across = append(u.across, s)
		}
	}
	return u, nil
}

// add takes a prompt's outcomes with regard to the old answer and the new one.
func (u *updated) add(before, after kn.Outcome) {
	indicator := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	u.changed = append(u.changed, indicator(!before.First()))
	u.success = append(u.success, indicator(after.First()))
	u.topFive = append(u.topFive, indicator(after.Answer.Rank <= 5))
	u.rank, u.reciprocal = append(u.rank, float64(after.Answer.Rank)), append(u.reciprocal, 1/float64(after.Answer.Rank))
	u.newProbability, u.oldProbability = append(u.newProbability, after.Answer.Probability), append(u.oldProbability, before.Answer.Probability)
}

// sampled are the rates as the authors sample them, which choose a fact by the
// share of its prompts that are known.
func sampled(groups map[string][]*updateCase, of func(c *updateCase) updated, o stats.Options) SampledRates {
	rate := func(values func(u updated) []float64) stats.Interval {
		var ratios [][]stats.Ratio
		for _, relation := range sortedRelations(groups) {
			var r []stats.Ratio
			for _, c := range groups[relation] {
				known := values(of(c))
				r = append(r, stats.Ratio{Of: average(known) * float64(len(known)) / float64(c.prompts), To: float64(len(known)) / float64(c.prompts)})
			}
			ratios = append(ratios, r)
		}
		return stats.MeanOfRatios(ratios, o)
	}
	return SampledRates{Changed: rate(changedOf), Success: rate(successOf)}
}

func changedOf(u updated) []float64 { return u.changed }
func successOf(u updated) []float64 { return u.success }

// byFact gathers values by fact; facts without any are not there.
func byFact(all []updated, values func(u updated) []float64) map[int][]float64 {
	clusters := map[int][]float64{}
	for i, u := range all {
		if v := values(u); len(v) > 0 {
			clusters[i] = v
		}
	}
	return clusters
}

// effect summarizes edits [facts].
func effect(before, after []updated, o stats.Options) UpdateEffect {
	mean := func(all []updated, values func(u updated) []float64) stats.Interval {
		return stats.Bootstrap(byFact(all, values), o)
	}
	change := func(values func(u updated) []float64) stats.Interval {
		return stats.Difference(byFact(after, values), byFact(before, values), o)
	}
	within, across := func(u updated) []float64 { return u.within }, func(u updated) []float64 { return u.across }
	rank, reciprocal := func(u updated) []float64 { return u.rank }, func(u updated) []float64 { return u.reciprocal }
	return UpdateEffect{
		Neurons:    mean(after, func(u updated) []float64 { return []float64{float64(u.neurons)} }),
		Changed:    mean(after, changedOf),
		Success:    mean(after, successOf),
		TopFive:    mean(after, func(u updated) []float64 { return u.topFive }),
		RankBefore: mean(before, rank), Rank: mean(after, rank),
		ReciprocalRankBefore: mean(before, reciprocal), ReciprocalRank: mean(after, reciprocal),
		NewProbability: change(func(u updated) []float64 { return u.newProbability }),
		OldProbability: change(func(u updated) []float64 { return u.oldProbability }),
		Within:         perplexity(byFact(before, within), byFact(after, within), o),
		Across:         perplexity(byFact(before, across), byFact(after, across), o),
	}
}
