package electra

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// stepper is a small pair of models with a batch for it.
type stepper struct {
	*learner
	batch *batch
}

func newStepper(t *testing.T, c Config) *stepper {
	t.Helper()
	m := checkpoint.DefaultConfig()
	m.VocabSize, m.HiddenSize, m.Layers, m.Heads, m.IntermediateSize, m.InitializerRange = 20, 8, 1, 2, 12, 0.5
	c.Length, c.Batch, c.GeneratorSize = 9, 3, 0.5
	c = c.WithDefaults().of(m)
	n := networks{sampler: c.Sampler, discriminator: c.discriminator(m)}
	n.generator = n.discriminator.Generator(c.GeneratorSize)
	l, err := newLearner(c, n, backend.Default)
	if err != nil {
		t.Fatal(err)
	}
	s := &stepper{l, &batch{windows: make([]int, c.Batch)}}
	rng := rand.New(rand.NewPCG(4, 4))
	for range c.Batch {
		for range c.Length {
			s.batch.ids = append(s.batch.ids, int32(5+rng.IntN(15)))
		}
		for _, p := range rng.Perm(c.Length)[:c.MaskedTokens()] {
			s.batch.positions = append(s.batch.positions, int32(p))
		}
	}
	return s
}

// inputs are the batch with always the same draws.
func (s *stepper) inputs() []any { return s.batch.inputs(4, rand.New(rand.NewPCG(5, 5))) }

// of makes an executable of a loss: its value, or its gradient with respect to
// every variable.
func (s *stepper) of(t *testing.T, which func(losses) *node, gradient bool) *model.Exec {
	t.Helper()
	b, err := backend.Get()
	if err != nil {
		t.Fatal(err)
	}
	return kn.Must(model.NewExec(b, s.Store, func(_ *model.Scope, in []*node) []*node {
		loss := which(s.config.losses(s.models(in[0]), in))
		if !gradient {
			return []*node{loss}
		}
		var values []*node
		for _, e := range s.expected() {
			values = append(values, s.Lookup(loss.Graph())(e.Name, e.Shape...))
		}
		return graph.Gradient(loss, values...)
	}))
}

