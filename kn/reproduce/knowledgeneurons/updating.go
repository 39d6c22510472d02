package knowledgeneurons

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// updating is the section on updating facts (the paper's first case study). u is
// nil if there was nothing to measure.
func (b book) updating(u *experiments.UpdateTable) report.Section {
	if u == nil {
		return b.Section("updating", report.Content{Verdicts: report.Verdicts{"update": report.Unknown, "update-success": report.Unknown}})
	}
	figures := report.Drawings{"update": b.Draw(experimentplots.UpdateRates(u))}
	if len(u.Lambdas) > 0 {
		figures["update-lambdas"] = b.Draw(experimentplots.UpdateLambdas(u))
	}
	if len(u.Counts) > 0 {
		figures["update-counts"] = b.Draw(experimentplots.UpdateCounts(u))
	}
	its, random := u.Sets[0], u.Sets[1]
	return b.Section("updating", report.Content{Data: map[string]any{"few_a_relation": b.fewARelation(u)}, Figures: figures, Verdicts: report.Verdicts{
		"update": report.Enough(u.Facts, report.Exceeds(random.ChangedLess, 0)),
		"update-success": report.Enough(u.Facts, report.All(report.Exceeds(random.SuccessLess, 0),
			report.Greater(its.ReciprocalRank, its.ReciprocalRankBefore))),
	}})
}

// fewARelation is the mean number of facts of a relation where the share that
// rules out neurons is of less than ten: since few of each were drawn, it is strict.
func (b book) fewARelation(u *experiments.UpdateTable) string {
	facts := b.result("facts")
	of := facts["facts"].(report.Number).Value / facts["relations"].(report.Number).Value
	if share, _ := u.Provenance.Options["most_share"].(float64); share*of >= 10 {
		return ""
	}
	return fmt.Sprintf("%.0f", of)
}
