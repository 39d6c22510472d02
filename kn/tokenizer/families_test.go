package tokenizer

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// families is where small models of several families lie, with what
// transformers reads prompts and answers as.
var families = filepath.Join("..", "testdata", "families")

// TestCausalPrompts: prompts and answers of causal models are the tokens that
// they are as one text.
func TestCausalPrompts(t *testing.T) {
	for _, family := range []string{"gpt2", "llama", "qwen2", "qwen3", "mistral"} {
		var golden struct {
			Cases []struct {
				Prompt, Answer string
				IDs            []int
				AnswerIDs      []int `json:"answer_ids"`
				AfterSpace     bool  `json:"after_space"`
			}
		}
		sharedtest.ReadJSON(t, &golden, families, family, "golden.json")
		tok := mustOpen(t, filepath.Join(families, family, "model"))
		for _, c := range golden.Cases {
			e, err := tok.CausalPrompt(c.Prompt, len(c.IDs))
			if err != nil || !slices.Equal(e.IDs, c.IDs) || e.AfterSpace != c.AfterSpace {
				t.Errorf("%s: %q: got %v, after a space: %v, %v; want %v, %v", family, c.Prompt, e.IDs, e.AfterSpace, err, c.IDs, c.AfterSpace)
			}
			ids, err := tok.Answer(e, c.Answer)
			if err != nil || !slices.Equal(ids, c.AnswerIDs) {
				t.Errorf("%s: %q: got %v, %v, want %v", family, c.Answer, ids, err, c.AnswerIDs)
			}
			if id, err := tok.SingleAt(e, c.Answer); (err == nil) != (len(ids) == 1) || err == nil && id != ids[0] {
				t.Errorf("%s: %q as one token: %d, %v", family, c.Answer, id, err)
			}
		}
		if len(golden.Cases) == 0 {
			t.Errorf("%s: no cases", family)
		}
	}
}

// TestPromptsOfSeveralMasks: a masked model's answer of several tokens has as
// many masks as it has.
func TestPromptsOfSeveralMasks(t *testing.T) {
	for _, family := range []string{"bert", "distilbert", "roberta", "electra"} {
		var golden struct {
			Answers []struct {
				Prompt, Answer string
				IDs, Masks     []int
				AnswerIDs      []int `json:"answer_ids"`
			}
		}
		sharedtest.ReadJSON(t, &golden, families, family, "golden.json")
		model := filepath.Join(families, family, "model")
		if family == "bert" {
			model = filepath.Join("..", "internal", "sharedtest", "testdata", "golden", "model")
		}
		tok := mustOpen(t, model)
		for _, c := range golden.Answers {
			one, _, err := tok.Prompt(c.Prompt, 0)
			if err != nil {
				t.Fatal(err)
			}
			ids, err := tok.Answer(one, c.Answer)
			if err != nil || !slices.Equal(ids, c.AnswerIDs) {
				t.Errorf("%s: %q: got %v, %v, want %v", family, c.Answer, ids, err, c.AnswerIDs)
			}
			e, at, err := tok.PromptN(c.Prompt, len(ids), len(c.IDs))
			if err != nil || !slices.Equal(e.IDs, c.IDs) || !slices.Equal(at, c.Masks) || e.AfterSpace != one.AfterSpace {
				t.Errorf("%s: %q: got %v, masks at %v, %v; want %v, %v", family, c.Prompt, e.IDs, at, err, c.IDs, c.Masks)
			}
			if len(e.Tokens) != len(e.IDs) || len(e.Offsets) != len(e.IDs) || len(e.TypeIDs) != len(e.IDs) || e.Tokens[at[0]] != e.Tokens[at[len(at)-1]] {
				t.Errorf("%s: %q: tokens %q, %d offsets, %d types", family, c.Prompt, e.Tokens, len(e.Offsets), len(e.TypeIDs))
			}
			if _, _, err := tok.PromptN(c.Prompt, len(ids), len(c.IDs)-1); err == nil {
				t.Errorf("%s: %q is not too long", family, c.Prompt)
			}
		}
		if len(golden.Answers) == 0 {
			t.Errorf("%s: no answers", family)
		}
	}
}
