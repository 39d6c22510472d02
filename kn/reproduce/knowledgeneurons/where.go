package knowledgeneurons

import (
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// where is the section on which neurons hold the facts (the paper's figure 3
// and table 2).
func (b book) where(t *experiments.NeuronTable) report.Section {
	shared := t.Gradients.Shared
	return b.Section("where", report.Content{
		Figures: report.Drawings{"layers": b.Draw(experimentplots.LayerDistribution(t)), "shared": b.Draw(experimentplots.SharedNeurons(t))},
		Verdicts: report.Verdicts{
			"top-layers":      report.Enough(t.Facts, report.Exceeds(t.Gradients.Top, 0.5)),
			"within-across":   report.Enough(t.Facts-t.Relations, report.Greater(shared.Within, shared.Across)),
			"baseline-common": report.Enough(t.Facts, report.Greater(t.Baseline.Shared.Across, shared.Across)),
		},
	})
}