// run executes and returns the outputs flat.
func run(t *testing.T, e *model.Exec, inputs []any) (flat [][]float32) {
	t.Helper()
	err := backend.Try(func() error {
		out, err := e.Exec(inputs...)
		for _, o := range out {
			flat = append(flat, tensors.MustCopyFlatData[float32](o))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return flat
}

// nudge adds to one entry of a variable.
func (s *stepper) nudge(t *testing.T, e checkpoint.Expected, i int, by float64) {
	t.Helper()
	all, err := s.Variables()
	if err != nil {
		t.Fatal(err)
	}
	for path, v := range all {
		if strings.HasSuffix(path, "/"+e.Name) {
			v.Floats[i] += float32(by)
		}
	}
	if err := s.Restore(all); err != nil {
		t.Fatal(err)
	}
}

func generatorLoss(l losses) *node     { return l.generator }
func discriminatorLoss(l losses) *node { return l.discriminator }
func hardnessLoss(l losses) *node      { return l.hardness }

// Gradients of the whole step are those of central differences, entry by
// entry, wherever what is held constant is constant: the discriminator's loss
// with respect to the generator is not among them, nor what HPDist's weight
// depends on.
func TestStepGradients(t *testing.T) {
	for _, c := range []struct {
		config Config
		name   string
		loss   func(losses) *node
		of     []string // beginnings of variables' names
	}{
		{Config{Sampler: Plain, Gamma: 2}, "generator", generatorLoss, []string{ofGenerator, embeddings}},
		{Config{Sampler: Plain}, "discriminator", discriminatorLoss, []string{ofDiscriminator, embeddings}},
		{Config{Sampler: HPLoss}, "weighted discriminator", discriminatorLoss, []string{ofDiscriminator}},
		{Config{Sampler: HPLoss}, "hardness", hardnessLoss, []string{ofGenerator + "hardness"}},
	} {
		s := newStepper(t, c.config)
		value, gradients := s.of(t, c.loss, false), run(t, s.of(t, c.loss, true), s.inputs())
		for v, e := range s.expected() {
			if !slices.ContainsFunc(c.of, func(prefix string) bool { return strings.HasPrefix(e.Name, prefix) }) {
				continue
			}
			// The entry with the largest gradient, and one that may have any.
			steepest := 0
			for i, g := range gradients[v] {
				if math.Abs(float64(g)) > math.Abs(float64(gradients[v][steepest])) {
					steepest = i
				}
			}
			for _, i := range []int{steepest, (steepest + 7) % len(gradients[v])} {
				const h = 5e-3
				s.nudge(t, e, i, h)
				up := run(t, value, s.inputs())[0][0]
				s.nudge(t, e, i, -2*h)
				down := run(t, value, s.inputs())[0][0]
				s.nudge(t, e, i, h)
				got, want := float64(gradients[v][i]), float64(up-down)/(2*h)
				if math.Abs(got-want) > 2e-3+0.02*math.Abs(want) {
					t.Errorf("%s: %s[%d]: gradient %v, differences give %v", c.name, e.Name, i, got, want)
				}
			}
		}
	}
}

// Where the method has no gradient it is 0, exactly, in every variable: the
// discriminator's loss teaches the generator nothing, and neither learns from
// what the head predicts but the generator's layers, which the head stands on.
func TestStepWithoutGradient(t *testing.T) {
	for _, sampler := range Samplers {
		for _, bounding := range []Bounding{Mixture, Clip} {
			s := newStepper(t, Config{Sampler: sampler, Bounding: bounding, Gamma: 1})
			check := func(name string, loss func(losses) *node, none []string, some string) {
				t.Helper()
				total := 0.0
				for v, g := range run(t, s.of(t, loss, true), s.inputs()) {
					variable, sum := s.expected()[v].Name, 0.0
					for _, x := range g {
						sum += math.Abs(float64(x))
					}
					if sum != 0 && slices.ContainsFunc(none, func(prefix string) bool { return strings.HasPrefix(variable, prefix) }) {
						t.Errorf("%s, %s: the %s loss has a gradient in %s", sampler, bounding, name, variable)
					}
					if strings.HasPrefix(variable, some) {
						total += sum
					}
				}
				if total == 0 {
					t.Errorf("%s, %s: the %s loss has no gradient in %s", sampler, bounding, name, some)
				}
			}
			head := ofGenerator + "hardness"
			check("generator's", generatorLoss, []string{ofDiscriminator, head}, ofGenerator)
			check("discriminator's", discriminatorLoss, []string{ofGenerator}, ofDiscriminator)
			if sampler.HasHead() {
				check("hardness", hardnessLoss, []string{ofDiscriminator, ofGenerator + "generator_"}, head)
			}
		}
	}
}

// The weighted loss has the expectation that plain sampling gives, whatever
// the proposal: one masked token in each of three windows, 2000 draws, the
// difference of the means in units of its standard error. Were they equal, a
// normal deviate would be above 5 in one of 1.7 million such comparisons. The
// replacements of one window do not depend on each other's, since there is
// one: with more, the expectation is that of plain sampling given the others.
func TestStepKeepsTheExpectation(t *testing.T) {
	for _, sampler := range []Sampler{HPLoss, HPDist} {
		s := newStepper(t, Config{Sampler: sampler, MaskedShare: 0.1, Bound: 3, Resamples: 2000})
		m := kn.Must(s.measure(t.Context(), s.batch, 4))
		variance := (m.Own.Variance + m.Plain.Variance) / 3 / 2000
		if z := math.Abs(m.Own.Replaced-m.Plain.Replaced) / math.Sqrt(variance); z > 5 || z == 0 {
			t.Errorf("%s: mean loss %v, plainly %v: %.1f standard errors apart", sampler, m.Own.Replaced, m.Plain.Replaced, z)
		}
	}
}

// What a training step computes of a batch is what measuring finds of it, with
// the same numbers to draw with; gamma 0 is the cross-entropy; the objective is
// the weighted sum of the losses.
func TestStepByHand(t *testing.T) {
	s := newStepper(t, Config{Sampler: HPDist, Resamples: 2})
	m := kn.Must(s.measure(t.Context(), s.batch, 4))
	crossEntropy := run(t, s.of(t, generatorLoss, false), s.inputs())[0][0]
	near(t, "cross-entropy", []float64{float64(crossEntropy)}, []float64{m.CrossEntropy}, 1e-6)
	var sum float64
	for i := range uint64(2) {
		inputs := s.batch.inputs(4, rand.New(rand.NewPCG(1, 0xd4a3<<32|i)))
		// As [learner.drawn] draws: float64s.
		rng := rand.New(rand.NewPCG(1, 0xd4a3<<32|i))
		uniform := make([]float32, len(s.batch.positions))
		for j := range uniform {
			uniform[j] = float32(rng.Float64())
		}
		inputs[3] = tensors.FromFlatDataAndDimensions(uniform, s.config.Batch, s.config.MaskedTokens())
		sum += float64(run(t, s.of(t, discriminatorLoss, false), inputs)[0][0]) / 2
	}
	near(t, "detection", []float64{sum}, []float64{m.Own.Detection}, 1e-5)
	if m.Own.EffectiveShare >= 1 || m.Plain.EffectiveShare != 1 || m.Own == m.Plain {
		t.Errorf("measured %+v", m)
	}
	total := run(t, s.of(t, s.config.objective, false), s.inputs())[0][0]
	sum = 0
	for _, part := range []struct {
		weight float64
		of     func(losses) *node
	}{{1, generatorLoss}, {50, discriminatorLoss}, {1, hardnessLoss}} {
		sum += part.weight * float64(run(t, s.of(t, part.of, false), s.inputs())[0][0])
	}
	near(t, "objective", []float64{float64(total)}, []float64{sum}, 1e-5)
	var names string
	for _, e := range s.expected() {
		names += e.Name + " "
	}
	if !strings.Contains(names, ofGenerator+hardnessHead+".dense.weight") || strings.Count(names, "word_embeddings") != 1 {
		t.Errorf("variables %s", names)
	}
}
