package tokenizer

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// causalKinds are the small tokenizers of testdata/causal, which make.py there
// made with the parts of those of well-known models.
var causalKinds = []string{"gpt2", "smollm", "llama3", "qwen2", "llama2", "mistral", "unknown", "other"}

func openCausal(t testing.TB, kind string) *Tokenizer {
	t.Helper()
	return mustOpen(t, filepath.Join("testdata", "causal", kind))
}

// TestCausalEqualTransformers compares ids and offsets, as
// TestByteLevelEqualsTransformers does. The file is a sample of a comparison of
// 20,000 texts for each kind.
func TestCausalEqualTransformers(t *testing.T) {
	var cases map[string][]randomCase
	if err := json.Unmarshal(mustRead(t, cmp.Or(os.Getenv("KN_CAUSAL_CASES"), "testdata/causal/cases.json")), &cases); err != nil {
		t.Fatal(err)
	}
	for _, kind := range causalKinds {
		tok := openCausal(t, kind)
		if len(cases[kind]) == 0 || tok.Masked() {
			t.Fatalf("%s: %d cases; a masked model's: %v", kind, len(cases[kind]), tok.Masked())
		}
		wrong := 0
		for _, c := range cases[kind] {
			e := tok.Encode(c.text)
			// Where bytes are missing Hugging Face gives characters each other's offsets.
			if slices.Equal(e.IDs, c.ids) && (kind == "unknown" || slices.Equal(e.Offsets, c.offsets)) {
				continue
			}
			if wrong++; wrong <= 5 {
				t.Errorf("%s: %+q:\n got %v %v\nwant %v %v", kind, c.text, e.IDs, e.Offsets, c.ids, c.offsets)
			}
		}
		t.Logf("%s: %d of %d texts differ", kind, wrong, len(cases[kind]))
	}
}

// TestCausalSaved: what is saved is read as the same tokenizer, and saved as the
// same bytes; so it is without tokenizer.json where the class needs none.
func TestCausalSaved(t *testing.T) {
	for _, kind := range causalKinds {
		tok, to := openCausal(t, kind), t.TempDir()
		if err := tok.Save(to); err != nil {
			t.Fatal(err)
		}
		again := mustOpen(t, to)
		if !reflect.DeepEqual(again, tok) {
			t.Errorf("%s: another tokenizer was read than was saved", kind)
		}
		files, err1 := tok.Files()
		second, err2 := again.Files()
		if err1 != nil || err2 != nil || !reflect.DeepEqual(files, second) {
			t.Errorf("%s: other files were saved again: %v, %v", kind, err1, err2)
		}
		if err := os.Remove(filepath.Join(to, TokenizerFile)); err != nil {
			t.Fatal(err)
		}
		fromMerges, err := Open(os.DirFS(to))
		switch kind {
		case "gpt2", "qwen2":
			text := "Isn't it Zürich, 2024?\n\n<|endoftext|> <tool>"
			if err != nil || !slices.Equal(fromMerges.Encode(text).IDs, tok.Encode(text).IDs) {
				t.Errorf("%s: another tokenizer was read from %q: %v", kind, tok.VocabularyFiles(), err)
			}
		case "llama2", "mistral":
			if err == nil || !strings.Contains(err.Error(), "asks for a LlamaTokenizerFast, which needs a tokenizer.json") {
				t.Errorf("%s without tokenizer.json: %v", kind, err)
			}
		}
	}
}

