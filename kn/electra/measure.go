package electra

import (
	"context"
	"math/rand/v2"
)

// Measurement is what is found of both models after a step, on windows that
// are not trained on and always masked alike. Their replacements are drawn
// many times, by the models' own sampler and, for comparison, plainly.
type Measurement struct {
	Step    int     `json:"step"`    // steps taken
	Seconds float64 `json:"seconds"` // of training, measuring not counted

	// CrossEntropy is the generator's, mean over the masked tokens.
	CrossEntropy float64 `json:"cross_entropy"`
	// Confidence is its largest probability of any token, mean likewise.
	Confidence float64 `json:"confidence"`

	Own   Drawn `json:"own"`
	Plain Drawn `json:"plain"` // replacements drawn from p_G; of the plain sampler it is Own
}

// Drawn is what comes of replacements drawn by one sampler, mean over draws.
type Drawn struct {
	Correct float64 `json:"correct"` // share of the masked tokens whose replacement is the original one
	// Detection is the discriminator's loss, mean over all tokens, those drawn
	// times their weights. Accuracy is the share of tokens that it tells
	// rightly to be replaced or original.
	Detection float64 `json:"detection"`
	Accuracy  float64 `json:"accuracy"`
	// Variance is that of a masked token's weighted detection loss over draws,
	// mean over the masked tokens. All of a window's tokens are drawn anew each
	// time, so that it has a part that no proposal for one token can take away:
	// the loss depends on the other replacements too.
	Variance float64 `json:"variance"`
	// EffectiveShare is (Σw)²/(N·Σw²) of the weights of N masked tokens.
	EffectiveShare float64 `json:"effective_share"`
}

// measure draws the held-out windows' replacements again and again.
func (s *session) measure(ctx context.Context) (*Measurement, error) {
	m := &Measurement{Step: s.state.Step, Seconds: s.state.Seconds}
	b, err := s.feeder.heldOut()
	if err != nil {
		return nil, err
	}
	own, err := s.drawn(ctx, b, s.config.Sampler)
	if err != nil {
		return nil, err
	}
	m.Own, m.Plain, m.CrossEntropy, m.Confidence = own.Drawn, own.Drawn, own.crossEntropy, own.confidence
	if s.config.Sampler != Plain {
		plain, err := s.drawn(ctx, b, Plain)
		if err != nil {
			return nil, err
		}
		m.Plain = plain.Drawn
	}
	return m, nil
}

// drawing is what comes of all draws, and what does not depend on them.
type drawing struct {
	Drawn
	crossEntropy, confidence float64
}

func (s *session) drawn(ctx context.Context, b *batch, sampler Sampler) (d drawing, err error) {
	draws := s.config.Resamples
	n := len(b.positions)
	sums, squares := make([]float64, n), make([]float64, n)
	for i := range draws {
		if err := ctx.Err(); err != nil {
			return d, err
		}
		// The same uniform numbers at each measurement, for each sampler.
		rng := rand.New(rand.NewPCG(1, 0xd4a3<<32|uint64(i)))
		out, err := s.learner.measured(sampler, b.inputs(int32(s.tok.MaskID()), rng))
		if err != nil {
			return d, err
		}
		logP, confidence, correct, weight, weighted := out[0], out[1], out[2], out[3], out[4]
		d.crossEntropy, d.confidence = -mean(logP), mean(confidence)
		share := 1 / float64(draws)
		d.Correct += share * mean(correct)
		d.Detection += share * out[5][0]
		d.Accuracy += share * out[6][0]
		d.EffectiveShare += share * effectiveShare(weight)
		for j, x := range weighted {
			sums[j] += x
			squares[j] += x * x
		}
	}
	for j := range n {
		of := sums[j] / float64(draws)
		d.Variance += max(0, squares[j]-float64(draws)*of*of) / float64(draws-1) / float64(n)
	}
	return d, nil
}

func mean(xs []float64) (m float64) {
	for _, x := range xs {
		m += x / float64(len(xs))
	}
	return m
}

// effectiveShare is [EffectiveSampleSize] as a share of the samples.
func effectiveShare(weights []float64) float64 {
	var sum, squares float64
	for _, w := range weights {
		sum, squares = sum+w, squares+w*w
	}
	return sum * sum / squares / float64(len(weights))
}
