package electra

import "fmt"

// Metric is a number of a [Measurement].
type Metric struct {
	Name  string // in a word
	Title string
	Axis  string // the title in three words
	// Share says that it is one, from 0 to 1.
	Share bool
	Of    func(Measurement) float64
}

// Metrics are what the paper is about, in the order of its argument.
var Metrics = []Metric{
	{"correct", "Replacements drawn that are the original token", "Correct replacements", true, func(m Measurement) float64 { return m.Own.Correct }},
	{"confidence", "Generator's confidence", "Confidence", true, func(m Measurement) float64 { return m.Confidence }},
	{"cross-entropy", "Generator's cross-entropy", "Cross-entropy", false, func(m Measurement) float64 { return m.CrossEntropy }},
	{"detection", "Discriminator's loss", "Loss of a token", false, func(m Measurement) float64 { return m.Own.Detection }},
	{"variance", "Variance of a masked token's weighted loss", "Variance", false, func(m Measurement) float64 { return m.Own.Variance }},
	{"accuracy", "Tokens rightly told to be replaced or original", "Accuracy", true, func(m Measurement) float64 { return m.Own.Accuracy }},
	{"effective-samples", "Effective samples a draw", "Effective samples", true, func(m Measurement) float64 { return m.Own.EffectiveShare }},
}

// MetricByName finds one of [Metrics].
func MetricByName(name string) (Metric, error) {
	var names []string
	for _, m := range Metrics {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Metric{}, fmt.Errorf("electra: nothing is measured by the name %q; there are %q", name, names)
}

// Variant names what a training varied: the sampler and, if its generator's
// loss is focal, γ.
func (c Config) Variant() string {
	name := map[Sampler]string{Plain: "ELECTRA", HPLoss: "HP_Loss", HPDist: "HP_Dist"}[c.WithDefaults().Sampler]
	if c.Gamma > 0 {
		name += fmt.Sprintf(", focal γ = %g", c.Gamma)
	}
	return name
}