// TestCausalPromptForms: where a prompt ends, and what is said of one that does
// not end with the answer.
func TestCausalPromptForms(t *testing.T) {
	gpt2, llama2 := openCausal(t, "gpt2"), openCausal(t, "llama2")
	plain := gpt2.Encode("The capital of France is").IDs
	for text, afterSpace := range map[string]bool{
		"The capital of France is": true, "The capital of France is ": true, "The capital of France is   ": true,
		"The capital of France is [MASK]": true, "The capital of France is [MASK].": true, "The capital of France is  [MASK] !?” ": true,
		"The capital of France is[MASK].": false,
	} {
		if e, err := gpt2.CausalPrompt(text, 0); err != nil || !slices.Equal(e.IDs, plain) || e.AfterSpace != afterSpace {
			t.Errorf("%q: %q, after a space: %v, %v", text, e.Tokens, e.AfterSpace, err)
		}
	}
	for text, afterSpace := range map[string]bool{"It is (": true, "It is ([MASK])": false, "Answer:\n": false, "Answer:\n[MASK]": false, "Answer:\n [MASK]": true} {
		want := gpt2.Encode(strings.TrimRight(strings.Split(text, "[MASK]")[0], " ")).IDs
		if e, err := gpt2.CausalPrompt(text, 0); err != nil || !slices.Equal(e.IDs, want) || e.AfterSpace != afterSpace {
			t.Errorf("%q: %q, after a space: %v, %v", text, e.Tokens, e.AfterSpace, err)
		}
	}
	for _, text := range []string{"", "[MASK].", " "} { // <s> is there, and a space before all texts
		e, err := llama2.CausalPrompt(text, 1)
		if err != nil || !slices.Equal(e.Tokens, []string{"<s>"}) || !e.AfterSpace {
			t.Errorf("%q: %q, after a space: %v, %v", text, e.Tokens, e.AfterSpace, err)
		}
		if ids, err := llama2.Answer(e, "the"); err != nil || !slices.Equal(ids, llama2.Encode("the").IDs[1:]) {
			t.Errorf("%q: the answer is %v, %v", text, ids, err)
		}
	}
	e, err := openCausal(t, "llama3").CausalPrompt("", 0)
	if err != nil || !slices.Equal(e.Tokens, []string{"<|begin_of_text|>"}) || e.AfterSpace {
		t.Errorf("at the start: %q, after a space: %v, %v", e.Tokens, e.AfterSpace, err)
	}
	for _, c := range []struct {
		text  string
		max   int
		err   error
		wants string
	}{
		{"[MASK] is the capital of France.", 0, ErrNotLast, "ends with the answer"},
		{"Paris [MASK] 1", 0, ErrNotLast, "reads only what stands before"},
		{"[MASK] is [MASK].", 0, ErrManyMasks, "one answer at a time"},
		{"Paris is the [mask]", 0, ErrNoMask, "in capitals"},
		{"[MASK].", 0, ErrEmpty, "at least one word"},
		{"", 0, ErrEmpty, "nothing stands before"},
		{"the of and to in a is", 3, ErrTooLong, "tokens of at most 3 before the answer"},
	} {
		if _, err := gpt2.CausalPrompt(c.text, c.max); !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%q: got %v, want %v with %q", c.text, err, c.err, c.wants)
		}
	}
	if _, _, err := gpt2.Prompt("The [MASK].", 0); !errors.Is(err, ErrNoMask) || !strings.Contains(err.Error(), "a causal model's") {
		t.Errorf("a mask in a causal model's prompt: %v", err)
	}
	if _, _, err := smallT.PromptN("[MASK] is", 0, 0); err == nil || !strings.Contains(err.Error(), "0 masks") {
		t.Errorf("no masks: %v", err)
	}
	// A tokenizer of a masked model serves a causal one.
	if e, err := smallT.CausalPrompt("Paris is the capital of [MASK].", 0); err != nil || e.Tokens[0] != "[CLS]" || e.Tokens[len(e.Tokens)-1] != "of" || e.AfterSpace {
		t.Errorf("WordPiece: %q, %v", e.Tokens, err)
	}
}

