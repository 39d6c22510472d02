package electrasampling

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/knowledge-neurons/gonb-kn/kn/electra"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// Summary is what the report reads: of each variant, over seeds.
type Summary struct {
	Seeds    int       `json:"seeds"`
	Steps    int       `json:"steps"`
	Facts    int       `json:"facts"`
	Tokens   int       `json:"tokens"`
	Seconds  float64   `json:"seconds"` // of the quickest variant's training: the time that all are given
	Tasks    []string  `json:"tasks"`
	Metrics  []string  `json:"metrics"`
	Variants []Variant `json:"variants"`
}

// Variant is one variant's results.
type Variant struct {
	Name    string   `json:"name"`
	Seconds float64  `json:"seconds"` // of a training, at the usual pace
	Steps   Compared `json:"steps"`   // after equal steps
	Time    Compared `json:"time"`    // after equal time
	// OwnLessPlain is the variance of its weighted losses less that of plain
	// sampling's from the same models.
	OwnLessPlain stats.Interval `json:"own_less_plain"`
	// CorrectLessPlain is the share of correct tokens that it draws less that of
	// plain sampling, likewise.
	CorrectLessPlain stats.Interval `json:"correct_less_plain"`
}

// Compared are numbers of a variant, and what they are above plain ELECTRA's.
type Compared struct {
	Metrics    []stats.Interval `json:"metrics"`
	Difference []stats.Interval `json:"difference"`
	// AllOriginal is the accuracy of calling every token original, given how many
	// replacements are correct.
	AllOriginal stats.Interval `json:"all_original"`
	// BaseRate is the loss of a token of saying the share of replaced tokens,
	// drawn plainly as the weighted loss expects, of each.
	BaseRate  stats.Interval   `json:"base_rate"`
	Tasks     []stats.Interval `json:"tasks"` // accuracy
	Mean      stats.Interval   `json:"mean"`  // over the tasks
	MeanAbove stats.Interval   `json:"mean_above"`
	// ConfidenceAbove is the generator's confidence above that of the same
	// sampler with cross-entropy.
	ConfidenceAbove stats.Interval `json:"confidence_above"`
}

// student is the mean with Student's 95 % interval: for so few seeds the
// bootstrap's would be too narrow.
func student(xs []float64) stats.Interval {
	m, deviation := stat.MeanStdDev(xs, nil)
	n := float64(len(xs))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.975)
	half := t * deviation / math.Sqrt(n)
	return stats.Interval{Mean: m, Low: m - half, High: m + half}
}

// paired is the interval of differences, seed by seed.
func paired(a, b []float64) stats.Interval {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return student(d)
}

// summarize computes the summary.
func (e *experimenter) summarize() *Summary {
	s := &Summary{Seeds: e.o.Seeds, Steps: e.o.Steps, Facts: e.o.Facts, Tokens: e.records[0].record.CorpusTokens, Seconds: e.budget(), Tasks: finetune.BuiltInTasks}
	for _, m := range electra.Metrics {
		s.Metrics = append(s.Metrics, m.Title)
	}
	for _, v := range variants {
		out := Variant{Name: e.o.config(e.model, v, 1).Variant(), Steps: e.compare(v, false), Time: e.compare(v, true)}
		var own, plain, correct, plainCorrect []float64
		for _, t := range e.of(v) {
			last := t.record.Last()
			own, plain = append(own, last.Own.Variance), append(plain, last.Plain.Variance)
			correct, plainCorrect = append(correct, last.Own.Correct), append(plainCorrect, last.Plain.Correct)
		}
		out.Seconds = e.of(v)[0].record.Seconds
		out.OwnLessPlain, out.CorrectLessPlain = paired(own, plain), paired(correct, plainCorrect)
		s.Variants = append(s.Variants, out)
	}
	return s
}

// of are a variant's trainings, by seed.
func (e *experimenter) of(v variant) (all []trained) {
	for _, t := range e.records {
		if t.variant == v {
			all = append(all, t)
		}
	}
	return all
}

// compare compares a variant with plain ELECTRA, after equal steps or time.
func (e *experimenter) compare(v variant, time bool) Compared {
	var c Compared
	values := func(v variant, of func(electra.Measurement) float64) (xs []float64) {
		for _, t := range e.of(v) {
			m := t.record.Last()
			if time {
				m = within(t.record, e.budget())
			}
			xs = append(xs, of(m))
		}
		return xs
	}
	for _, m := range electra.Metrics {
		xs := values(v, m.Of)
		c.Metrics, c.Difference = append(c.Metrics, student(xs)), append(c.Difference, paired(xs, values(variants[0], m.Of)))
	}
	config := e.o.config(e.model, v, 1).WithDefaults()
	masked := float64(config.MaskedTokens()) / float64(config.Length)
	c.AllOriginal = student(values(v, func(m electra.Measurement) float64 { return 1 - masked*(1-m.Own.Correct) }))
	c.BaseRate = student(values(v, func(m electra.Measurement) float64 {
		replaced := masked * (1 - m.Plain.Correct)
		return stat.Entropy([]float64{replaced, 1 - replaced})
	}))
	confidence := func(m electra.Measurement) float64 { return m.Confidence }
	c.ConfidenceAbove = paired(values(v, confidence), values(variant{v.sampler, false}, confidence))
	for task := range finetune.BuiltInTasks {
		c.Tasks = append(c.Tasks, student(e.accuracy(v, time, func(a []float64) float64 { return a[task] })))
	}
	mean := func(a []float64) float64 { return stat.Mean(a, nil) }
	own := e.accuracy(v, time, mean)
	c.Mean, c.MeanAbove = student(own), paired(own, e.accuracy(variants[0], time, mean))
	return c
}

// accuracy is a number of a variant's fine-tunings, by seed.
func (e *experimenter) accuracy(v variant, time bool, of func([]float64) float64) (xs []float64) {
	for i, t := range e.records {
		if t.variant != v {
			continue
		}
		if time {
			xs = append(xs, of(e.tuned[i].Time))
		} else {
			xs = append(xs, of(e.tuned[i].Steps))
		}
	}
	return xs
}
