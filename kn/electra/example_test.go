package electra_test

import (
	"fmt"
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn/electra"
)

// A generator that is 90 % sure of the right token, which the discriminator
// has seen through long ago. Drawn from p_G, nine draws of ten tell nothing;
// drawn in proportion to p_G times the loss, each tells as much as all.
func ExampleOptimal() {
	generator := []float64{0.90, 0.06, 0.03, 0.01}
	loss := []float64{0.02, 1.50, 0.90, 3.00}
	optimal := electra.MustOptimal(generator, loss)
	fmt.Printf("drawn from %.2f\n", optimal)
	for _, proposal := range [][]float64{generator, optimal} {
		free := electra.Clip.MustEstimate(generator, proposal, loss, math.Inf(1))
		bounded := electra.Mixture.MustEstimate(generator, proposal, loss, 10)
		fmt.Printf("mean %.3f, deviation %.3f, with weights of at most 10: %.3f\n",
			free.Mean, math.Sqrt(free.Variance), math.Sqrt(bounded.Variance))
	}
	// Output:
	// drawn from [0.11 0.55 0.16 0.18]
	// mean 0.165, deviation 0.472, with weights of at most 10: 0.472
	// mean 0.165, deviation 0.000, with weights of at most 10: 0.033
}
