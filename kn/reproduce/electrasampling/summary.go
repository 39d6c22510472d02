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
	Seeds   int      `json:"seeds"`
	Steps   int      `json:"steps"`
	Facts   int      `json:"facts"`
	Tokens  int      `json:"tokens"`
	Seconds float64  `json:"seconds"` // that plain ELECTRA takes for all steps: the time that all are given
	Masked  int      `json:"masked"`  // tokens that all is measured on
	Tasks   []string `json:"tasks"`
	// Commonest is the accuracy on each task of always giving the commonest
	// answer of the examples learned from, and CommonestMean that over the tasks.
	Commonest     []float64 `json:"commonest"`
	CommonestMean float64   `json:"commonest_mean"`
	Metrics       []string  `json:"metrics"`
	Variants      []Variant `json:"variants"`
}

// Variant is one variant's results.
type Variant struct {
	Name  string   `json:"name"`
	Steps Compared `json:"steps"` // after equal steps
	Time  Compared `json:"time"`  // after equal time
	// OwnLessPlain is the variance of its weighted losses less that of plain
	// sampling's from the same models, at the end of training.
	OwnLessPlain stats.Interval `json:"own_less_plain"`
	// OwnLessPlainOnTheWay is the same, mean over all measurements after the start.
	OwnLessPlainOnTheWay stats.Interval `json:"own_less_plain_on_the_way"`
	// CorrectLessPlain is the share of correct tokens that it draws less that of
	// plain sampling, likewise.
	CorrectLessPlain stats.Interval `json:"correct_less_plain"`
}

