package plots_test

import (
	"math"
	"math/rand/v2"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// The charts of these tests show made-up numbers of the shape and size that
// BERT's results have.

var prompts = []string{
	"The capital of France is [MASK] .",
	"France 's capital city is [MASK] .",
	"[MASK] is the capital of France .",
	"The French government sits in [MASK] .",
	"The seat of the President of the French Republic , by tradition and by law , is the city of [MASK] .",
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func factors(n int) []float64 {
	f := make([]float64, n)
	for i := range f {
		f[i] = 3 * float64(i) / float64(n-1)
	}
	return f
}

func curve(label string, n int, slope, spread float64) kn.Curve {
	c := kn.Curve{Label: label, Factors: factors(13)}
	for i := range n {
		c.Neurons = append(c.Neurons, kn.Neuron{Layer: 9 + i%3, Index: 17 * i})
	}
	for _, f := range c.Factors {
		at := func(d float64) float64 { return sigmoid(0.6 + slope*(f-1) - 0.08*(f-1)*(f-1) + d) }
		c.Probability = append(c.Probability, at(0))
		if spread > 0 {
			c.Low, c.High = append(c.Low, at(-spread)), append(c.High, at(spread))
		}
	}
	return c
}

func factorCurves() *kn.FactorCurves {
	return &kn.FactorCurves{
		Prompts: prompts, Answer: "Paris", Probability: sigmoid(0.6), Provenance: charttest.MadeUp,
		Own:     curve("knowledge neurons", 5, 1.1, 0.5),
		Matched: curve("activation-matched control", 5, 0.14, 0.35),
		Random:  curve("random control", 5, -0.02, 0.06),
	}
}

func attribution(layers, ffn int) *kn.Attribution {
	rng := rand.New(rand.NewPCG(1, 1))
	a := &kn.Attribution{Prompt: prompts[0], Answer: "Paris", Probability: 0.64, Provenance: charttest.MadeUp}
	for l := range layers {
		row := make([]float64, ffn)
		for i := range row {
			row[i] = 0.0012 * rng.NormFloat64() * (0.3 + float64(l)/float64(layers))
		}
		a.Scores = append(a.Scores, row)
	}
	for k, score := range []float64{0.081, 0.062, 0.041, 0.036, -0.03, 0.024, -0.018} {
		a.Scores[max(0, layers-1-k%3)][(977*k+233)%ffn] = score
	}
	return a
}

func scatter(groups []string, n int) *kn.ActivationScatter {
	rng := rand.New(rand.NewPCG(2, 2))
	s := &kn.ActivationScatter{Provenance: charttest.MadeUp, Neurons: []kn.Neuron{{Layer: 9, Index: 12}, {Layer: 10, Index: 1034}}, Pearson: 0.71}
	for g, group := range groups {
		for range n {
			a := 0.8*float64(g+1)/float64(len(groups)) + 0.5*rng.NormFloat64()
			s.Points = append(s.Points, kn.ScatterPoint{Group: group, Activation: a, Probability: sigmoid(2.2*a - 1.5 + 0.7*rng.NormFloat64())})
		}
	}
	return s
}

func knowledgeNeurons(n, layers, ffn int, seed uint64) *kn.KnowledgeNeurons {
	rng := rand.New(rand.NewPCG(seed, 3))
	draw := func() kn.Neuron {
		layer := layers - 1 - int(math.Abs(rng.NormFloat64())*float64(layers)/6)
		return kn.Neuron{Layer: max(0, layer), Index: rng.IntN(ffn)}
	}
	k := &kn.KnowledgeNeurons{Answer: "Paris", Layers: layers, FFN: ffn, Provenance: charttest.MadeUp}
	common := make([]kn.Neuron, 12)
	for i := range common {
		common[i] = draw()
	}
	k.Refined = kn.SortNeurons(common[:5])
	for i := range n {
		var set []kn.Neuron
		for j, c := range common {
			if j < 5 && rng.Float64() < 0.85 || rng.Float64() < 0.4 {
				set = append(set, c)
			}
		}
		for range 4 + rng.IntN(9) {
			set = append(set, draw())
		}
		k.Prompts = append(k.Prompts, prompts[i%len(prompts)])
		k.Coarse = append(k.Coarse, kn.SortNeurons(set))
	}
	return k
}

func prediction(p map[string]float64, order ...string) *kn.Prediction {
	r := &kn.Prediction{Prompt: prompts[0], Provenance: charttest.MadeUp}
	for i, token := range order {
		t := kn.TokenProbability{Token: token, ID: i, Probability: p[token]}
		r.Predictions = append(r.Predictions, t)
		if token == "Paris" {
			r.Answer = &kn.RankedToken{TokenProbability: t, Rank: i + 1}
		}
	}
	return r
}

func predictions() (before, after *kn.Prediction) {
	before = prediction(map[string]float64{"Paris": 0.62, "Lyon": 0.11, "Marseille": 0.05, "Versailles": 0.03, "France": 0.02, "Bordeaux": 0.015},
		"Paris", "Lyon", "Marseille", "Versailles", "France", "Bordeaux")
	after = prediction(map[string]float64{"Lyon": 0.31, "Paris": 0.21, "Marseille": 0.16, "France": 0.07, "Rome": 0.04, "London": 0.0101},
		"Lyon", "Paris", "Marseille", "France", "Rome", "London")
	return before, after
}
