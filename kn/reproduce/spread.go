package reproduce

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// Spread is a value of each training, the mean over trainings, and its 95 %
// bootstrap interval.
type Spread struct {
	stats.Interval
	Values []float64 `json:"values"`
}

// SpreadOf spreads values, one a training.
func SpreadOf(values []float64) Spread {
	clusters := map[int][]float64{}
	for i, v := range values {
		clusters[i] = []float64{v}
	}
	return Spread{stats.Bootstrap(clusters, stats.Options{Seed: 1}), values}
}

// SpreadOver spreads what each of so many trainings has.
func SpreadOver(trainings int, of func(i int) float64) Spread {
	values := make([]float64, trainings)
	for i := range values {
		values[i] = of(i)
	}
	return SpreadOf(values)
}

// Covered says what intervals over trainings cover, and what not.
const Covered = "They cover seeds and tasks alike, drawn as if all trainings were independent; those on one task resemble each other, so for other tasks they are too narrow. " +
	"Held-out texts and facts are the same for all seeds; what others would give they do not cover."

// Fewest is the number of trainings of which [Unanimous] gives a verdict: that
// so many agree by chance has a probability of 2/2⁶, 3 %, if they are
// independent. Trainings on one task are less so.
const Fewest = 6

// Above says in how many trainings the value is above 0: 8 of 9.
func (s Spread) Above() string {
	above, _ := s.signs()
	return fmt.Sprintf("%d of %d", above, len(s.Values))
}

// signs counts the values above 0 and those below.
func (s Spread) signs() (above, below int) {
	for _, v := range s.Values {
		switch {
		case v > 0:
			above++
		case v < 0:
			below++
		}
	}
	return above, below
}

// Unanimous is the verdict that all trainings agree on: a claim holds if every
// value is above 0, fails if every value is below, and cannot be told otherwise
// or of fewer than [Fewest].
func Unanimous(s Spread) report.Verdict {
	above, below := s.signs()
	switch n := len(s.Values); {
	case n < Fewest:
		return report.Unknown
	case above == n:
		return report.Holds
	case below == n:
		return report.Fails
	}
	return report.Unknown
}
