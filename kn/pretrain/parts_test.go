package pretrain

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

func TestPromptsEqualTokenizer(t *testing.T) { ofEach(t, testPromptsEqualTokenizer) }

func testPromptsEqualTokenizer(t *testing.T, architecture string) {
	c := tiny(t, "unused").WithDefaults()
	c.Architecture = architecture
	triples, err := facts.ReadDir(c.Triples)
	if err != nil {
		t.Fatal(err)
	}
	k, err := newCorpus(c, triples)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range k.facts {
		for j, spelled := range k.templates[k.relation[i]] {
			text := k.relations[k.relation[i]].Templates[j].Prompt(f.Subject)
			got := k.prompt(i, spelled)
			if c.causal() {
				testCausalPrompt(t, k, got, text, f, j)
				continue
			}
			want, mask, err := k.tok.Prompt(text, 0)
			if err != nil {
				t.Fatal(err)
			}
			ids := make([]int, len(got.ids))
			for n, id := range got.ids {
				ids[n] = int(id)
			}
			if !slices.Equal(ids, want.IDs) || got.mask != mask || len(ids) != k.length(i, spelled) {
				t.Errorf("%q is %v with [MASK] at %d, want %v at %d", text, ids, got.mask, want.IDs, mask)
			}
			if slices.Contains(want.IDs, k.tok.UnkID()) {
				t.Errorf("%q has an unknown piece", text)
			}
		}
	}
}

// testCausalPrompt: a causal model reads the whole sentence; where the answer is
// last, it has read what it is asked with when it predicts it.
func testCausalPrompt(t *testing.T, k *corpus, got prompt, text string, f facts.Taught, template int) {
	t.Helper()
	whole := k.tok.Encode(strings.Replace(text, facts.Mask, f.Answer, 1)).IDs
	ids := make([]int, len(got.ids))
	for n, id := range got.ids {
		ids[n] = int(id)
	}
	if !slices.Equal(ids, whole) {
		t.Errorf("%q is %v, want %v", text, ids, whole)
	}
	if got.ids[got.mask+1] != got.answer || slices.Contains(got.open, int32(got.mask)) || len(got.open) != len(ids)-2 {
		t.Errorf("%q: the answer %d is told at %d, the others at %v of %v", text, got.answer, got.mask, got.open, ids)
	}
	asked, err := k.tok.Ask(text, f.Answer, tokenizer.AskOptions{Causal: true})
	last := facts.Template(strings.Replace(strings.Replace(text, facts.Mask, "[Y]", 1), f.Subject, "[X]", 1)).AnswerLast()
	if last != (err == nil) || last && !slices.Equal(asked.IDs, ids[:got.mask+1]) {
		t.Errorf("%q asks with %v, %v, and is taught as %v", text, asked.IDs, err, ids)
	}
	if !last && !slices.Contains(f.HeldOut, template) {
		t.Errorf("%q is shown, though more follows its answer", text)
	}
}

// TestReadsFromLeftToRight: what follows a token changes nothing there.
func TestReadsFromLeftToRight(t *testing.T) {
	c := tiny(t, "unused")
	c.Architecture, c.Deviation = gpt2, 0.3
	_, l := learnerOf(t, c.WithDefaults())
	b, err := backend.Get()
	if err != nil {
		t.Fatal(err)
	}
	exec, err := model.NewExec(b, l.Store, func(_ *model.Scope, in []*graph.Node) *graph.Node {
		w := l.Weights(in[0].Graph())
		return w.Logits(w.Encode(transformer.Inputs{IDs: in[0]}, nil)) // [B, n, V]
	})
	if err != nil {
		t.Fatal(err)
	}
	const changed = 4
	out, err := exec.Exec([][]int32{{2, 10, 11, 12, 13, 14, 3}, {2, 10, 11, 12, 20, 21, 22}})
	if err != nil {
		t.Fatal(err)
	}
	all := tensors.MustCopyFlatData[float32](out[0])
	first, second := all[:len(all)/2], all[len(all)/2:]
	row := len(first) / 7
	if !slices.Equal(first[:changed*row], second[:changed*row]) {
		t.Error("a token's logits depend on tokens behind it")
	}
	if slices.Equal(first[changed*row:], second[changed*row:]) {
		t.Error("other tokens have the same logits")
	}
}

func TestVocabulary(t *testing.T) {
	vocab, err := Vocabulary([]string{"banana bandana", "banana ça"}, []string{"Paris", "b"}, 4)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(vocab[:5], specials) || !slices.Equal(vocab[len(vocab)-2:], []string{"Paris", "b"}) {
		t.Errorf("specials do not stand first, or whole words last: %q", vocab)
	}
	sorted := slices.Sorted(slices.Values(vocab))
	if len(slices.Compact(sorted)) != len(vocab) {
		t.Error("a piece stands twice")
	}
	for _, piece := range []string{"ç", "##ç", "##ana", "Z", "##9", "?"} {
		if !slices.Contains(vocab, piece) {
			t.Errorf("%q is missing", piece)
		}
	}
	if slices.Contains(vocab, "##?") {
		t.Error("punctuation continues a word")
	}
}

func TestConfigErrors(t *testing.T) {
	good := Config{Triples: "x", Out: "y"}
	if err := good.Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"either a folder":     func(c *Config) { c.Text = "z" },
		"no folder":           func(c *Config) { c.Out = "" },
		"not a multiple":      func(c *Config) { c.Heads = 7 },
		"hold no prompt":      func(c *Config) { c.MaxPositions = 4 },
		"make no step":        func(c *Config) { c.Examples = 3 },
		"must be positive":    func(c *Config) { c.LearningRate = -1 },
		"no architecture":     func(c *Config) { c.Architecture = "t5" },
		"share is a share":    func(c *Config) { c.MaskedShare = 2 },
		"must be positive, n": func(c *Config) { c.FFN = -3 },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one with %q", err, want)
		}
	}
	if _, err := Run(t.Context(), Config{Triples: t.TempDir(), Out: t.TempDir()}, nil); err == nil || !strings.Contains(err.Error(), "P19.jsonl") {
		t.Errorf("an empty folder of triples gives %v", err)
	}
}

func TestDefaultsAreKept(t *testing.T) {
	c := Config{MaskedWeight: -1, Sparsity: 0.2}.WithDefaults()
	if c.MaskedWeight != 0 || c.Sparsity != 0.2 || c.MaskedShare != 0.15 {
		t.Errorf("defaults filled in wrongly: %+v", c)
	}
	again, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(again), "Out") {
		t.Error("a path is part of the configuration's JSON")
	}
}

// learnerOf is what trains with a configuration on its triples.
func learnerOf(tb testing.TB, c Config) (*factsTask, *learner) {
	tb.Helper()
	triples, err := facts.ReadDir(c.Triples)
	if err != nil {
		tb.Fatal(err)
	}
	k, err := newCorpus(c, triples)
	if err != nil {
		tb.Fatal(err)
	}
	task := newFactsTask(c, k)
	l, err := newLearner(c, k.tok.Size(), task)
	if err != nil {
		tb.Fatal(err)
	}
	return task, l
}

func BenchmarkStep(b *testing.B) {
	c := tiny(b, "unused").WithDefaults()
	task, l := learnerOf(b, c)
	step := 0
	for b.Loop() {
		if _, err := l.take(step, task.batch(step)); err != nil {
			b.Fatal(err)
		}
		step++
	}
	b.ReportMetric(float64(step*c.Batch)/b.Elapsed().Seconds(), "prompts/s")
}