// Compared are numbers of a variant, and what they are above plain ELECTRA's.
type Compared struct {
	Step       int              `json:"step"`    // after which they were measured
	Seconds    float64          `json:"seconds"` // that these steps take, at the sampler's pace
	Metrics    []stats.Interval `json:"metrics"`
	Difference []stats.Interval `json:"difference"`
	// AllOriginal is the accuracy of calling every token original, given how many
	// replacements are correct.
	AllOriginal stats.Interval `json:"all_original"`
	// AboveAllOriginal is the discriminator's accuracy above that.
	AboveAllOriginal stats.Interval `json:"above_all_original"`
	// BaseRate is the loss of a token of saying the share of replaced tokens,
	// drawn plainly as the weighted loss expects, of each.
	BaseRate stats.Interval `json:"base_rate"`
	// AboveBaseRate is the discriminator's loss above that.
	AboveBaseRate stats.Interval   `json:"above_base_rate"`
	Tasks         []stats.Interval `json:"tasks"`            // accuracy
	Mean          stats.Interval   `json:"mean"`             // over the tasks
	MeanAbove     stats.Interval   `json:"mean_above"`       // plain ELECTRA's
	AboveFocal    stats.Interval   `json:"mean_above_focal"` // plain ELECTRA's with focal loss
	// AboveCommonest is Mean above [Summary.CommonestMean].
	AboveCommonest stats.Interval `json:"mean_above_commonest"`
	// ConfidenceAbove is the generator's confidence above that of the same
	// sampler with cross-entropy, and CorrectAbove the share of correct tokens
	// likewise.
	ConfidenceAbove stats.Interval `json:"confidence_above"`
	CorrectAbove    stats.Interval `json:"correct_above"`
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
func (e *experimenter) summarize() (*Summary, error) {
	c := e.o.config(e.model, variants[0], 1).WithDefaults()
	s := &Summary{
		Seeds: e.o.Seeds, Steps: e.o.Steps, Facts: e.o.Facts, Tokens: e.records[0].record.CorpusTokens, Seconds: e.paces.budget(e.o.Steps),
		Masked: c.HeldOut * c.MaskedTokens(), Tasks: finetune.BuiltInTasks,
	}
	for _, data := range e.tasks {
		accuracy, err := commonest(data)
		if err != nil {
			return nil, err
		}
		s.Commonest = append(s.Commonest, accuracy)
	}
	s.CommonestMean = stat.Mean(s.Commonest, nil)
	for _, m := range electra.Metrics {
		s.Metrics = append(s.Metrics, m.Title)
	}
	for _, v := range variants {
		out := Variant{Name: e.o.config(e.model, v, 1).Variant(), Steps: e.compare(v, false, s.CommonestMean), Time: e.compare(v, true, s.CommonestMean)}
		var own, plain, onTheWay, correct, plainCorrect []float64
		for _, t := range e.of(v) {
			last := t.record.Last()
			own, plain = append(own, last.Own.Variance), append(plain, last.Plain.Variance)
			onTheWay = append(onTheWay, ownLessPlain(t.record.Measurements[1:]))
			correct, plainCorrect = append(correct, last.Own.Correct), append(plainCorrect, last.Plain.Correct)
		}
		out.OwnLessPlain, out.OwnLessPlainOnTheWay = paired(own, plain), student(onTheWay)
		out.CorrectLessPlain = paired(correct, plainCorrect)
		s.Variants = append(s.Variants, out)
	}
	return s, nil
}

// ownLessPlain is the variance of weighted losses less that of plain sampling,
// mean over measurements.
func ownLessPlain(measured []electra.Measurement) (mean float64) {
	for _, m := range measured {
		mean += lessPlain.Of(m) / float64(len(measured))
	}
	return mean
}

// lessPlain is the difference in one measurement.
var lessPlain = electra.Metric{
	Name: "variance-less-plain", Title: "Variance of a masked token's weighted loss, less that of plain sampling", Axis: "Variance, difference",
	Of: func(m electra.Measurement) float64 { return m.Own.Variance - m.Plain.Variance },
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

// compare compares a variant with plain ELECTRA, after equal steps or time, and
// with the accuracy of the commonest answer.
func (e *experimenter) compare(v variant, time bool, commonest float64) Compared {
	var c Compared
	at := func(r *electra.Record) electra.Measurement {
		if time {
			return within(r, e.paces.budget(e.o.Steps))
		}
		return r.Last()
	}
	values := func(v variant, of func(electra.Measurement) float64) (xs []float64) {
		for _, t := range e.of(v) {
			xs = append(xs, of(at(t.record)))
		}
		return xs
	}
	first := at(e.of(v)[0].record) // of all seeds it is the same step
	c.Step, c.Seconds = first.Step, first.Seconds
	for _, m := range electra.Metrics {
		xs := values(v, m.Of)
		c.Metrics, c.Difference = append(c.Metrics, student(xs)), append(c.Difference, paired(xs, values(variants[0], m.Of)))
	}
	config := e.o.config(e.model, v, 1).WithDefaults()
	masked := float64(config.MaskedTokens()) / float64(config.Length)
	allOriginal := values(v, func(m electra.Measurement) float64 { return 1 - masked*(1-m.Own.Correct) })
	c.AllOriginal = student(allOriginal)
	c.AboveAllOriginal = paired(values(v, func(m electra.Measurement) float64 { return m.Own.Accuracy }), allOriginal)
	baseRate := values(v, func(m electra.Measurement) float64 {
		replaced := masked * (1 - m.Plain.Correct)
		return stat.Entropy([]float64{replaced, 1 - replaced})
	})
	c.BaseRate = student(baseRate)
	c.AboveBaseRate = paired(values(v, func(m electra.Measurement) float64 { return m.Own.Detection }), baseRate)
	aboveUnfocused := func(of func(electra.Measurement) float64) stats.Interval {
		return paired(values(v, of), values(variant{v.sampler, false}, of))
	}
	c.ConfidenceAbove = aboveUnfocused(func(m electra.Measurement) float64 { return m.Confidence })
	c.CorrectAbove = aboveUnfocused(func(m electra.Measurement) float64 { return m.Own.Correct })
	for task := range finetune.BuiltInTasks {
		c.Tasks = append(c.Tasks, student(e.accuracy(v, time, func(a []float64) float64 { return a[task] })))
	}
	mean := func(a []float64) float64 { return stat.Mean(a, nil) }
	own := e.accuracy(v, time, mean)
	c.Mean, c.MeanAbove = student(own), paired(own, e.accuracy(variants[0], time, mean))
	c.AboveFocal = paired(own, e.accuracy(variants[1], time, mean))
	c.AboveCommonest = student(e.accuracy(v, time, func(a []float64) float64 { return mean(a) - commonest }))
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
