package kn

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// goldenInside is a file of testdata/inside, see its make.py.
type goldenInside struct {
	Prompt, Answer string
	IDs            []int
	At             int
	States         [][][]float64
	Attention      [][][][]float64
	Lens           [][]float64
	Direct         struct {
		Logit, Mean, Embeddings float64
		Attention, FFN          []float64
	}
	Words []float64
}

// insideFamilies are those of testdata/inside: post-norm, pre-norm, and pre-norm
// with RMSNorm, shared keys and gated neurons.
var insideFamilies = []string{"distilbert", "gpt2", "llama"}

func openInside(t testing.TB, family string, options ...Option) (*Model, goldenInside) {
	t.Helper()
	folder := filepath.Join("testdata", "inside", family, "model")
	if family == "distilbert" {
		folder = filepath.Join("testdata", "families", family, "model")
	}
	m, err := Load(folder, append([]Option{WithCache("off"), WithBackend("go")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	var want goldenInside
	sharedtest.ReadJSON(t, &want, "testdata", "inside", family+".json")
	return m, want
}

// prompt is the golden file's, as this library is asked.
func (g goldenInside) prompt() string {
	if strings.Contains(g.Prompt, "[MASK]") {
		return g.Prompt
	}
	return g.Prompt + " [MASK]"
}

func flattened(rows [][]float64) []float64 { return slices.Concat(rows...) }

// TestInsideEqualsReference compares what is read inside models with what transformers
// computes in float64, on the backend that KN_BACKEND names.
func TestInsideEqualsReference(t *testing.T) {
	for _, family := range insideFamilies {
		m, want := openInside(t, family, WithBackend(""))
		check := func(what string, got, want []float64) {
			t.Helper()
			if d := difference(t, got, want); !(d < 2e-5) {
				t.Errorf("%s: %s is off by %.1e", family, what, d)
			}
		}
		s := m.MustRead(want.prompt())
		if !slices.Equal(m.Tokenizer().Encode(want.Prompt).IDs, want.IDs) || s.Mask != want.At {
			t.Fatalf("%s: tokens %q, asked at %d, want %d", family, s.Tokens, s.Mask, want.At)
		}
		check("embeddings", flattened(s.At(transformer.EmbeddingsOut, 0)), flattened(want.States[0]))
		for l, heads := range want.Attention {
			check(fmt.Sprint("residual stream after layer ", l), flattened(s.At(transformer.ResidPost, l)), flattened(want.States[l+1]))
			got := s.Attention(l)
			if len(got) != len(heads) {
				t.Fatalf("%s: %d heads, want %d", family, len(got), len(heads))
			}
			for h := range heads {
				check(fmt.Sprint("attention of head ", l, ":", h), flattened(got[h]), flattened(heads[h]))
			}
		}
		lens := m.MustLogitLens(want.prompt(), want.Answer)
		for k, row := range lens.Cells {
			var p []float64
			for _, c := range row {
				p = append(p, c.Probability)
			}
			check(fmt.Sprint("logit lens, row ", k), p, want.Lens[k])
		}
		parts := m.MustLogitParts(want.prompt(), want.Answer)
		d := want.Direct
		check("logit by parts", append(append([]float64{parts.Answers.Embeddings, parts.Answers.Logit}, parts.Answers.Attention...), parts.Answers.FFN...),
			append(append([]float64{d.Embeddings, d.Logit}, d.Attention...), d.FFN...))
		check("mean logit", []float64{parts.Control.Logit}, []float64{d.Mean})
	}
}

// TestLogitPartsAddUp: the parts are the logit, of every family, for the mean
// word and the difference of two answers, after edits of neurons and of weights.
func TestLogitPartsAddUp(t *testing.T) {
	models := seeInside(t)
	for _, family := range insideFamilies {
		models[family], _ = openInside(t, family)
	}
	for family, plain := range models {
		n := []Neuron{{1, 3}, {0, 2}}
		for _, m := range []*Model{plain, plain.MustWith(Scale(n, 5)), plain.MustWith(Erase(n))} {
			r := m.MustLogitParts("The capital of France is [MASK].", "Paris")
			between := m.MustLogitParts("The capital of France is [MASK].", "Paris", LogitOptions{Against: "London"})
			other := m.MustLogitParts("The capital of France is [MASK].", "London")
			for what, p := range map[string]Parts{"the answer": r.Answers, "the mean word": *r.Control, "two answers": between.Answers} {
				sum := p.Embeddings + p.Biases
				for l := range p.FFN {
					sum += p.Attention[l] + p.FFN[l]
					heads := p.AttentionBias[l]
					for _, h := range p.Heads[l] {
						heads += h
					}
					if math.Abs(heads-p.Attention[l]) > 1e-5*(1+largestOf(p.Heads[l])) || len(p.Heads[l]) != m.Config().Heads {
						t.Errorf("%s: of %s the heads %v and the bias %v of layer %d add up to %v, attention adds %v", family, what, p.Heads[l], p.AttentionBias[l], l, heads, p.Attention[l])
					}
				}
				if math.Abs(sum-p.Logit) > 1e-5*(1+math.Abs(p.Logit)) || math.Abs(sum-p.Sum) > 1e-12 {
					t.Errorf("%s, %d edits: the parts of %s add up to %v, the logit is %v", family, len(m.Edits()), what, sum, p.Logit)
				}
			}
			if got, want := between.Answers.FFN[0], r.Answers.FFN[0]-other.Answers.FFN[0]; math.Abs(got-want) > 1e-6 {
				t.Errorf("%s: of the difference the first FFN gives %v, want %v", family, got, want)
			}
		}
	}
}

// TestCausalTraceClosedForms: with everything restored nothing is lost, with
// nothing restored the noise is all there is, and the last state where the answer
// is predicted is all that the answer depends on.
func TestCausalTraceClosedForms(t *testing.T) {
	for _, family := range insideFamilies {
		plain, want := openInside(t, family)
		prompt := want.prompt()
		for _, m := range []*Model{plain, plain.MustWith(Scale([]Neuron{{0, 1}, {1, 3}}, 4).AtAllPositions())} {
			p := m.MustProbability(prompt, want.Answer)
			c := m.MustCausalTrace(prompt, "France", want.Answer, TraceOptions{Draws: 3, Seed: 5})
			layers := m.Config().Layers
			close := func(what string, got, want float64) {
				t.Helper()
				if math.Abs(got-want) > 1e-6 {
					t.Errorf("%s: %s: %v, want %v", family, what, got, want)
				}
			}
			close("without noise", c.Clean, p)
			close("the last state restored", c.Probability[layers-1][c.Mask], p)
			for token := range c.Tokens {
				if token != c.Mask {
					close(fmt.Sprint("a last state that nothing reads restored, at ", token), c.Probability[layers-1][token], c.Corrupted)
				}
				if m.Config().Causal() && token < c.Noisy[0] {
					close("a state before the subject, which is as it was", c.Probability[0][token], c.Corrupted)
				}
			}
			for l, row := range c.Probability { // the control leaves out the subject and the answer's place
				var others []float64
				for token, p := range row {
					if token != c.Mask && token != c.Noisy[0] {
						others = append(others, p)
					}
				}
				close(fmt.Sprint("the control in layer ", l), c.Control[l], mean(others))
			}
			if len(c.Noisy) != 1 || !strings.EqualFold(c.Tokens[c.Noisy[0]], "France") && family != "llama" || c.Draws[0] == c.Draws[1] || c.Draws[0] == c.Clean {
				t.Errorf("%s: noise at %v of %q, draws %v", family, c.Noisy, c.Tokens, c.Draws)
			}
			silent := m.MustCausalTrace(prompt, "France", want.Answer, TraceOptions{Draws: 1, Noise: 1e-9})
			for l := range silent.Probability {
				for token := range silent.Tokens {
					close("hardly any noise", silent.Probability[l][token], p)
				}
			}
			again := m.MustCausalTrace(prompt, "France", want.Answer, TraceOptions{Draws: 3, Seed: 5})
			if !slices.Equal(flattened(c.Probability), flattened(again.Probability)) {
				t.Errorf("%s: the same seed gives another trace", family)
			}
		}
	}
}

// TestCausalTraceEqualsWholeModel compares windows of FFN and attention with the
// whole model in one graph, where hooks put back what was read without noise.
func TestCausalTraceEqualsWholeModel(t *testing.T) { traceEqualsWholeModel(t, "distilbert", "gpt2") }

// TestCausalTraceEqualsReference is the same of one family, on the backend that KN_BACKEND
// names.
func TestCausalTraceEqualsReference(t *testing.T) { traceEqualsWholeModel(t, "llama") }

func traceEqualsWholeModel(t *testing.T, families ...string) {
	t.Helper()
	for _, family := range families {
		m, want := openInside(t, family, WithBackend(""))
		clean := m.MustRead(want.prompt())
		for restore, point := range points {
			c := m.MustCausalTrace(want.prompt(), "capital", want.Answer, TraceOptions{Restore: restore, Draws: 1, Seed: 3})
			for l := range c.Probability {
				for _, token := range []int{c.Noisy[0], c.Mask} {
					var restored []int
					for at := l - c.Window/2; at < l-c.Window/2+c.Window; at++ {
						if at >= 0 && at < len(c.Probability) {
							restored = append(restored, at)
						}
					}
					got, p := c.Probability[l][token], wholeTrace(t, m, want, c, clean, point, restored, token)
					if math.Abs(got-p) > 1e-6 {
						t.Errorf("%s: %s in layers %v at %d: %v, by the whole model %v", family, restore, restored, token, got, p)
					}
				}
			}
		}
	}
}

// wholeTrace is a trace's number by a graph of the whole model.
func wholeTrace(t *testing.T, m *Model, want goldenInside, c *CausalTrace, clean *States, point transformer.Point, layers []int, token int) float64 {
	t.Helper()
	weights, err := m.Transformer()
	if err != nil {
		t.Fatal(err)
	}
	width := m.Config().EmbeddingWidth()
	noise, rng := make([]float32, len(want.IDs)*width), rand.New(rand.NewPCG(3, 0))
	for _, at := range c.Noisy {
		for j := range width {
			noise[at*width+j] = float32(c.Sigma * rng.NormFloat64())
		}
	}
	exec, err := weights.NewExec(2, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
		hooks := transformer.Hooks{}
		for _, l := range layers {
			hooks.Add(point, l, func(x *graph.Node) *graph.Node {
				row := graph.Const(x.Graph(), [][][]float64{{clean.At(point, l)[token]}}) // [1, 1, H]
				parts := []*graph.Node{graph.ConvertDType(row, x.DType())}
				if n := x.Shape().Dimensions[1]; token < n-1 {
					parts = append(parts, graph.Slice(x, graph.AxisRange(), graph.AxisRange(token+1, n)))
				}
				if token > 0 {
					parts = append([]*graph.Node{graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, token))}, parts...)
				}
				return graph.Concatenate(parts, 1)
			})
		}
		x := w.Encode(transformer.Inputs{IDs: in[0], Added: in[1]}, hooks)
		return []*graph.Node{w.Distribution(graph.Squeeze(graph.Slice(x, graph.AxisRange(), graph.AxisRange(c.Mask, c.Mask+1)), 0, 1))}
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]int32, len(want.IDs))
	for i, id := range want.IDs {
		ids[i] = int32(id)
	}
	out, err := exec.Call(t.Context(), [][]int32{ids}, tensors.FromFlatDataAndDimensions(noise, 1, len(ids), width))
	if err != nil {
		t.Fatal(err)
	}
	id := m.MustPredict(want.prompt(), PredictOptions{Answer: want.Answer}).Answer.ID
	return float64(tensors.MustCopyFlatData[float32](out[0])[id])
}

