package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/drawn"
)

// attribution are scores over layers and neurons.
type attribution struct{ drawn.Attribution }

func (r *attribution) into() any                    { return &r.Attribution }
func (r *attribution) provenances() []kn.Provenance { return []kn.Provenance{r.Provenance} }

func (r *attribution) draw(o plots.Options) (*plots.Figure, error) {
	return plots.AttributionHeatMap(r.Full(), o)
}

func (r *attribution) limits() error {
	o, err := optionsOf[kn.AttributeOptions](r.Provenance)
	if err != nil {
		return err
	}
	return integralLimits(o)
}

// integralLimits says what is wrong with options that would take very long.
func integralLimits(o kn.AttributeOptions) error {
	return few("nodes of an integral", mostNodes, o.Nodes)
}

func (r *attribution) fits(models []*kn.Model) error {
	if err := ofShape(r.Layers, r.FFN, models[0]); err != nil {
		return err
	}
	if len(r.Neurons) != r.Layers || len(r.Scores) != r.Layers || r.Bin < 1 {
		return fmt.Errorf("it has scores of %d layers and neurons of %d, of %d, and %d neurons to a column", len(r.Scores), len(r.Neurons), r.Layers, r.Bin)
	}
	for l, of := range r.Neurons {
		if len(of) != len(r.Scores[l]) || len(of) > r.FFN {
			return fmt.Errorf("layer %d has %d neurons and %d scores", l, len(of), len(r.Scores[l]))
		}
		for _, i := range of {
			if i < 0 || i >= r.FFN {
				return fmt.Errorf("there is no neuron %v", kn.Neuron{Layer: l, Index: i})
			}
		}
	}
	return nil
}

// ofShape says whether a result is of a model of the sizes that the model has.
func ofShape(layers, ffn int, m *kn.Model) error {
	if c := m.Config(); layers != c.Layers || ffn != c.IntermediateSize {
		return fmt.Errorf("it is of %d layers of %d neurons, and its model has %d of %d", layers, ffn, c.Layers, c.IntermediateSize)
	}
	return nil
}

func (r *attribution) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	o, err := optionsOf[kn.AttributeOptions](r.Provenance)
	if err != nil {
		return err
	}
	got, err := models[0].Attribute(r.Prompt, r.Answer, o)
	if err != nil {
		return err
	}
	largest := 0.0
	for _, row := range got.Scores {
		largest = max(largest, slices.Max(row), -slices.Min(row))
	}
	c.provenance("", r.Provenance, got.Provenance)
	c.exactly("rule", r.Rule, got.Rule)
	c.exactly("target", r.Target, got.Target)
	c.number("probability of the answer", r.Probability, got.Probability, got.Probability)
	for l, row := range got.Scores {
		// The figure has, of each column, the strongest neuron's score.
		shown := make([]float64, (len(row)+r.Bin-1)/r.Bin)
		for k, i := range r.Neurons[l] {
			c.number("score of "+kn.Neuron{Layer: l, Index: i}.String(), r.Scores[l][k], row[i], largest)
			shown[i/r.Bin] = max(shown[i/r.Bin], math.Abs(r.Scores[l][k]))
		}
		for column, strength := range shown {
			i := drawn.Strongest(row, column*r.Bin, r.Bin)
			c.number(fmt.Sprintf("largest magnitude of %d:%d to %d", l, column*r.Bin, min(len(row), (column+1)*r.Bin)-1), strength, math.Abs(row[i]), largest)
		}
	}
	if len(got.NotConverged) > 0 {
		c.note("not converged in layers %v, neither then nor now: their scores are less exact", got.NotConverged)
	}
	return nil
}

// overlap are one fact's neurons, over its prompts.
type overlap struct{ kn.KnowledgeNeurons }

func (r *overlap) into() any                     { return &r.KnowledgeNeurons }
func (r *overlap) provenances() []kn.Provenance  { return []kn.Provenance{r.Provenance} }
func (r *overlap) limits() error                 { return knowledgeLimits(&r.KnowledgeNeurons) }
func (r *overlap) fits(models []*kn.Model) error { return ofShape(r.Layers, r.FFN, models[0]) }

func (r *overlap) draw(o plots.Options) (*plots.Figure, error) {
	return plots.Overlap(&r.KnowledgeNeurons, o)
}

func (r *overlap) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	return c.knowledge("", &r.KnowledgeNeurons, models[0])
}