// TestAnswers: what cannot be asked for is said.
func TestAnswers(t *testing.T) {
	for _, c := range []struct{ kind, answer, wants string }{
		{"gpt2", "", "is blank"},
		{"gpt2", " \n", "is blank"},
		{"gpt2", "<|endoftext|>", "is the special token <|endoftext|>"},
		{"gpt2", "the <|endoftext|>", "holds the special token <|endoftext|>"},
		{"llama2", "</s>", "is the special token </s>"},
		{"unknown", "Ж", "cannot spell"},
	} {
		tok := openCausal(t, c.kind)
		e, err := tok.CausalPrompt("It is", 0)
		if err != nil {
			t.Fatal(err)
		}
		var wrong *AnswerError
		if ids, err := tok.Answer(e, c.answer); !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.wants) || ids != nil {
			t.Errorf("%s: %q: got %v, %v, want %q", c.kind, c.answer, ids, err, c.wants)
		}
	}
	if ids, err := smallT.Answer(Encoding{}, "walking Paris"); err != nil || !slices.Equal(ids, []int{12, 13, 5}) {
		t.Errorf("WordPiece: %v, %v", ids, err)
	}
}

// TestCausalShown: no two tokens look the same in one place, none shows how the
// vocabulary writes bytes and spaces, and what is shown can be asked for.
func TestCausalShown(t *testing.T) {
	for _, kind := range causalKinds {
		tok := openCausal(t, kind)
		for _, afterSpace := range []bool{true, false} {
			seen := map[string]int{}
			for id := range tok.Size() {
				s := tok.Shown(id, afterSpace)
				if before, ok := seen[s]; ok || s == "" || strings.ContainsAny(s, "ĠĊ▁ \n") || strings.Contains(s, "<0x") {
					t.Errorf("%s: token %d %q is shown as %q, as is %q", kind, id, tok.Token(id), s, tok.Token(before))
				}
				seen[s] = id
				if tok.isAdded(id) || strings.ContainsAny(s, `\`) || strings.Trim(s, visibleSpace) == "" {
					continue
				}
				if got, err := tok.SingleAt(Encoding{AfterSpace: afterSpace}, s); err != nil || got != id {
					t.Errorf("%s: %q is shown for %d and read as %d: %v", kind, s, id, got, err)
				}
			}
		}
	}
	const text = "the capital of Zürich isn't Oslo 🙂"
	for _, kind := range causalKinds[:6] { // all that spell every character
		tok := openCausal(t, kind)
		if got := tok.Decode(tok.Encode(text).IDs); got != text {
			t.Errorf("%s: decoded %q", kind, got)
		}
	}
	for kind, want := range map[string][]string{
		"gpt2":   {"th", "##e", "is", "##n", "'t", "␣", "##ü"},
		"llama2": {"the", "isn't", "##␣", `##\xc3`, `##\xbc`},
	} {
		if got := openCausal(t, kind).Tokenize("the isn't ü"); !slices.Equal(got, want) {
			t.Errorf("%s: tokens %q, want %q", kind, got, want)
		}
	}
}

// causalFiles are a small tokenizer's, changed.
func causalFiles(t *testing.T, kind, file, old, new string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{TokenizerFile, ConfigFile} {
		data := mustRead(t, filepath.Join("testdata", "causal", kind, name))
		files[name] = string(compact(data))
	}
	if !strings.Contains(files[file], old) {
		t.Fatalf("%s: %s lacks %s", kind, file, old)
	}
	files[file] = strings.Replace(files[file], old, new, 1)
	return files
}

// TestBadCausalFiles: what cannot be read is refused by name.
func TestBadCausalFiles(t *testing.T) {
	for _, c := range []struct{ kind, file, old, new, wants string }{
		{"qwen2", TokenizerFile, `{"type":"NFC"}`, `{"type":"Lowercase"}`, "its normalizer is Lowercase; only NFC"},
		{"llama2", TokenizerFile, `{"String":" "}`, `{"Regex":" "}`, "its normalizer replaces by a pattern"},
		{"llama2", TokenizerFile, `"normalizer":{`, `"normalizer":{"normalizers":3,`, "cannot unmarshal"},
		{"mistral", TokenizerFile, `"replacement":"▁"`, `"replacement":"_"`, `writes spaces as "_"`},
		{"mistral", TokenizerFile, `"first"`, `"last"`, `the prepend_scheme "last"`},
		{"llama3", TokenizerFile, `"behavior":"Isolated"`, `"behavior":"MergedWithNext"`, `the behavior "MergedWithNext"`},
		{"other", TokenizerFile, `{"Regex":"`, `{"Regex":"(`, "a pattern that cannot be run here"},
		{"other", TokenizerFile, `{"Regex":"`, `{"Other":"`, "Split has no pattern"},
		{"smollm", TokenizerFile, `{"type":"Digits"`, `{"type":"ByteLevel"},{"type":"Digits"`, "ByteLevel is followed by another"},
		{"smollm", TokenizerFile, `{"type":"Digits"`, `{"type":"Punctuation"`, "its pre-tokenizer is Punctuation"},
		{"llama3", TokenizerFile, `"tokens":["<|begin_of_text|>"]`, `"tokens":["<nothing>"]`, "<nothing> goes around every text"},
		{"llama2", TokenizerFile, `"unk_token":"<unk>"`, `"unk_token":"<none>"`, `its unk_token is "<none>", which is not in the vocabulary`},
		{"llama2", ConfigFile, `"bos_token":"<s>"`, `"bos_token":"<t>"`, "<t> goes around every text"},
		{"llama2", ConfigFile, `"add_prefix_space":null`, `"add_prefix_space":false`, "sets add_prefix_space to false, but tokenizer.json does the opposite"},
		{"unknown", TokenizerFile, `"type":"BPE"`, `"type":"Unigram"`, "its model is Unigram; only"},
	} {
		if _, err := Open(folder(causalFiles(t, c.kind, c.file, c.old, c.new))); err == nil || !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%s: got %v, want %q", c.kind, err, c.wants)
		}
	}
}

// TestAroundTexts: what tokenizer_config.json says of the tokens around a text
// is heeded where transformers heeds it.
func TestAroundTexts(t *testing.T) {
	merges := func(config string) map[string]string {
		files, err := openCausal(t, "gpt2").Files()
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{VocabularyJSONFile: string(files[VocabularyJSONFile]), MergesFile: string(files[MergesFile]), ConfigFile: config}
	}
	withEnd := func(files map[string]string) map[string]string {
		files[VocabularyJSONFile] = strings.Replace(files[VocabularyJSONFile], "{", `{"<|endoftext|>": 400,`, 1)
		return files
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"Llama":                      {causalFiles(t, "llama2", ConfigFile, `"add_bos_token":true`, `"x":1`), []string{"<s>", "the"}},
		"Llama without":              {causalFiles(t, "llama2", ConfigFile, `"add_bos_token":true`, `"add_bos_token":false`), []string{"the"}},
		"Llama with both":            {causalFiles(t, "llama2", ConfigFile, `"add_eos_token":false`, `"add_eos_token":true`), []string{"<s>", "the", "</s>"}},
		"Llama, whatever the file":   {causalFiles(t, "llama2", TokenizerFile, `"single":[{"SpecialToken":{"id":"<s>","type_id":0}},`, `"single":[`), []string{"<s>", "the"}},
		"another class":              {causalFiles(t, "llama3", ConfigFile, `"tokenizer_class"`, `"add_bos_token":false,"tokenizer_class"`), []string{"<|begin_of_text|>", "th", "##e"}},
		"GPT-2":                      {causalFiles(t, "gpt2", ConfigFile, `"tokenizer_class"`, `"add_bos_token":true,"tokenizer_class"`), []string{"th", "##e"}},
		"GPT-2 from merges":          {merges(`{"tokenizer_class": "GPT2Tokenizer"}`), []string{"th", "##e"}},
		"GPT-2 from merges, begun":   {merges(`{"tokenizer_class": "GPT2Tokenizer", "add_bos_token": true}`), []string{"<|endoftext|>", "th", "##e"}},
		"GPT-2 without a class":      {withEnd(merges(`{}`)), []string{"th", "##e"}},
		"GPT-2 with a space":         {causalFiles(t, "gpt2", ConfigFile, `"add_prefix_space":false`, `"add_prefix_space":true`), []string{"the"}},
		"GPT-2, whatever its file":   {causalFiles(t, "gpt2", TokenizerFile, `"add_prefix_space":false`, `"add_prefix_space":true`), []string{"th", "##e"}},
		"with the space in the file": {causalFiles(t, "smollm", TokenizerFile, `"add_prefix_space":false`, `"add_prefix_space":true`), []string{"the"}},
	} {
		tok, err := Open(folder(c.files))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e := tok.Encode("the"); !slices.Equal(e.Tokens, c.want) {
			t.Errorf("%s: %q, want %q", name, e.Tokens, c.want)
		}
		two := tok.EncodePair("the", "the")
		if want := slices.Concat(c.want, c.want); !slices.Equal(two.Tokens, want) || !slices.Equal(tok.EncodePairUpTo("the", "the", 0).IDs, two.IDs) || !reflect.DeepEqual(tok.EncodePairUpTo("the", "the", 99), two) {
			t.Errorf("%s: a pair is %q", name, two.Tokens)
		}
		if cut := tok.EncodeUpTo("the the the the", len(c.want)); len(cut.IDs) != len(c.want) || !slices.Equal(cut.Tokens[:1], c.want[:1]) {
			t.Errorf("%s: cut to %q", name, cut.Tokens)
		}
		files, err := tok.Files()
		if err != nil {
			t.Fatal(err)
		}
		saved := map[string]string{}
		for file, data := range files {
			saved[file] = string(data)
		}
		if again, err := Open(folder(saved)); err != nil || !slices.Equal(again.Encode("the").Tokens, c.want) {
			t.Errorf("%s: saved as another: %v", name, err)
		}
	}
}

// FuzzCausal encodes any text with a tokenizer of each kind and checks what
// holds for every encoding.
func FuzzCausal(f *testing.F) {
	var all []*Tokenizer
	for _, kind := range causalKinds {
		all = append(all, openCausal(f, kind))
	}
	for _, text := range []string{"isn't ſ 'ſ 12345\r\n\n  x", "e\u0301\u0344\u1100\u1161", "▁ <0x41><s>[MASK]", "\xff", "<|endoftext|>\t", " "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for i, tok := range all {
			e := tok.Encode(text)
			if len(e.Tokens) != len(e.IDs) || len(e.Offsets) != len(e.IDs) || len(e.TypeIDs) != len(e.IDs) {
				t.Fatal("lengths differ")
			}
			for _, o := range e.Offsets {
				if o[0] < 0 || o[0] > o[1] || o[1] > len([]rune(text)) {
					t.Fatalf("%s: %v lies outside %q", causalKinds[i], o, text)
				}
			}
			whole := !strings.ContainsAny(text, "<▁") && utf8.ValidString(text) && !slices.Contains([]string{"qwen2", "unknown"}, causalKinds[i]) &&
				(causalKinds[i] != "mistral" || !strings.HasPrefix(text, " "))
			if got := tok.Decode(e.IDs); whole && got != text {
				t.Fatalf("%s: %q is decoded as %q", causalKinds[i], text, got)
			}
			prompt, err := tok.CausalPrompt(text, 0)
			if err != nil {
				continue
			}
			if ids, err := tok.Answer(prompt, text); err == nil && (len(ids) == 0 || slices.ContainsFunc(ids, tok.IsSpecial)) {
				t.Fatalf("%s: the answer %q is %v", causalKinds[i], text, ids)
			}
		}
	})
}
