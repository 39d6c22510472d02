package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// Verdict says what becomes of a claim.
type Verdict string

// The verdicts.
const (
	Holds   Verdict = "holds here"
	Fails   Verdict = "does not hold here"
	Unknown Verdict = "cannot be told"
	// Differs: the trainings on each task agree, and the tasks do not.
	Differs Verdict = "differs by task"
)

// Claim is a statement of a paper, with the numbers that it rests on here.
type Claim struct {
	ID        string
	Statement Text
	Evidence  Text // the numbers
	Paper     Text // what the paper reports
	Rule      Text // that gives the verdict
	Caveat    Text // what a reader must know beside it
	Verdict   Verdict
}

// Tally counts the verdicts: "Of 10 claims of the paper 7 hold here, 1 does not
// and of 2 it cannot be told."
func (c Claims) Tally() string {
	count := map[Verdict]int{}
	for _, claim := range c {
		count[claim.Verdict]++
	}
	verb := func(n int, one, many string) string {
		if n == 1 {
			return "1 " + one
		}
		return fmt.Sprintf("%d %s", n, many)
	}
	parts := []string{verb(count[Holds], "holds here", "hold here")}
	if n := count[Fails]; n > 0 {
		parts = append(parts, verb(n, "does not", "do not"))
	}
	if n := count[Differs]; n > 0 {
		parts = append(parts, verb(n, "differs by task", "differ by task"))
	}
	if n := count[Unknown]; n > 0 {
		parts = append(parts, fmt.Sprintf("of %d it cannot be told", n))
	}
	tally := strings.Join(parts, ", ")
	if last := strings.LastIndex(tally, ", "); last >= 0 {
		tally = tally[:last] + " and " + tally[last+2:]
	}
	return fmt.Sprintf("Of %d claims of the paper %s.", len(c), tally)
}

// Greater: a is greater than b if its whole interval is above b's, not
// greater if nothing of it is, and otherwise it cannot be told.
func Greater(a, b stats.Interval) Verdict {
	switch {
	case a.Low > b.High:
		return Holds
	case a.High <= b.Low:
		return Fails
	default:
		return Unknown
	}
}

// Exceeds: all of the interval is above the bound, or nothing of it.
func Exceeds(a stats.Interval, bound float64) Verdict {
	return Greater(a, stats.Interval{Mean: bound, Low: bound, High: bound})
}

// Times: a is more than so many times b, where b may be below 0 and then
// counts as 0.
func Times(a stats.Interval, factor float64, b stats.Interval) Verdict {
	of := func(x float64) float64 { return factor * max(0, x) }
	return Greater(a, stats.Interval{Mean: of(b.Mean), Low: of(b.Low), High: of(b.High)})
}

// Negated is the interval of the opposite: of a loss, where a is a gain.
func Negated(a stats.Interval) stats.Interval {
	return stats.Interval{Mean: -a.Mean, Low: -a.High, High: -a.Low}
}

// All hold: it fails if one fails, cannot be told if one cannot, and differs if
// one does.
func All(verdicts ...Verdict) Verdict {
	for _, v := range []Verdict{Fails, Unknown, Differs} {
		if slices.Contains(verdicts, v) {
			return v
		}
	}
	return Holds
}

// Enough gives the verdict if there were at least ten cases to resample; an
// interval from fewer promises too much.
func Enough(cases int, v Verdict) Verdict {
	if cases < 10 {
		return Unknown
	}
	return v
}
