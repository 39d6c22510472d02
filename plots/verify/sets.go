package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

// sensitivity is the map of a set over threshold and share.
type sensitivity struct{ kn.Sensitivity }

func (r *sensitivity) into() any                    { return &r.Sensitivity }
func (r *sensitivity) provenances() []kn.Provenance { return []kn.Provenance{r.Provenance} }
func (r *sensitivity) fits([]*kn.Model) error       { return nil }

func (r *sensitivity) draw(o plots.Options) (*plots.Figure, error) {
	return plots.Sensitivity(&r.Sensitivity, o)
}

func (r *sensitivity) limits() error {
	o, err := optionsOf[kn.SensitivityOptions](r.Provenance)
	switch {
	case err != nil:
		return err
	case len(o.Thresholds) == 0 || len(o.Thresholds) > mostGrid || len(o.Shares) == 0 || len(o.Shares) > mostGrid:
		return fmt.Errorf("a grid of %d by %d", len(o.Thresholds), len(o.Shares))
	}
	if err := integralLimits(o.Recipe.Attribute); err != nil {
		return err
	}
	return few("prompts", mostPrompts, len(r.Prompts))
}

func (r *sensitivity) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	o, err := optionsOf[kn.SensitivityOptions](r.Provenance)
	if err != nil {
		return err
	}
	got, err := models[0].Sensitivity(r.Prompts, r.Answer, o)
	if err != nil {
		return err
	}
	c.provenance("", r.Provenance, got.Provenance)
	// The same with thresholds a little higher and lower, of what was attributed.
	around := o
	around.Thresholds = nil
	higher := func(t float64) float64 { return min(1, t*(1+c.Tolerance)) }
	lower := func(t float64) float64 { return t * (1 - c.Tolerance) }
	for _, t := range got.Thresholds {
		around.Thresholds = append(around.Thresholds, lower(t), t, higher(t))
	}
	bounds, err := models[0].Sensitivity(r.Prompts, r.Answer, around)
	if err != nil {
		return err
	}
	at := func(t float64) int { return slices.Index(bounds.Thresholds, t) }
	least, most := c.atThreshold(kn.Recipe{Threshold: got.Threshold})
	fewest, err := r.defaultAt(models[0], o, least.Threshold)
	if err != nil {
		return err
	}
	widest, err := r.defaultAt(models[0], o, most.Threshold)
	if err != nil {
		return err
	}
	c.set("default set", r.Default, fewest, widest)
	undecided := len(widest) - len(fewest)
	c.exactly("default threshold", r.Threshold, got.Threshold)
	c.exactly("default share", r.Share, got.Share)
	c.exactly("thresholds", r.Thresholds, got.Thresholds)
	c.exactly("shares", r.Shares, got.Shares)
	if !slices.Equal(r.Thresholds, got.Thresholds) || !slices.Equal(r.Shares, got.Shares) {
		return nil // no point can be compared
	}
	for i, t := range got.Thresholds {
		low, high := at(higher(t)), at(lower(t))
		for j, share := range got.Shares {
			point := fmt.Sprintf("at t = %g, p = %g: ", t, share)
			c.between(point+"neurons", r.Neurons[i][j], got.Neurons[i][j], bounds.Neurons[low][j], bounds.Neurons[high][j])
			c.between(point+"of the default set", r.Kept[i][j], got.Kept[i][j], bounds.Kept[low][j]-undecided, bounds.Kept[high][j]+undecided)
		}
	}
	return nil
}

// defaultAt is the default set by another threshold, of what was attributed.
func (r *sensitivity) defaultAt(m *kn.Model, o kn.SensitivityOptions, threshold float64) ([]kn.Neuron, error) {
	recipe := o.Recipe
	recipe.Threshold = threshold
	found, err := m.KnowledgeNeurons(r.Prompts, r.Answer, recipe)
	if err != nil {
		return nil, err
	}
	return found.Refined, nil
}

// sets are one fact's in two models.
type sets struct{ kn.SetComparison }

func (r *sets) into() any                    { return &r.SetComparison }
func (r *sets) provenances() []kn.Provenance { return []kn.Provenance{r.A.Provenance, r.B.Provenance} }

func (r *sets) draw(o plots.Options) (*plots.Figure, error) {
	return plots.SetComparison(&r.SetComparison, o)
}

func (r *sets) fits(models []*kn.Model) error {
	return errors.Join(ofShape(r.Layers, r.FFN, models[0]), ofShape(r.Layers, r.FFN, models[1]))
}

