package knowledgeneurons

import (
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// The sets of neurons of an intervention, by their place.
const (
	own = iota
	otherRelation
	random
	matched
	baseline
)

// effect is the section on suppressing and amplifying (figures 4 and 5).
func (b book) effect(t *experiments.Intervention) report.Section {
	its := t.Sets[own]
	// Both averages must say so: the prompts', and the authors'.
	loss := func(set int) report.Verdict {
		than := t.Sets[set]
		return report.All(
			report.Times(report.Negated(its.Suppressed), 2, report.Negated(than.Suppressed)),
			report.Times(report.Negated(its.OfRelationsSuppressed), 2, report.Negated(than.OfRelationsSuppressed)))
	}
	gain := func(set int) report.Verdict {
		return report.All(report.Exceeds(t.Sets[set].AmplifiedLess, 0), report.Greater(its.OfRelationsAmplified, t.Sets[set].OfRelationsAmplified))
	}
	paper := b.result("paper")
	most := 0 // the relation that the baseline's neurons change most
	for i, r := range t.ByRelation {
		if math.Abs(r.Suppressed[baseline].Mean) > math.Abs(t.ByRelation[most].Suppressed[baseline].Mean) {
			most = i
		}
	}
	return b.Section("effect", report.Content{
		Data: map[string]any{
			"paper_of":      map[string]any{"own": paper["gradients"], "baseline": paper["baseline"]},
			"baseline_most": b.result("intervene")["by_relation"].([]any)[most],
		},
		Figures: report.Drawings{
			"interventions": b.Draw(experimentplots.Interventions(t)),
			"suppressed":    b.Draw(experimentplots.SuppressedByRelation(t)),
			"amplified":     b.Draw(experimentplots.AmplifiedByRelation(t)),
		},
		Verdicts: report.Verdicts{
			"suppress": report.Enough(t.Facts, report.All(loss(otherRelation), loss(random), loss(matched))),
			"amplify": report.Enough(t.Facts, report.All(report.Exceeds(its.Amplified, 0), report.Exceeds(its.OfRelationsAmplified, 0),
				gain(otherRelation), gain(random), gain(matched))),
			"baseline-effect": report.Enough(t.Facts, loss(baseline)),
		},
	})
}
