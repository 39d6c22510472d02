package reproduce

import (
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// Spread is a value of each training, the mean over trainings, and its 95 %
// bootstrap interval.
type Spread struct {
	stats.Interval
	Values []float64 `json:"values"`
	Above  int       `json:"above"` // values above 0
}

// SpreadOver is the spread of a value of each of so many trainings.
func SpreadOver(trainings int, of func(i int) float64) Spread {
	values, clusters := make([]float64, trainings), map[int][]float64{}
	for i := range values {
		values[i] = of(i)
		clusters[i] = []float64{values[i]}
	}
	above, _ := signs(values)
	return Spread{stats.Bootstrap(clusters, stats.Options{Seed: 1}), values, above}
}

// Fewest is the number of trainings of which [Unanimous] gives a verdict: that
// so many agree by chance has a probability of 2/2⁶, 3 %, if they are
// independent. Trainings on one task are less so.
const Fewest = 6

// signs counts the values above 0 and those below.
func signs(values []float64) (above, below int) {
	for _, v := range values {
		switch {
		case v > 0:
			above++
		case v < 0:
			below++
		}
	}
	return above, below
}

// Unanimous is the verdict that all trainings agree on, of which s has a value
// each: a claim holds if every value is above 0, fails if every value is below, and
// cannot be told otherwise or of fewer than [Fewest]. It differs by task if that is
// so of every task, each with two trainings or more, and not of all in the same way.
func Unanimous(s Spread, of []Training) report.Verdict {
	all := unanimous(s.Values)
	if len(s.Values) < Fewest {
		return report.Unknown
	}
	if all != report.Unknown {
		return all
	}
	byTask := map[string][]float64{}
	for i, t := range of {
		byTask[t.Task] = append(byTask[t.Task], s.Values[i])
	}
	for _, values := range byTask {
		if len(values) < 2 || unanimous(values) == report.Unknown {
			return report.Unknown
		}
	}
	return report.Differs
}

// unanimous is the verdict of values that are all above or all below 0.
func unanimous(values []float64) report.Verdict {
	switch above, below := signs(values); len(values) {
	case above:
		return report.Holds
	case below:
		return report.Fails
	}
	return report.Unknown
}
