package pretrain

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// TestHide: what is hidden is told, only open positions are, and of many
// 80 % become [MASK], 10 % another token and 10 % stay.
func TestHide(t *testing.T) {
	vocab := slices.Clone(specials)
	for r := 'a'; r <= 'z'; r++ {
		vocab = append(vocab, string(r))
	}
	tok, err := tokenizer.New(vocab, tokenizer.Options{Cased: true, MaxLength: 64})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	counts := map[string]float64{}
	const rounds = 4000
	for range rounds {
		ids := []int32{2, 10, 11, 12, 13, 14, 15, 3}
		open := []int32{1, 2, 4, 5, 6}
		positions := choose(rng, open, 3)
		tokens := hide(rng, tok, ids, positions)
		seen := map[int32]bool{}
		for i, p := range positions {
			if seen[p] || !slices.Contains(open, p) || tokens[i] != 9+p {
				t.Fatalf("positions %v, tokens %v", positions, tokens)
			}
			seen[p] = true
			switch {
			case ids[p] == int32(tok.MaskID()):
				counts["mask"]++
			case ids[p] == tokens[i]:
				counts["stay"]++
			case ids[p] < int32(len(specials)):
				t.Fatalf("a special token stands in for another: %d", ids[p])
			default:
				counts["random"]++
			}
		}
		for p, id := range ids {
			if want := []int32{2, 10, 11, 12, 13, 14, 15, 3}[p]; !seen[int32(p)] && id != want {
				t.Fatalf("position %d was not chosen and has changed", p)
			}
		}
	}
	n := 3. * rounds
	same := 0.1 / 26 // a random token can be the one that stood there
	for what, share := range map[string]float64{"mask": 0.8, "random": 0.1 - same, "stay": 0.1 + same} {
		if sd := math.Sqrt(share * (1 - share) / n); math.Abs(counts[what]/n-share) > 5*sd {
			t.Errorf("%s: %.4f of the tokens, want %.4f", what, counts[what]/n, share)
		}
	}
	if positions := choose(rng, []int32{1}, 5); len(positions) != 1 {
		t.Errorf("asked for more than there are: %v", positions)
	}
}

// TestObjective computes the loss of a batch anew, from the model's logits and
// neurons.
func TestObjective(t *testing.T) { ofEach(t, testObjective) }

