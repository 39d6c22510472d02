package electra

import (
	"context"
	"math/rand/v2"
	"slices"
	"sort"
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
	// Replaced is the discriminator's loss of the masked tokens, times their
	// weights: its expectation does not depend on the sampler, but for what one
	// replacement does to the loss of the window's others.
	Replaced float64 `json:"replaced"`
	// Detection is its loss of all tokens, as it is trained. Accuracy is the share of tokens that it tells
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
	b, err := s.feeder.heldOut()
	if err != nil {
		return nil, err
	}
	m, err := s.learner.measure(ctx, b, int32(s.tok.MaskID()))
	if err == nil {
		m.Step, m.Seconds = s.state.Step, s.state.Seconds
	}
	return m, err
}

// measure asks the generator once, and the discriminator for each draw.
func (l *learner) measure(ctx context.Context, b *batch, mask int32) (*Measurement, error) {
	out, err := l.call(l.guesses, b.inputs(mask, rand.New(rand.NewPCG(1, 1)))...)
	if err != nil {
		return nil, err
	}
	m, n := &Measurement{}, len(b.positions)
	p := rows{out[1], len(out[1]) / n}
	for i, x := range out[0] {
		m.CrossEntropy -= float64(x) / float64(n)
		m.Confidence += float64(slices.Max(p.row(i))) / float64(n)
	}
	if m.Own, err = l.drawn(ctx, b, p, rows{out[2], p.columns}); err != nil {
		return nil, err
	}
	m.Plain = m.Own
	if l.sampler != Plain {
		m.Plain, err = l.drawn(ctx, b, p, p)
	}
	return m, err
}

// rows has a row of the vocabulary's length for each masked token.
type rows struct {
	values  []float32
	columns int
}

func (t rows) row(i int) []float32 { return t.values[i*t.columns : (i+1)*t.columns] }

// sums are the rows' running sums, of float64s: with float32s the last tokens
// of a large vocabulary would be drawn too rarely.
func (t rows) sums() [][]float64 {
	sums := make([][]float64, len(t.values)/t.columns)
	for i := range sums {
		sums[i] = make([]float64, t.columns)
		sum := 0.0
		for x, p := range t.row(i) {
			sum += float64(p)
			sums[i][x] = sum
		}
	}
	return sums
}

// drawn is what comes of drawing all masked tokens' replacements again and
// again from a proposal, where the generator has the probabilities p.
func (l *learner) drawn(ctx context.Context, b *batch, p, from rows) (d Drawn, err error) {
	n, draws := len(b.positions), l.config.Resamples
	share := 1 / float64(draws)
	sums, squares := make([]float64, n), make([]float64, n)
	cumulated := from.sums()
	for i := range draws {
		if err := ctx.Err(); err != nil {
			return d, err
		}
		// The same uniform numbers at each measurement, for each sampler.
		rng := rand.New(rand.NewPCG(1, 0xd4a3<<32|uint64(i)))
		seen := slices.Clone(b.ids)
		weights := make([]float64, n)
		for j := range n {
			c := cumulated[j]
			u := rng.Float64() * c[len(c)-1]
			x := min(sort.Search(len(c), func(x int) bool { return c[x] > u }), len(c)-1)
			weights[j] = min(float64(p.row(j)[x])/float64(from.row(j)[x]), l.config.Bound)
			at := b.at(j)
			if seen[at] = int32(x); seen[at] == b.ids[at] {
				d.Correct += share / float64(n)
			}
		}
		out, err := l.call(l.detects, b.tensor(b.ids), b.tensor(seen))
		if err != nil {
			return d, err
		}
		for j, loss := range out[0] {
			d.Detection += share * float64(loss) / float64(len(seen))
			d.Accuracy += share * float64(out[1][j]) / float64(len(seen))
		}
		for j, w := range weights {
			loss := float64(out[0][b.at(j)])
			d.Detection += share * (w - 1) * loss / float64(len(seen))
			d.Replaced += share * w * loss / float64(n)
			sums[j] += w * loss
			squares[j] += w * loss * w * loss
		}
		d.EffectiveShare += share * effectiveShare(weights)
	}
	for j := range n {
		mean := share * sums[j]
		d.Variance += max(0, squares[j]-float64(draws)*mean*mean) / float64(draws-1) / float64(n)
	}
	return d, nil
}

// effectiveShare is [EffectiveSampleSize] as a share of the samples.
func effectiveShare(weights []float64) float64 {
	var sum, squares float64
	for _, w := range weights {
		sum, squares = sum+w, squares+w*w
	}
	return sum * sum / squares / float64(len(weights))
}
