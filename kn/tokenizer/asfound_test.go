package tokenizer

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// folder is a tokenizer's folder.
func folder(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// lines are tokens as a vocab.txt has them.
func lines(tokens ...string) string { return strings.Join(tokens, "\n") + "\n" }

// TestVocabularyAsFound: what editors and scripts leave in a vocab.txt is no
// part of its tokens.
func TestVocabularyAsFound(t *testing.T) {
	plain := lines(small...)
	for name, text := range map[string]string{
		"plain": plain, "without the last line's end": strings.TrimSuffix(plain, "\n"), "from Windows": strings.ReplaceAll(plain, "\n", "\r\n"),
		"marked": "\ufeff" + plain, "blanks behind": strings.ReplaceAll(plain, "\n", " \t\n"), "a blank line at the end": plain + "\n", "more of them": plain + " \n\n",
	} {
		tok, err := Open(folder(map[string]string{VocabularyFile: text}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := tok.Tokens(); !slices.Equal(got, small) {
			t.Errorf("%s: the vocabulary is %q", name, got)
		}
	}
	// A blank line inside has an id, and no token.
	tok, err := Open(folder(map[string]string{VocabularyFile: lines(slices.Insert(slices.Clone(small), 5, "")...)}))
	if err != nil || tok.Size() != len(small)+1 || tok.Token(6) != "paris" {
		t.Errorf("with a blank line inside: %v, %v", tok, err)
	}
}

// TestSpecialTokensOfItsOwn: markers that a model was trained with are one
// token, wherever they are declared.
func TestSpecialTokensOfItsOwn(t *testing.T) {
	const sentence = "paris [E1] is [/E1] france"
	vocabulary := lines(append(slices.Clone(small), "[E1]", "[/E1]")...)
	for name, files := range map[string]map[string]string{
		"transformers 4":        {ConfigFile: `{"additional_special_tokens": ["[E1]", "[/E1]"]}`},
		"transformers 5":        {ConfigFile: `{"extra_special_tokens": ["[E1]", "[/E1]"]}`},
		"by names":              {ConfigFile: `{"extra_special_tokens": {"start": "[E1]", "end": {"content": "[/E1]", "lstrip": false}}}`},
		"objects":               {ConfigFile: `{"additional_special_tokens": [{"content": "[E1]"}, {"content": "[/E1]"}]}`},
		"special_tokens_map":    {SpecialTokensFile: `{"additional_special_tokens": ["[E1]", "[/E1]"]}`},
		"config over the map":   {SpecialTokensFile: `{"additional_special_tokens": ["is"]}`, ConfigFile: `{"additional_special_tokens": ["[E1]", "[/E1]"]}`},
		"behind the vocabulary": {VocabularyFile: lines(small...), ConfigFile: `{"additional_special_tokens": ["[E1]", "[/E1]"]}`},
		"one declared, one not": {VocabularyFile: lines(small...), ConfigFile: `{"added_tokens_decoder": {"16": {"content": "[E1]", "special": true}}, "extra_special_tokens": ["[/E1]", "[E1]"]}`},
	} {
		if files[VocabularyFile] == "" {
			files[VocabularyFile] = vocabulary
		}
		tok, err := Open(folder(files))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, want := tok.Encode(sentence).Tokens, []string{"[CLS]", "paris", "[E1]", "is", "[/E1]", "france", "[SEP]"}; !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
		for i, marker := range []string{"[E1]", "[/E1]"} {
			if id, ok := tok.ID(marker); !ok || id != 16+i || !tok.IsSpecial(id) {
				t.Errorf("%s: %s has id %d, special %v", name, marker, id, tok.IsSpecial(id))
			}
		}
	}
}

// TestSpecialTokensMap: older folders name the five tokens there alone.
func TestSpecialTokensMap(t *testing.T) {
	vocabulary := lines("<pad>", "<unk>", "<s>", "</s>", "<mask>", "paris")
	const roles = `{"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": {"content": "</s>"}, "mask_token": {"content": "<mask>", "lstrip": true}}`
	tok, err := Open(folder(map[string]string{VocabularyFile: vocabulary, SpecialTokensFile: roles, ConfigFile: "{}"}))
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.Encode("Paris <mask> x").Tokens; !slices.Equal(got, []string{"<s>", "paris", "<mask>", "<unk>", "</s>"}) {
		t.Errorf("%q", got)
	}
}

// TestTokenizersBackend is how transformers 5 names a tokenizer that is all in
// tokenizer.json.
func TestTokenizersBackend(t *testing.T) {
	files, err := smallT.Files()
	if err != nil {
		t.Fatal(err)
	}
	config := `{"tokenizer_class": "TokenizersBackend"}`
	tok, err := Open(folder(map[string]string{TokenizerFile: string(files[TokenizerFile]), ConfigFile: config}))
	if err != nil || !slices.Equal(tok.Tokens(), small) {
		t.Errorf("%v, %v", tok, err)
	}
	if _, err := Open(folder(map[string]string{VocabularyFile: lines(small...), ConfigFile: config})); err == nil || !strings.Contains(err.Error(), "needs a tokenizer.json") {
		t.Errorf("without a tokenizer.json: %v", err)
	}
}

// TestRefusedText names the file, and the cure.
func TestRefusedText(t *testing.T) {
	vocabulary := lines(small...)
	for want, files := range map[string]map[string]string{
		"vocab.txt:2: not UTF-8 text":                  {VocabularyFile: "[PAD]\ncaf\xe9\n"},
		"vocab.txt:1: UTF-16 text":                     {VocabularyFile: "\xff\xfe[\x00"},
		"tokenizer_config.json:1: not UTF-8 text":      {VocabularyFile: vocabulary, ConfigFile: `{"x": "` + "\xe9" + `"}`},
		"special_tokens_map.json:1: not UTF-8 text":    {VocabularyFile: vocabulary, SpecialTokensFile: "\xe9"},
		"tokenizer.json: it is a Git LFS pointer":      {TokenizerFile: "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"},
		"vocab.txt: it is a Git LFS pointer":           {VocabularyFile: "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"},
		"special token 3 is neither a string":          {VocabularyFile: vocabulary, ConfigFile: `{"additional_special_tokens": [3]}`},
		"tokenizer.model is not read here, but the to": {sentencePieceFile: "\n", ConfigFile: `{"tokenizer_class": "LlamaTokenizer"}`},
		"asks for a RobertaTokenizer, which needs":     {VocabularyFile: vocabulary, ConfigFile: `{"tokenizer_class": "RobertaTokenizer"}`},
		"cannot read special_tokens_map.json: json: ":  {VocabularyFile: vocabulary, SpecialTokensFile: `{"pad_token": 3}`},
	} {
		if _, err := Open(folder(files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