func (r *sets) limits() error {
	prompts := len(r.Prompts)
	for _, of := range []kn.SetOf{r.A, r.B} {
		recipe, err := optionsOf[kn.Recipe](of.Provenance)
		if err != nil {
			return err
		}
		if err := integralLimits(recipe.Attribute); err != nil {
			return err
		}
	}
	a, _ := optionsOf[kn.Recipe](r.A.Provenance) // read just before
	if b, _ := optionsOf[kn.Recipe](r.B.Provenance); a != b {
		return errors.New("the two sets are by two recipes")
	}
	for _, o := range r.Others {
		prompts += len(o.Fact.Prompts)
	}
	return few("prompts", mostPrompts, prompts)
}

func (r *sets) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	recipe, err := optionsOf[kn.Recipe](r.A.Provenance)
	if err != nil {
		return err
	}
	o := kn.CompareOptions{AnswerB: r.B.Answer}
	for _, other := range r.Others {
		o.Others = append(o.Others, other.Fact)
	}
	fewer, more := c.atThreshold(recipe)
	var by [3]*kn.SetComparison
	for k, recipe := range []kn.Recipe{recipe, fewer, more} {
		o.Recipe = recipe
		if by[k], err = kn.CompareSets(models[0], models[1], r.Prompts, r.A.Answer, o); err != nil {
			return err
		}
	}
	got, least, most := by[0], by[1], by[2]
	c.provenance("A: ", r.A.Provenance, got.A.Provenance)
	c.provenance("B: ", r.B.Provenance, got.B.Provenance)
	c.set("set in A", membersOf(&r.SetComparison, inA), membersOf(least, inA), membersOf(most, inA))
	c.set("set in B", membersOf(&r.SetComparison, inB), membersOf(least, inB), membersOf(most, inB))
	c.exactly("neurons in A", r.A.Neurons, len(membersOf(&r.SetComparison, inA)))
	c.exactly("neurons in B", r.B.Neurons, len(membersOf(&r.SetComparison, inB)))
	c.probabilities("A", r.A.Probability, got.A.Probability)
	c.probabilities("B", r.B.Probability, got.B.Probability)
	// Scores are those of the neurons in the wider sets.
	scores := map[kn.Neuron]kn.ComparedNeuron{}
	for _, n := range most.Neurons {
		scores[n.Neuron] = n
	}
	for _, n := range r.Neurons {
		if g, ok := scores[n.Neuron]; ok {
			c.number(fmt.Sprintf("score of %v in A", n.Neuron), n.ScoreA, g.ScoreA, max(1, math.Abs(g.ScoreA)))
			c.number(fmt.Sprintf("score of %v in B", n.Neuron), n.ScoreB, g.ScoreB, max(1, math.Abs(g.ScoreB)))
		}
	}
	c.number("shared by chance", r.Chance.Expected, got.Chance.Expected, got.Chance.Expected)
	c.number("probability of sharing so many", r.Chance.AtLeast, got.Chance.AtLeast, got.Chance.AtLeast)
	for i, other := range r.Others {
		of := fmt.Sprintf("other fact %d, %q: ", i+1, other.Fact.Answer)
		c.between(of+"neurons", other.Neurons, got.Others[i].Neurons, least.Others[i].Neurons, most.Others[i].Neurons)
		c.between(of+"shared", other.Shared, got.Others[i].Shared, least.Others[i].Shared, most.Others[i].Shared)
	}
	c.note("the models' names %q and %q are the author's", r.A.Name, r.B.Name)
	return nil
}

func inA(n kn.ComparedNeuron) bool { return n.InA }
func inB(n kn.ComparedNeuron) bool { return n.InB }

// membersOf are the neurons of one of the two sets.
func membersOf(s *kn.SetComparison, in func(kn.ComparedNeuron) bool) (members []kn.Neuron) {
	for _, n := range s.Neurons {
		if in(n) {
			members = append(members, n.Neuron)
		}
	}
	return members
}

// probabilities compares the answer's in each prompt.
func (c *comparison) probabilities(of string, figure, computed []float64) {
	c.numbers(func(i int) string { return fmt.Sprintf("probability of the answer in %s, prompt %d", of, i+1) }, figure, computed, slices.Max(append(computed, 0)))
}

// interventions are changes of few facts.
type interventions struct {
	experiments.Intervention
	chart func(*experiments.Intervention, ...plots.Options) (*plots.Figure, error)
}

