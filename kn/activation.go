package kn

import (
	"fmt"

	"gonum.org/v1/gonum/stat"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
)

// Activations returns the neurons' activations [layers][FFN] at the prompt's
// [MASK], or at the last token of a causal model's prompt, under the edits of
// this handle.
func (m *Model) Activations(prompt string) ([][]float64, error) {
	type activations struct{ Values [][]float64 }
	a, err := cached(m, "activations", prompt, func() (*activations, error) {
		s, err := m.sample(Query{Prompt: prompt})
		if err != nil {
			return nil, err
		}
		r, err := m.computeOne(engine.Activations, s.Sample, "")
		return &activations{r.Activations}, err
	})
	if err != nil {
		return nil, err
	}
	return a.Values, nil
}

// MeanActivations is the mean of [Model.Activations] over prompts, which
// [MatchedControl] takes.
func (m *Model) MeanActivations(prompts []string) ([][]float64, error) {
	if len(prompts) == 0 {
		return nil, fmt.Errorf("kn: no prompts to take the mean activation over")
	}
	var sum [][]float64
	for i, prompt := range prompts {
		m.step(i, len(prompts), "prompts read")
		w, err := m.Activations(prompt)
		if err != nil {
			return nil, err
		}
		if sum == nil {
			sum = make([][]float64, len(w))
			for l := range w {
				sum[l] = make([]float64, len(w[l]))
			}
		}
		for l := range w {
			for k, v := range w[l] {
				sum[l][k] += v / float64(len(prompts))
			}
		}
	}
	m.step(len(prompts), len(prompts), "prompts read")
	return sum, nil
}

// ScatterPoint is one prompt in a chart of activation against probability.
type ScatterPoint struct {
	Prompt      string  `json:"prompt"`
	Answer      string  `json:"answer"`
	Group       string  `json:"group,omitempty"` // for the legend: the relation, say
	Activation  float64 `json:"activation"`      // mean activation of the fact's neurons at [MASK]
	Probability float64 `json:"probability"`     // of the answer
}

// ActivationScatter relates the mean activation of knowledge neurons to the
// probability of the answer, over prompts.
type ActivationScatter struct {
	Neurons    []Neuron       `json:"neurons,omitempty"`
	Points     []ScatterPoint `json:"points"`
	Pearson    float64        `json:"pearson"` // correlation of activation and probability
	Provenance Provenance     `json:"provenance"`
}

// GroupBy puts each point into the group that the function names, for a chart's
// legend.
func (s *ActivationScatter) GroupBy(group func(ScatterPoint) string) {
	for i, p := range s.Points {
		s.Points[i].Group = group(p)
	}
}

// ActivationScatter relates the neurons' mean activation at [MASK] to the
// probability of the answer, over queries.
func (m *Model) ActivationScatter(queries []Query, neurons []Neuron) (*ActivationScatter, error) {
	c := m.Config()
	if err := validateNeurons(neurons, c.Layers, c.IntermediateSize); err != nil {
		return nil, err
	}
	if len(neurons) == 0 || len(queries) == 0 {
		return nil, fmt.Errorf("kn: a scatter needs neurons and queries, not %d and %d", len(neurons), len(queries))
	}
	result := &ActivationScatter{Neurons: SortNeurons(neurons)}
	var x, y []float64
	silent := m.WithProgress(nil) // the prompts are what is counted
	for i, q := range queries {
		m.step(i, len(queries), "prompts")
		w, err := m.Activations(q.Prompt)
		if err != nil {
			return nil, err
		}
		point := ScatterPoint{Prompt: q.Prompt, Answer: q.Answer}
		for _, n := range result.Neurons {
			point.Activation += w[n.Layer][n.Index] / float64(len(result.Neurons))
		}
		if point.Probability, err = silent.Probability(q.Prompt, q.Answer); err != nil {
			return nil, err
		}
		result.Points = append(result.Points, point)
		x, y = append(x, point.Activation), append(y, point.Probability)
	}
	m.step(len(queries), len(queries), "prompts")
	// Undefined, and so left at 0, when either does not vary.
	if r := stat.Correlation(x, y, nil); r == r {
		result.Pearson = r
	}
	var err error
	result.Provenance, err = m.provenance(struct{}{})
	return result, err
}

// MustActivationScatter is [Model.ActivationScatter] for notebook cells: it
// panics instead of returning an error.
func (m *Model) MustActivationScatter(queries []Query, neurons []Neuron) *ActivationScatter {
	return Must(m.ActivationScatter(queries, neurons))
}

// MustActivations is [Model.Activations] for notebook cells: it panics instead of returning an error.
func (m *Model) MustActivations(prompt string) [][]float64 { return Must(m.Activations(prompt)) }
