package dynamics_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// bags are facts in words that the small models know.
var bags = []facts.Bag{
	{Relation: "P36", RelationName: "capital", Subject: "France", Answer: "Paris", Prompts: []string{
		"[MASK] is the capital of France .", "The capital of France is [MASK] .", "France has its capital in [MASK] .",
	}},
	{Relation: "P19", Subject: "Mary", Answer: "London", Prompts: []string{
		"Mary was born in [MASK] .", "Mary lives in [MASK]", "[MASK] is where Mary was born", "Mary works in [MASK] .",
	}},
}

// TestGraft: the encoder is the one's, the head the other's, decoder included.
func TestGraft(t *testing.T) {
	head, encoder, dir := checkpointOf(t, "model"), checkpointOf(t, "classifier_1"), t.TempDir()
	same, other := filepath.Join(dir, "same"), filepath.Join(dir, "other")
	dynamics.MustGraft(t.Context(), head, head, same)
	dynamics.MustGraft(t.Context(), encoder, head, other)
	ask := func(model string) float64 {
		return kn.MustLoad(model, kn.WithCache("off")).MustProbability(bags[0].Prompts[0], "Paris")
	}
	if p, q := ask(head), ask(same); math.Abs(p-q) > 1e-7 {
		t.Errorf("a model with its own head answers with %v, not %v", q, p)
	}
	if p, q := ask(head), ask(other); math.Abs(p-q) < 1e-9 {
		t.Errorf("another encoder answers with %v like the model's own", q)
	}
	if c := compare(t, encoder, other, texts); slices.Max(c.AttentionJSD) != 0 || slices.Max(c.CKADistance) > 1e-12 {
		t.Errorf("the encoder is not the one that was given: %v, %v", c.AttentionJSD, c.CKADistance)
	}
	if err := dynamics.Graft(t.Context(), head, encoder, filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "no head") {
		t.Errorf("a classifier passed for a masked language model: %v", err)
	}
}

// TestFollow compares with what each model says by itself.
func TestFollow(t *testing.T) {
	t.Setenv("KN_CACHE", t.TempDir())
	start, later := checkpointOf(t, "model"), checkpointOf(t, "classifier_1")
	recipe := kn.Recipe{Threshold: 0.3, Share: 0.6}
	asked := 0
	control := []kn.Query{{Prompt: "Mary [MASK] in London .", Answer: "works"}, {Prompt: "The [MASK] of France is Paris .", Answer: "capital"}}
	o := dynamics.FollowOptions{Recipe: recipe, Control: control, Resamples: 50, Options: dynamics.Options{Progress: func(int, int, string) { asked++ }}}
	checkpoints := []dynamics.Checkpoint{{Step: 0, Model: checkpointOf(t, "classifier_0")}, {Step: 5, Model: start}, {Step: 9, Model: later}}
	r, err := dynamics.Follow(t.Context(), start, checkpoints, bags, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Steps, []int{0, 5, 9}) || r.Facts != 2 || r.Prompts != 7 || asked != 6 {
		t.Fatalf("steps %v, %d facts, %d prompts, asked %d times", r.Steps, r.Facts, r.Prompts, asked)
	}
	if r.Overlap[0].Mean != 1 || r.Overlap[1].Mean != 1 || r.Probability[1] != r.Probability[0] {
		t.Errorf("the start has changed: %+v, %+v", r.Overlap, r.Probability)
	}
	grafted := filepath.Join(t.TempDir(), "model")
	dynamics.MustGraft(t.Context(), later, start, grafted)
	a, b := kn.MustLoad(start, kn.WithCache("off")), kn.MustLoad(grafted, kn.WithCache("off"))
	var overlap, perFact, probability float64
	kept, of := make([]float64, 2), make([]float64, 2)
	for i, f := range bags {
		before, after := a.MustKnowledgeNeurons(f.Prompts, f.Answer, recipe).Refined, b.MustKnowledgeNeurons(f.Prompts, f.Answer, recipe).Refined
		all := kn.SortNeurons(append(slices.Clone(before), after...))
		overlap += float64(len(before)+len(after)-len(all)) / float64(len(all)) / 2
		perFact += float64(len(after)) / 2
		for _, n := range before {
			of[n.Layer]++
			if slices.Contains(after, n) {
				kept[n.Layer]++
			}
		}
		mean := 0.0
		for _, p := range f.Prompts {
			mean += b.MustProbability(p, f.Answer) / float64(len(f.Prompts))
		}
		probability += mean * float64(len(f.Prompts)) / 7
		if got := r.ByRelation[1-i]; got.Relation != f.Relation || math.Abs(got.Probability[2]-mean) > 1e-9 {
			t.Errorf("relation %+v, want probability %v of %s", got, mean, f.Relation)
		}
	}
	if math.Abs(r.Overlap[2].Mean-overlap) > 1e-12 || math.Abs(r.PerFact[2].Mean-perFact) > 1e-12 || math.Abs(r.Probability[2].Mean-probability) > 1e-9 {
		t.Errorf("overlap %v, %v neurons a fact, probability %v; want %v, %v, %v", r.Overlap[2], r.PerFact[2], r.Probability[2], overlap, perFact, probability)
	}
	for step, m := range map[int]*kn.Model{0: a, 2: b} {
		want := (m.MustProbability(control[0].Prompt, "works") + m.MustProbability(control[1].Prompt, "capital")) / 2
		if got := r.Control[step].Mean; math.Abs(got-want) > 1e-9 || r.ControlPrompts != 2 {
			t.Errorf("control at step %d: %v, want %v", step, got, want)
		}
	}
	if overlap == 1 {
		t.Error("the two models do not differ, and nothing was tested")
	}
	for l := range of {
		if r.Neurons[l] != int(of[l]) || (r.Kept[2][l] == nil) != (of[l] == 0) || of[l] > 0 && math.Abs(*r.Kept[2][l]-kept[l]/of[l]) > 1e-12 {
			t.Errorf("layer %d: %v of %d neurons are kept, want %v of %v", l, r.Kept[2][l], r.Neurons[l], kept[l], of[l])
		}
	}
	if again := dynamics.MustFollow(t.Context(), start, checkpoints, bags, o); asked != 6 || again.Overlap[2] != r.Overlap[2] {
		t.Errorf("the second time it asked %d times", asked-6)
	}
}

