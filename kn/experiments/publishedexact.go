package experiments

import (
	"context"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// ControlEvery: one in so many of the facts that agree under exact integrals is
// recomputed by the recipe's own rule.
const ControlEvery = 10

// ExactFirst is the result of [CompareExactFirst].
type ExactFirst struct {
	Recipe kn.Recipe `json:"recipe"` // by which the published neurons are said to be found
	// Exact compares all facts, by integrals as exact as the adaptive rule's default.
	Exact *PublishedComparison `json:"exact"`
	// Differing compares those that differ in Exact once more, by the recipe's own
	// rule: what then is the same differed by the rule alone. Nil if none differ.
	Differing *PublishedComparison `json:"differing,omitempty"`
	// Control compares one in [ControlEvery] of the others by it. Nil if there are none.
	Control *PublishedComparison `json:"control,omitempty"`
	// Share estimates the share of all facts whose sets are the same by the
	// recipe's own rule. Where that rule was not computed it takes the control's
	// share, and for the interval's ends those of the control's, so that a small
	// control makes it wide.
	Share stats.Interval `json:"share"`
}

// CompareExactFirst does what [ComparePublished] does, in two steps. All facts'
// neurons are chosen by integrals of the adaptive rule, which takes a quarter of
// the nodes of the published codes' rules and is more exact. The recipe's own rule
// is computed only where the sets then differ, to see whether the rule is the
// cause, and for a control. It is an error if the recipe's rule is adaptive.
func CompareExactFirst(ctx context.Context, m *kn.Model, p *Published, recipe kn.Recipe, o stats.Options, progress kn.Progress) (*ExactFirst, error) {
	if recipe.Attribute.Rule == "" || recipe.Attribute.Rule == kn.Adaptive {
		return nil, fmt.Errorf("experiments: the recipe %q integrates by the adaptive rule, so that there is no rule of its own to compare with; give it one, such as %s", recipe.Name, kn.LinspaceInclusive)
	}
	exact := recipe
	exact.Attribute.Rule, exact.Attribute.Nodes = kn.Adaptive, 0
	e := &ExactFirst{Recipe: recipe}
	var same []bool
	var err error
	if e.Exact, same, err = comparePublished(ctx, m, p, exact, o, progress); err != nil {
		return nil, err
	}
	differing, others := []int{}, []int{}
	for i := range p.Facts {
		if same[i] {
			others = append(others, i)
		} else {
			differing = append(differing, i)
		}
	}
	var control []int
	for k := 0; k < len(others); k += ControlEvery {
		control = append(control, others[k])
	}
	of := func(facts []int) (*PublishedComparison, []bool, error) {
		if len(facts) == 0 {
			return nil, nil, nil
		}
		return comparePublished(ctx, m, p.only(facts), recipe, o, progress)
	}
	var again []bool
	if e.Differing, again, err = of(differing); err != nil {
		return nil, err
	}
	if e.Control, _, err = of(control); err != nil {
		return nil, err
	}
	var ofControl stats.Interval // of the others, by the recipe's own rule
	if e.Control != nil {
		ofControl = e.Control.Share
	}
	share := func(ofOthers float64) stats.Interval {
		of := map[int][]float64{}
		for k, i := range differing {
			of[i] = []float64{0}
			if again[k] {
				of[i][0] = 1
			}
		}
		for _, i := range others {
			of[i] = []float64{ofOthers}
		}
		return stats.Bootstrap(of, o)
	}
	e.Share = stats.Interval{Mean: share(ofControl.Mean).Mean, Low: share(ofControl.Low).Low, High: share(ofControl.High).High}
	return e, nil
}

// only is some of the facts.
func (p *Published) only(facts []int) *Published {
	some := &Published{}
	for _, i := range facts {
		some.Facts, some.Sets = append(some.Facts, p.Facts[i]), append(some.Sets, p.Sets[i])
	}
	return some
}

// Cause is why a fact's sets differ, as far as that could be found.
type Cause string

// The causes.
const (
	CauseRule     Cause = "the rule"      // by the recipe's own rule they are the same
	CauseRounding Cause = "rounding"      // by the recipe's own rule all margins are below [NarrowMargin]
	CauseUnknown  Cause = "not explained" // something that the recipe does not say
)

// Again returns a fact of Exact.Differences as it came out by the recipe's own
// rule, or nil if by that rule its sets are the same: then they differed by the
// rule alone.
func (e *ExactFirst) Again(d PublishedDifference) *PublishedDifference {
	for i, x := range e.Differing.Differences {
		if x.UUID == d.UUID && x.Relation == d.Relation && x.Subject == d.Subject && x.Answer == d.Answer {
			return &e.Differing.Differences[i]
		}
	}
	return nil
}

// Cause is why sets differ by a recipe's own rule.
func (d PublishedDifference) Cause() Cause {
	if d.Margin < NarrowMargin {
		return CauseRounding
	}
	return CauseUnknown
}
