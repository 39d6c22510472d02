package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// golden is what Hugging Face's tokenizer gave for a list of texts.
type golden struct {
	Cases []struct {
		Text    string
		IDs     []int
		Tokens  []string
		Offsets [][2]int
	}
	Pair struct {
		A, B    string
		IDs     []int
		TypeIDs []int `json:"token_type_ids"`
	}
}

func readJSON(t *testing.T, path string, value any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, value); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func (g golden) check(t *testing.T, tok *Tokenizer) {
	t.Helper()
	for _, c := range g.Cases {
		e := tok.Encode(c.Text)
		if !reflect.DeepEqual(e.IDs, c.IDs) || !reflect.DeepEqual(e.Tokens, c.Tokens) || !reflect.DeepEqual(e.Offsets, c.Offsets) {
			t.Errorf("%q:\n got %q %v\nwant %q %v", c.Text, e.Tokens, e.Offsets, c.Tokens, c.Offsets)
		}
	}
	if g.Pair.A != "" {
		e := tok.EncodePair(g.Pair.A, g.Pair.B)
		if !reflect.DeepEqual(e.IDs, g.Pair.IDs) || !reflect.DeepEqual(e.TypeIDs, g.Pair.TypeIDs) {
			t.Errorf("pair: got %v %v, want %v %v", e.IDs, e.TypeIDs, g.Pair.IDs, g.Pair.TypeIDs)
		}
	}
}

// TestGoldens compares with Hugging Face, from tokenizer.json and from
// vocab.txt alone.
func TestGoldens(t *testing.T) {
	for _, name := range []string{"cased", "uncased"} {
		t.Run(name, func(t *testing.T) {
			var g golden
			readJSON(t, sharedtest.Path(t, "goldens", name, "tokenizer.json"), &g)
			if len(g.Cases) == 0 {
				t.Fatal("no cases")
			}
			dir := sharedtest.Path(t, "goldens", name, "model")
			tok, err := Open(os.DirFS(dir))
			if err != nil {
				t.Fatal(err)
			}
			g.check(t, tok)
			vocabOnly := t.TempDir()
			for _, file := range []string{VocabularyFile, ConfigFile} {
				data, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(vocabOnly, file), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			tok, err = Open(os.DirFS(vocabOnly))
			if err != nil {
				t.Fatal(err)
			}
			g.check(t, tok)
		})
	}
}
