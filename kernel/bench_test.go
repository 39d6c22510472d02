package kernel_test

import (
	"fmt"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kernel/kerneltest"
)

// BenchmarkWarmCell measures what a reader waits for a cell that was edited,
// imports kn and plots, and shows a chart whose numbers are at hand: GoNB's
// goimports and go get, build, link, run, and drawing.
func BenchmarkWarmCell(b *testing.B) {
	s := kerneltest.Shared(b).Start(b)
	imports := "import (\n\t\"github.com/knowledge-neurons/gonb-kn/kn\"\n\t\"github.com/knowledge-neurons/gonb-kn/plots\"\n)\n"
	cell := `%%%%
curve := kn.Curve{Label: "%d", Factors: []float64{0, 1, 2}, Probability: []float64{0.1, 0.5, 0.9}, Neurons: []kn.Neuron{{0, 1}}}
plots.MustShow(plots.MustFactorCurves(&kn.FactorCurves{Prompts: []string{"p [MASK]"}, Answer: "a", Own: curve, Random: curve, Matched: curve, Probability: 0.5}))`
	if a := s.Run(imports + fmt.Sprintf(cell, -1)); a.Status != "ok" {
		b.Fatalf("%+v", a)
	}
	edit := 0
	for b.Loop() {
		edit++
		if a := s.Run(fmt.Sprintf(cell, edit)); a.Status != "ok" || !a.Shows("image/svg+xml") {
			b.Fatalf("%+v", a)
		}
	}
}
