package knowledgeneurons

import (
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// farMore is by how many times a relation's perplexity must rise more than that of
// others for these to be little harmed.
const farMore = 4

// erasing is the section on erasing relations (the paper's second case study). e
// is nil if there was nothing to measure.
func (b book) erasing(e *experiments.EraseTable) report.Section {
	if e == nil {
		return b.Section("erasing", report.Content{Verdicts: report.Verdicts{"erase": report.Unknown}})
	}
	var local []report.Verdict
	fewest := e.Relations[0].Facts
	for _, r := range e.Relations {
		its := r.Sets[0]
		local = append(local, report.Times(its.Erased.Perplexity.Change, farMore, its.Others.Perplexity.Change))
		fewest = min(fewest, r.Facts)
	}
	ofPaper := map[string]any{}
	for i, erased := range b.result("paper")["erase"].([]any) {
		ofPaper[reported.Erase[i].Relation] = erased
	}
	return b.Section("erasing", report.Content{
		Data: map[string]any{"paper_erased": ofPaper},
		Figures: report.Drawings{
			"erase":                  b.Draw(experimentplots.ErasedPerplexity(e)),
			"erase-curve-perplexity": b.Draw(experimentplots.ErasedPerplexityCurve(e)),
			"erase-curve-accuracy":   b.Draw(experimentplots.ErasedAccuracyCurve(e)),
		},
		Verdicts: report.Verdicts{"erase": report.Enough(fewest, report.All(local...))},
	})
}
