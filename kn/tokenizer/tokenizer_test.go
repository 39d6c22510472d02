package tokenizer

import (
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var (
	small  = []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "paris", "is", "the", "capital", "of", "france", ".", "walk", "##ing", "a", "##b"}
	smallT = MustNew(small, Options{})
)

func TestPrompt(t *testing.T) {
	e, mask, err := smallT.Prompt("Paris is the 中 of[MASK].", 0)
	if err != nil {
		t.Fatal(err)
	}
	if mask != 6 || e.IDs[mask] != smallT.MaskID() || !slices.Equal(e.Unknown, []string{"中"}) {
		t.Errorf("mask at %d of %q, unknown %q", mask, e.Tokens, e.Unknown)
	}
	if e := smallT.Encode("[UNK] paris"); e.Unknown != nil {
		t.Errorf("a written [UNK] is reported as unknown word %q", e.Unknown)
	}
	for _, c := range []struct {
		text  string
		max   int
		err   error
		wants string
	}{
		{"paris is france", 0, ErrNoMask, "where the answer belongs"},
		{"paris is [mask]", 0, ErrNoMask, "capitals"},
		{"[MASK] is [MASK]", 0, ErrManyMasks, "an answer of any length"},
		{"paris is the capital of [MASK]", 7, ErrTooLong, "8 tokens of at most 7"},
		{strings.Repeat("[MASK] ", 1) + strings.Repeat("paris ", 99), 50, ErrTooLong, "…"},
	} {
		_, _, err := smallT.Prompt(c.text, c.max)
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%q: got %v, want %v with %q", c.text, err, c.err, c.wants)
		}
	}
	if _, _, err := smallT.Prompt("paris is the capital of [MASK]", 8); err != nil {
		t.Error(err)
	}
}

func TestSingle(t *testing.T) {
	for answer, want := range map[string]string{"Paris": "paris", " france ": "france", "##ing": "##ing", "Á": "a"} {
		id, err := smallT.Single(answer)
		if err != nil || smallT.Token(id) != want {
			t.Errorf("%q: got %q, %v", answer, smallT.Token(id), err)
		}
	}
	for answer, wants := range map[string]string{
		"walking": "walk ##ing", "New York": "cannot spell", "中": "cannot spell", "": "blank", " \t": "blank",
		"[MASK]": "special token", "[UNK]": "special token", "paris is": "paris is", "##nope": "cannot spell",
	} {
		_, err := smallT.Single(answer)
		var answerErr *AnswerError
		if !errors.As(err, &answerErr) || !strings.Contains(err.Error(), wants) {
			t.Errorf("%q: got %v, want %q", answer, err, wants)
		}
	}
}

func TestLookUp(t *testing.T) {
	if id, ok := smallT.ID("##ing"); !ok || id != 13 || smallT.Token(id) != "##ing" {
		t.Error("##ing is not 13")
	}
	if _, ok := smallT.ID("nope"); ok || smallT.Token(-1) != "" || smallT.Token(99) != "" {
		t.Error("found what is not there")
	}
	ids := []int{smallT.PadID(), smallT.UnkID(), smallT.ClsID(), smallT.SepID(), smallT.MaskID()}
	if !slices.Equal(ids, []int{0, 1, 2, 3, 4}) || smallT.Size() != len(small) || smallT.Cased() {
		t.Errorf("special ids %v, size %d", ids, smallT.Size())
	}
	if got := smallT.Decode(smallT.Encode("Walking is [MASK] Paris.").IDs); got != "walking is paris ." {
		t.Errorf("decoded %q", got)
	}
	if got := smallT.Tokenize("walking ab"); !slices.Equal(got, []string{"walk", "##ing", "a", "##b"}) {
		t.Errorf("tokenized %q", got)
	}
	tokens := smallT.Tokens()
	tokens[5] = "changed"
	if smallT.Token(5) != "paris" {
		t.Error("Tokens gives away the tokenizer's own memory")
	}
}

// TestSave writes tokenizers and reads them again, from each kind of file.
func TestSave(t *testing.T) {
	yes := true
	for name, tok := range map[string]*Tokenizer{
		"small": smallT, "cased": MustNew(small, Options{Cased: true, StripAccents: &yes, KeepChineseWords: true, MaxLength: 64}),
		"added": mustOpen(t, "testdata/added"),
	} {
		dir := t.TempDir()
		if err := tok.Save(dir); err != nil {
			t.Fatal(err)
		}
		again := mustOpen(t, dir)
		if !reflect.DeepEqual(tok, again) {
			t.Errorf("%s: another tokenizer was read from tokenizer.json", name)
		}
		if err := os.Remove(dir + "/" + TokenizerFile); err != nil {
			t.Fatal(err)
		}
		if again := mustOpen(t, dir); !reflect.DeepEqual(tok, again) {
			t.Errorf("%s: another tokenizer was read from vocab.txt", name)
		}
	}
	if err := smallT.Save(t.TempDir() + "/missing"); err == nil {
		t.Error("saved into a folder that does not exist")
	}
	if _, err := MustNew(append(slices.Clone(small), "a\nb"), Options{}).Files(); err == nil {
		t.Error("a token with a line break went into vocab.txt")
	}
}