func TestCausalTraceErrors(t *testing.T) {
	m, want := openInside(t, "gpt2")
	for words, ask := range map[string]func() error{
		"not in the prompt": func() error { _, err := m.CausalTrace(want.prompt(), "Spain", "Paris"); return err },
		"other capitals":    func() error { _, err := m.CausalTrace(want.prompt(), "france", "Paris"); return err },
		"no subject":        func() error { _, err := m.CausalTrace(want.prompt(), " ", "Paris"); return err },
		"more than once":    func() error { _, err := m.CausalTrace("France is France is [MASK]", "France", "Paris"); return err },
		"answer's place":    func() error { _, err := m.CausalTrace(want.prompt(), "is [MASK]", "Paris"); return err },
		"no answer":         func() error { _, err := m.CausalTrace(want.prompt(), "France", ""); return err },
		"cannot restore": func() error {
			_, err := m.CausalTrace(want.prompt(), "France", "Paris", TraceOptions{Restore: "x"})
			return err
		},
		"not in a window": func() error {
			_, err := m.CausalTrace(want.prompt(), "France", "Paris", TraceOptions{Window: 2})
			return err
		},
		"must be above 0": func() error {
			_, err := m.CausalTrace(want.prompt(), "France", "Paris", TraceOptions{Noise: math.NaN()})
			return err
		},
		"no layer 7": func() error {
			_, err := m.Read("a", transformer.Site{Point: transformer.FFNPost, Layer: 7})
			return err
		},
		"only where the FFN": func() error { _, err := m.Read("a", transformer.Site{Point: transformer.FFNLinear}); return err },
		"once, in layer 0": func() error {
			_, err := m.Read("a", transformer.Site{Point: transformer.EmbeddingsOut, Layer: 1})
			return err
		},
		"there is no hook": func() error { _, err := m.Read("a", transformer.Site{Point: 99}); return err },
	} {
		if err := ask(); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("want an error with %q, got %v", words, err)
		}
	}
	if _, err := m.Read(strings.Repeat("a ", 100)); !errors.Is(err, tokenizer.ErrTooLong) {
		t.Errorf("a long text gives %v", err)
	}
}

