package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// bytelevel is a small tokenizer in RoBERTa's form, which make.py there made.
const bytelevel = "testdata/bytelevel"

// byteLevelCases are what transformers reads texts as.
type byteLevelCases struct {
	Plain, Prefix []randomCase
	Pairs         [][3]any
}

func readByteLevelCases(t *testing.T, path string) (c byteLevelCases) {
	t.Helper()
	if err := json.Unmarshal(mustRead(t, path), &c); err != nil || len(c.Plain) == 0 || len(c.Prefix) == 0 || len(c.Pairs) == 0 {
		t.Fatalf("%s: %v", path, err)
	}
	return c
}

// with reads a folder as if its tokenizer_config.json said something else.
func withConfig(t *testing.T, dir, old, changed string) *Tokenizer {
	t.Helper()
	fsys := fstest.MapFS{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		fsys[f.Name()] = &fstest.MapFile{Data: mustRead(t, filepath.Join(dir, f.Name()))}
	}
	config := string(fsys[ConfigFile].Data)
	if !strings.Contains(config, old) {
		t.Fatalf("%s lacks %s", ConfigFile, old)
	}
	fsys[ConfigFile].Data = []byte(strings.Replace(config, old, changed, 1))
	tok, err := Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestByteLevelEqualsTransformers compares ids and offsets on texts of
// contractions, white space of all kinds, letters and digits of many scripts and
// Unicode versions, emoji, and special tokens in odd places. The file is a
// sample of a comparison of 20,000 such texts.
func TestByteLevelEqualsTransformers(t *testing.T) {
	path := filepath.Join(bytelevel, "cases.json")
	if other := os.Getenv("KN_BYTELEVEL_CASES"); other != "" {
		path = other
	}
	cases := readByteLevelCases(t, path)
	plain := mustOpen(t, filepath.Join(bytelevel, "plain"))
	prefix := withConfig(t, filepath.Join(bytelevel, "plain"), `"add_prefix_space": false`, `"add_prefix_space": true`)
	for name, set := range map[string]struct {
		tok   *Tokenizer
		cases []randomCase
	}{
		"plain": {plain, cases.Plain}, "prefix": {prefix, cases.Prefix},
		"from vocab.json and merges.txt": {mustOpen(t, filepath.Join(bytelevel, "files")), cases.Plain},
	} {
		wrong := 0
		for _, c := range set.cases {
			e := set.tok.Encode(c.text)
			if slices.Equal(e.IDs, c.ids) && reflect.DeepEqual(e.Offsets, c.offsets) {
				continue
			}
			if wrong++; wrong <= 5 {
				t.Errorf("%s: %+q:\n got %v %v\nwant %v %v", name, c.text, e.IDs, e.Offsets, c.ids, c.offsets)
			}
		}
		t.Logf("%s: %d of %d texts differ", name, wrong, len(set.cases))
	}
	for _, c := range cases.Plain {
		if e := plain.Encode(c.text); !strings.Contains(c.text, "<") && plain.Decode(e.IDs) != c.text {
			t.Errorf("%+q is decoded as %+q", c.text, plain.Decode(e.IDs))
		}
	}
	for _, c := range cases.Pairs {
		e := plain.EncodePair(c[0].(string), c[1].(string))
		var want []int
		for _, id := range c[2].([]any) {
			want = append(want, int(id.(float64)))
		}
		if !slices.Equal(e.IDs, want) || slices.Max(e.TypeIDs) != 0 {
			t.Errorf("%+q: got %v, want %v", c[:2], e.IDs, want)
		}
	}
}

// TestPromptsOfEveryTokenizer: [MASK] stands for the tokenizer's own mask,
// which takes the space before it.
func TestPromptsOfEveryTokenizer(t *testing.T) {
	tok := mustOpen(t, filepath.Join(bytelevel, "plain"))
	own, _, err := tok.Prompt("The capital of France is <mask>.", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"The capital of France is [MASK].", "The capital of France is  [MASK].", "The capital of France is\n<mask>."} {
		e, mask, err := tok.Prompt(text, 0)
		if err != nil || !slices.Equal(e.IDs, own.IDs) || e.Tokens[mask] != "<mask>" || !e.AfterSpace {
			t.Errorf("%q: tokens %q, after a space: %v, %v", text, e.Tokens, e.AfterSpace, err)
		}
	}
	for _, text := range []string{"[MASK] is the capital of France.", "“[MASK]” is it", "(<mask>)"} {
		if e, _, err := tok.Prompt(text, 0); err != nil || e.AfterSpace {
			t.Errorf("%q: after a space: %v, %v", text, e.AfterSpace, err)
		}
	}
	prefix := withConfig(t, filepath.Join(bytelevel, "plain"), `"add_prefix_space": false`, `"add_prefix_space": true`)
	if e, _, err := prefix.Prompt("[MASK] is it", 0); err != nil || !e.AfterSpace {
		t.Errorf("with a space before every word: %v, %v", e.AfterSpace, err)
	}
	for text, want := range map[string]string{"no mask": "needs one <mask>", "[MASK] and <mask>": "must have one <mask>"} {
		if _, _, err := tok.Prompt(text, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, _, err := tok.Prompt("[MASK] is too long", 3); err == nil || !strings.Contains(err.Error(), "3, <s> and </s> included") {
		t.Errorf("too long: %v", err)
	}
}

// TestByteLevelAnswers: an answer is the token that it has in the mask's place,
// and messages show tokens as they are read.
func TestByteLevelAnswers(t *testing.T) {
	tok := mustOpen(t, filepath.Join(bytelevel, "plain"))
	prompt := func(text string) Encoding {
		e, _, err := tok.Prompt(text, 0)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	inside, start := prompt("It is [MASK]."), prompt("[MASK] is it.")
	for _, c := range []struct {
		prompt      Encoding
		answer, raw string
	}{
		{inside, "the", "Ġthe"},
		{inside, " the ", "Ġthe"},
		{start, "the", "the"},
		{start, " the", "the"},
		{inside, "##the", "the"},
		{start, "␣the", "Ġthe"},
		{inside, "Ñ", ""},
	} {
		id, err := tok.SingleAt(c.prompt, c.answer)
		if got := tok.Token(id); c.raw != "" && (err != nil || got != c.raw) || c.raw == "" && err == nil {
			t.Errorf("%q: %q, %v; want %q", c.answer, got, err, c.raw)
		}
	}
	if id, err := tok.Single("the"); err != nil || tok.Token(id) != "Ġthe" {
		t.Errorf("without a prompt: %q, %v", tok.Token(id), err)
	}
	for answer, want := range map[string]string{
		"thethe": "not one token but 2: the ##the;", "the of": "not one token but 2: the of;", "": "is blank", "  ": "is blank",
		"<mask>": "is the special token <mask>", "Ñ": `not one token but 3: ␣ ##\xc3 ##\x91;`,
	} {
		if _, err := tok.SingleAt(inside, answer); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", answer, err, want)
		}
	}
}

// TestShown: no two tokens look the same in one place, none shows how bytes are
// written, and what is shown can be asked for.
func TestShown(t *testing.T) {
	tok := mustOpen(t, filepath.Join(bytelevel, "plain"))
	for _, text := range []string{"It is [MASK].", "[MASK] is it."} {
		e, _, err := tok.Prompt(text, 0)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for id := range tok.Size() {
			s := tok.Shown(id, e.AfterSpace)
			if before, ok := seen[s]; ok || s == "" || strings.ContainsAny(s, "ĠĊ \n") {
				t.Errorf("token %d %q is shown as %q, as is %q", id, tok.Token(id), s, tok.Token(before))
			}
			seen[s] = id
			if tok.IsSpecial(id) || strings.ContainsAny(s, `\`) || strings.Trim(s, visibleSpace) == "" {
				continue
			}
			if got, err := tok.SingleAt(e, s); err != nil || got != id {
				t.Errorf("%s: %q is shown for %d and read as %d: %v", text, s, id, got, err)
			}
		}
	}
	e := tok.Encode("Paris isn't  walking.\n東京🙂")
	if want := []string{"<s>", "Paris", "isn", "'t", "␣", "walking", ".", `\n`, "東京", "🙂", "</s>"}; !slices.Equal(e.Tokens, want) {
		t.Errorf("got %q, want %q", e.Tokens, want)
	}
	if got := tok.Decode(e.IDs); got != "Paris isn't  walking.\n東京🙂" {
		t.Errorf("decoded %q", got)
	}
}

// TestByteLevelSaved: what is saved is read as the same tokenizer, from
// tokenizer.json and from vocab.json, and saved as the same bytes.
func TestByteLevelSaved(t *testing.T) {
	dir := filepath.Join(bytelevel, "plain")
	template := string(mustRead(t, filepath.Join(dir, TokenizerFile)))
	from, to := strings.Index(template, `"post_processor"`), strings.Index(template, `"decoder"`)
	template = template[:from] + `"post_processor": {"type": "TemplateProcessing",
		"single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
		"pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}},
			{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "</s>", "type_id": 1}}], "special_tokens": {}}, ` + template[to:]
	fromTemplate, err := Open(folder(map[string]string{TokenizerFile: template}))
	if err != nil {
		t.Fatal(err)
	}
	if e := fromTemplate.EncodePair("a", "b"); len(e.IDs) != 5 || !slices.Equal(e.TypeIDs, []int{0, 0, 0, 1, 1}) {
		t.Errorf("a pair in BERT's form: %q %v", e.Tokens, e.TypeIDs)
	}
	for name, tok := range map[string]*Tokenizer{
		"RoBERTa's": mustOpen(t, dir), "BERT's form": fromTemplate,
		"prefix": withConfig(t, dir, `"add_prefix_space": false`, `"add_prefix_space": true`),
	} {
		to := t.TempDir()
		if err := tok.Save(to); err != nil {
			t.Fatal(err)
		}
		again := mustOpen(t, to)
		if !reflect.DeepEqual(again, tok) {
			t.Errorf("%s: another tokenizer was read than was saved", name)
		}
		files, err1 := tok.Files()
		second, err2 := again.Files()
		if err1 != nil || err2 != nil || !reflect.DeepEqual(files, second) || len(files) != 5 {
			t.Errorf("%s: other files were saved again: %v, %v", name, err1, err2)
		}
		if name == "BERT's form" {
			continue // which vocab.json and merges.txt do not say
		}
		if err := os.Remove(filepath.Join(to, TokenizerFile)); err != nil {
			t.Fatal(err)
		}
		if got := mustOpen(t, to); !reflect.DeepEqual(got, tok) {
			t.Errorf("%s: another tokenizer was read from %q", name, got.VocabularyFiles())
		}
	}
}

// TestOldByteLevelFile: the files of 2020 name neither the model's type nor the
// use of its pattern, and have each merge as one string.
func TestOldByteLevelFile(t *testing.T) {
	whole := mustOpen(t, filepath.Join(bytelevel, "plain"))
	files, err := whole.Files()
	if err != nil {
		t.Fatal(err)
	}
	old := string(files[TokenizerFile])
	for _, line := range []string{`    "type": "BPE",` + "\n", `"use_regex": true`, `    "ignore_merges": false,` + "\n"} {
		if !strings.Contains(old, line) {
			t.Fatalf("no %s", line)
		}
		old = strings.ReplaceAll(old, line, map[bool]string{true: `"x": 1`}[strings.HasPrefix(line, `"`)])
	}
	tok, err := Open(folder(map[string]string{TokenizerFile: old, ConfigFile: string(files[ConfigFile])}))
	if err != nil || !reflect.DeepEqual(tok, whole) {
		t.Errorf("another tokenizer was read: %v", err)
	}
}

// TestBadByteLevelFiles: each fault is named.
func TestBadByteLevelFiles(t *testing.T) {
	whole := string(mustRead(t, filepath.Join(bytelevel, "plain", TokenizerFile)))
	vocab := string(mustRead(t, filepath.Join(bytelevel, "files", VocabularyJSONFile)))
	merges := string(mustRead(t, filepath.Join(bytelevel, "files", MergesFile)))
	replace := func(text, old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("no %s", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	for want, files := range map[string]map[string]string{
		"has a vocab.json but no merges.txt":                {VocabularyJSONFile: vocab},
		"merges.txt: merge 1 is \"x\", not two tokens":      {VocabularyJSONFile: vocab, MergesFile: "#version: 0.2\nx\n"},
		"merge 1 is of \"西\", which is not in the":          {VocabularyJSONFile: vocab, MergesFile: "西 x\n"},
		"merge 2 gives \"xq\", which is not in the":         {VocabularyJSONFile: vocab, MergesFile: "Ġ w\nx q\n"},
		"vocab.json: unexpected end":                        {VocabularyJSONFile: vocab[:40], MergesFile: merges},
		"lacks <mask>":                                      {VocabularyJSONFile: replace(vocab, "<mask>", "<m>"), MergesFile: merges},
		"its normalizer is NFKC; only":                      {TokenizerFile: replace(whole, `"normalizer": null`, `"normalizer": {"type": "NFKC"}`)},
		"its pre-tokenizer is Whitespace; only":             {TokenizerFile: replace(whole, `"type": "ByteLevel"`, `"type": "Whitespace"`)},
		"its BPE has a dropout":                             {TokenizerFile: replace(whole, `"dropout": null`, `"dropout": 0.1`)},
		"its post-processor is BertProcessing; only":        {TokenizerFile: replace(whole, `"RobertaProcessing"`, `"BertProcessing"`)},
		"template has 0 texts, not one":                     {TokenizerFile: replace(whole, `"RobertaProcessing"`, `"TemplateProcessing"`)},
		"tokenizer_config.json asks for a T5Tokenizer; onl": {TokenizerFile: whole, ConfigFile: `{"tokenizer_class": "T5Tokenizer"}`},
	} {
		if _, err := Open(folder(files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