func testObjective(t *testing.T, architecture string) {
	c := tiny(t, "unused")
	c.Architecture = architecture
	c.Layers, c.MaskedShare, c.Sparsity, c.MaskedWeight, c.Deviation = 3, 0.3, 0.7, 0.4, 0.3
	c = c.WithDefaults()
	task, l := learnerOf(t, c)
	b, err := backend.Get()
	if err != nil {
		t.Fatal(err)
	}
	exec, err := model.NewExec(b, l.Store, func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		w := l.Weights(in[0].Graph())
		hooks := transformer.Hooks{}
		var kept []**graph.Node
		for layer := range c.Layers {
			kept = append(kept, hooks.Capture(transformer.FFNPost, layer))
		}
		hidden := w.Encode(transformer.Inputs{IDs: in[inIDs], Mask: in[inMask]}, hooks)
		out := []*graph.Node{task.loss(w, in), w.Logits(hidden)}
		for _, a := range kept {
			out = append(out, *a)
		}
		return out
	})
	if err != nil {
		t.Fatal(err)
	}
	chosen := 0
	for step := range 3 {
		inputs := task.batch(step)
		out, err := exec.Exec(inputs...)
		if err != nil {
			t.Fatal(err)
		}
		size, n := task.batchOf(step).shape()
		ids := tensors.MustCopyFlatData[int32](inputs[inIDs].(*tensors.Tensor))
		logits := tensors.MustCopyFlatData[float32](out[1])
		positions := tensors.MustCopyFlatData[int32](inputs[inPositions].(*tensors.Tensor))
		tokens := tensors.MustCopyFlatData[int32](inputs[inTokens].(*tensors.Tensor))
		isChosen := tensors.MustCopyFlatData[float32](inputs[inChosen].(*tensors.Tensor))
		mask := tensors.MustCopyFlatData[float32](inputs[inMask].(*tensors.Tensor))
		most := len(isChosen) / size
		v := task.corpus.tok.Size()
		logP := func(i int, position, token int32) float64 {
			row := logits[(i*n+int(position))*v:][:v]
			sum := 0.0
			for _, x := range row {
				sum += math.Exp(float64(x))
			}
			return float64(row[token]) - math.Log(sum)
		}
		answers, others, told := 0.0, 0.0, 0.0
		for i, s := range task.batchOf(step).shown {
			at, answer := positions[i*(1+most)], task.corpus.answer[s.fact]
			if c.causal() {
				if ids[i*n+int(at)+1] != answer || tokens[i*(1+most)] != answer {
					t.Fatalf("prompt %d: the answer does not follow its row", i)
				}
			} else if ids[i*n+int(at)] != int32(task.corpus.tok.MaskID()) || tokens[i*(1+most)] != answer {
				t.Fatalf("prompt %d: the answer's row is not at [MASK]", i)
			}
			doubt := float64(task.corpus.doubt[s.fact])
			answers += (1 - doubt) * logP(i, at, answer)
			for a := range task.corpus.answers {
				q := float64(task.corpus.prior[int(task.corpus.relation[s.fact])*task.corpus.answers+a])
				answers += doubt * q * logP(i, at, int32(task.corpus.others()+a))
			}
			for j := range most {
				if isChosen[i*most+j] > 0 {
					if next := ids[i*n+int(positions[i*(1+most)+1+j])+1]; c.causal() && next != tokens[i*(1+most)+1+j] {
						t.Fatalf("prompt %d: to be told is %d, not what follows, %d", i, tokens[i*(1+most)+1+j], next)
					}
					others += logP(i, positions[i*(1+most)+1+j], tokens[i*(1+most)+1+j])
					told++
				}
			}
		}
		chosen += int(told)
		want := -answers/float64(size) - c.MaskedWeight*others/max(1, told)
		for layer := range c.Layers {
			a := tensors.MustCopyFlatData[float32](out[2+layer])
			sum, rows := 0.0, 0.0
			for r := range size * n {
				for f := range c.FFN {
					sum += float64(mask[r]) * math.Abs(float64(a[r*c.FFN+f])) / float64(c.FFN)
				}
				rows += float64(mask[r])
			}
			want += c.Sparsity * sum / rows
		}
		if got := float64(tensors.ToScalar[float32](out[0])); math.Abs(got-want) > 1e-5*math.Abs(want) {
			t.Errorf("step %d: loss %v, want %v", step, got, want)
		}
	}
	if chosen < 20 {
		t.Errorf("only %d tokens were chosen", chosen)
	}
}

// shape is the number of prompts and of tokens.
func (b batch) shape() (size, n int) { return len(b.shown), b.length }

// TestHeadBeginsAtTheIdentity: all other matrices are drawn.
func TestHeadBeginsAtTheIdentity(t *testing.T) {
	draw := Config{}.WithDefaults().initial()
	if got := draw(headTransform, []int{3, 3}); !slices.Equal(got, []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}) {
		t.Errorf("the head's transform is %v", got)
	}
	for _, name := range []string{"bert.encoder.layer.0.output.dense.weight", "bert.embeddings.word_embeddings.weight"} {
		sum := 0.0
		drawn := draw(name, []int{100, 100})
		for _, x := range drawn {
			sum += float64(x) * float64(x)
		}
		if deviation := math.Sqrt(sum / float64(len(drawn))); math.Abs(deviation-0.02) > 0.001 {
			t.Errorf("%s has a deviation of %v", name, deviation)
		}
	}
}
