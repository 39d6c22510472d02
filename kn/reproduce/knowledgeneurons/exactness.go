package knowledgeneurons

import (
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// codes is the section on what the published codes do differently.
func (b book) codes(d *experiments.RecipeDiff) report.Section {
	return b.Section("codes", report.Content{Figures: report.Drawings{
		"recipe-overlap": b.Draw(experimentplots.RecipeOverlap(d)), "recipe-steps": b.Draw(experimentplots.RecipeSteps(d)),
	}})
}

// exactness is the section on the integrals' error.
func (b book) exactness(c *experiments.ConvergenceTable, x *experiments.ExactnessTable) report.Section {
	return b.Section("exactness", report.Content{Figures: report.Drawings{
		"convergence":      b.Draw(experimentplots.ConvergenceError(c)),
		"convergence-sets": b.Draw(experimentplots.ConvergenceAgreement(c)),
		"exactness":        b.Draw(experimentplots.Exactness(x)),
	}})
}
