package kn

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// CurveOptions are the options of [Model.FactorCurves].
type CurveOptions struct {
	// Factors by which the neurons are multiplied. Empty stands for 0 to 3
	// in steps of 0.25.
	Factors []float64 `json:"factors"`
	// Draws is the number of random control sets, whose mean and range are
	// reported. 0 stands for 8.
	Draws int `json:"draws"`
	// Seed of the random control sets.
	Seed uint64 `json:"seed"`
	// Everywhere scales at all positions instead of only at [MASK].
	Everywhere bool `json:"everywhere,omitempty"`
}

func (o CurveOptions) filled() (CurveOptions, error) {
	if len(o.Factors) == 0 {
		for k := range 13 {
			o.Factors = append(o.Factors, float64(k)/4)
		}
	}
	o.Draws = cmp.Or(o.Draws, 8)
	if o.Draws < 0 {
		return o, fmt.Errorf("kn: cannot draw %d random controls", o.Draws)
	}
	for _, f := range o.Factors {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return o, fmt.Errorf("kn: a factor must be finite, not %v", f)
		}
	}
	return o, nil
}

// Curve is the answer's probability as a function of the factor by which a
// set of neurons is multiplied.
type Curve struct {
	Label       string    `json:"label"` // for legends: "knowledge neurons", "random", "activation-matched"
	Neurons     []Neuron  `json:"neurons"`
	Factors     []float64 `json:"factors"`
	Probability []float64 `json:"probability"` // [len(Factors)], mean over prompts
	// Low and High bound the prompts' (or the control draws') spread: the
	// smallest and the largest probability at each factor. Empty for one prompt.
	Low  []float64 `json:"low,omitempty"`
	High []float64 `json:"high,omitempty"`
}

// FactorCurves holds the curve of a fact's own neurons beside its controls:
// neuron sets of the same size in each layer.
type FactorCurves struct {
	Prompts []string `json:"prompts"`
	Answer  string   `json:"answer"`
	Own     Curve    `json:"own"`
	Random  Curve    `json:"random"`             // drawn uniformly from the other neurons of the same layers
	Matched Curve    `json:"activation_matched"` // the other neurons nearest in activation
	// Probability is the mean probability of the unmodified model.
	Probability float64 `json:"probability"`

	Provenance Provenance `json:"provenance"`
}

// FactorCurves multiplies a set of neurons by each factor and returns the
// answer's probability, mean over the prompts, beside two controls of the
// same size in every layer: sets drawn at random from the other neurons, and
// the other neurons that are nearest to the set's in activation.
func (m *Model) FactorCurves(prompts []string, answer string, neurons []Neuron, options ...CurveOptions) (*FactorCurves, error) {
	o, err := optional(options)
	if err != nil {
		return nil, err
	}
	if o, err = o.filled(); err != nil {
		return nil, err
	}
	c := m.Config()
	if err := validateNeurons(neurons, c.Layers, c.IntermediateSize); err != nil {
		return nil, err
	}
	if len(prompts) == 0 {
		return nil, fmt.Errorf("kn: no prompts to draw the curve of %q over", answer)
	}
	neurons = SortNeurons(neurons)
	return cached(m, "curves", []any{prompts, answer, neurons, o}, func() (*FactorCurves, error) {
		return m.factorCurves(prompts, answer, neurons, o)
	})
}

// MustFactorCurves is [Model.FactorCurves] for notebook cells: it panics instead of returning an error.
func (m *Model) MustFactorCurves(prompts []string, answer string, neurons []Neuron, options ...CurveOptions) *FactorCurves {
	return Must(m.FactorCurves(prompts, answer, neurons, options...))
}

func (m *Model) factorCurves(prompts []string, answer string, neurons []Neuron, o CurveOptions) (*FactorCurves, error) {
	sets, err := m.controls(prompts, neurons, o)
	if err != nil {
		return nil, err
	}
	sets = append([][]Neuron{neurons}, sets...) // own, matched, random...
	probability, err := m.scaled(prompts, answer, sets, o)
	if err != nil {
		return nil, err
	}
	plain, err := m.scaled(prompts, answer, [][]Neuron{nil}, CurveOptions{Factors: []float64{1}})
	if err != nil {
		return nil, err
	}
	result := &FactorCurves{Prompts: prompts, Answer: answer, Probability: mean(plain[0][0])}
	result.Own = overPrompts("knowledge neurons", sets[0], o.Factors, probability[0])
	result.Matched = overPrompts("activation-matched control", sets[1], o.Factors, probability[1])
	result.Random = overDraws("random control", o.Factors, probability[2:])
	if len(sets) > 2 {
		result.Random.Neurons = sets[2]
	}
	result.Provenance, err = m.provenance(o)
	result.Provenance.Seed = o.Seed
	return result, err
}

// scaled returns the answer's probability [sets][factors][prompts] when each
// set is multiplied by each factor.
func (m *Model) scaled(prompts []string, answer string, sets [][]Neuron, o CurveOptions) ([][][]float64, error) {
	var trials []Trial
	for _, set := range sets {
		for _, factor := range o.Factors {
			edit := Scale(set, factor)
			edit.Everywhere = o.Everywhere
			for _, prompt := range prompts {
				trials = append(trials, Trial{Query{prompt, answer}, []Edit{edit}})
			}
		}
	}
	probabilities, err := m.probabilities(trials, "points of the curves")
	if err != nil {
		return nil, err
	}
	perFactor := slices.Collect(slices.Chunk(probabilities, len(prompts)))
	return slices.Collect(slices.Chunk(perFactor, len(o.Factors))), nil
}

// overPrompts makes a curve of probabilities [factors][prompts].
func overPrompts(label string, neurons []Neuron, factors []float64, probability [][]float64) Curve {
	c := Curve{Label: label, Neurons: neurons, Factors: factors}
	for _, p := range probability {
		c.add(p)
	}
	return c
}

// overDraws makes a curve of probabilities [draws][factors][prompts]: the
// mean over draws of the mean over prompts, and the range of the draws.
func overDraws(label string, factors []float64, probability [][][]float64) Curve {
	c := Curve{Label: label, Factors: factors}
	if len(probability) == 0 {
		return c
	}
	for j := range factors {
		var draws []float64
		for _, draw := range probability {
			draws = append(draws, mean(draw[j]))
		}
		c.add(draws)
	}
	return c
}

func (c *Curve) add(p []float64) {
	c.Probability = append(c.Probability, mean(p))
	if len(p) > 1 {
		c.Low, c.High = append(c.Low, slices.Min(p)), append(c.High, slices.Max(p))
	}
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
