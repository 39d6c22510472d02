package electra

import (
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
)

// batch is some windows, with tokens chosen to be masked. B is the batch, n
// the tokens, k the masked ones of each window.
type batch struct {
	windows   []int
	ids       []int32 // [B, n], nothing masked
	positions []int32 // [B, k]
}

// inputs of a graph: ids, positions, masked, and [B, k] uniform numbers to draw
// with.
const numInputs = 4

// inputs are the batch and what to draw its replacements with.
func (b *batch) inputs(mask int32, rng *rand.Rand) []any {
	rows := len(b.windows)
	k := len(b.positions) / rows
	masked := slices.Clone(b.ids)
	uniform := make([]float32, len(b.positions))
	for i := range b.positions {
		masked[b.at(i)] = mask
		uniform[i] = rng.Float32()
	}
	return []any{
		b.tensor(b.ids), tensors.FromFlatDataAndDimensions(b.positions, rows, k), b.tensor(masked),
		tensors.FromFlatDataAndDimensions(uniform, rows, k),
	}
}

// at is the place in ids of masked token i of all.
func (b *batch) at(i int) int {
	k := len(b.positions) / len(b.windows)
	return i/k*(len(b.ids)/len(b.windows)) + int(b.positions[i])
}

// tensor has the batch's shape, [B, n].
func (b *batch) tensor(ids []int32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(slices.Clone(ids), len(b.windows), len(ids)/len(b.windows))
}

// feeder makes the batches of a training. Each follows from the seed and the
// step, so that a training that is resumed sees what it would have seen.
type feeder struct {
	corpus *corpus
	config Config
	pass   int   // whose windows are in order; -1 at first
	order  []int // windows, shuffled anew in each pass
}

func newFeeder(k *corpus, c Config) *feeder { return &feeder{corpus: k, config: c, pass: -1} }

// trained is the number of windows that are trained on: all but the last ones,
// which are measured on.
func (f *feeder) trained() int { return f.corpus.windows() - f.config.HeldOut }

// windows returns the windows of a step.
func (f *feeder) windows(step int) []int {
	windows := make([]int, f.config.Batch)
	for i := range windows {
		at := step*f.config.Batch + i
		if pass := at / f.trained(); pass != f.pass {
			f.pass, f.order = pass, rand.New(rand.NewPCG(f.config.Seed, 0x0bde<<32|uint64(pass))).Perm(f.trained())
		}
		windows[i] = f.order[at%f.trained()]
	}
	return windows
}

// step returns the batch of a step, and the source of the numbers that it is
// drawn with.
func (f *feeder) step(step int) (*batch, *rand.Rand, error) {
	rng := rand.New(rand.NewPCG(f.config.Seed, 0xe1ec<<32|uint64(step)))
	b, err := f.masked(f.windows(step), rng)
	return b, rng, err
}

// heldOut returns the windows that are measured on, always masked alike.
func (f *feeder) heldOut() (*batch, error) {
	windows := make([]int, f.config.HeldOut)
	for i := range windows {
		windows[i] = f.trained() + i
	}
	return f.masked(windows, rand.New(rand.NewPCG(1, 0xe1ed)))
}

// masked chooses the tokens to be masked: words before [SEP].
func (f *feeder) masked(windows []int, rng *rand.Rand) (*batch, error) {
	b := &batch{windows: windows}
	for _, w := range windows {
		ids, err := f.corpus.window(w)
		if err != nil {
			return nil, err
		}
		var words, specials []int32
		for _, p := range rng.Perm(len(ids) - 1) {
			if id := int(ids[p+1]); id == f.corpus.tok.SepID() {
				specials = append(specials, int32(p+1))
			} else {
				words = append(words, int32(p+1))
			}
		}
		b.ids = append(b.ids, ids...)
		b.positions = append(b.positions, append(words, specials...)[:f.config.MaskedTokens()]...)
	}
	return b, nil
}
