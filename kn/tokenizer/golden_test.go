package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"testing/fstest"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustOpen(t testing.TB, dir string) *Tokenizer {
	t.Helper()
	tok, err := Open(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestGoldens compares with the reference checkpoints, from tokenizer.json and
// from vocab.txt.
func TestGoldens(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		var golden struct {
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
		sharedtest.ReadJSON(t, &golden, dir, "tokenizer.json")
		if len(golden.Cases) == 0 || golden.Pair.A == "" {
			t.Fatalf("%s: no cases", dir)
		}
		model := filepath.Join(dir, "model")
		vocabOnly := fstest.MapFS{}
		for _, file := range []string{VocabularyFile, ConfigFile} {
			vocabOnly[file] = &fstest.MapFile{Data: mustRead(t, filepath.Join(model, file))}
		}
		fromVocabulary, err := Open(vocabOnly)
		if err != nil {
			t.Fatal(err)
		}
		for from, tok := range map[string]*Tokenizer{TokenizerFile: mustOpen(t, model), VocabularyFile: fromVocabulary} {
			for _, c := range golden.Cases {
				e := tok.Encode(c.Text)
				if !reflect.DeepEqual(e.IDs, c.IDs) || !reflect.DeepEqual(e.Tokens, c.Tokens) || !reflect.DeepEqual(e.Offsets, c.Offsets) {
					t.Errorf("%s, %s: %q:\n got %q %v\nwant %q %v", dir, from, c.Text, e.Tokens, e.Offsets, c.Tokens, c.Offsets)
				}
			}
			e := tok.EncodePair(golden.Pair.A, golden.Pair.B)
			if !reflect.DeepEqual(e.IDs, golden.Pair.IDs) || !reflect.DeepEqual(e.TypeIDs, golden.Pair.TypeIDs) {
				t.Errorf("%s, %s: pair: got %v %v, want %v %v", dir, from, e.IDs, e.TypeIDs, golden.Pair.IDs, golden.Pair.TypeIDs)
			}
		}
	}
}

// randomCase is a text with the ids and offsets that transformers 4.57 gave.
type randomCase struct {
	text    string
	ids     []int
	offsets [][2]int
}

func (c *randomCase) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&c.text, &c.ids, &c.offsets})
}

// TestRandomTexts compares with transformers on texts made of control
// characters, stacked accents, CJK, emoji, tokens in odd places and words of
// about a hundred characters, under every setting of the normaliser. The file
// is a sample of a comparison of 120,000 such texts.
func TestRandomTexts(t *testing.T) {
	yes, no := true, false
	vocab, err := parseVocabulary(mustRead(t, "testdata/vocab.txt"))
	if err != nil {
		t.Fatal(err)
	}
	tokenizers := map[string]*Tokenizer{"added": mustOpen(t, "testdata/added")}
	for name, opts := range map[string]Options{
		"uncased": {}, "cased": {Cased: true}, "lower_keep": {StripAccents: &no},
		"cased_strip": {Cased: true, StripAccents: &yes}, "nochinese": {KeepChineseWords: true},
	} {
		tokenizers[name] = MustNew(vocab, opts)
	}
	var cases map[string][]randomCase
	if err := json.Unmarshal(mustRead(t, "testdata/huggingface.json"), &cases); err != nil {
		t.Fatal(err)
	}
	for name, tok := range tokenizers {
		if len(cases[name]) == 0 {
			t.Fatalf("no cases for %s", name)
		}
		for _, c := range cases[name] {
			e := tok.Encode(c.text)
			if !reflect.DeepEqual(e.IDs, c.ids) || !reflect.DeepEqual(e.Offsets, c.offsets) {
				t.Errorf("%s: %+q:\n got %v %v\nwant %v %v", name, c.text, e.IDs, e.Offsets, c.ids, c.offsets)
			}
		}
	}
}