// TestBadFiles checks that each fault of a file is reported with the file's
// name and what is wrong.
func TestBadFiles(t *testing.T) {
	files, err := smallT.Files()
	if err != nil {
		t.Fatal(err)
	}
	good := string(files[TokenizerFile])
	vocab := string(files[VocabularyFile])
	replace := func(old, new string) map[string]string {
		if !strings.Contains(good, old) {
			t.Fatalf("tokenizer.json lacks %q", old)
		}
		return map[string]string{TokenizerFile: strings.Replace(good, old, new, 1)}
	}
	_, after, _ := strings.Cut(good, `"vocab": {`)
	noTokens, _, _ := strings.Cut(after, "}")
	noTokens = `"vocab": {` + noTokens
	for wants, content := range map[string]map[string]string{
		"neither tokenizer.json nor vocab.txt": {},
		"vocab.txt: empty file":                {VocabularyFile: ""},
		"not UTF-8":                            {VocabularyFile: vocab + "\xff\n"},
		"lacks [MASK]":                         {VocabularyFile: strings.Replace(vocab, "[MASK]", "[M]", 1)},
		"cannot read tokenizer_config.json":    {VocabularyFile: vocab, ConfigFile: "{"},
		"only BERT's WordPiece":                {VocabularyFile: vocab, ConfigFile: `{"tokenizer_class": "T5Tokenizer"}`},
		"asks for a RobertaTokenizer, which n": {VocabularyFile: vocab, ConfigFile: `{"tokenizer_class": "RobertaTokenizer"}`},
		`has the id "x"`:                       {VocabularyFile: vocab, ConfigFile: `{"added_tokens_decoder": {"x": {}}}`},
		"cannot read added_tokens.json":        {VocabularyFile: vocab, addedTokensFile: "["},
		"unexpected end of JSON":               {TokenizerFile: good[:len(good)/2]},
		"its model is Unigram":                 replace(`"WordPiece",`+"\n    \"unk", `"Unigram",`+"\n    \"unk"),
		"its BPE has a dropout, or marks":      replace(`"WordPiece",`+"\n    \"unk", `"BPE",`+"\n    \"unk"),
		"its normalizer is not":                replace("BertNormalizer", "NFC"),
		"its pre-tokenizer is not":             replace("BertPreTokenizer", "Whitespace"),
		"its post-processor does not":          replace("TemplateProcessing", "RobertaProcessing"),
		"template is not BERT's":               replace(`"type_id": 1`, `"type_id": 0`),
		"max_input_chars_per_word":             replace(`"max_input_chars_per_word": 100`, `"max_input_chars_per_word": 0`),
		"share the id 14":                      replace(`"##b": 15`, `"##b": 14`),
		"has id 1500":                          replace(`"##b": 15`, `"##b": 1500`),
		"has id -1":                            replace(`"##b": 15`, `"##b": -1`),
		"the vocabulary is empty":              replace(noTokens, `"vocab": {`),
		`"[MASK]" has id 5, which is "paris"`:  replace(`"id": 4`, `"id": 5`),
		"has id 40, but ids go on from 16":     replace(`"id": 4,`, `"id": 40,`),
	} {
		fsys := fstest.MapFS{}
		for name, data := range content {
			fsys[name] = &fstest.MapFile{Data: []byte(data)}
		}
		_, err := Open(fsys)
		if err == nil || !strings.Contains(err.Error(), wants) {
			t.Errorf("got %v, want %q", err, wants)
		}
	}
}

// TestSpecialNames reads names of special tokens in each form that files use.
func TestSpecialNames(t *testing.T) {
	vocab := strings.NewReplacer("[MASK]", "<mask>", "[CLS]", "<s>").Replace(strings.Join(small, "\r\n")) + "\r\n"
	tok, err := Open(fstest.MapFS{
		VocabularyFile: {Data: []byte(vocab)},
		ConfigFile:     {Data: []byte(`{"mask_token": {"content": "<mask>", "lstrip": true}, "cls_token": "<s>", "model_max_length": 1e30}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.Encode("a <mask>").Tokens; !slices.Equal(got, []string{"<s>", "a", "<mask>", "[SEP]"}) || tok.MaxLength() != 0 {
		t.Errorf("got %q, length %d", got, tok.MaxLength())
	}
}

// TestOldAddedTokens reads the added tokens of older versions of transformers.
func TestOldAddedTokens(t *testing.T) {
	tok, err := Open(fstest.MapFS{
		VocabularyFile:  {Data: []byte(strings.Join(small, "\n"))},
		addedTokensFile: {Data: []byte(`{"New York": 16, "Oslo": 17}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.Tokenize("is Oslo a new york"); !slices.Equal(got, []string{"is", "Oslo", "a", "New York"}) || tok.Size() != 18 {
		t.Errorf("got %q, size %d", got, tok.Size())
	}
}