// TestMaskedWords: one word a sentence, whole, known, and none that is excepted.
func TestMaskedWords(t *testing.T) {
	tok := kn.MustLoad(checkpointOf(t, "model"), kn.WithCache("off")).Tokenizer()
	sentences := []dynamics.Sentence{
		{Text: "Mary lives in London .", Except: "Mary London"}, // "lives" is left
		{Text: "Mary in London .", Except: "Mary London"},       // nothing is
		{Text: "of in is"},                    // too short
		{Text: "zebras, 123 xylo"},            // unknown, or no word
		{Text: "The capital of ☃ is Paris ."}, // cannot be spelled
		{Text: "The capital of France is Paris ."},
	}
	seen := map[string]bool{}
	for seed := range uint64(20) {
		queries := dynamics.MaskedWords(tok, sentences, 5, 32, seed)
		if len(queries) != 2 {
			t.Fatalf("seed %d: %+v", seed, queries)
		}
		for _, q := range queries {
			if text := strings.Replace(q.Prompt, "[MASK]", q.Answer, 1); text != sentences[0].Text && text != sentences[5].Text || q.Answer == "Mary" || q.Answer == "London" {
				t.Errorf("seed %d: %+v", seed, q)
			}
			seen[q.Answer] = true
		}
		if again := dynamics.MaskedWords(tok, sentences, 5, 32, seed); !slices.Equal(queries, again) {
			t.Errorf("seed %d: %v, then %v", seed, queries, again)
		}
	}
	if !seen["lives"] || !seen["capital"] || !seen["France"] {
		t.Errorf("masked were %v", seen)
	}
	if few := dynamics.MaskedWords(tok, sentences, 1, 32, 1); len(few) != 1 {
		t.Errorf("asked for one: %v", few)
	}
	if none := dynamics.MaskedWords(tok, sentences, 5, 4, 1); len(none) != 0 {
		t.Errorf("of four tokens at most: %v", none)
	}
}

func TestFollowErrors(t *testing.T) {
	model := checkpointOf(t, "model")
	one := []dynamics.Checkpoint{{Step: 1, Model: model}}
	for name, c := range map[string]struct {
		start       string
		checkpoints []dynamics.Checkpoint
		bags        []facts.Bag
		want        string
	}{
		"no fact":       {model, one, nil, "no fact"},
		"fact twice":    {model, one, []facts.Bag{bags[0], bags[0]}, "twice"},
		"no checkpoint": {model, nil, bags, "let fine-tuning keep some"},
		"other shapes":  {model, []dynamics.Checkpoint{{Step: 1, Model: smaller(t)}}, bags, "one model"},
		"a classifier":  {checkpointOf(t, "classifier_0"), one, bags, "no head"},
		"no neurons":    {model, one, []facts.Bag{{Relation: "P36", Answer: "Paris", Prompts: bags[0].Prompts[:1]}}, "knowledge neuron"},
	} {
		_, err := dynamics.Follow(t.Context(), c.start, c.checkpoints, c.bags, dynamics.FollowOptions{Options: dynamics.Options{NoCache: true}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
