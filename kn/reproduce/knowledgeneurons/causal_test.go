package knowledgeneurons_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/knowledgeneurons"
)

// TestCausalModels: the report is made of causal models, whose facts have answers
// of any number of tokens and prompts in which the answer comes last.
func TestCausalModels(t *testing.T) {
	path := filepath.Join(t.TempDir(), "facts.jsonl")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	relations := map[string][]string{
		"P36": {"The capital of [X] is [MASK].", "In [X] the capital is [MASK].", "The city of [X] is [MASK]", "[MASK] is the capital of [X]."},
		"P19": {"[X] was born in [MASK].", "The river of [X] is in [MASK].", "[X] is from [MASK]"},
		"P27": {"[X] lives in [MASK].", "[X] speaks of [MASK].", "[X] is a king of [MASK]"},
	}
	of := map[string][][2]string{
		"P36": {{"France", "Paris"}, {"Italy", "Rome"}, {"Norway", "Oslo"}},
		"P19": {{"Mary", "London"}, {"Peter", "Rome, Italy"}, {"Anna", "Oslo"}},
		"P27": {{"John", "France"}, {"Mary", "Italy"}, {"Anna", "the United Kingdom"}},
	}
	err = facts.WriteBags(file, func(yield func(facts.Bag, error) bool) {
		for relation, all := range of {
			for _, f := range all {
				b := facts.Bag{Relation: relation, RelationName: relation, Subject: f[0], Answer: f[1]}
				for _, p := range relations[relation] {
					b.Prompts = append(b.Prompts, strings.ReplaceAll(p, "[X]", f[0]))
				}
				if !yield(b, nil) {
					return
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for _, family := range []string{"gpt2", "llama"} {
		m, err := kn.Load(filepath.Join("..", "..", "testdata", "families", family, "model"), kn.WithCache("off"))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if _, err := knowledgeneurons.Reproduce(t.Context(), m, dir, quick(path), reproduce.Watch{}); err != nil {
			t.Fatalf("%s: %v", family, err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "report.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"9 facts", "27 prompts", string(facts.NotLast)} {
			if !strings.Contains(string(data), want) {
				t.Errorf("%s: the report does not say %q", family, want)
			}
		}
	}
}
