package verify_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/verify"
)

// A chart is verified, and then one whose author has made a number a little larger.
func ExampleFigure() {
	model := kn.MustLoad(mini.Name, kn.WithCache("off"))
	prompts := []string{"The capital of France is [MASK]."}
	neurons := []kn.Neuron{{Layer: 3, Index: 2}, {Layer: 3, Index: 568}}
	curves := model.MustFactorCurves(prompts, "Paris", neurons, kn.CurveOptions{Factors: []float64{0, 1, 2}, Draws: 2})
	show := func() {
		svg, err := plots.MustFactorCurves(curves).SVG()
		if err != nil {
			panic(err)
		}
		report, err := verify.Figure(context.Background(), bytes.NewReader(svg))
		if err != nil {
			panic(err)
		}
		fmt.Println("equal:", report.Equal())
		for _, d := range report.Differences {
			fmt.Println(d.What)
		}
	}
	show()
	curves.Own.Probability[2] += 0.01
	show()
	// Output:
	// equal: true
	// equal: false
	// knowledge neurons, probability at factor 2
}