// neurons are several facts', by layer.
type neurons struct{ facts []*kn.KnowledgeNeurons }

func (r *neurons) into() any { return &r.facts }

func (r *neurons) provenances() (of []kn.Provenance) {
	for _, k := range r.facts {
		of = append(of, k.Provenance)
	}
	return of
}

func (r *neurons) limits() error {
	if len(r.facts) == 0 {
		return errors.New("there are no facts")
	}
	prompts := 0
	for _, k := range r.facts {
		if k == nil {
			return errors.New("a fact is missing")
		}
		if err := knowledgeLimits(k); err != nil {
			return err
		}
		prompts += len(k.Prompts)
	}
	return few("prompts", mostPrompts, prompts)
}

func (r *neurons) fits(models []*kn.Model) error {
	for i, k := range r.facts {
		if err := ofShape(k.Layers, k.FFN, models[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *neurons) draw(o plots.Options) (*plots.Figure, error) {
	if len(r.facts) == 1 {
		return plots.NeuronsPerLayer(r.facts[0], o)
	}
	return plots.NeuronsPerLayer(r.facts, o)
}

func (r *neurons) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	for i, k := range r.facts {
		name := ""
		if len(r.facts) > 1 {
			name = fmt.Sprintf("fact %d, %q: ", i+1, k.Answer)
		}
		if err := c.knowledge(name, k, models[i]); err != nil {
			return err
		}
	}
	return nil
}

func knowledgeLimits(k *kn.KnowledgeNeurons) error {
	recipe, err := optionsOf[kn.Recipe](k.Provenance)
	if err != nil {
		return err
	}
	if err := integralLimits(recipe.Attribute); err != nil {
		return err
	}
	return few("prompts", mostPrompts, len(k.Prompts))
}

// atThreshold are the recipe with its threshold moved by the tolerance, up and
// down: what is in the first set is in by more than rounding, and what is not in
// the second is out by more.
func (c *comparison) atThreshold(r kn.Recipe) (least, most kn.Recipe) {
	least, most = r, r
	least.Threshold, most.Threshold = min(1, r.Threshold*(1+c.Tolerance)), r.Threshold*(1-c.Tolerance)
	return least, most
}

// knowledge compares a fact's neurons.
func (c *comparison) knowledge(name string, k *kn.KnowledgeNeurons, m *kn.Model) error {
	recipe, err := optionsOf[kn.Recipe](k.Provenance)
	if err != nil {
		return err
	}
	var queries []kn.Query
	for _, p := range k.Prompts {
		queries = append(queries, kn.Query{Prompt: p, Answer: k.Answer})
	}
	got, err := m.KnowledgeNeurons(k.Prompts, k.Answer, recipe)
	if err != nil {
		return err
	}
	attributions, err := m.AttributeAll(queries, recipe.Attribute) // kept from just before
	if err != nil {
		return err
	}
	c.provenance(name, k.Provenance, got.Provenance)
	fewer, more := c.atThreshold(recipe)
	leastCoarse, least := fewer.Choose(attributions)
	mostCoarse, most := more.Choose(attributions)
	c.set(name+"refined set", k.Refined, least, most)
	for i := range max(len(k.Coarse), len(got.Coarse)) {
		of := fmt.Sprintf("%scoarse set of prompt %d", name, i+1)
		if i >= len(k.Coarse) || i >= len(got.Coarse) {
			c.exactly(of, i < len(k.Coarse), i < len(got.Coarse))
			continue
		}
		c.set(of, k.Coarse[i], leastCoarse[i], mostCoarse[i])
	}
	for i, scores := range k.Scores {
		if i >= len(attributions) || len(scores) != len(k.Refined) {
			c.exactly(fmt.Sprintf("%sscores of prompt %d", name, i+1), len(scores), len(k.Refined))
			continue
		}
		largest := 0.0
		for _, row := range attributions[i].Scores {
			largest = max(largest, slices.Max(row))
		}
		for j, n := range k.Refined {
			if n.Layer < 0 || n.Layer >= got.Layers || n.Index < 0 || n.Index >= got.FFN {
				return fmt.Errorf("the refined set has %v", n)
			}
			c.number(fmt.Sprintf("%sscore of %v in prompt %d", name, n, i+1), scores[j], attributions[i].Scores[n.Layer][n.Index], largest)
		}
	}
	if len(got.NotConverged) > 0 {
		c.note("%snot converged in prompts %v, counted from 0: their scores are less exact", name, got.NotConverged)
	}
	return nil
}