func (r *interventions) into() any                    { return &r.Intervention }
func (r *interventions) provenances() []kn.Provenance { return []kn.Provenance{r.Provenance} }

func (r *interventions) fits(models []*kn.Model) error {
	for _, f := range r.Of {
		if _, err := models[0].With(kn.Suppress(f.Neurons), kn.Suppress(f.BaselineNeurons)); err != nil {
			return err
		}
	}
	return nil
}

func (r *interventions) draw(o plots.Options) (*plots.Figure, error) {
	return r.chart(&r.Intervention, o)
}

func (r *interventions) limits() error {
	o, err := optionsOf[experiments.InterveneOptions](r.Provenance)
	switch {
	case err != nil:
		return err
	case o.Draws < 0 || o.Draws > mostDraws || o.Resamples < 0 || o.Resamples > mostResamples:
		return fmt.Errorf("%d random controls, %d resamples", o.Draws, o.Resamples)
	case len(r.Of) == 0 || len(r.Of) > experiments.FewFacts:
		return fmt.Errorf("%d facts", len(r.Of))
	}
	prompts := 0
	for _, f := range r.Of {
		prompts += len(f.Bag.Prompts)
	}
	return few("runs of the model", mostRuns, prompts, 2*o.Draws+10)
}

func (r *interventions) again(ctx context.Context, c *comparison, models []*kn.Model, progress kn.Progress) error {
	o, err := optionsOf[experiments.InterveneOptions](r.Provenance)
	if err != nil {
		return err
	}
	var of []experiments.Fact
	for _, f := range r.Of {
		of = append(of, experiments.Fact{Bag: f.Bag, Neurons: f.Neurons, BaselineNeurons: f.BaselineNeurons})
	}
	got, err := experiments.Intervene(ctx, models[0], of, o, progress)
	if err != nil {
		return err
	}
	c.provenance("", r.Provenance, got.Provenance)
	c.exactly("facts", r.Facts, got.Facts)
	c.exactly("prompts", r.Prompts, got.Prompts)
	for k, set := range got.Sets {
		if k >= len(r.Sets) || r.Sets[k].Set != set.Set || r.Sets[k].Label != set.Label {
			c.exactly(fmt.Sprintf("set %d", k+1), "another or none", set.Label)
			continue
		}
		c.interval(set.Label+", neurons of a fact", r.Sets[k].Neurons, set.Neurons)
		c.interval(set.Label+", suppressed", r.Sets[k].Suppressed, set.Suppressed)
		c.interval(set.Label+", amplified", r.Sets[k].Amplified, set.Amplified)
	}
	c.exactly("sets", len(r.Sets), len(got.Sets))
	c.exactly("relations", len(r.ByRelation), len(got.ByRelation))
	for i, relation := range got.ByRelation[:min(len(r.ByRelation), len(got.ByRelation))] {
		figure := r.ByRelation[i]
		c.exactly(fmt.Sprintf("relation %d", i+1), []any{figure.Relation, figure.Name, figure.Facts}, []any{relation.Relation, relation.Name, relation.Facts})
		c.intervals(relation.Relation+", suppressed", figure.Suppressed, relation.Suppressed, got.Sets)
		c.intervals(relation.Relation+", amplified", figure.Amplified, relation.Amplified, got.Sets)
	}
	c.note("the neurons of %s are taken as given", factsOf(r.Of))
	return nil
}

func factsOf(of []experiments.IntervenedFact) string {
	var bags []facts.Bag
	for _, f := range of {
		bags = append(bags, f.Bag)
	}
	if len(bags) == 1 {
		return bags[0].String()
	}
	return fmt.Sprintf("%d facts", len(bags))
}

func (c *comparison) intervals(what string, figure, computed []stats.Interval, sets []experiments.InterventionSet) {
	for k, v := range computed[:min(len(figure), len(computed))] {
		c.interval(what+", "+sets[k].Label, figure[k], v)
	}
	c.exactly(what+": sets", len(figure), len(computed))
}

// interval compares a mean and the ends of its interval.
func (c *comparison) interval(what string, figure, computed stats.Interval) {
	largest := max(1, math.Abs(computed.Low), math.Abs(computed.High))
	c.number(what, figure.Mean, computed.Mean, largest)
	c.number(what+", low end", figure.Low, computed.Low, largest)
	c.number(what+", high end", figure.High, computed.High, largest)
}

// significant writes a number with five digits.
func significant(x float64) string { return strconv.FormatFloat(x, 'g', 5, 64) }