// TestInsideIsCached: what is asked again is found, and is the same.
func TestInsideIsCached(t *testing.T) {
	dir := t.TempDir()
	var first []any
	for round := range 2 {
		m, want := openInside(t, "gpt2", WithCache(dir))
		s := m.MustRead(want.prompt())
		all := []any{
			s.Tokens, s.At(transformer.FFNPost, 1), s.Attention(2), s.At(transformer.ResidPost, 9), *m.MustLogitLens(want.prompt(), "Paris"),
			*m.MustLogitParts(want.prompt(), "Paris"), *m.MustCausalTrace(want.prompt(), "France", "Paris", TraceOptions{Draws: 1}),
			*m.MustAttributeTokens(want.prompt(), "Paris"),
		}
		if round == 0 {
			first = all
			continue
		}
		if fmt.Sprint(all...) != fmt.Sprint(first...) {
			t.Error("what the cache has is not what was computed")
		}
		if m.shared.engine != nil {
			t.Error("the weights were read again")
		}
	}
}

// TestInsideLongAnswers: an answer of several tokens is traced by the product of
// their probabilities, in every order, and its first token is what the lens sees.
func TestInsideLongAnswers(t *testing.T) {
	const prompt, answer = "The capital of France is [MASK].", "Mary Anna"
	for name, m := range map[string]*Model{
		"at once":       Must(Load(filepath.Join("testdata", "families", "roberta", "model"), WithCache("off"))),
		"left to right": Must(Load(filepath.Join("testdata", "families", "roberta", "model"), WithCache("off"), WithOrder(LeftToRight))),
		"causal":        Must(Load(filepath.Join("testdata", "inside", "gpt2", "model"), WithCache("off"))),
	} {
		p, c := m.MustPredict(prompt, PredictOptions{Answer: answer}).Answer, m.MustCausalTrace(prompt, "France", answer, TraceOptions{Draws: 2})
		// The sum of four logarithms, some 20 in all, is rounded to a float32.
		if len(p.IDs) < 2 || math.Abs(c.Clean-p.Probability) > 1e-5*p.Probability || c.Draws[0] == c.Clean {
			t.Errorf("%s: %d tokens, without noise %v, predicted %v, with noise %v", name, len(p.IDs), c.Clean, p.Probability, c.Draws)
		}
		silent, lens := m.MustCausalTrace(prompt, "France", answer, TraceOptions{Draws: 1, Noise: 1e-9}), m.MustLogitLens(prompt, answer)
		if math.Abs(silent.Corrupted-p.Probability) > 1e-4*p.Probability {
			t.Errorf("%s: hardly any noise gives %v, want %v", name, silent.Corrupted, p.Probability)
		}
		if last := lens.Cells[len(lens.Cells)-1][lens.Mask]; lens.Token != m.Tokenizer().Shown(p.IDs[0], true) || !(last.Probability > p.Probability) {
			t.Errorf("%s: the lens ends in %+v of %q", name, last, lens.Token)
		}
	}
}
