package knowledgeneurons

import (
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// shownTexts of either end stand in the report; the result file has more.
const shownTexts = 3

// texts is the section on activation and expression (the paper's table 3, and
// its table of texts). t is nil if there are no texts, or none that tells.
func (b book) texts(t *experiments.ActivationExpression, noTexts bool) report.Section {
	figures, verdict := report.Drawings{}, report.Unknown
	if t != nil {
		figures["expression"] = b.Draw(experimentplots.ActivationExpression(t))
		figures["expression-by-relation"] = b.Draw(experimentplots.ExpressionByRelation(t))
		verdict = report.Enough(t.Facts, report.All(report.Exceeds(t.Gradients.T1LessT2, 0), report.Exceeds(t.Gradients.T2LessT3, 0)))
	}
	return b.Section("texts", report.Content{
		Data:    map[string]any{"no_texts": noTexts, "shown_texts": shownTexts},
		Figures: figures, Verdicts: report.Verdicts{"expression": verdict},
	})
}
